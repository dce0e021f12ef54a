#include "server/unary_call.h"

#include <algorithm>
#include <exception>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/domain/errors.h"
#include "server/log.h"
#include "server/page_token.h"
#include "server/wire.h"

namespace contacts::server {
namespace {

using google::protobuf::Message;

constexpr absl::Duration kRetryAfter = absl::Seconds(1);
constexpr char kRequestIdKey[] = "x-request-id";
constexpr char kTraceKey[] = "traceparent";
constexpr std::size_t kMaxEchoed = 128;

// Metadata that only labels the call; "" where it is missing or not worth sending back.
std::string Label(const Metadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return "";
  std::string value(found->second.data(), found->second.size());
  return IsPrintableAscii(value, kMaxEchoed) ? value : "";
}

std::string Bytes(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

// Runs `step` and turns whatever it throws into a status: a defect.
template <typename Step>
absl::Status Guarded(const Step& step) {
  try {
    return step();
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  } catch (...) {
    return absl::InternalError("something that is no std::exception was thrown");
  }
}

}  // namespace

// One call. Owned by itself: gRPC's OnDone, the last to touch it, deletes it.
class UnaryCalls::Reactor final : public grpc::ServerUnaryReactor {
 public:
  Reactor(const UnaryCalls& calls, const RawCall& raw, const std::string& method,
          std::unique_ptr<Message> request, Handler handler)
      : calls_(calls), raw_(raw), request_(std::move(request)), handler_(std::move(handler)) {
    record_.method = method;
  }

  // Checks what can be checked without waiting, then queues the rest.
  void Start(Audience audience) {
    const absl::Status admitted = Guarded([&] { return Admit(audience); });
    if (!admitted.ok()) return End(admitted);
    if (!calls_.workers_->TryPush([this] { Run(); })) {
      End(errors::Unavailable("overloaded; try again later", kRetryAfter));
    }
  }

  void OnCancel() override { cancelled_->store(true); }
  void OnDone() override { delete this; }

 private:
  absl::Status Admit(Audience audience) {
    const Metadata& metadata = raw_.context->client_metadata();
    Label(metadata);
    if (calls_.draining_) return errors::Unavailable("shutting down", kRetryAfter);
    const auto identity = calls_.authenticator_->Identify(metadata);
    if (!identity.ok()) return identity.status();
    record_.account = identity->account.text();
    if (auto allowed = Authorize(*identity, audience); !allowed.ok()) return allowed;
    if (audience == Audience::kAccounts) call_.account = identity->account;
    if (audience == Audience::kOperators) call_.operator_name = "operator";
    call_.limits.deadline =
        std::min(absl::FromChrono(raw_.context->deadline()), start_ + calls_.limits_.longest);
    call_.limits.cancelled = cancelled_;
    return ReadRequest();
  }

  absl::Status ReadRequest() {
    FieldViolations violations = ParseRequest(Bytes(*raw_.request), *request_);
    const bool parsed = violations.empty() || !violations.front().field.empty();
    if (parsed) {
      // A field that was not UTF-8 has been emptied: what it lacks then is not told.
      const auto named = [&](const errors::FieldViolation& violation) {
        return std::any_of(violations.begin(), violations.end(),
                           [&](const auto& known) { return known.field == violation.field; });
      };
      FieldViolations malformed = calls_.validator_->Validate(*request_, call_.account);
      std::erase_if(malformed, named);
      violations.insert(violations.end(), malformed.begin(), malformed.end());
    }
    if (!violations.empty()) return errors::InvalidField(violations);
    TakeRequestId();
    call_.fingerprint = Fingerprint(record_.method, *request_);
    return absl::OkStatus();
  }

  void TakeRequestId() {
    const auto* field = request_->GetDescriptor()->FindFieldByName("request_id");
    if (field == nullptr) return;
    call_.request_id = Uuid::Parse(request_->GetReflection()->GetString(*request_, field));
  }

  void Label(const Metadata& metadata) {
    record_.peer = raw_.context->peer();
    record_.request_id = server::Label(metadata, kRequestIdKey);
    record_.traceparent = server::Label(metadata, kTraceKey);
    if (!record_.request_id.empty()) {
      raw_.context->AddInitialMetadata(kRequestIdKey, record_.request_id);
    }
    if (!record_.traceparent.empty()) {
      raw_.context->AddInitialMetadata(kTraceKey, record_.traceparent);
    }
  }

  // On a worker thread.
  void Run() {
    const absl::Status status = Guarded([&]() -> absl::Status {
      if (cancelled_->load()) return errors::Cancelled();
      if (absl::Now() >= call_.limits.deadline) return errors::DeadlineExceeded();
      const absl::StatusOr<std::string> reply = handler_(call_, *request_);
      if (!reply.ok()) return reply.status();
      const grpc::Slice slice(*reply);
      *raw_.reply = grpc::ByteBuffer(&slice, 1);
      return absl::OkStatus();
    });
    End(status);
  }

  // Finishes the call. Nothing of it may be touched afterwards.
  void End(const absl::Status& result) {
    const absl::Status status = Presentable(result);
    record_.status = absl::StatusCodeToString(status.code());
    record_.reason = errors::Reason(status);
    record_.latency = absl::Now() - start_;
    LogCall(record_);
    Finish(ToGrpcStatus(status, calls_.limits_.max_error_details));
  }

  const UnaryCalls& calls_;
  const RawCall raw_;
  const std::unique_ptr<Message> request_;
  const Handler handler_;
  const absl::Time start_ = absl::Now();
  const std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
  Call call_;
  CallRecord record_;
};

UnaryCalls::UnaryCalls(const Authenticator* authenticator, const RequestValidator* validator,
                       WorkQueue* workers, Limits limits)
    : authenticator_(authenticator), validator_(validator), workers_(workers), limits_(limits) {}

grpc::ServerUnaryReactor* UnaryCalls::Serve(const RawCall& raw, const std::string& method,
                                            Audience audience, std::unique_ptr<Message> request,
                                            Handler handler) {
  auto* reactor = new Reactor(*this, raw, method, std::move(request), std::move(handler));
  reactor->Start(audience);
  return reactor;
}

}  // namespace contacts::server
