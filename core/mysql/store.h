#ifndef CONTACTS_CORE_MYSQL_STORE_H_
#define CONTACTS_CORE_MYSQL_STORE_H_

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/domain/model.h"
#include "core/mysql/session.h"

// Every statement of the service, by what it means. Functions that load make one
// round trip; those that write queue theirs on the session (see Session::Queue).
// A load with Lock::kForUpdate keeps its rows from others until the transaction
// ends; to keep deadlocks rare, transactions lock accounts, then changes, then
// services, then pending roles.
namespace contacts::store {

enum class Lock { kNone, kForUpdate };

// --- Accounts and services -------------------------------------------------

std::optional<Account> LoadAccount(Session& session, const AccountId& id, Lock lock);
// Those that exist, and what the requester uses of its quotas at `now`.
struct AccountsAndUse {
  std::vector<Account> accounts;
  QuotaUse use;
};
AccountsAndUse LoadAccountsAndUse(Session& session, const std::set<AccountId>& ids,
                                  const AccountId& requester, absl::Time now);
void SaveAskWindow(Session& session, const AccountId& requester, const QuotaWindow& window);
// How often an account changed its own address in its latest day.
QuotaWindow LoadAddressWindow(Session& session, const AccountId& account);
void SaveAddressWindow(Session& session, const AccountId& account, const QuotaWindow& window);
// Those that exist, ordered by id and locked.
std::vector<Account> LockAccounts(Session& session, const std::set<AccountId>& ids);
// Of these, those that exist.
std::set<AccountId> LoadExisting(Session& session, const std::set<AccountId>& ids);
// At most `limit` of all accounts with ids after `after`, ordered by id; services alike.
std::vector<Account> PageAccounts(Session& session, const std::string& after, int64_t limit);
std::vector<Service> PageServices(Session& session, const std::string& after, int64_t limit);
// New rows, as many as there are in one statement. Where one of them exists by
// then, the transaction starts over.
void InsertAccounts(Session& session, const std::vector<Account>& accounts);
void InsertServices(Session& session, const std::vector<Service>& services);
// Every column of rows that exist and are locked, in one statement.
void SaveAccounts(Session& session, const std::vector<Account>& accounts);
void SaveServices(Session& session, const std::vector<Service>& services);
void UpdateAccount(Session& session, const Account& account);

std::optional<Service> LoadService(Session& session, const ServiceId& id, Lock lock);
// A role that a pending change is about.
struct PendingRole {
  ServiceRole role;
  Uuid change_id;
  absl::Time expire_time;
};
struct ServicesAndPending {
  std::vector<Service> services;
  std::vector<PendingRole> pending;
};
// Those that exist, ordered by id, with the pending roles on them. Where `contact` is one's, those
// of which it is a contact: others are neither locked nor told from what does not exist.
ServicesAndPending LoadServicesAndPending(Session& session, const std::set<ServiceId>& ids,
                                          Lock lock, const AccountId& contact = {});
std::vector<PendingRole> LoadPendingRoles(Session& session, const std::set<ServiceId>& ids);
// A service of which `contact` is one, and the changes pending on it at `now`, in one round trip.
// Another's service costs what one costs that does not exist.
std::optional<std::pair<Service, std::vector<Uuid>>> LoadServiceAndPending(Session& session,
                                                                           const ServiceId& id,
                                                                           const AccountId& contact,
                                                                           absl::Time now);
// At most `limit` services on which `account` holds one of `roles`, with ids after `after`
// that begin with `prefix`, ordered by id.
std::vector<Service> ListServices(Session& session, const AccountId& account,
                                  const std::vector<Role>& roles, const std::string& prefix,
                                  const std::string& after, int64_t limit);
void UpdateOwner(Session& session, const Service& service);
void DeleteService(Session& session, const ServiceId& id);
// Gives `role` of all `services` to `account`. For the admin role, the changes
// on them become visible in the new admin's lists.
void MoveRole(Session& session, const std::vector<ServiceId>& services, Role role,
              const AccountId& account, absl::Time now);
// The changes on these services, whatever their state, become visible in the lists of
// the services' present admins. Queue it after what gave them the role.
void ShowChangesToAdmins(Session& session, const std::vector<ServiceId>& services);

// --- Contact changes -------------------------------------------------------

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

// What a list needs to know of a change to decide whether to load it.
struct ChangeSummary {
  Uuid id;
  ChangeState state = ChangeState::kValidating;
  absl::Time expire_time;
  AccountId requester;
  AccountId new_contact;
  ValidationState requester_state = ValidationState::kPending;
  ValidationState new_contact_state = ValidationState::kPending;
  int64_t item_count = 0;
};
// At most `limit` changes older than `before` (nil: the newest), newest first: those that may
// concern `account`, all or those with an item on `service`.
std::vector<ChangeSummary> ListAccountChanges(Session& session, const AccountId& account,
                                              bool open_only, const Uuid& before, int64_t limit);
std::vector<ChangeSummary> ListServiceChanges(Session& session, const AccountId& account,
                                              const ServiceId& service, const Uuid& before,
                                              int64_t limit);

// Roles that changes of the batch took from `from`, with the account each went to.
std::vector<std::pair<ServiceRole, AccountId>> LoadGivenByBatch(Session& session, const Uuid& batch,
                                                                const AccountId& from);

// Of these accounts, those with overdue payments.
std::vector<AccountId> LoadOverdue(Session& session, const std::set<AccountId>& ids);

// Writes new changes: rows, items, pending roles and whom they may concern.
// `admins` are the present admins of the services of each change.
void InsertChanges(Session& session, const std::vector<ContactChange>& changes,
                   const std::vector<std::set<AccountId>>& admins);
// Saves the change's own row. Where it is closed, frees its roles and its lists, and takes its
// validation e-mails out of the outbox.
void SaveChange(Session& session, const ContactChange& change);
// Saves the outcomes of the items; frees the roles of those no longer pending.
void SaveItems(Session& session, const ContactChange& change);
// Makes the change appear in the lists of these accounts.
void AddInvolvement(Session& session, const std::set<AccountId>& accounts, const Uuid& change,
                    bool open);

// Adds to the history, and to the queue of the feed.
void InsertEvents(Session& session, const std::vector<ChangeEvent>& events);
std::vector<ChangeEvent> ListEvents(Session& session, const Uuid& change, int64_t after,
                                    int64_t limit);

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

void InsertOverride(Session& session, const ContactOverride& record);
std::vector<ContactOverride> LoadOverrides(Session& session, const std::set<Uuid>& ids);

// --- Replies ---------------------------------------------------------------

struct Reply {
  std::string fingerprint;
  std::string bytes;
};
std::optional<Reply> LoadReply(Session& session, const std::string& actor, const Uuid& request_id);
void InsertReply(Session& session, const std::string& actor, const Uuid& request_id,
                 const Reply& reply, absl::Time now);
// Counts at most `limit` replies older than `before` and queues their removal.
int64_t PurgeReplies(Session& session, absl::Time before, int64_t limit);

// --- Outbox ----------------------------------------------------------------

// E-mails owed, counted up to `limit`, and when the oldest of those was written.
struct OutboxDepth {
  int64_t mails = 0;
  std::optional<absl::Time> oldest;
};
OutboxDepth LoadOutboxDepth(Session& session, int64_t limit);
// Puts new e-mails into line. Those who cause e-mails take turns: each next e-mail of one cause
// comes a round later. Validation e-mails come before all others.
void InsertMails(Session& session, const std::vector<OutboxMail>& mails);
// Puts at most `limit` e-mails that waited until `now` into line anew; returns how many.
int64_t QueueWaitingMails(Session& session, absl::Time now, int64_t limit);
// Locks at most `limit` e-mails in line and due at `now`, in their order, skipping those that
// others hold. With `before`, those with ids before it alone, in order of id.
std::vector<OutboxMail> LockDueMails(Session& session, absl::Time now, int64_t limit,
                                     const std::optional<Uuid>& before);
// Claims those of the e-mails that are still in line and due at `now`.
void ClaimMails(Session& session, const std::set<Uuid>& ids, const std::string& claim,
                absl::Time now, absl::Time until);
// Of these, those that `claim` still holds.
std::set<Uuid> LoadClaimed(Session& session, const std::set<Uuid>& ids, const std::string& claim,
                           Lock lock);
void DeleteMails(Session& session, const std::set<Uuid>& ids);
// Deletes the validation e-mails of a contact change.
void DeleteValidationMails(Session& session, const Uuid& change);
// Ends the claim on an e-mail, which comes into line anew at `next_try`.
void PostponeMail(Session& session, const OutboxMail& mail, absl::Time next_try);
// Ends the claim on an e-mail and gives it its place and its `tries` back, due at `next_try`.
void ReleaseMail(Session& session, const OutboxMail& mail, absl::Time next_try);
std::vector<Account> LoadAccounts(Session& session, const std::set<AccountId>& ids);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_H_
