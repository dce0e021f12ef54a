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

// The table involvement: the changes that may concern an account, for lists. It may have more
// changes than an account may see, so each change itself is checked too.
namespace contacts::store {

// Returns at most `limit` changes older than `before` (nil: the newest) that may concern `account`,
// newest first. With `service`, only changes with an item on it.
std::vector<ChangeSummary> ListAccountChanges(Session& session, const AccountId& account,
                                              bool open_only, const Uuid& before, int64_t limit);
std::vector<ChangeSummary> ListServiceChanges(Session& session, const AccountId& account,
                                              const ServiceId& service, const Uuid& before,
                                              int64_t limit);

// Returns the open changes that may concern `account`.
std::set<Uuid> ListOpenChanges(Session& session, const AccountId& account);

// Adds the change to the lists of these accounts.
void AddInvolvement(Session& session, const std::set<AccountId>& accounts, const Uuid& change,
                    bool open);

// Adds the changes on these services, in any state, to the lists of the services' present admins.
// Queue it after the statement that gave them the role.
void ShowChangesToAdmins(Session& session, const std::vector<ServiceId>& services);

// For the other files of the store: the columns of a summary of contact_change c, and a reader of
// them.
extern const char kSummaryColumns[];
std::vector<ChangeSummary> ReadSummaries(Rows rows);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_INVOLVEMENT_H_
