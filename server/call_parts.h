#ifndef CONTACTS_SERVER_CALL_PARTS_H_
#define CONTACTS_SERVER_CALL_PARTS_H_

#include <google/protobuf/message.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>

#include <exception>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/log.h"
#include "server/validation.h"

// Steps that unary calls and streams share.
namespace contacts::server {

// What UNAVAILABLE tells a caller to wait.
inline constexpr absl::Duration kRetryAfter = absl::Seconds(1);

std::string ToBytes(const grpc::ByteBuffer& buffer);
grpc::ByteBuffer ToBuffer(const std::string& bytes);

// Notes what labels the call in `record` and sends it back as initial metadata.
void TakeLabels(grpc::CallbackServerContext& context, CallRecord& record);

// Parses `bytes` into `request`, in its canonical form; returns every malformed field.
FieldViolations ReadMessage(const std::string& bytes, const RequestValidator& validator,
                            const AccountId& acting, google::protobuf::Message& request);

// Logs a call that began at `start` and ends with `result`; returns what the caller may
// be told of that.
absl::Status Conclude(const absl::Status& result, absl::Time start, CallRecord& record);

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

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CALL_PARTS_H_
