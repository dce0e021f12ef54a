#ifndef CONTACTS_CORE_MYSQL_STORE_EVENT_H_
#define CONTACTS_CORE_MYSQL_STORE_EVENT_H_

#include <cstdint>
#include <vector>

#include "core/domain/change_event.h"
#include "core/domain/ids.h"
#include "core/mysql/session.h"

// The table contact_change_event.
namespace contacts::store {

// Adds events to the history, and to the queue of the feed.
void InsertEvents(Session& session, const std::vector<ChangeEvent>& events);

// Returns at most `limit` events of a change after the ordinal `after`, in order.
std::vector<ChangeEvent> ListEvents(Session& session, const Uuid& change, int64_t after,
                                    int64_t limit);

// For the other files of the store: the columns of contact_change_event e, and a reader of them.
extern const char kEventColumns[];
ChangeEvent ReadEvent(Rows& rows);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_EVENT_H_
