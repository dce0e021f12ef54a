#ifndef CONTACTS_SERVER_CALLS_ADMISSION_H_
#define CONTACTS_SERVER_CALLS_ADMISSION_H_

#include <google/protobuf/message.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "core/mysql/database.h"
#include "server/auth/authenticator.h"
#include "server/messages/status.h"
#include "server/messages/validation.h"
#include "server/telemetry/log.h"
#include "server/telemetry/metrics.h"

namespace contacts::server {

// RetryInfo of calls that are rejected for now.
inline constexpr absl::Duration kRetryAfter = absl::Seconds(1);

// The parts that every call of any method uses. All must outlive the calls.
struct Gate {
  const Authenticator* authenticator;
  const RequestValidator* validator;
  Metrics* metrics = nullptr;  // Null: not counted.
  absl::Duration slow_call;    // The log divides the time of longer calls. Zero: of no call.
  std::size_t max_error_details = kDefaultMaxDetails;  // Bytes; see ToGrpcStatus.
  std::size_t max_message_bytes = 4 * 1024 * 1024;     // Of a request.
};

// The beginning and end of every call, unary or stream: its caller, its right to call the method,
// the check of its request, and its line in the log. Used by one thread at a time. Never blocks.
class Admission {
 public:
  // Sends the labels back as initial metadata.
  Admission(const Gate& gate, std::string method, grpc::CallbackServerContext* context);

  // Returns the caller of the call. Returns UNAUTHENTICATED, or CALLER_NOT_ALLOWED if the
  // caller is not in `audience`.
  absl::StatusOr<Caller> Identify(Audience audience);
  // Parses and checks a request into its canonical form. Returns INVALID_FIELD with every malformed
  // field, or MESSAGE_TOO_LARGE.
  absl::Status ReadRequest(const grpc::ByteBuffer& bytes, google::protobuf::Message& request) const;
  // Counts a call that this server has no room for. Returns UNAVAILABLE.
  absl::Status Reject(Metrics::Rejection why) const;
  // Ends a call for which the queue has no room, with Reject's status. Writes no line for it,
  // because an overloaded server ends many: the log has one line a second, with their number.
  grpc::Status EndRejected(Metrics::Rejection why);
  // Writes the line in the log, counts the call and returns the status for the caller. `times`: of
  // a call that may be slow; null for a stream, which lasts as long as its client likes.
  grpc::Status End(const absl::Status& result, const CallTimes* times = nullptr);

  absl::Time start() const { return start_; }
  const std::string& method() const { return record_.method; }

 private:
  // Counts the end of the call and keeps its result for the log. Returns the status for the caller.
  grpc::Status CountEnd(const absl::Status& status);

  const Gate gate_;
  grpc::CallbackServerContext* const context_;
  Metrics::Method* const metrics_;
  const absl::Time start_ = absl::Now();
  AccountId acting_;
  CallRecord record_;
};

// The caller's deadline. InfiniteFuture() if it set none. gRPC's own
// conversion to std::chrono overflows for deadlines after the year 2262.
absl::Time DeadlineOf(const grpc::ServerContextBase& context);

// Copies the bytes.
inline grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CALLS_ADMISSION_H_
