#include "server/call_parts.h"

#include <algorithm>
#include <vector>

#include "core/domain/errors.h"
#include "server/forms.h"
#include "server/identity.h"
#include "server/status.h"
#include "server/wire.h"

namespace contacts::server {
namespace {

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

}  // namespace

std::string ToBytes(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

void TakeLabels(grpc::CallbackServerContext& context, CallRecord& record) {
  const Metadata& metadata = context.client_metadata();
  record.peer = context.peer();
  record.request_id = Label(metadata, kRequestIdKey);
  record.traceparent = Label(metadata, kTraceKey);
  if (!record.request_id.empty()) context.AddInitialMetadata(kRequestIdKey, record.request_id);
  if (!record.traceparent.empty()) context.AddInitialMetadata(kTraceKey, record.traceparent);
}

FieldViolations ReadMessage(const std::string& bytes, const RequestValidator& validator,
                            const AccountId& acting, google::protobuf::Message& request) {
  FieldViolations violations = ParseRequest(bytes, request);
  const bool parsed = violations.empty() || !violations.front().field.empty();
  if (!parsed) return violations;
  // A field that was not UTF-8 has been emptied: what it lacks then is not told.
  const auto named = [&](const errors::FieldViolation& violation) {
    return std::any_of(violations.begin(), violations.end(),
                       [&](const auto& known) { return known.field == violation.field; });
  };
  FieldViolations malformed = validator.Validate(request, acting);
  std::erase_if(malformed, named);
  violations.insert(violations.end(), malformed.begin(), malformed.end());
  return violations;
}

absl::Status Conclude(const absl::Status& result, absl::Time start, CallRecord& record) {
  absl::Status status = Presentable(result);
  record.status = absl::StatusCodeToString(status.code());
  record.reason = errors::Reason(status);
  record.latency = absl::Now() - start;
  LogCall(record);
  return status;
}

}  // namespace contacts::server
