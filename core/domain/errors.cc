#include "core/domain/errors.h"

#include <google/rpc/error_details.pb.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

namespace contacts::errors {
namespace {

constexpr char kTypePrefix[] = "type.googleapis.com/";

template <typename Detail>
std::string TypeUrl() {
  return absl::StrCat(kTypePrefix, Detail::descriptor()->full_name());
}

template <typename Detail>
void Attach(absl::Status& status, const Detail& detail) {
  status.SetPayload(TypeUrl<Detail>(), absl::Cord(detail.SerializeAsString()));
}

absl::Status Make(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                  std::initializer_list<std::pair<std::string, std::string>> metadata = {}) {
  absl::Status status(code, message);
  google::rpc::ErrorInfo info;
  info.set_domain("contacts");
  info.set_reason(std::string(reason));
  for (const auto& [key, value] : metadata) (*info.mutable_metadata())[key] = value;
  Attach(status, info);
  return status;
}

void AddMetadata(absl::Status& status, const std::string& key, std::string value) {
  const auto payload = status.GetPayload(TypeUrl<google::rpc::ErrorInfo>());
  google::rpc::ErrorInfo info;
  if (!payload || !info.ParseFromString(std::string(*payload))) return;
  (*info.mutable_metadata())[key] = std::move(value);
  Attach(status, info);
}

// The contract's name without its prefix.
std::string ContractName(Role role) { return absl::AsciiStrToUpper(Name(role)); }

void AttachRetry(absl::Status& status, absl::Duration wait) {
  google::rpc::RetryInfo retry;
  const absl::Duration whole = absl::Ceil(wait, absl::Milliseconds(1));
  const int64_t seconds = absl::ToInt64Seconds(whole);
  retry.mutable_retry_delay()->set_seconds(seconds);
  retry.mutable_retry_delay()->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(whole - absl::Seconds(seconds))));
  Attach(status, retry);
}

absl::Status TooOften(absl::string_view what, int64_t limit, absl::Duration wait) {
  absl::Status status = Make(absl::StatusCode::kResourceExhausted, "QUOTA_EXCEEDED",
                             absl::StrCat(what, "; try again in ",
                                          absl::FormatDuration(absl::Ceil(wait, absl::Seconds(1)))),
                             {{"limit", absl::StrCat(limit)}});
  AttachRetry(status, wait);
  return status;
}

}  // namespace

absl::Status InvalidField(const std::vector<FieldViolation>& violations) {
  constexpr auto kCode = absl::StatusCode::kInvalidArgument;
  constexpr char kReason[] = "INVALID_FIELD";
  if (violations.empty()) return Make(kCode, kReason, "invalid request");
  const FieldViolation& first = violations.front();
  if (first.field.empty()) return Make(kCode, kReason, first.description);
  std::string message = absl::StrCat(first.field, ": ", first.description);
  if (violations.size() > 1) absl::StrAppend(&message, " (and ", violations.size() - 1, " more)");
  return WithViolations(Make(kCode, kReason, message), violations);
}

absl::Status InvalidField(std::string field, std::string description) {
  return InvalidField({{std::move(field), std::move(description)}});
}

absl::Status Unauthenticated(absl::string_view message) {
  return Make(absl::StatusCode::kUnauthenticated, "UNAUTHENTICATED", message);
}

absl::Status CallerNotAllowed(absl::string_view message) {
  return Make(absl::StatusCode::kPermissionDenied, "CALLER_NOT_ALLOWED", message);
}

absl::Status AccountNotFound(const AccountId& account) {
  return Make(absl::StatusCode::kNotFound, "ACCOUNT_NOT_FOUND",
              absl::StrCat("no account \"", account.text(), "\""), {{"account", account.text()}});
}

absl::Status ServiceNotFound(const ServiceId& service) {
  return Make(absl::StatusCode::kNotFound, "SERVICE_NOT_FOUND",
              absl::StrCat("no service \"", service.text(), "\""), {{"service", service.text()}});
}

absl::Status ServiceNotFoundOrNotHeld(const ServiceId& service) {
  return Make(absl::StatusCode::kNotFound, "SERVICE_NOT_FOUND",
              absl::StrCat("no service \"", service.text(),
                           "\", or none on which the acting account holds a role"),
              {{"service", service.text()}});
}

absl::Status ContactChangeNotFound(const Uuid& id) {
  return Make(absl::StatusCode::kNotFound, "CONTACT_CHANGE_NOT_FOUND",
              absl::StrCat("no contact change \"", id.text(),
                           "\", or none that concerns the acting account"),
              {{"contact_change_id", id.text()}});
}

absl::Status AccountInUse(const AccountId& account, const std::vector<ServiceId>& services) {
  absl::Status status = Make(
      absl::StatusCode::kFailedPrecondition, "ACCOUNT_IN_USE",
      absl::StrCat("\"", account.text(), "\" still holds roles; give them to other accounts first"),
      {{"account", account.text()}});
  google::rpc::PreconditionFailure failure;
  for (const ServiceId& service : services) {
    auto* violation = failure.add_violations();
    violation->set_type("ACCOUNT_IN_USE");
    violation->set_subject(service.text());
    violation->set_description("the account holds a role on this service");
  }
  Attach(status, failure);
  return status;
}

absl::Status AlreadyExists(absl::string_view kind, absl::string_view id) {
  return Make(absl::StatusCode::kAlreadyExists, "ALREADY_EXISTS",
              absl::StrCat(kind, " \"", id, "\" exists already"),
              {{std::string(kind), std::string(id)}});
}

absl::Status RoleNotAllowed(absl::string_view message) {
  return Make(absl::StatusCode::kPermissionDenied, "ROLE_NOT_ALLOWED", message);
}

absl::Status ContactUnchanged(const ServiceRole& role, const AccountId& account) {
  return Make(absl::StatusCode::kFailedPrecondition, "CONTACT_UNCHANGED",
              absl::StrCat("\"", account.text(), "\" already is the ", Name(role.role),
                           " contact of \"", role.service.text(), "\""),
              {{"service", role.service.text()}, {"role", ContractName(role.role)}});
}

absl::Status BillingOverdue(const std::vector<AccountId>& accounts) {
  constexpr std::size_t kNamed = 10;
  const std::size_t named = std::min(accounts.size(), kNamed);
  std::string names =
      absl::StrJoin(accounts.begin(), accounts.begin() + static_cast<std::ptrdiff_t>(named), ", ",
                    [](std::string* out, const AccountId& id) { *out += id.text(); });
  if (accounts.size() > named) {
    absl::StrAppend(&names, " and ", accounts.size() - named, " more");
  }
  absl::Status status =
      Make(absl::StatusCode::kFailedPrecondition, "BILLING_OVERDUE",
           absl::StrCat("overdue payments; want the old and the new contact up to date: ", names),
           {{"accounts", absl::StrCat(accounts.size())}});
  google::rpc::PreconditionFailure failure;
  for (const AccountId& account : accounts) {
    auto* violation = failure.add_violations();
    violation->set_type("BILLING_OVERDUE");
    violation->set_subject(account.text());
    violation->set_description("payments are overdue");
  }
  Attach(status, failure);
  return status;
}

absl::Status ChangeAlreadyPending(const ServiceRole& role, const std::optional<Uuid>& change) {
  absl::Status status =
      Make(absl::StatusCode::kFailedPrecondition, "CHANGE_ALREADY_PENDING",
           absl::StrCat("a contact change is already pending for the ", Name(role.role),
                        " role of \"", role.service.text(), "\""),
           {{"service", role.service.text()}, {"role", ContractName(role.role)}});
  if (change) AddMetadata(status, "contact_change_id", change->text());
  return status;
}

absl::Status TokenInvalid(bool superseded) {
  constexpr auto kCode = absl::StatusCode::kPermissionDenied;
  constexpr char kReason[] = "TOKEN_INVALID";
  if (superseded) {
    return Make(kCode, kReason, "the token is that of an earlier e-mail; use that of the latest",
                {{"superseded", "true"}});
  }
  return Make(kCode, kReason, "the token is not this account's current one");
}

absl::Status TokenKeyMissing() {
  return Unavailable("this server lacks the key that the token was made with; try again",
                     absl::Seconds(1));
}

absl::Status TokenLocked(absl::string_view cure) {
  return Make(absl::StatusCode::kFailedPrecondition, "TOKEN_LOCKED",
              absl::StrCat("too many wrong tokens; ask for a new e-mail with ", cure));
}

absl::Status NoPendingEmail() {
  return Make(absl::StatusCode::kFailedPrecondition, "NO_PENDING_EMAIL",
              "no address waits to be confirmed, or the time for it is over; ask for it with "
              "UpdateProfile");
}

absl::Status AlreadyValidated() {
  return Make(absl::StatusCode::kFailedPrecondition, "ALREADY_VALIDATED",
              "this account has already answered");
}

absl::Status ChangeClosed(ChangeState state) {
  return Make(absl::StatusCode::kFailedPrecondition, "CHANGE_CLOSED",
              absl::StrCat("the contact change is closed: ", Name(state)),
              {{"state", Name(state)}});
}

absl::Status ResumeTokenExpired() {
  return Make(absl::StatusCode::kOutOfRange, "RESUME_TOKEN_EXPIRED",
              "resume_token: its event is no longer in the feed, as it is too old or the database "
              "was restored to an earlier state; start without one and list what is open");
}

absl::Status ResendTooSoon(absl::Duration wait) {
  absl::Status status =
      Make(absl::StatusCode::kResourceExhausted, "RESEND_TOO_SOON",
           absl::StrCat("sent again too soon or too often; try again in ",
                        absl::FormatDuration(absl::Ceil(wait, absl::Seconds(1)))));
  AttachRetry(status, wait);
  return status;
}

absl::Status AskedTooOften(int64_t limit, absl::Duration wait) {
  return TooOften(absl::StrCat("this requester asked ", limit, " times within a minute"), limit,
                  wait);
}

absl::Status AddressChangedTooOften(int64_t limit, absl::Duration wait) {
  return TooOften(absl::StrCat("this account changed its address ", limit, " times within a day"),
                  limit, wait);
}

absl::Status TooManyItems(int64_t limit, absl::Duration wait) {
  return TooOften(
      absl::StrCat("this requester would have asked for more than ", limit, " items within a day"),
      limit, wait);
}

absl::Status TooManyWrongAccounts(int64_t limit, absl::Duration wait) {
  return TooOften(absl::StrCat("this account has named too many accounts that do not exist or have "
                               "overdue payments; it may name ",
                               limit, " within a day"),
                  limit, wait);
}

absl::Status TooManyMails(const AccountId& recipient, int64_t limit, absl::Duration wait) {
  return TooOften(absl::StrCat("this account has caused ", limit, " e-mails to \"",
                               recipient.text(), "\" within a day"),
                  limit, wait);
}

absl::Status QuotaExceeded(int64_t limit) {
  return Make(
      absl::StatusCode::kResourceExhausted, "QUOTA_EXCEEDED",
      absl::StrCat("more than ", limit, " contact changes would be pending for this requester"),
      {{"limit", absl::StrCat(limit)}});
}

absl::Status RequestIdReused(const Uuid& request_id) {
  return Make(absl::StatusCode::kAlreadyExists, "REQUEST_ID_REUSED",
              absl::StrCat("request_id \"", request_id.text(), "\" was used with other content"));
}

absl::Status EtagMismatch(absl::string_view kind, absl::string_view id) {
  return Make(absl::StatusCode::kAborted, "ETAG_MISMATCH",
              absl::StrCat("the etag is not the current one of ", kind, " \"", id,
                           "\": read it again, then retry"));
}

absl::Status Unavailable(absl::string_view message, absl::Duration retry) {
  absl::Status status = Make(absl::StatusCode::kUnavailable, "UNAVAILABLE", message);
  AttachRetry(status, retry);
  return status;
}

absl::Status Internal(absl::string_view incident) {
  return Make(absl::StatusCode::kInternal, "INTERNAL",
              absl::StrCat("a defect of the service; incident ", incident),
              {{"incident", std::string(incident)}});
}

absl::Status DeadlineExceeded() {
  return Make(absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED",
              "the call's deadline passed before it was done");
}

absl::Status MessageTooLarge(std::size_t bytes, std::size_t limit) {
  return Make(absl::StatusCode::kResourceExhausted, "MESSAGE_TOO_LARGE",
              absl::StrCat("a message of ", bytes, " bytes; want at most ", limit),
              {{"limit", absl::StrCat(limit)}});
}

absl::Status Cancelled() { return absl::CancelledError("the caller cancelled the call"); }

absl::Status IfEnded(const CallLimits& limits) {
  if (limits.IsCancelled()) return Cancelled();
  return absl::Now() < limits.deadline ? absl::OkStatus() : DeadlineExceeded();
}

absl::Status WithViolations(absl::Status status, const std::vector<FieldViolation>& violations) {
  google::rpc::BadRequest bad;
  for (const FieldViolation& violation : violations) {
    auto* added = bad.add_field_violations();
    added->set_field(violation.field);
    added->set_description(violation.description);
  }
  Attach(status, bad);
  AddMetadata(status, "violations", absl::StrCat(violations.size()));
  return status;
}

std::string Reason(const absl::Status& status) {
  const auto payload = status.GetPayload(TypeUrl<google::rpc::ErrorInfo>());
  google::rpc::ErrorInfo info;
  if (!payload || !info.ParseFromString(std::string(*payload))) return "";
  return info.reason();
}

}  // namespace contacts::errors
