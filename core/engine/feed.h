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

// An event of the feed, and who may see it.
struct FeedEvent {
  int64_t position = 0;
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
    int64_t last = 0;     // Position of the latest event; 0: none yet.
    int64_t removed = 0;  // Events up to this position are no longer kept.
  };

  // `database` must outlive it.
  Feed(Database* database, Settings settings);

  // Gives positions to what is queued, unless another server is doing so, and
  // returns how far the feed then goes. One round trip where nothing is queued.
  absl::StatusOr<Bounds> Advance(absl::Time now);
  absl::StatusOr<Bounds> GetBounds(const CallLimits& limits);

  // At most `limit` events after `position`, in order.
  absl::StatusOr<std::vector<FeedEvent>> Read(int64_t position, int64_t limit,
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
