#ifndef CONTACTS_CLIENT_LIB_CHANNEL_H_
#define CONTACTS_CLIENT_LIB_CHANNEL_H_

#include <memory>
#include <string>

#include "grpcpp/channel.h"

namespace contacts::client {

// How client and server prove who they are to each other. Every file is PEM.
struct TlsFiles {
  bool enabled = false;     // False: plain text, and the files are not read.
  std::string ca;           // Authorities of the server's certificate. Empty: the system's.
  std::string certificate;  // The client's own certificate. Empty: none.
  std::string key;          // Its private key. Empty: none.
};

// Opens a channel to `server`, "HOST:PORT". Nothing is connected before the first call, so
// that an address or a file that is wrong makes the first call fail with UNAVAILABLE.
// Takes responses of up to 64 MiB and metadata (lists of errors) of up to 1 MiB. Channels to one
// server with the same `connection` share a connection, which carries a limited number of calls.
std::shared_ptr<grpc::Channel> OpenChannel(const std::string& server, const TlsFiles& tls,
                                           int connection = 0);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_LIB_CHANNEL_H_
