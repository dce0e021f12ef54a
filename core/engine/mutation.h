#ifndef CONTACTS_CORE_ENGINE_MUTATION_H_
#define CONTACTS_CORE_ENGINE_MUTATION_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/engine/call.h"
#include "core/mysql/session.h"

namespace contacts {

// Runs a mutating use case in one transaction and stores its reply as the idempotency record of
// the call's request id. A retry, or a commit whose answer was lost, gets the stored reply.
// `body` may run again, so it keeps no state of an earlier run. Returns the error of `body`,
// REQUEST_ID_REUSED if the record is about another request, or an error of Database::Write.
absl::StatusOr<std::string> MutateOnce(
    const EngineContext& context, const Call& call,
    const std::function<absl::StatusOr<std::string>(Session&)>& body);

// The reply of one run, or nothing if another transaction came in between: the body then queued no
// writes, no record is stored, and the use case is to run again.
using ReplyOrOvertaken = std::optional<std::string>;

// As MutateOnce, for a body that may find itself overtaken.
absl::StatusOr<ReplyOrOvertaken> TryMutateOnce(
    const EngineContext& context, const Call& call,
    const std::function<absl::StatusOr<ReplyOrOvertaken>(Session&)>& body);

// TryMutateOnce, again while the body is overtaken. Returns UNAVAILABLE after ten runs.
absl::StatusOr<std::string> MutateOnceUntilNotOvertaken(
    const EngineContext& context, const Call& call,
    const std::function<absl::StatusOr<ReplyOrOvertaken>(Session&)>& body);

// Returns ACCOUNT_NOT_FOUND if the acting account does not exist, else `status`.
absl::Status AccountNotFoundOr(Session& session, const Call& call, absl::Status status);

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_MUTATION_H_
