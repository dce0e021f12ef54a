#ifndef CONTACTS_SERVER_AUTH_TLS_H_
#define CONTACTS_SERVER_AUTH_TLS_H_

#include <grpcpp/security/server_credentials.h>
#include <openssl/types.h>

#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/auth/caller_policy.h"

namespace contacts::server {

// Files of the server's certificate.
struct TlsFiles {
  std::string certificate;  // PEM: the server's certificate and its chain.
  std::string key;          // PEM, mode 0600.
  std::string client_ca;    // PEM: authorities of callers' certificates. Empty: none is wanted.
};

// Contents of the files.
struct TlsPem {
  std::string certificate;
  std::string key;
  std::string client_ca;
  friend bool operator==(const TlsPem&, const TlsPem&) = default;
};

// Reads the files. Returns FAILED_PRECONDITION, with the file's name, if a file cannot be read or
// is accessible to others. Returns INVALID_ARGUMENT if a file has no certificate or key that
// OpenSSL accepts, if the key does not fit the certificate, or if the certificate has expired.
absl::StatusOr<TlsPem> ReadTls(const TlsFiles& files);

// The TLS side of a server: its certificate for TLS 1.2 or later, and, if there are authorities of
// callers' certificates, the demand for a certificate that they signed. Must outlive the server.
class Tls {
 public:
  // `context_life`: how long a connection may resume the session of an earlier one. Resuming saves
  // a handshake, and with it the check of the caller's certificate.
  explicit Tls(TlsPem pem, absl::Duration context_life = absl::Minutes(1));
  ~Tls();
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  // Replaces the certificate, key and authorities for new connections. Open connections do not
  // change. Thread safe.
  void Replace(TlsPem pem);
  // End of the certificate's validity.
  absl::Time expires() const;
  std::shared_ptr<grpc::ServerCredentials> Credentials();
  // The same for a server beside gRPC's: a connection made from `context` uses the PEM texts that
  // are current when it begins.
  void Prepare(SSL_CTX* context) const;

 private:
  static int ShowCertificate(SSL* connection, void* tls);

  class Port;
  class PortCredentials;

  std::shared_ptr<const TlsPem> pem() const;

  const absl::Duration context_life_;
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsPem> pem_;  // Guarded by mutex_. The texts themselves never change.
  std::deque<std::unique_ptr<Port>> ports_;
};

// The names of the verified certificate of a connection's peer.
PeerNames NamesOfPeer(const SSL* connection);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_AUTH_TLS_H_
