#ifndef CONTACTS_CORE_MYSQL_STORE_INVOLVEMENT_H_
#define CONTACTS_CORE_MYSQL_STORE_INVOLVEMENT_H_

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "absl/time/time.h"
#include "core/domain/contact_change.h"
#include "core/domain/ids.h"
#include "core/mysql/session.h"

// The table involvement: the changes that may concern an account, for lists. It may name more
// changes than an account may see, so each change itself is looked at too.
namespace contacts::store {

// At most `limit` changes older than `before` (nil: the newest), newest first: those that may
// concern `account`, all or those with an item on `service`.
std::vector<ChangeSummary> ListAccountChanges(Session& session, const AccountId& account,
                                              bool open_only, const Uuid& before, int64_t limit);
std::vector<ChangeSummary> ListServiceChanges(Session& session, const AccountId& account,
                                              const ServiceId& service, const Uuid& before,
                                              int64_t limit);

// Makes the change appear in the lists of these accounts.
void AddInvolvement(Session& session, const std::set<AccountId>& accounts, const Uuid& change,
                    bool open);

// The changes on these services, whatever their state, become visible in the lists of
// the services' present admins. Queue it after what gave them the role.
void ShowChangesToAdmins(Session& session, const std::vector<ServiceId>& services);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_INVOLVEMENT_H_
