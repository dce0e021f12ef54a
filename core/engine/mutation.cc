#include "core/engine/mutation.h"

#include <utility>

#include "absl/time/time.h"
#include "core/base/sha256.h"
#include "core/domain/errors.h"
#include "core/mysql/store/account.h"
#include "core/mysql/store/idempotency_record.h"

namespace contacts {
namespace {

// Longer than any call.
constexpr absl::Duration kOwnIdRetention = absl::Hours(2);
constexpr int kMaxRuns = 10;

// Under whose name the call's record is kept.
const std::string& RecordOwnerOf(const Call& call) {
  return call.request_id || call.about.empty() ? ActorOf(call) : call.about.text();
}

// Returns the stored reply, nothing if there is no record, or REQUEST_ID_REUSED if the record is
// about another request.
absl::StatusOr<std::optional<std::string>> LoadStoredReply(Session& session, const Call& call,
                                                           const Uuid& request_id) {
  std::optional<store::IdempotencyRecord> record =
      store::LoadIdempotencyRecord(session, RecordOwnerOf(call), request_id);
  if (!record) return std::nullopt;
  if (record->fingerprint != Sha256(call.fingerprint)) return errors::RequestIdReused(request_id);
  return std::move(record->reply);
}

}  // namespace

absl::StatusOr<ReplyOrOvertaken> TryMutateOnce(
    const EngineContext& context, const Call& call,
    const std::function<absl::StatusOr<ReplyOrOvertaken>(Session&)>& body) {
  // A call without a request id gets one, so that a commit whose answer was lost can be looked up.
  const Uuid request_id = call.request_id.value_or(Uuid::Version4());
  bool ran = false;
  const auto run = [&](Session& session) -> absl::StatusOr<ReplyOrOvertaken> {
    const bool may_be_stored = call.request_id.has_value() || session.maybe_committed();
    // The INSERT of the record decides whether the request was answered before, so the first run
    // does not look. If that fails as a duplicate, the next run does.
    if (std::exchange(ran, true) && may_be_stored) {
      absl::StatusOr<ReplyOrOvertaken> stored = LoadStoredReply(session, call, request_id);
      if (!stored.ok() || stored->has_value()) return stored;
    }
    absl::StatusOr<ReplyOrOvertaken> reply = body(session);
    if (!reply.ok() && may_be_stored) {
      // A call may fail because the same request was done before. The locks of the body are held,
      // so its record is seen if it was committed before the body got them.
      absl::StatusOr<ReplyOrOvertaken> stored = LoadStoredReply(session, call, request_id);
      if (!stored.ok() || stored->has_value()) {
        session.DropWrites();
        return stored;
      }
    }
    if (!reply.ok() || !reply->has_value()) return reply;
    // The record of an id that no caller knows is of use only until this call has ended.
    const absl::Duration age = call.request_id
                                   ? absl::ZeroDuration()
                                   : context.settings.request_retention - kOwnIdRetention;
    store::InsertIdempotencyRecord(session, RecordOwnerOf(call), request_id,
                                   {.fingerprint = Sha256(call.fingerprint), .reply = **reply},
                                   context.clock() - age);
    return reply;
  };
  return context.database->Write<ReplyOrOvertaken>(call.limits, run);
}

absl::StatusOr<std::string> MutateOnce(
    const EngineContext& context, const Call& call,
    const std::function<absl::StatusOr<std::string>(Session&)>& body) {
  absl::StatusOr<ReplyOrOvertaken> reply =
      TryMutateOnce(context, call, [&](Session& session) -> absl::StatusOr<ReplyOrOvertaken> {
        absl::StatusOr<std::string> result = body(session);
        if (!result.ok()) return result.status();
        return ReplyOrOvertaken(*std::move(result));
      });
  if (!reply.ok()) return reply.status();
  return **std::move(reply);
}

absl::StatusOr<std::string> MutateOnceUntilNotOvertaken(
    const EngineContext& context, const Call& call,
    const std::function<absl::StatusOr<ReplyOrOvertaken>(Session&)>& body) {
  for (int i = 0; i < kMaxRuns; ++i) {
    absl::StatusOr<ReplyOrOvertaken> reply = TryMutateOnce(context, call, body);
    if (!reply.ok()) return reply.status();
    if (reply->has_value()) return **std::move(reply);
  }
  return errors::Unavailable("too much contention", absl::Seconds(1));
}

absl::Status AccountNotFoundOr(Session& session, const Call& call, absl::Status status) {
  if (!call.account.empty() &&
      !store::LoadAccount(session, call.account, store::Lock::kNone).has_value()) {
    return errors::AccountNotFound(call.account);
  }
  return status;
}

}  // namespace contacts
