#ifndef CONTACTS_CORE_DOMAIN_ERRORS_H_
#define CONTACTS_CORE_DOMAIN_ERRORS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>
#include "absl/strings/string_view.h"

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/call_limits.h"
#include "core/domain/contact_change.h"
#include "core/domain/ids.h"
#include "core/domain/role.h"

// Every error that a caller can get, one constructor for each. Each status carries its google.rpc
// details as payloads under their type URLs, always with an ErrorInfo: domain "contacts", reason as
// in errors.proto without its prefix. Passing a status on, or adding context, keeps them.
namespace contacts::errors {

// One invalid field: its path in the request, such as "assignments[3].role", and a description of
// the value and of the wanted one.
struct FieldViolation {
  std::string field;
  std::string description;
};

// A violation with an empty field is about the whole message. Only the status's text describes it.
absl::Status InvalidField(const std::vector<FieldViolation>& violations);
absl::Status InvalidField(std::string field, std::string description);
// Credentials are missing or do not verify.
absl::Status Unauthenticated(absl::string_view message);
// The caller may not call this method, or not for this account.
absl::Status CallerNotAllowed(absl::string_view message);
absl::Status AccountNotFound(const AccountId& account);
// For an operator, who may see every service.
absl::Status ServiceNotFound(const ServiceId& service);
// For an account. The error is the same for a service of others and for a missing one.
absl::Status ServiceNotFoundOrNotHeld(const ServiceId& service);
// The same for a change that does not concern the acting account and for a missing one.
absl::Status ContactChangeNotFound(const Uuid& id);
// `services`: the first of those on which the account holds a role.
absl::Status AccountInUse(const AccountId& account, const std::vector<ServiceId>& services);
// `kind`: "account" or "service".
absl::Status AlreadyExists(absl::string_view kind, absl::string_view id);
// The acting account's roles do not allow it.
absl::Status RoleNotAllowed(absl::string_view message);
// `account` already holds the role.
absl::Status ContactUnchanged(const ServiceRole& role, const AccountId& account);
absl::Status BillingOverdue(const std::vector<AccountId>& accounts);
// `change`: the pending one, if the acting account may see it.
absl::Status ChangeAlreadyPending(const ServiceRole& role,
                                  const std::optional<Uuid>& change = std::nullopt);
// The token is not the account's latest one. `superseded`: it was, before a later e-mail or another
// address.
absl::Status TokenInvalid(bool superseded = false);
// UNAVAILABLE: another server of the fleet may have the key.
absl::Status TokenKeyMissing();
// Too many wrong tokens since the last e-mail was asked for. `cure`: the call that asks for
// another.
absl::Status TokenLocked(absl::string_view cure = "ResendValidation");
// No address is pending, or its confirmation has expired.
absl::Status NoPendingEmail();
// The validator has accepted before.
absl::Status AlreadyValidated();
// `state`: of the closed change.
absl::Status ChangeClosed(ChangeState state);
// A `wait` goes into RetryInfo; a `limit` is a number of changes, calls, addresses, items,
// accounts or e-mails.
absl::Status ResendTooSoon(absl::Duration wait);
absl::Status QuotaExceeded(int64_t limit);
absl::Status AskedTooOften(int64_t limit, absl::Duration wait);
absl::Status AddressChangedTooOften(int64_t limit, absl::Duration wait);
absl::Status TooManyItems(int64_t limit, absl::Duration wait);
absl::Status TooManyWrongAccounts(int64_t limit, absl::Duration wait);
absl::Status TooManyMails(const AccountId& recipient, int64_t limit, absl::Duration wait);
// Events after the resume token are no longer kept.
absl::Status ResumeTokenExpired();
// The caller has used the request id for another request.
absl::Status RequestIdReused(const Uuid& request_id);
// `kind`: "account" or "service".
absl::Status EtagMismatch(absl::string_view kind, absl::string_view id);
// Overloaded, shutting down or without the database. `retry` goes into RetryInfo.
absl::Status Unavailable(absl::string_view message, absl::Duration retry);
// A defect. The log has the same `incident`.
absl::Status Internal(absl::string_view incident);
// The call's deadline has passed.
absl::Status DeadlineExceeded();
// A request of `bytes`, of which `limit` are allowed.
absl::Status MessageTooLarge(std::size_t bytes, std::size_t limit);
// The caller no longer waits. Carries no reason.
absl::Status Cancelled();

// Returns OK while a call is worth working on: CANCELLED once all its callers have cancelled,
// DEADLINE_EXCEEDED once its deadline has passed.
absl::Status IfEnded(const CallLimits& limits);

// Adds the full list of violations (a google.rpc.BadRequest) to `status`, and their number
// to the metadata of its ErrorInfo ("violations").
absl::Status WithViolations(absl::Status status, const std::vector<FieldViolation>& violations);

// Returns the ErrorInfo reason of `status`, or "" without an ErrorInfo.
std::string Reason(const absl::Status& status);

}  // namespace contacts::errors

#endif  // CONTACTS_CORE_DOMAIN_ERRORS_H_
