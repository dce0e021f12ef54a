#include "core/engine/maintenance.h"

#include <spdlog/spdlog.h>

#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "core/engine/save.h"
#include "core/mysql/store/change.h"
#include "core/mysql/store/earlier_address.h"
#include "core/mysql/store/feed.h"
#include "core/mysql/store/idempotency_record.h"
#include "core/mysql/store/quota_window.h"
#include "core/workflow/change.h"

namespace contacts {
namespace {

constexpr absl::Duration kTimerRetry = absl::Minutes(5);

CallLimits InBackground() { return {.deadline = absl::Now() + absl::Seconds(30)}; }

}  // namespace

absl::StatusOr<int64_t> ExpireOrRemind(const EngineContext& context, const std::set<Uuid>& ids,
                                       const CallLimits& limits) {
  return context.database->Write<int64_t>(limits, [&](Session& session) -> int64_t {
    std::vector<ContactChange> changes = store::LockChanges(session, ids);
    if (changes.empty()) return 0;
    store::LoadItemsOf(session, changes);
    const absl::Time now = context.clock();
    int64_t acted = 0;
    Transition all;
    for (ContactChange& change : changes) {
      Transition transition = ExpireOrRemind(change, now);
      if (!transition.save) continue;
      SaveChangeAndItems(session, change, transition);
      all.Add(std::move(transition));
      ++acted;
    }
    SaveEffects(session, all, now, context.settings);
    return acted;
  });
}

absl::StatusOr<int64_t> Maintenance::RunTimers(int64_t limit) {
  int64_t acted = 0;
  store::Timer last;
  while (acted < limit) {
    const int64_t wanted = limit - acted;
    const auto due =
        context_.database->Read<std::vector<store::Timer>>(InBackground(), [&](Session& session) {
          return store::ListDueTimers(session, context_.clock(), last, wanted);
        });
    if (!due.ok()) return due.status();
    for (const store::Timer& timer : *due) {
      const absl::StatusOr<int64_t> passed =
          ExpireOrRemind(context_, {timer.change_id}, InBackground());
      if (passed.ok()) {
        acted += *passed;
        continue;
      }
      spdlog::error("timers: contact change {}: {}", timer.change_id.text(),
                    passed.status().ToString());
      const absl::Status postponed =
          context_.database->Write(InBackground(), [&](Session& session) {
            store::PostponeTimer(session, timer, context_.clock() + kTimerRetry);
            return absl::OkStatus();
          });
      if (!postponed.ok() && !context_.database->Ping(InBackground()).ok()) return passed.status();
    }
    if (static_cast<int64_t>(due->size()) < wanted) break;
    last = due->back();
  }
  return acted;
}

absl::StatusOr<int64_t> Maintenance::PurgeRequests(int64_t limit) {
  const absl::Time before = context_.clock() - context_.settings.request_retention;
  return context_.database->Write<int64_t>(InBackground(), [&](Session& session) {
    // No token of an open change went to an address that was replaced so long ago.
    store::PurgeEarlierAddresses(session, context_.clock() - kLongestChangeLifetime, limit);
    return store::PurgeIdempotencyRecords(session, before, limit);
  });
}

absl::StatusOr<int64_t> Maintenance::PurgeDailyUses(int64_t limit) {
  // While a change is open, the day of its latest e-mail stays: resends lock it.
  const absl::Time before = context_.clock() - context_.settings.change_lifetime - absl::Hours(48);
  return context_.database->Write<int64_t>(InBackground(), [&](Session& session) {
    return store::PurgeDailyUses(session, before, limit);
  });
}

absl::StatusOr<int64_t> Maintenance::PurgeChanges(int64_t limit) {
  if (context_.settings.change_retention == absl::ZeroDuration()) return 0;
  const absl::Time before = context_.clock() - context_.settings.change_retention;
  return context_.database->Write<int64_t>(InBackground(), [&](Session& session) -> int64_t {
    if (!store::LockFeedHead(session)) return 0;
    return store::PurgeChanges(session, before, limit);
  });
}

}  // namespace contacts
