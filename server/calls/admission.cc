#include "server/calls/admission.h"

#include <grpc/grpc_security_constants.h>
#include <grpc/support/time.h>

#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/domain/errors.h"
#include "server/messages/parse.h"
#include "server/messages/status.h"

namespace contacts::server {
namespace {

constexpr char kRequestIdKey[] = "x-request-id";
constexpr char kTraceKey[] = "traceparent";
constexpr std::size_t kMaxEchoed = 128;

// Metadata that labels the call and is sent back. "" if it is missing or cannot be sent back.
std::string EchoLabel(grpc::CallbackServerContext& context, const char* key) {
  const auto found = context.client_metadata().find(key);
  if (found == context.client_metadata().end()) return "";
  std::string value(found->second.data(), found->second.size());
  if (!IsPrintableAscii(value, kMaxEchoed)) return "";
  if (!value.empty()) context.AddInitialMetadata(key, value);
  return value;
}

std::string ToString(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

// Empty without TLS, and if no certificate is asked for: gRPC verifies every certificate.
PeerNames NamesOfPeer(const grpc::CallbackServerContext& context) {
  const auto peer = context.auth_context();
  const auto named = [&](const char* kind) {
    std::vector<std::string> names;
    for (const grpc::string_ref& name : peer->FindPropertyValues(kind)) {
      names.emplace_back(name.data(), name.size());
    }
    return names;
  };
  return {.uris = named(GRPC_PEER_URI_PROPERTY_NAME), .dns = named(GRPC_PEER_DNS_PROPERTY_NAME)};
}

}  // namespace

absl::Time DeadlineOf(const grpc::ServerContextBase& context) {
  const gpr_timespec deadline = gpr_convert_clock_type(context.raw_deadline(), GPR_CLOCK_REALTIME);
  if (gpr_time_cmp(deadline, gpr_inf_future(GPR_CLOCK_REALTIME)) == 0) {
    return absl::InfiniteFuture();
  }
  return absl::FromUnixSeconds(deadline.tv_sec) + absl::Nanoseconds(deadline.tv_nsec);
}

Admission::Admission(const Gate& gate, std::string method, grpc::CallbackServerContext* context)
    : gate_(gate),
      context_(context),
      metrics_(gate.metrics == nullptr ? nullptr : gate.metrics->Find(method)) {
  if (metrics_ != nullptr) metrics_->CountStart();
  record_.method = std::move(method);
  record_.request_id = EchoLabel(*context, kRequestIdKey);
  record_.traceparent = EchoLabel(*context, kTraceKey);
}

absl::StatusOr<Caller> Admission::Identify(Audience audience) {
  auto caller = gate_.authenticator->Identify(context_->client_metadata(), NamesOfPeer(*context_));
  if (!caller.ok()) return caller.status();
  record_.account = caller->account.text();
  record_.caller = caller->name;
  if (auto allowed = Authorize(*caller, audience); !allowed.ok()) return allowed;
  if (audience == Audience::kAccounts || audience == Audience::kWatchers) {
    acting_ = caller->account;
  }
  return caller;
}

absl::Status Admission::ReadRequest(const grpc::ByteBuffer& bytes,
                                    google::protobuf::Message& request) const {
  // A call that ended without a message.
  if (!bytes.Valid()) return errors::InvalidField("", "no message; want one");
  if (bytes.Length() > gate_.max_message_bytes) {
    return errors::MessageTooLarge(bytes.Length(), gate_.max_message_bytes);
  }
  FieldViolations violations = ParseRequest(ToString(bytes), request);
  const bool parsed = violations.empty() || !violations.front().field.empty();
  if (parsed) {
    // A field that was not UTF-8 has been emptied, so its further violations are left out.
    std::set<std::string> named;
    for (const auto& violation : violations) named.insert(violation.field);
    FieldViolations malformed = gate_.validator->Validate(request, acting_);
    std::erase_if(malformed,
                  [&](const auto& violation) { return named.contains(violation.field); });
    violations.insert(violations.end(), malformed.begin(), malformed.end());
  }
  return violations.empty() ? absl::OkStatus() : errors::InvalidField(violations);
}

absl::Status Admission::Reject(Metrics::Rejection why) const {
  if (gate_.metrics != nullptr) gate_.metrics->CountRejection(why);
  switch (why) {
    case Metrics::Rejection::kQueue:
      return errors::Unavailable("overloaded; try again later", kRetryAfter);
    case Metrics::Rejection::kAccount:
      return errors::Unavailable("too many calls of this account wait; try again later",
                                 kRetryAfter);
    case Metrics::Rejection::kUnreadAnswers:
      return errors::Unavailable("earlier answers are not read; read them, then try again",
                                 kRetryAfter);
    case Metrics::Rejection::kWatchers:
      return errors::Unavailable("too many watchers; resume later", kRetryAfter);
    case Metrics::Rejection::kImports:
      return errors::Unavailable("this server runs as many imports as it may", kRetryAfter);
    case Metrics::Rejection::kStopping: break;
  }
  return errors::Unavailable("shutting down; try again", kRetryAfter);
}

grpc::Status Admission::EndRejected(Metrics::Rejection why) {
  const absl::Status status = Reject(why);
  LogRejection(status.message(), record_.account);
  return CountEnd(status);
}

grpc::Status Admission::End(const absl::Status& result, const CallTimes* times) {
  grpc::Status answer = CountEnd(PublicStatus(result));
  record_.peer = context_->peer();
  const bool slow = gate_.slow_call > absl::ZeroDuration() && record_.latency > gate_.slow_call;
  LogCall(record_, slow ? times : nullptr);
  return answer;
}

grpc::Status Admission::CountEnd(const absl::Status& status) {
  record_.status = status.code();
  record_.reason = errors::Reason(status);
  record_.latency = absl::Now() - start_;
  if (metrics_ != nullptr) metrics_->CountEnd(record_.status, record_.reason, record_.latency);
  if (const auto wait = RetryDelay(status)) {
    context_->AddTrailingMetadata("grpc-retry-pushback-ms",
                                  absl::StrCat(absl::ToInt64Milliseconds(*wait)));
  }
  return ToGrpcStatus(status, gate_.max_error_details);
}

}  // namespace contacts::server
