#ifndef CONTACTS_SERVER_TELEMETRY_METRICS_LISTENER_H_
#define CONTACTS_SERVER_TELEMETRY_METRICS_LISTENER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "server/auth/caller_policy.h"
#include "server/auth/tls.h"

namespace contacts::server {

// Answers GET /metrics, one request a connection: over HTTP or, with a Tls, over HTTPS to callers
// whose certificate may read the metrics. Has one thread and serves a few connections at once, each
// for a few seconds. Further connections wait outside and cost nothing.
class MetricsListener {
 public:
  struct Source {
    std::function<std::string()> collect;  // Returns the exposition as text. Must not block.
    std::function<bool(const PeerNames& peer)> allows;
  };

  // `address`: HOST:PORT. `tls`: null for HTTP, else must outlive this object.
  MetricsListener(std::string address, const Tls* tls, Source source);
  ~MetricsListener();
  MetricsListener(const MetricsListener&) = delete;
  MetricsListener& operator=(const MetricsListener&) = delete;

  // Listens until the destructor. Returns UNAVAILABLE if it cannot listen at the address.
  absl::Status Start();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_TELEMETRY_METRICS_LISTENER_H_
