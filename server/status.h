#ifndef CONTACTS_SERVER_STATUS_H_
#define CONTACTS_SERVER_STATUS_H_

#include <grpcpp/support/status.h>

#include <cstddef>

#include "absl/status/status.h"

// The one place where core's errors become gRPC's.
namespace contacts::server {

// Returns what a caller may be told of `status`: itself where it carries an
// ErrorInfo, or is DEADLINE_EXCEEDED or CANCELLED. Anything else is a defect: it
// becomes INTERNAL with an incident's id, under which the log has the real text.
absl::Status Presentable(const absl::Status& status);

// Packs each payload of `status` into a google.rpc.Status for the error details.
// A list of violations of more than `max_details` bytes is shortened: descriptions
// first, then the list, which then ends with the number left out.
grpc::Status ToGrpcStatus(const absl::Status& status, std::size_t max_details);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_STATUS_H_
