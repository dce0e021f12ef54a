#include "core/engine/engine.h"

#include <spdlog/spdlog.h>

#include "core/base/sha256.h"
#include "core/domain/errors.h"
#include "core/engine/save.h"
#include "core/mysql/store/account.h"
#include "core/mysql/store/change.h"
#include "core/mysql/store/idempotency_record.h"

namespace contacts {
namespace {

// Longer than any call.
constexpr absl::Duration kOwnIdRetention = absl::Hours(2);
constexpr absl::Duration kTimerRetry = absl::Minutes(5);

CallLimits InBackground() { return {.deadline = absl::Now() + absl::Seconds(30)}; }

// Whether an error is the outcome of a decision, rather than of trouble on the way to one.
bool IsDecision(const absl::Status& status) {
  return !errors::Reason(status).empty() && !absl::IsUnavailable(status) &&
         !absl::IsDeadlineExceeded(status);
}

}  // namespace

Engine::Engine(Database* database, TokenKeys keys, Settings settings, Clock clock)
    : database_(database),
      keys_(std::move(keys)),
      settings_(settings),
      // As the database keeps time, so that a reply says what a later read will.
      clock_(
          [clock = std::move(clock)] { return absl::FromUnixMicros(absl::ToUnixMicros(clock())); }),
      change_reads_({}, [this](std::vector<ChangeRead> reads) { ReadChanges(std::move(reads)); }) {}

absl::StatusOr<std::optional<std::string>> Engine::KeptReply(Session& session, const Call& call,
                                                             const Uuid& request_id) const {
  std::optional<store::Reply> kept = store::LoadReply(session, ActorOf(call), request_id);
  if (!kept) return std::nullopt;
  if (kept->fingerprint != Sha256(call.fingerprint)) return errors::RequestIdReused(request_id);
  return std::move(kept->bytes);
}

absl::StatusOr<std::string> Engine::Mutate(const Call& call, const Body& body) {
  // A call without an id of its own gets one, so that a commit whose answer was
  // lost can be looked up.
  const Uuid request_id = call.request_id.value_or(Uuid::Version4());
  bool may_be_kept = call.request_id.has_value();
  const auto run = [&](Session& session) -> absl::StatusOr<std::string> {
    may_be_kept = may_be_kept || session.maybe_committed();
    if (may_be_kept) {
      absl::StatusOr<std::optional<std::string>> kept = KeptReply(session, call, request_id);
      if (!kept.ok()) return kept.status();
      if (*kept) return **std::move(kept);
    }
    absl::StatusOr<std::string> reply = body(session);
    if (!reply.ok()) return reply;
    // Nobody asks for a reply under an id of ours once this call has ended.
    const absl::Duration age =
        call.request_id ? absl::ZeroDuration() : settings_.request_retention - kOwnIdRetention;
    store::InsertReply(session, ActorOf(call), request_id,
                       {.fingerprint = Sha256(call.fingerprint), .bytes = *reply}, clock_() - age);
    return reply;
  };
  absl::StatusOr<std::string> reply = database_->Write<std::string>(call.limits, run);

  // The same request may have been committed by a call beside this one, or by an earlier
  // run of this one, after this one looked and before it got its locks.
  if (may_be_kept && IsDecision(reply.status())) {
    auto kept = database_->Read<std::optional<std::string>>(
        call.limits, [&](Session& session) { return KeptReply(session, call, request_id); });
    if (!kept.ok()) return kept.status();
    if (*kept) return **std::move(kept);
  }
  return reply;
}

absl::StatusOr<std::string> Engine::MutateAgainWhileAborted(const Call& call, const Body& body) {
  constexpr int kTries = 10;
  for (int i = 0; i < kTries; ++i) {
    absl::StatusOr<std::string> reply = Mutate(call, body);
    if (!absl::IsAborted(reply.status()) || !errors::Reason(reply.status()).empty()) return reply;
  }
  return errors::Unavailable("too much contention", absl::Seconds(1));
}

absl::Status Engine::Unless(Session& session, const Call& call, absl::Status otherwise) const {
  if (!call.account.empty() &&
      !store::LoadAccount(session, call.account, store::Lock::kNone).has_value()) {
    return errors::AccountNotFound(call.account);
  }
  return otherwise;
}

absl::StatusOr<int64_t> Engine::PurgeRequests(int64_t limit) {
  const absl::Time before = clock_() - settings_.request_retention;
  return database_->Write<int64_t>(InBackground(), [&](Session& session) {
    return store::PurgeReplies(session, before, limit);
  });
}

absl::StatusOr<int64_t> Engine::PassTimeOver(const std::set<Uuid>& ids, const CallLimits& limits) {
  return database_->Write<int64_t>(limits, [&](Session& session) -> int64_t {
    std::vector<ContactChange> changes = store::LockChanges(session, ids);
    if (changes.empty()) return 0;
    store::LoadItemsOf(session, changes);
    const absl::Time now = clock_();
    int64_t acted = 0;
    for (ContactChange& change : changes) {
      Transition transition = PassTime(change, now);
      if (!transition.save) continue;
      store::SaveChange(session, change);
      if (!change.open()) store::SaveItems(session, change);
      SaveEffects(session, transition, now);
      ++acted;
    }
    return acted;
  });
}

absl::StatusOr<int64_t> Engine::RunTimers(int64_t limit) {
  int64_t acted = 0;
  store::Timer last;
  while (acted < limit) {
    const int64_t wanted = limit - acted;
    const auto due = database_->Read<std::vector<store::Timer>>(
        InBackground(),
        [&](Session& session) { return store::ListDueTimers(session, clock_(), last, wanted); });
    if (!due.ok()) return due.status();
    for (const store::Timer& timer : *due) {
      const absl::StatusOr<int64_t> passed = PassTimeOver({timer.change_id}, InBackground());
      if (passed.ok()) {
        acted += *passed;
        continue;
      }
      spdlog::error("timers: contact change {}: {}", timer.change_id.text(),
                    passed.status().ToString());
      const absl::Status postponed = database_->Write(InBackground(), [&](Session& session) {
        store::PostponeTimer(session, timer, clock_() + kTimerRetry);
        return absl::OkStatus();
      });
      if (!postponed.ok() && !database_->Ping(InBackground()).ok()) return passed.status();
    }
    if (static_cast<int64_t>(due->size()) < wanted) break;
    last = due->back();
  }
  return acted;
}

}  // namespace contacts
