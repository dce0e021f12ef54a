#ifndef CONTACTS_SERVER_MESSAGES_STATUS_H_
#define CONTACTS_SERVER_MESSAGES_STATUS_H_

#include <grpcpp/support/status.h>

#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"

// Maps core's errors to gRPC's. No other file does.
namespace contacts::server {

// Returns the status that a caller may see: `status` itself if it carries an ErrorInfo or is
// CANCELLED. Anything else is a defect: it becomes INTERNAL with an incident id, and the log has
// the real text under that id.
absl::Status PublicStatus(const absl::Status& status);

// Bytes of an error's details with which all its headers fit into 8 KiB: the details
// in base64, the message, echoed labels, and what a proxy adds. Clients built on gRPC's
// C core and on Java reject more by default.
inline constexpr std::size_t kDefaultMaxDetails = 4608;

// How long the caller is to wait before it tries again, in whole milliseconds; none if `status`
// carries no RetryInfo.
std::optional<absl::Duration> RetryDelay(const absl::Status& status);

// Packs the message, at most 512 bytes of it as gRPC encodes them, and each payload of
// `status` into a google.rpc.Status for the error details. Lists of violations are
// shortened so that the result has at most `max_details` bytes (at least 2,048): first the
// descriptions are shortened, then the lists are cut off. The ErrorInfo's metadata counts all.
grpc::Status ToGrpcStatus(const absl::Status& status, std::size_t max_details);

// Runs `step` and returns its status, or INTERNAL if it throws.
template <typename Step>
absl::Status CatchExceptions(const Step& step) {
  try {
    return step();
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  } catch (...) {
    return absl::InternalError("something that is no std::exception was thrown");
  }
}

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_MESSAGES_STATUS_H_
