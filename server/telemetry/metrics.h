#ifndef CONTACTS_SERVER_TELEMETRY_METRICS_H_
#define CONTACTS_SERVER_TELEMETRY_METRICS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "contacts/v1/errors.pb.h"
#include "core/base/histogram.h"

namespace contacts::server {

// The server's metrics for Prometheus. Values are atomics, kept by the parts that count, and
// collected by a scrape. Counting takes no lock. No label has a value that a caller chooses. Thread
// safe.
class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;

  // The counts of one method.
  class Method {
   public:
    void CountStart() { ++started_; }
    // `reason`: of the ErrorInfo; empty without one.
    void CountEnd(absl::StatusCode code, const std::string& reason, absl::Duration latency);

   private:
    friend class Metrics;
    static constexpr std::size_t kCodes = 17;
    static constexpr std::size_t kReasons = v1::ErrorReason_ARRAYSIZE;

    std::atomic<int64_t> started_ = 0;
    std::array<std::array<std::atomic<int64_t>, kReasons>, kCodes> ended_ = {};
    DurationHistogram latency_;
  };

  // Why a server rejects a call of a caller that may make it.
  enum class Rejection {
    kQueue,          // The queue is full.
    kAccount,        // The account's share of the queue is full.
    kUnreadAnswers,  // The account does not read its answers.
    kWatchers,       // There are too many watchers.
    kImports,        // There are too many imports.
    kStopping,
  };

  // Knows the contract's methods.
  Metrics();
  ~Metrics();

  // The counts of a method such as "contacts.v1.ContactService/GetProfile". Null if the contract
  // does not have the method. Valid as long as this object.
  Method* Find(const std::string& method);
  DurationHistogram& queue_wait() { return queue_wait_; }
  void CountRejection(Rejection why) { ++rejected_[static_cast<std::size_t>(why)]; }

  // Adds a value that is read at each scrape by a function that does not block. Values with the
  // same name must have different labels. Must not be called at the same time as Exposition.
  void AddCounter(const std::string& name, const std::string& help, const Labels& labels,
                  std::function<double()> value);
  void AddGauge(const std::string& name, const std::string& help, const Labels& labels,
                std::function<double()> value);
  // `histogram` must outlive this object.
  void AddHistogram(const std::string& name, const std::string& help, const Labels& labels,
                    const DurationHistogram* histogram);

  // Everything, in Prometheus's text format.
  std::string Exposition() const;

 private:
  class Collected;
  void AddMethod(const std::string& name, const Labels& labels);

  std::unordered_map<std::string, Method> methods_;
  DurationHistogram queue_wait_;
  std::array<std::atomic<int64_t>, 6> rejected_ = {};  // By Rejection.
  const std::unique_ptr<Collected> collected_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_TELEMETRY_METRICS_H_
