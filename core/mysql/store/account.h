#ifndef CONTACTS_CORE_MYSQL_STORE_ACCOUNT_H_
#define CONTACTS_CORE_MYSQL_STORE_ACCOUNT_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/domain/account.h"
#include "core/domain/ids.h"
#include "core/domain/quota.h"
#include "core/mysql/session.h"
#include "core/mysql/store/lock.h"

// The table account.
namespace contacts::store {

// Returns nothing if the account does not exist.
std::optional<Account> LoadAccount(Session& session, const AccountId& id, Lock lock);

// Returns the accounts that exist, in no order.
std::vector<Account> LoadAccounts(Session& session, const std::set<AccountId>& ids,
                                  Lock lock = Lock::kNone);

// Locks and returns the accounts that exist, ordered by id.
std::vector<Account> LockAccounts(Session& session, const std::set<AccountId>& ids);

// Returns the ids of the accounts that exist.
std::set<AccountId> LoadExisting(Session& session, const std::set<AccountId>& ids,
                                 Lock lock = Lock::kNone);

// Returns the accounts with overdue payments.
std::vector<AccountId> LoadOverdue(Session& session, const std::set<AccountId>& ids);

// Returns at most `limit` accounts with ids after `after`, ordered by id.
std::vector<Account> PageAccounts(Session& session, const std::string& after, int64_t limit);

// Returns the accounts that exist, without pending addresses, and the requester's use of its quotas
// at `now`: of e-mails, those to `recipients`. If `lock` says so, the days of these e-mails are
// locked, and the accounts `named` are kept from being deleted.
struct AccountsAndUse {
  std::vector<Account> accounts;
  QuotaUse use;
};
AccountsAndUse LoadAccountsAndUse(Session& session, const std::set<AccountId>& named,
                                  const std::set<AccountId>& others,
                                  const std::set<AccountId>& recipients, const AccountId& requester,
                                  absl::Time now, Lock lock);

// Inserts new rows, in one statement. If one of them exists by then, the transaction starts over.
void InsertAccounts(Session& session, const std::vector<Account>& accounts);

// Updates every column of rows that exist and are locked, in one statement.
void SaveAccounts(Session& session, const std::vector<Account>& accounts);

// Updates all but id and create time of a locked row.
void UpdateAccount(Session& session, const Account& account);

// Deletes a locked account that holds no role and is in no open change, with all that is kept for
// it: address and language, kept replies, owed e-mails, quotas. Of its changes, its id stays,
// marked as that of an account that is gone. The cost grows with the number of its changes.
void EraseAccount(Session& session, const AccountId& id);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_ACCOUNT_H_
