#ifndef CONTACTS_SERVER_METRICS_H_
#define CONTACTS_SERVER_METRICS_H_

#include <prometheus/exposer.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/log.h"

namespace contacts::server {

// What the server tells Prometheus. No label has a value that a caller chooses.
// Thread safe.
class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;

  Metrics();
  ~Metrics();

  void CountCall(const CallRecord& call);
  void CountQueueWait(absl::Duration wait);

  // A value that is asked for at each scrape, by a function that does not block.
  // Before Serve alone.
  void AddCounter(const std::string& name, const std::string& help, Labels labels,
                  std::function<double()> value);
  void AddGauge(const std::string& name, const std::string& help, Labels labels,
                std::function<double()> value);

  // Serves /metrics over HTTP on HOST:PORT until Stop. UNAVAILABLE where it cannot
  // listen there.
  absl::Status Serve(const std::string& address);
  // From then on, none of the added functions is called.
  void Stop();

 private:
  class Asked;

  const std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Family<prometheus::Counter>& handled_;
  prometheus::Family<prometheus::Histogram>& handling_;
  prometheus::Histogram& queue_wait_;
  const std::shared_ptr<Asked> asked_;
  std::unique_ptr<prometheus::Exposer> exposer_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_METRICS_H_
