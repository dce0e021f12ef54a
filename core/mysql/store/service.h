#ifndef CONTACTS_CORE_MYSQL_STORE_SERVICE_H_
#define CONTACTS_CORE_MYSQL_STORE_SERVICE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/domain/contact_move.h"
#include "core/domain/ids.h"
#include "core/domain/role.h"
#include "core/domain/service.h"
#include "core/mysql/session.h"
#include "core/mysql/store/lock.h"

// The table service.
namespace contacts::store {

// Returns nothing if the service does not exist.
std::optional<Service> LoadService(Session& session, const ServiceId& id, Lock lock);

// Returns at most `limit` services with ids after `after`, ordered by id.
std::vector<Service> PageServices(Session& session, const std::string& after, int64_t limit);

// Returns at most `limit` services on which `account` holds one of `roles`, with ids after `after`
// that begin with `prefix`, ordered by id. With `contact`, only services on which that account
// holds a role too. Each has the roles on which a change is pending at `now` that `account` sees:
// the same rule as Concerns of core/workflow/visibility, which engine_visibility_test compares.
std::vector<Service> ListServices(Session& session, const AccountId& account,
                                  const std::vector<Role>& roles, const std::string& prefix,
                                  const AccountId& contact, const std::string& after, int64_t limit,
                                  absl::Time now);

// Inserts new rows, in one statement. If one of them exists by then, the transaction starts over.
void InsertServices(Session& session, const std::vector<Service>& services);

// Updates every column of rows that exist and are locked, in one statement.
void SaveServices(Session& session, const std::vector<Service>& services);

// Updates owner, version and update time of a locked row.
void UpdateOwner(Session& session, const Service& service);

// Deletes the row, which ends its roles. Changes keep their items on it, and its history stays.
void DeleteService(Session& session, const ServiceId& id, const MoveOrigin& origin);

// Gives `role` of all `services` to `account`, and adds that to the history of their contacts. With
// the admin role, the changes on them appear in the new admin's lists.
void MoveRole(Session& session, const std::vector<ServiceId>& services, Role role,
              const AccountId& account, const MoveOrigin& origin);

// For the other files of the store: the columns of service s, and a reader of them.
extern const char kServiceColumns[];
Service ReadService(Rows& rows);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_SERVICE_H_
