#include "server/telemetry/metrics.h"

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>
#include <prometheus/text_serializer.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "contacts/v1/contact_service.pb.h"
#include "contacts/v1/directory_service.pb.h"
#include "contacts/v1/support_service.pb.h"

namespace contacts::server {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr char kReasonPrefix[] = "ERROR_REASON_";

// The names that gRPC metrics usually have.
const char* TypeOf(const google::protobuf::MethodDescriptor& method) {
  if (method.client_streaming()) {
    return method.server_streaming() ? "bidi_stream" : "client_stream";
  }
  return method.server_streaming() ? "server_stream" : "unary";
}

ClientMetric Labelled(const Metrics::Labels& labels) {
  ClientMetric metric;
  for (const auto& [name, value] : labels) metric.label.push_back({name, value});
  return metric;
}

ClientMetric::Histogram Cumulative(const DurationHistogram& durations) {
  const DurationHistogram::Counts counts = durations.counts();
  ClientMetric::Histogram histogram;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    histogram.sample_count += static_cast<uint64_t>(counts[i]);
    if (i == DurationHistogram::kBounds.size()) break;  // The library adds the last bucket.
    histogram.bucket.push_back(
        {histogram.sample_count, static_cast<double>(DurationHistogram::kBounds[i]) / 1e6});
  }
  histogram.sample_sum = absl::ToDoubleSeconds(durations.sum());
  return histogram;
}

}  // namespace

// The metrics of a scrape: for each name a family of functions that each add their samples.
class Metrics::Collected {
 public:
  using Add = std::function<void(std::vector<ClientMetric>&)>;

  void Register(MetricType type, const std::string& name, const std::string& help, Add add) {
    Family& family = families_[name];
    family.type = type;
    family.help = help;
    family.parts.push_back(std::move(add));
  }

  std::vector<MetricFamily> Collect() const {
    std::vector<MetricFamily> collected;
    for (const auto& [name, family] : families_) {
      collected.push_back({name, family.help, family.type, {}});
      for (const Add& part : family.parts) part(collected.back().metric);
    }
    return collected;
  }

 private:
  struct Family {
    MetricType type;
    std::string help;
    std::vector<Add> parts;
  };
  std::map<std::string, Family> families_;
};

void Metrics::Method::CountEnd(absl::StatusCode code, const std::string& reason,
                               absl::Duration latency) {
  v1::ErrorReason index = v1::ERROR_REASON_UNSPECIFIED;
  if (!reason.empty()) v1::ErrorReason_Parse(absl::StrCat(kReasonPrefix, reason), &index);
  ++ended_.at(static_cast<std::size_t>(code)).at(index);
  latency_.Add(latency);
}

Metrics::Metrics() : collected_(std::make_unique<Collected>()) {
  for (const auto* file :
       {v1::GetProfileRequest::descriptor()->file(), v1::CreateAccountRequest::descriptor()->file(),
        v1::SearchContactChangesRequest::descriptor()->file()}) {
    const auto& service = *file->service(0);
    for (int i = 0; i < service.method_count(); ++i) {
      const auto& method = *service.method(i);
      AddMethod(absl::StrCat(service.full_name(), "/", method.name()),
                {{"grpc_service", service.full_name()},
                 {"grpc_method", method.name()},
                 {"grpc_type", TypeOf(method)}});
    }
  }
  AddHistogram("contacts_queue_wait_seconds", "Time that calls waited for a worker thread.", {},
               &queue_wait_);
  const char* const causes[] = {"queue",    "account", "unread_answers",
                                "watchers", "imports", "stopping"};
  for (std::size_t i = 0; i < rejected_.size(); ++i) {
    AddCounter("contacts_calls_rejected_total",
               "Calls that got UNAVAILABLE from this server's own limits, by cause.",
               {{"cause", causes[i]}}, [this, i] { return static_cast<double>(rejected_[i]); });
  }
}

Metrics::~Metrics() = default;

Metrics::Method* Metrics::Find(const std::string& method) {
  const auto found = methods_.find(method);
  return found == methods_.end() ? nullptr : &found->second;
}

void Metrics::AddMethod(const std::string& name, const Labels& labels) {
  const Method& method = methods_[name];
  AddCounter("grpc_server_started_total", "Calls that arrived, by method.", labels,
             [&method] { return static_cast<double>(method.started_); });
  AddHistogram("grpc_server_handling_seconds",
               "Time from a call's arrival to its answer, or to the end of its stream, by method.",
               labels, &method.latency_);
  const auto add = [&method, labels](std::vector<ClientMetric>& metrics) {
    for (std::size_t code = 0; code < Method::kCodes; ++code) {
      for (std::size_t reason = 0; reason < Method::kReasons; ++reason) {
        const auto count = static_cast<double>(method.ended_[code][reason]);
        // Other codes appear with their first call. INTERNAL is always there, so that an alert sees
        // the first one.
        const bool from_start = (code == 0 && reason == 0) ||
                                (code == static_cast<std::size_t>(absl::StatusCode::kInternal) &&
                                 reason == static_cast<std::size_t>(v1::ERROR_REASON_INTERNAL));
        if (count == 0 && !from_start) continue;
        Labels all = labels;
        all["grpc_code"] = absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
        if (reason != 0) {
          const auto& text = v1::ErrorReason_Name(static_cast<v1::ErrorReason>(reason));
          all["reason"] = std::string(absl::StripPrefix(text, kReasonPrefix));
        }
        metrics.push_back(Labelled(all));
        metrics.back().counter.value = count;
      }
    }
  };
  collected_->Register(MetricType::Counter, "grpc_server_handled_total",
                       "Calls answered, by method, status code and reason.", add);
}

void Metrics::AddCounter(const std::string& name, const std::string& help, const Labels& labels,
                         std::function<double()> value) {
  collected_->Register(MetricType::Counter, name, help,
                       [labels, value = std::move(value)](std::vector<ClientMetric>& metrics) {
                         metrics.push_back(Labelled(labels));
                         metrics.back().counter.value = value();
                       });
}

void Metrics::AddGauge(const std::string& name, const std::string& help, const Labels& labels,
                       std::function<double()> value) {
  collected_->Register(MetricType::Gauge, name, help,
                       [labels, value = std::move(value)](std::vector<ClientMetric>& metrics) {
                         metrics.push_back(Labelled(labels));
                         metrics.back().gauge.value = value();
                       });
}

void Metrics::AddHistogram(const std::string& name, const std::string& help, const Labels& labels,
                           const DurationHistogram* histogram) {
  collected_->Register(MetricType::Histogram, name, help,
                       [labels, histogram](std::vector<ClientMetric>& metrics) {
                         metrics.push_back(Labelled(labels));
                         metrics.back().histogram = Cumulative(*histogram);
                       });
}

std::string Metrics::Exposition() const {
  return prometheus::TextSerializer().Serialize(collected_->Collect());
}

}  // namespace contacts::server
