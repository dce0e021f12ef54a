#ifndef CONTACTS_CLIENT_LIB_ERRORS_H_
#define CONTACTS_CLIENT_LIB_ERRORS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/support/status.h"

namespace contacts::client {

// Exit statuses of contactctl, for scripts. Agreed and documented in --help: a number never
// changes its meaning.
enum ExitStatus : int {
  kDone = 0,
  kOtherFailure = 1,
  kUsage = 2,
  kNotFound = 3,
  kNotAllowed = 4,
  kRejectedByState = 5,
  kTryAgainLater = 6,
};

// The purpose of a call, for its error messages.
struct CallPurpose {
  // Completes "could not …", such as "accept contact change 0190…".
  std::string action = {};
  // Id of the contact change concerned. Empty: none.
  std::string contact_change_id = {};
  // The request's own request_id. Empty: the call has none.
  std::string request_id = {};
  // A directory operator or the support desk makes the call, and needs other advice than a
  // customer.
  bool by_operator = false;
  bool by_support = false;
  // The call confirms an e-mail address: a new token comes from asking for the address again.
  bool confirms_email = false;
  // `assignments[i]` of a bulk call as the person gave it, such as
  // "example.com tech -> bb222222-ovh".
  std::vector<std::string> assignments = {};
  // Exit status of every failure. Not set: the one of the status code.
  std::optional<ExitStatus> exit_status = {};
};

// A part of a request, or a state of the server, that made a call fail.
struct Violation {
  // Path of the field, or subject of the precondition.
  std::string where;
  std::string what;
};

// Why a call failed, and what the person can do about it.
struct Failure {
  grpc::StatusCode code = grpc::StatusCode::UNKNOWN;
  // Reason of the ErrorInfo. Empty: the answer has none, or is not the Contacts server's.
  std::string reason;
  // `reason` as a sentence, without a full stop.
  std::string explanation;
  // Message of the status. Shown, never parsed.
  std::string detail;
  std::map<std::string, std::string> metadata;
  std::vector<Violation> fields;
  std::vector<Violation> preconditions;
  std::optional<absl::Duration> retry_after;
  // What to do next. Empty: nothing helps.
  std::string next;
  ExitStatus exit_status = kOtherFailure;
};

// Explains `status`, which must not be OK. Never fails: error details that cannot be parsed count
// as none.
Failure ExplainFailure(const grpc::Status& status, const CallPurpose& purpose);

// The time that the server asks to wait before the call is made again (RetryInfo); nothing if it
// asks for none.
std::optional<absl::Duration> RetryDelay(const grpc::Status& status);

// Name of `code` as gRPC's documentation writes it, such as "NOT_FOUND"; "UNKNOWN" for a code
// that gRPC does not have.
std::string CodeName(grpc::StatusCode code);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_LIB_ERRORS_H_
