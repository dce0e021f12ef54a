#ifndef CONTACTS_CORE_MYSQL_STORE_CONTACT_OVERRIDE_H_
#define CONTACTS_CORE_MYSQL_STORE_CONTACT_OVERRIDE_H_

#include <set>
#include <vector>

#include "core/domain/contact_override.h"
#include "core/domain/ids.h"
#include "core/mysql/session.h"

// The tables contact_override and contact_override_item.
namespace contacts::store {

// Inserts the record and its items.
void InsertOverride(Session& session, const ContactOverride& record);

// Returns the records with their items, in no order. Unknown ids are left out.
std::vector<ContactOverride> LoadOverrides(Session& session, const std::set<Uuid>& ids);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_CONTACT_OVERRIDE_H_
