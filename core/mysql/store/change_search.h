#ifndef CONTACTS_CORE_MYSQL_STORE_CHANGE_SEARCH_H_
#define CONTACTS_CORE_MYSQL_STORE_CHANGE_SEARCH_H_

#include <cstdint>
#include <vector>

#include "core/domain/contact_change.h"
#include "core/domain/ids.h"
#include "core/mysql/session.h"

// Searches over all contact changes, for the support desk. Each reads rows in proportion to its
// `limit`, however many changes there are. All return changes with ids from `from` on and below
// `before`, newest first.
namespace contacts::store {

// Changes of which `account` is the requester, the new contact or an old contact of an item.
std::vector<ChangeSummary> SearchByAccount(Session& session, const AccountId& account,
                                           const Uuid& from, const Uuid& before, int64_t limit);
// Changes with an item on `service`.
std::vector<ChangeSummary> SearchByService(Session& session, const ServiceId& service,
                                           const Uuid& from, const Uuid& before, int64_t limit);
// All changes.
std::vector<ChangeSummary> SearchByTime(Session& session, const Uuid& from, const Uuid& before,
                                        int64_t limit);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_CHANGE_SEARCH_H_
