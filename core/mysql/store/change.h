#ifndef CONTACTS_CORE_MYSQL_STORE_CHANGE_H_
#define CONTACTS_CORE_MYSQL_STORE_CHANGE_H_

#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "core/domain/contact_change.h"
#include "core/domain/ids.h"
#include "core/domain/role.h"
#include "core/domain/service.h"
#include "core/mysql/session.h"

// The tables contact_change and contact_change_item, which are read and written together. A change
// that is written also keeps pending_role and involvement in step.
namespace contacts::store {

// A change, with the present admin contact of each item's service (empty where
// it was removed), in the order of the items.
struct ChangeAndAdmins {
  ContactChange change;
  std::vector<AccountId> admins;
};

// The change's own row; items are left empty.
std::optional<ContactChange> LockChange(Session& session, const Uuid& id);
std::vector<ContactChange> LockChanges(Session& session, const std::set<Uuid>& ids);

// Adds the items, and tells the present admins, of changes already loaded.
std::vector<AccountId> LoadItems(Session& session, ContactChange& change);
// As LoadItems, with the services locked; those that exist are returned.
std::vector<Service> LoadItemsLockServices(Session& session, ContactChange& change);
void LoadItemsOf(Session& session, std::vector<ContactChange>& changes);

// Whole changes by id, newest first; unknown ids are left out.
std::vector<ChangeAndAdmins> LoadChanges(Session& session, const std::vector<Uuid>& ids);

// Roles that changes of the batch took from `from`, with the account each went to.
std::vector<std::pair<ServiceRole, AccountId>> LoadGivenByBatch(Session& session, const Uuid& batch,
                                                                const AccountId& from);

// Writes new changes: rows, items, pending roles and whom they may concern.
// `admins` are the present admins of the services of each change.
void InsertChanges(Session& session, const std::vector<ContactChange>& changes,
                   const std::vector<std::set<AccountId>>& admins);

// Saves the change's own row. Where it is closed, frees its roles and its lists, and takes its
// validation e-mails out of the outbox.
void SaveChange(Session& session, const ContactChange& change);

// Saves the outcomes of the items; frees the roles of those no longer pending.
void SaveItems(Session& session, const ContactChange& change);

// When something is due for an open change.
struct Timer {
  absl::Time time = absl::UnixEpoch();
  Uuid change_id;
};
// At most `limit` timers due at `now` that come after `last`, by time and id.
std::vector<Timer> ListDueTimers(Session& session, absl::Time now, const Timer& last,
                                 int64_t limit);
// Moves the timer to `until`, unless the change was saved meanwhile.
void PostponeTimer(Session& session, const Timer& timer, absl::Time until);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_CHANGE_H_
