#ifndef CONTACTS_CORE_MYSQL_STORE_CHANGE_H_
#define CONTACTS_CORE_MYSQL_STORE_CHANGE_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/domain/contact_change.h"
#include "core/domain/contact_move.h"
#include "core/domain/ids.h"
#include "core/domain/role.h"
#include "core/domain/service.h"
#include "core/mysql/session.h"
#include "core/mysql/store/lock.h"

// The tables contact_change and contact_change_item, which are read and written together. A change
// that is written also keeps pending_role and involvement in step.
namespace contacts::store {

// A change, with the present admin contact of each item's service, in the order of the items. The
// contact is empty if the service was removed.
struct ChangeAndAdmins {
  ContactChange change;
  std::vector<AccountId> admins;
};

// Locks and returns the change's own row, without items. Returns nothing if it does not exist.
std::optional<ContactChange> LockChange(Session& session, const Uuid& id);
// The same for several changes, ordered by id. Unknown ids are left out.
std::vector<ContactChange> LockChanges(Session& session, const std::set<Uuid>& ids);

// The same with the present e-mail address of `account`, which is empty if it does not exist.
struct ChangeAndEmail {
  ContactChange change;
  std::string email;
};
std::optional<ChangeAndEmail> LockChangeAndEmail(Session& session, const Uuid& id,
                                                 const AccountId& account);

// Adds the items to a loaded change. Returns the present admins, as in ChangeAndAdmins.
// kShare: keeps the services' admins as they are until the transaction ends.
std::vector<AccountId> LoadItems(Session& session, ContactChange& change, Lock lock = Lock::kNone);
// Like LoadItems, and locks the services.
struct LockedItems {
  std::vector<Service> services;  // Those that exist.
  bool admin_moved = false;  // Whether an admin role of one moved since the change was asked for.
};
LockedItems LoadItemsLockServices(Session& session, ContactChange& change);
// Adds the items to loaded changes.
void LoadItemsOf(Session& session, std::vector<ContactChange>& changes);

// Returns whole changes by id, newest first. Unknown ids are left out.
std::vector<ChangeAndAdmins> LoadChanges(Session& session, const std::vector<Uuid>& ids);

// As LoadChanges, with only the first `max_items` items of each change and without admins. Reads no
// other items. At most 64 ids. `items_left_out` is not set.
inline constexpr std::size_t kMaxFirstItems = 64;
std::vector<ContactChange> LoadFirstItems(Session& session, const std::vector<Uuid>& ids,
                                          int64_t max_items);

// Returns the roles that changes of the batch took from `from`.
std::vector<GivenRole> LoadGivenByBatch(Session& session, const Uuid& batch, const AccountId& from);

// Writes new changes: rows, items, pending roles and involvement. `admins`: the present admins of
// the services of each change.
void InsertChanges(Session& session, const std::vector<ContactChange>& changes,
                   const std::vector<std::set<AccountId>>& admins);

// Saves the change's own row. If it is closed, frees its roles, removes it from lists of open
// changes, and removes its validation e-mails from the outbox.
void SaveChange(Session& session, const ContactChange& change);

// Saves the outcomes of the items, and frees the roles of items that are no longer pending.
void SaveItems(Session& session, const ContactChange& change);

// The time when a reminder or the expiry of an open change is due.
struct Timer {
  absl::Time time = absl::UnixEpoch();
  Uuid change_id;
};
// Returns at most `limit` timers due at `now` that come after `last`, by time and id.
std::vector<Timer> ListDueTimers(Session& session, absl::Time now, const Timer& last,
                                 int64_t limit);
// Moves the timer to `until`, unless the change has been saved since.
void PostponeTimer(Session& session, const Timer& timer, absl::Time until);

// Removes at most `limit` changes that closed before `before`, the oldest first, with their items,
// their history and the e-mails about them. Returns their number. LockFeedHead must hold the lock,
// so that no removed event gets a position.
int64_t PurgeChanges(Session& session, absl::Time before, int64_t limit);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_CHANGE_H_
