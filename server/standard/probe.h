#ifndef CONTACTS_SERVER_STANDARD_PROBE_H_
#define CONTACTS_SERVER_STANDARD_PROBE_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/auth/tls.h"

namespace contacts::server {

// How to reach the server that runs on this machine.
struct ProbeOptions {
  std::string address;          // HOST:PORT; any address counts as loopback's.
  std::optional<TlsFiles> tls;  // Of the server: shown to it too, where it wants certificates.
  std::string service;          // Asked for; "liveness", or empty for readiness.
  absl::Duration limit = absl::Seconds(3);
};

// Asks the server's health service. OK where it says SERVING, else UNAVAILABLE with what it says.
// The server's certificate is not checked: nothing secret is sent, and nobody else can listen there
// while the server does.
absl::Status Probe(const ProbeOptions& options);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_STANDARD_PROBE_H_
