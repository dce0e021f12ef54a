#ifndef CONTACTS_SERVER_TELEMETRY_METRICS_LISTENER_H_
#define CONTACTS_SERVER_TELEMETRY_METRICS_LISTENER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "server/auth/policy.h"
#include "server/auth/tls.h"

namespace contacts::server {

// Answers GET /metrics, one request a connection: over HTTP or, with a Tls, over HTTPS to callers
// whose certificate may read them. Has one thread, and a few connections at once that each
// have a few seconds; more wait outside, so nothing that they do costs more than this.
class MetricsListener {
 public:
  struct Source {
    std::function<std::string()> collect;  // The exposition, as text; does not block.
    std::function<bool(const PeerNames& peer)> allows;
  };

  // `address` is HOST:PORT; `tls` null for HTTP, else outlives this.
  MetricsListener(std::string address, const Tls* tls, Source source);
  ~MetricsListener();
  MetricsListener(const MetricsListener&) = delete;
  MetricsListener& operator=(const MetricsListener&) = delete;

  // Listens until this ends. UNAVAILABLE where it cannot listen there.
  absl::Status Start();

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_TELEMETRY_METRICS_LISTENER_H_
