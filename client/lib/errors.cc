#include "client/lib/errors.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "client/lib/time_text.h"
#include "contacts/v1/errors.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace contacts::client {
namespace {

constexpr absl::string_view kDomain = "contacts";
constexpr absl::string_view kReasonPrefix = "ERROR_REASON_";

google::rpc::Status Details(const grpc::Status& status) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) details.Clear();
  return details;
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

void ReadDetails(const grpc::Status& status, Failure& failure) {
  const google::rpc::Status details = Details(status);
  for (const google::protobuf::Any& any : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad_request;
    google::rpc::PreconditionFailure precondition;
    google::rpc::RetryInfo retry;
    if (any.UnpackTo(&info) && info.domain() == kDomain) {
      failure.reason = info.reason();
      failure.metadata.insert(info.metadata().begin(), info.metadata().end());
    } else if (any.UnpackTo(&bad_request)) {
      for (const auto& violation : bad_request.field_violations()) {
        failure.fields.push_back({violation.field(), violation.description()});
      }
    } else if (any.UnpackTo(&precondition)) {
      for (const auto& violation : precondition.violations()) {
        failure.preconditions.push_back({violation.subject(), violation.description()});
      }
    } else if (any.UnpackTo(&retry)) {
      failure.retry_after = ToDuration(retry.retry_delay());
    }
  }
}

ExitStatus ExitStatusFor(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::OK: return kDone;
    case grpc::StatusCode::INVALID_ARGUMENT: return kUsage;
    case grpc::StatusCode::NOT_FOUND: return kNotFound;
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::PERMISSION_DENIED: return kNotAllowed;
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::ALREADY_EXISTS:
    case grpc::StatusCode::ABORTED: return kRejectedByState;
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::DEADLINE_EXCEEDED: return kTryAgainLater;
    default: return kOtherFailure;
  }
}

// Explanation and advice for a failure without a reason of the contract: mostly one of a call
// that never reached the server.
void ExplainCode(Failure& failure) {
  switch (failure.code) {
    case grpc::StatusCode::UNAVAILABLE:
      failure.explanation = "the server cannot be reached";
      failure.next = "check --server=HOST:PORT and that the server runs there, then try again";
      break;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      failure.explanation = "the server did not answer in time";
      failure.next = "try again, with a longer --timeout if need be";
      break;
    case grpc::StatusCode::UNIMPLEMENTED:
      failure.explanation = "the server does not know this call";
      failure.next = "check that --server names a Contacts server";
      break;
    case grpc::StatusCode::CANCELLED: failure.explanation = "the call was cancelled"; break;
    default: failure.explanation = "the call failed"; break;
  }
}

// Adds how to repeat a call safely, if the failure leaves open whether the call took effect.
void AdviseRepetition(const CallPurpose& purpose, Failure& failure) {
  const bool known = failure.code != grpc::StatusCode::UNAVAILABLE &&
                     failure.code != grpc::StatusCode::DEADLINE_EXCEEDED &&
                     failure.code != grpc::StatusCode::CANCELLED &&
                     failure.code != grpc::StatusCode::UNKNOWN &&
                     failure.code != grpc::StatusCode::INTERNAL;
  if (known || purpose.request_id.empty()) return;
  absl::StrAppend(&failure.next, failure.next.empty() ? "" : "; ",
                  "repeated with --request-id=", purpose.request_id, ", it is not done twice");
}

std::string MetadataValue(const Failure& failure, const std::string& key) {
  const auto found = failure.metadata.find(key);
  return found == failure.metadata.end() ? "" : found->second;
}

std::string Subjects(const Failure& failure) {
  return absl::StrJoin(failure.preconditions, ", ",
                       [](std::string* out, const Violation& v) { absl::StrAppend(out, v.where); });
}

std::string WaitAdvice(const Failure& failure) {
  if (!failure.retry_after.has_value()) return "";
  // Rounded up: a wait that ends early is rejected again.
  const absl::Duration wait = absl::Ceil(*failure.retry_after, absl::Seconds(1));
  return absl::StrCat("try again in ", InWords(wait));
}

std::string ResendAdvice(const CallPurpose& purpose) {
  if (purpose.confirms_email) {
    return "ask for the address again: contactctl profile update --email=ADDRESS";
  }
  return absl::StrCat("ask for a new e-mail: contactctl resend ",
                      purpose.contact_change_id.empty() ? "CHANGE_ID" : purpose.contact_change_id);
}

// `name`, an enum value's name with or without `prefix`, in lower case.
std::string EnumNameOf(absl::string_view name, absl::string_view prefix) {
  return absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
}

std::string ClosedExplanation(const Failure& failure) {
  const std::string state = EnumNameOf(MetadataValue(failure, "state"), "CONTACT_CHANGE_STATE_");
  return state.empty() ? "the contact change is closed"
                       : absl::StrCat("the contact change is closed: its state is ", state);
}

std::string PendingExplanation(const Failure& failure) {
  const std::string service = MetadataValue(failure, "service");
  const std::string role = EnumNameOf(MetadataValue(failure, "role"), "CONTACT_ROLE_");
  return service.empty() ? "a contact change is already pending for this service and role"
                         : absl::StrCat("a contact change is already pending for the role ", role,
                                        " of ", service);
}

std::string PendingAdvice(const Failure& failure) {
  const std::string service = MetadataValue(failure, "service");
  return absl::StrCat("wait for its end, or cancel it: contactctl changes --state=validating",
                      service.empty() ? "" : absl::StrCat(" --service=", service));
}

std::string BillingExplanation(const Failure& failure) {
  const std::string accounts = Subjects(failure);
  return absl::StrCat("the old or the new contact has overdue payments",
                      accounts.empty() ? "" : absl::StrCat(": ", accounts));
}

std::string IncidentAdvice(const Failure& failure) {
  const std::string incident = MetadataValue(failure, "incident");
  return incident.empty() ? "" : absl::StrCat("tell the operators the incident's id: ", incident);
}

// Returns false if `reason` says no more than the status code.
bool ExplainReason(v1::ErrorReason reason, const CallPurpose& purpose, Failure& failure) {
  auto explain = [&failure](std::string explanation, std::string next) {
    failure.explanation = std::move(explanation);
    failure.next = std::move(next);
    return true;
  };
  switch (reason) {
    case v1::ERROR_REASON_INVALID_FIELD:
      return explain("the server does not accept what was given",
                     "correct it; contactctl COMMAND --help shows how it is written");
    case v1::ERROR_REASON_UNAUTHENTICATED:
      if (purpose.by_operator) return explain("the server does not know who calls", "");
      return explain("the server does not know who calls",
                     "name the acting account with --account=ID or CONTACTS_ACCOUNT");
    case v1::ERROR_REASON_CALLER_NOT_ALLOWED:
      if (purpose.by_support) return explain("this caller is not of the support desk", "");
      if (purpose.by_operator) return explain("this caller is no directory operator", "");
      return explain("this caller may not make this call",
                     "check --account; directory operators use 'contactctl operator'");
    case v1::ERROR_REASON_ACCOUNT_NOT_FOUND:
      return explain("there is no such account", "check the account id, also the acting one's");
    case v1::ERROR_REASON_SERVICE_NOT_FOUND:
      if (purpose.by_operator) return explain("there is no such service", "check the service id");
      return explain("there is no such service, or this account holds no role on it",
                     "contactctl services lists those on which it holds one");
    case v1::ERROR_REASON_CONTACT_CHANGE_NOT_FOUND:
      return explain("there is no such contact change, or it does not concern this account",
                     "contactctl changes lists those that do");
    case v1::ERROR_REASON_ACCOUNT_IN_USE: {
      const std::string services = Subjects(failure);
      return explain(absl::StrCat("the account still holds roles",
                                  services.empty() ? "" : absl::StrCat(" on ", services)),
                     "give them to other accounts first: contactctl operator override");
    }
    case v1::ERROR_REASON_ALREADY_EXISTS: return explain("the id is taken", "");
    case v1::ERROR_REASON_ROLE_NOT_ALLOWED:
      return explain("none of the roles that this account holds allows it",
                     "ask the administrative contact of the service");
    case v1::ERROR_REASON_CONTACT_UNCHANGED:
      return explain("the new contact already holds the role", "leave this one out");
    case v1::ERROR_REASON_BILLING_OVERDUE:
      return explain(BillingExplanation(failure), "once it has been paid, the same command works");
    case v1::ERROR_REASON_CHANGE_ALREADY_PENDING:
      return explain(PendingExplanation(failure), PendingAdvice(failure));
    case v1::ERROR_REASON_TOKEN_INVALID:
      if (MetadataValue(failure, "superseded") == "true") {
        return explain("the token is that of an earlier e-mail",
                       absl::StrCat("use that of the latest e-mail, or ", ResendAdvice(purpose)));
      }
      return explain(
          "the token is not the one of this account's latest e-mail",
          absl::StrCat("check it against the latest e-mail, or ", ResendAdvice(purpose)));
    case v1::ERROR_REASON_TOKEN_LOCKED:
      return explain("too many wrong tokens were given, so that even the right one is refused",
                     ResendAdvice(purpose));
    case v1::ERROR_REASON_NO_PENDING_EMAIL:
      return explain("no address waits to be confirmed, or the time for it is over",
                     ResendAdvice({.confirms_email = true}));
    case v1::ERROR_REASON_ALREADY_VALIDATED:
      return explain("this account has already answered", "");
    case v1::ERROR_REASON_CHANGE_CLOSED: return explain(ClosedExplanation(failure), "");
    case v1::ERROR_REASON_RESEND_TOO_SOON:
      return explain("the e-mail was sent too short a time ago, or too often", WaitAdvice(failure));
    case v1::ERROR_REASON_QUOTA_EXCEEDED:
      return explain("the account has used up one of its quotas", WaitAdvice(failure));
    case v1::ERROR_REASON_REQUEST_ID_REUSED:
      return explain("this request id was used for something else",
                     "leave --request-id out, and a new one is drawn");
    case v1::ERROR_REASON_ETAG_MISMATCH:
      return explain("it was changed by someone else since it was read",
                     "read it again and give the new --etag");
    case v1::ERROR_REASON_UNAVAILABLE:
      return explain("the server cannot serve the call now", WaitAdvice(failure));
    case v1::ERROR_REASON_INTERNAL:
      return explain("a defect of the server", IncidentAdvice(failure));
    case v1::ERROR_REASON_RESUME_TOKEN_EXPIRED:
      return explain("the token is older than the events kept",
                     "watch without it, and list what is open");
    case v1::ERROR_REASON_DEADLINE_EXCEEDED:
      return explain("the server did not answer in time",
                     "try again, with a longer --timeout if need be");
    case v1::ERROR_REASON_MESSAGE_TOO_LARGE:
      return explain("the request is larger than the server takes", "split it");
    case v1::ERROR_REASON_UNSPECIFIED:
    default: return false;
  }
}

}  // namespace

Failure ExplainFailure(const grpc::Status& status, const CallPurpose& purpose) {
  Failure failure;
  failure.code = status.error_code();
  failure.detail = status.error_message();
  failure.exit_status = ExitStatusFor(status.error_code());
  ReadDetails(status, failure);

  v1::ErrorReason reason = v1::ERROR_REASON_UNSPECIFIED;
  v1::ErrorReason_Parse(absl::StrCat(kReasonPrefix, failure.reason), &reason);
  if (!ExplainReason(reason, purpose, failure)) ExplainCode(failure);
  AdviseRepetition(purpose, failure);
  failure.exit_status = purpose.exit_status.value_or(failure.exit_status);
  return failure;
}

std::optional<absl::Duration> RetryDelay(const grpc::Status& status) {
  const google::rpc::Status details = Details(status);
  for (const google::protobuf::Any& any : details.details()) {
    google::rpc::RetryInfo retry;
    if (any.UnpackTo(&retry)) return ToDuration(retry.retry_delay());
  }
  return std::nullopt;
}

std::string CodeName(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::OK: return "OK";
    case grpc::StatusCode::CANCELLED: return "CANCELLED";
    case grpc::StatusCode::INVALID_ARGUMENT: return "INVALID_ARGUMENT";
    case grpc::StatusCode::DEADLINE_EXCEEDED: return "DEADLINE_EXCEEDED";
    case grpc::StatusCode::NOT_FOUND: return "NOT_FOUND";
    case grpc::StatusCode::ALREADY_EXISTS: return "ALREADY_EXISTS";
    case grpc::StatusCode::PERMISSION_DENIED: return "PERMISSION_DENIED";
    case grpc::StatusCode::UNAUTHENTICATED: return "UNAUTHENTICATED";
    case grpc::StatusCode::RESOURCE_EXHAUSTED: return "RESOURCE_EXHAUSTED";
    case grpc::StatusCode::FAILED_PRECONDITION: return "FAILED_PRECONDITION";
    case grpc::StatusCode::ABORTED: return "ABORTED";
    case grpc::StatusCode::OUT_OF_RANGE: return "OUT_OF_RANGE";
    case grpc::StatusCode::UNIMPLEMENTED: return "UNIMPLEMENTED";
    case grpc::StatusCode::INTERNAL: return "INTERNAL";
    case grpc::StatusCode::UNAVAILABLE: return "UNAVAILABLE";
    case grpc::StatusCode::DATA_LOSS: return "DATA_LOSS";
    default: return "UNKNOWN";
  }
}

}  // namespace contacts::client
