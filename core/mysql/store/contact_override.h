#ifndef CONTACTS_CORE_MYSQL_STORE_CONTACT_OVERRIDE_H_
#define CONTACTS_CORE_MYSQL_STORE_CONTACT_OVERRIDE_H_

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "core/domain/contact_override.h"
#include "core/domain/ids.h"
#include "core/mysql/session.h"

// The tables contact_override and contact_override_item.
namespace contacts::store {

// Inserts the record and its items.
void InsertOverride(Session& session, const ContactOverride& record);

// Returns the ids of at most `limit` overrides below `before`, newest first. With `service`, those
// of its roles; with `account`, those that took a role from it or gave it one.
std::vector<Uuid> ListOverrides(Session& session, const std::optional<ServiceId>& service,
                                const AccountId& account, const Uuid& before, int64_t limit);

// Returns the records with their items, newest first. Unknown ids are left out. With `max_items`:
// the newest records that have fewer items than that in all.
std::vector<ContactOverride> LoadOverrides(Session& session, const std::set<Uuid>& ids,
                                           std::optional<int64_t> max_items = std::nullopt);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_CONTACT_OVERRIDE_H_
