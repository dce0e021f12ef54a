#ifndef CONTACTS_CLIENT_ERRORS_H_
#define CONTACTS_CLIENT_ERRORS_H_

#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/assignments.h"
#include "grpcpp/support/status.h"

namespace contacts::client {

// Exit statuses of contactctl, for scripts. Documented in --help: agreed, never
// renumbered.
enum ExitStatus : int {
  kDone = 0,
  kOtherFailure = 1,
  kUsage = 2,
  kNotFound = 3,
  kNotAllowed = 4,
  kRefusedByState = 5,
  kTryAgainLater = 6,
};

// What a call was made for: what an error message needs to be of use.
struct Task {
  // Completes "could not …", such as "accept contact change 0190…".
  std::string action = {};
  // The contact change concerned, if any.
  std::string contact_change_id = {};
  // The request's own request_id, where the call has one.
  std::string request_id = {};
  // Whether a directory operator makes the call, who needs other advice than a
  // customer.
  bool by_operator = false;
  // What `assignments[i]` means in the errors of a bulk call.
  std::vector<Assignment> assignments = {};
};

// A part of a request, or of the world, that made a call fail.
struct Violation {
  // A field's path, or the subject of a precondition.
  std::string where;
  std::string what;
};

// Why a call failed and what the person can do about it.
struct Failure {
  grpc::StatusCode code = grpc::StatusCode::UNKNOWN;
  // The ErrorInfo's reason. Empty where the server, or whatever stands between,
  // gave none.
  std::string reason;
  // `reason` in words.
  std::string words;
  // What the server wrote. Never parsed.
  std::string detail;
  std::map<std::string, std::string> metadata;
  std::vector<Violation> fields;
  std::vector<Violation> preconditions;
  std::optional<absl::Duration> retry_after;
  // What to do next. Empty where nothing helps.
  std::string next;
  ExitStatus exit_status = kOtherFailure;
};

// Explains `status`, which is not OK.
Failure ExplainFailure(const grpc::Status& status, const Task& task);

// The time that the server asks to wait before the call is made again.
std::optional<absl::Duration> RetryDelay(const grpc::Status& status);

// Name of `code` as gRPC's documentation writes it, such as "NOT_FOUND".
std::string CodeName(grpc::StatusCode code);

// Prints `failure` for a person: the first 20 violations and how many more
// there are. Text that the server sent is made printable.
void PrintFailure(const Failure& failure, const Task& task, std::ostream& err, bool colour);

// Prints `failure`, all of it, as one JSON document. `call_id` is the
// x-request-id that the server's log has too.
void PrintFailureAsJson(const Failure& failure, const Task& task, const std::string& call_id,
                        std::ostream& err);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_ERRORS_H_
