#ifndef CONTACTS_CORE_ENGINE_FEED_H_
#define CONTACTS_CORE_ENGINE_FEED_H_

#include <cstdint>
#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "core/domain/model.h"
#include "core/domain/settings.h"
#include "core/mysql/database.h"

namespace contacts {

// A place in the feed: just after the event at `position`.
struct FeedPlace {
  int64_t position = 0;  // 0: before every event.
  // Tells that event from any other that a database has at this position after it was restored to
  // an earlier state. 0: not known.
  uint64_t event = 0;

  // Whether these are different events at one position.
  bool Contradicts(const FeedPlace& other) const {
    return position == other.position && event != other.event && event != 0 && other.event != 0;
  }
};

// An event of the feed, and who may see it.
struct FeedEvent {
  FeedPlace place;
  ChangeEvent event;
  std::set<AccountId> concerned;    // Whom its change concerns now.
  std::set<ServiceId> on_services;  // Of the services asked for, those of its change.
};

// Every event of every contact change, in an order in which each change's own
// events never go backwards. A transaction that writes history also queues it
// here; any server then gives what it finds queued the next positions, one server
// at a time. A position is thus never seen before those below it, whatever the
// order in which the transactions of the fleet commit. Thread safe; calls block.
class Feed {
 public:
  struct Bounds {
    FeedPlace last;       // Of the latest event; position 0: none yet.
    int64_t removed = 0;  // Events up to this position are no longer kept.
    // The place that was asked about, with its event if that is kept.
    FeedPlace seen;
    // False if the feed does not lead on from there: the database went back to an earlier state.
    bool leads_on = true;
  };

  // `database` must outlive it.
  Feed(Database* database, Settings settings);

  // Gives positions to what is queued, unless another server is doing so, and
  // returns how far the feed then goes. One round trip where nothing is queued.
  absl::StatusOr<Bounds> Advance(absl::Time now, const FeedPlace& seen);
  absl::StatusOr<Bounds> GetBounds(const CallLimits& limits, const FeedPlace& seen);

  // At most `limit` events after `place`, in order. RESUME_TOKEN_EXPIRED if another event is there.
  absl::StatusOr<std::vector<FeedEvent>> Read(const FeedPlace& place, int64_t limit,
                                              const std::set<ServiceId>& services,
                                              const CallLimits& limits);

  // Removes at most `limit` events past their retention; returns how many.
  absl::StatusOr<int64_t> Purge(int64_t limit, absl::Time now);

 private:
  Database* const database_;
  const Settings settings_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_FEED_H_
