#ifndef CONTACTS_CORE_ENGINE_FEED_H_
#define CONTACTS_CORE_ENGINE_FEED_H_

#include <cstdint>
#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "core/domain/change_event.h"
#include "core/domain/settings.h"
#include "core/mysql/database.h"

namespace contacts {

// A place in the feed: just after the event at `position`.
struct FeedPlace {
  int64_t position = 0;  // 0: before every event.
  // Distinguishes that event from another event at this position, which the database may have after
  // it was restored to an earlier state. 0: not known.
  uint64_t event = 0;

  // Whether these are different events at one position.
  bool Contradicts(const FeedPlace& other) const {
    return position == other.position && event != other.event && event != 0 && other.event != 0;
  }
};

// An event of the feed, and the accounts that may see it.
struct FeedEvent {
  FeedPlace place;
  ChangeEvent event;
  std::set<AccountId> concerned;    // Accounts that its change now concerns.
  std::set<ServiceId> on_services;  // The wanted services that its change has items on.
};

// Every event of every contact change, in an order in which each change's events never go
// backwards. A transaction that writes history also queues the events here. Then one server at a
// time gives the queued events the next positions. So a position is never seen before a lower one,
// in whatever order the transactions of the fleet commit. Thread safe. Calls block.
class Feed {
 public:
  struct Bounds {
    FeedPlace last;       // Of the latest event. Position 0: no event yet.
    int64_t removed = 0;  // Events up to this position are no longer kept.
    // The place that was asked about, with its event if that is kept.
    FeedPlace seen;
    // False if that place is not in this feed, because the database went back to an earlier state.
    bool leads_on = true;
  };

  // `database` must outlive this object.
  Feed(Database* database, Settings settings);

  // Gives positions to the queued events, unless another server is doing so. Returns the end of the
  // feed. One round trip if no event is queued. Returns the errors of Database::Write.
  absl::StatusOr<Bounds> Advance(absl::Time now, const FeedPlace& seen);
  // Returns the end of the feed, or the errors of Database::Read.
  absl::StatusOr<Bounds> GetBounds(const CallLimits& limits, const FeedPlace& seen);

  // Returns at most `limit` events after `place`, in order. Returns RESUME_TOKEN_EXPIRED if another
  // event is there, or the errors of Database::Read.
  absl::StatusOr<std::vector<FeedEvent>> Read(const FeedPlace& place, int64_t limit,
                                              const std::set<ServiceId>& services,
                                              const CallLimits& limits);

  // Removes at most `limit` events past their retention. Returns their number, or the errors of
  // Database::Write.
  absl::StatusOr<int64_t> Purge(int64_t limit, absl::Time now);

 private:
  Database* const database_;
  const Settings settings_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_FEED_H_
