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
  // What names the events at last_position and at the position asked for: another event, of
  // whatever database, has another name. Empty where no event is kept.
  std::string last_name;
  std::string seen_name;
};
FeedHead LoadFeedHead(Session& session, int64_t seen_position);
// The last position given, locked; nothing where another server holds it.
std::optional<int64_t> LockFeedHead(Session& session);

// An event by its place in its change's history.
struct EventKey {
  Uuid change_id;
  int64_t ordinal = 0;
};
// At most `limit` events that wait; those of one change from its first on.
std::vector<EventKey> LoadQueuedEvents(Session& session, int64_t limit);
// Gives them the positions from `first` on. Returns the name of the last one.
std::string NumberEvents(Session& session, const std::vector<EventKey>& events, int64_t first,
                         absl::Time now);

struct FeedEntry {
  int64_t position = 0;
  std::string name;
  ChangeEvent event;
};
struct FeedPart {
  std::vector<FeedEntry> entries;
  std::string before;  // Name of the event at `position`. Empty where there are no entries.
};
// At most `limit` events after `position`, in order.
FeedPart LoadFeed(Session& session, int64_t position, int64_t limit);

// Whom the changes concern now, see Concerns in core/engine/save.h.
std::map<Uuid, std::set<AccountId>> LoadConcerned(Session& session, const std::set<Uuid>& changes);
// Which of the changes have an item on which of the services.
std::set<std::pair<Uuid, ServiceId>> LoadChangesOn(Session& session, const std::set<Uuid>& changes,
                                                   const std::set<ServiceId>& services);

// Counts at most `limit` of the oldest events of the feed that are older than
// `before`, and queues their removal.
int64_t PurgeFeed(Session& session, absl::Time before, int64_t limit);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_FEED_H_
