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
std::vector<Account> LoadAccounts(Session& session, const std::set<AccountId>& ids);

// Locks and returns the accounts that exist, ordered by id.
std::vector<Account> LockAccounts(Session& session, const std::set<AccountId>& ids);

// Returns the ids of the accounts that exist.
std::set<AccountId> LoadExisting(Session& session, const std::set<AccountId>& ids);

// Returns the accounts with overdue payments.
std::vector<AccountId> LoadOverdue(Session& session, const std::set<AccountId>& ids);

// Returns at most `limit` accounts with ids after `after`, ordered by id.
std::vector<Account> PageAccounts(Session& session, const std::string& after, int64_t limit);

// Returns the accounts that exist, and the requester's use of its quotas at `now`: of e-mails,
// those to `ids`, whose days are locked if `lock` says so.
struct AccountsAndUse {
  std::vector<Account> accounts;
  QuotaUse use;
};
AccountsAndUse LoadAccountsAndUse(Session& session, const std::set<AccountId>& ids,
                                  const AccountId& requester, absl::Time now, Lock lock);

// Inserts new rows, in one statement. If one of them exists by then, the transaction starts over.
void InsertAccounts(Session& session, const std::vector<Account>& accounts);

// Updates every column of rows that exist and are locked, in one statement.
void SaveAccounts(Session& session, const std::vector<Account>& accounts);

// Updates address, language, standing, version and update time of a locked row.
void UpdateAccount(Session& session, const Account& account);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_ACCOUNT_H_
