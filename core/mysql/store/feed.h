#ifndef CONTACTS_CORE_MYSQL_STORE_FEED_H_
#define CONTACTS_CORE_MYSQL_STORE_FEED_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/domain/change_event.h"
#include "core/domain/ids.h"
#include "core/mysql/session.h"

// The tables feed_queue, feed and feed_head: every event of every change, in one order.
namespace contacts::store {

struct FeedHead {
  int64_t last_position = 0;     // 0: no event yet.
  int64_t removed_position = 0;  // Events up to here are no longer kept.
  bool queued = false;           // Whether events wait for a position.
  // The names of the events at last_position and at the wanted position. Another event, of any
  // database, has another name. Empty if the event is not kept.
  std::string last_name;
  std::string seen_name;
};
// `seen_position`: the wanted position; 0: none.
FeedHead LoadFeedHead(Session& session, int64_t seen_position);
// Locks and returns the last position that was given. Returns nothing if another server holds it.
std::optional<int64_t> LockFeedHead(Session& session);

// An event by its place in its change's history.
struct EventKey {
  Uuid change_id;
  int64_t ordinal = 0;
};
// Returns at most `limit` queued events. The events of each change are in order.
std::vector<EventKey> LoadQueuedEvents(Session& session, int64_t limit);
// Gives these events the positions from `first` on. Returns the name of the last one.
std::string NumberEvents(Session& session, const std::vector<EventKey>& events, int64_t first,
                         absl::Time now);

struct FeedEntry {
  int64_t position = 0;
  std::string name;
  ChangeEvent event;
};
struct FeedPage {
  std::vector<FeedEntry> entries;
  std::string before;  // Name of the event at `position`. Empty if there are no entries.
};
// Returns at most `limit` events after `position`, in order.
FeedPage LoadFeed(Session& session, int64_t position, int64_t limit);

// Returns the accounts that the changes now concern; see Concerns in core/workflow/visibility.h.
std::map<Uuid, std::set<AccountId>> LoadConcerned(Session& session, const std::set<Uuid>& changes);
// Returns which of the changes have an item on which of the services.
std::set<std::pair<Uuid, ServiceId>> LoadChangesOn(Session& session, const std::set<Uuid>& changes,
                                                   const std::set<ServiceId>& services);

// Counts at most `limit` of the oldest events of the feed that are older than
// `before`, and queues their removal.
int64_t PurgeFeed(Session& session, absl::Time before, int64_t limit);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_FEED_H_
