#include "server/metrics.h"

#include <exception>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace contacts::server {
namespace {

// Seconds: from what one read of a warm database takes to the longest calls.
const prometheus::Histogram::BucketBoundaries& Buckets() {
  static const auto& buckets = *new prometheus::Histogram::BucketBoundaries{
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
  return buckets;
}

}  // namespace

class Metrics::Asked final : public prometheus::Collectable {
 public:
  struct Value {
    prometheus::MetricType type;
    std::string name;
    std::string help;
    Labels labels;
    std::function<double()> value;
  };
  void Add(Value value) { values_.push_back(std::move(value)); }

  std::vector<prometheus::MetricFamily> Collect() const override {
    std::vector<prometheus::MetricFamily> families;
    for (const Value& value : values_) {
      if (families.empty() || families.back().name != value.name) {
        families.push_back({value.name, value.help, value.type, {}});
      }
      prometheus::ClientMetric& metric = families.back().metric.emplace_back();
      for (const auto& [name, text] : value.labels) metric.label.push_back({name, text});
      if (value.type == prometheus::MetricType::Counter) {
        metric.counter.value = value.value();
      } else {
        metric.gauge.value = value.value();
      }
    }
    return families;
  }

 private:
  std::vector<Value> values_;  // Those of one name together.
};

Metrics::Metrics()
    : registry_(std::make_shared<prometheus::Registry>()),
      handled_(prometheus::BuildCounter()
                   .Name("grpc_server_handled_total")
                   .Help("Calls answered, by method, status code and reason.")
                   .Register(*registry_)),
      handling_(prometheus::BuildHistogram()
                    .Name("grpc_server_handling_seconds")
                    .Help("Time from a call's arrival to its answer, by method.")
                    .Register(*registry_)),
      queue_wait_(prometheus::BuildHistogram()
                      .Name("contacts_queue_wait_seconds")
                      .Help("Time that calls waited for a worker thread.")
                      .Register(*registry_)
                      .Add({}, Buckets())),
      asked_(std::make_shared<Asked>()) {}

Metrics::~Metrics() { Stop(); }

void Metrics::CountCall(const CallRecord& call) {
  const std::size_t slash = call.method.find('/');
  const std::string service = call.method.substr(0, slash);
  const std::string method = call.method.substr(slash + 1);
  handled_
      .Add({{"grpc_service", service},
            {"grpc_method", method},
            {"grpc_code", call.status},
            {"reason", call.reason}})
      .Increment();
  handling_.Add({{"grpc_service", service}, {"grpc_method", method}}, Buckets())
      .Observe(absl::ToDoubleSeconds(call.latency));
}

void Metrics::CountQueueWait(absl::Duration wait) {
  queue_wait_.Observe(absl::ToDoubleSeconds(wait));
}

void Metrics::AddCounter(const std::string& name, const std::string& help, Labels labels,
                         std::function<double()> value) {
  asked_->Add({prometheus::MetricType::Counter, name, help, std::move(labels), std::move(value)});
}

void Metrics::AddGauge(const std::string& name, const std::string& help, Labels labels,
                       std::function<double()> value) {
  asked_->Add({prometheus::MetricType::Gauge, name, help, std::move(labels), std::move(value)});
}

absl::Status Metrics::Serve(const std::string& address) {
  try {
    exposer_ = std::make_unique<prometheus::Exposer>(address);
    exposer_->RegisterCollectable(registry_);
    exposer_->RegisterCollectable(asked_);
  } catch (const std::exception& error) {
    return absl::UnavailableError(
        absl::StrCat("cannot serve metrics on ", address, ": ", error.what()));
  }
  return absl::OkStatus();
}

void Metrics::Stop() { exposer_.reset(); }

}  // namespace contacts::server
