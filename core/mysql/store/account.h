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

std::optional<Account> LoadAccount(Session& session, const AccountId& id, Lock lock);

// Those that exist.
std::vector<Account> LoadAccounts(Session& session, const std::set<AccountId>& ids);

// Those that exist, ordered by id and locked.
std::vector<Account> LockAccounts(Session& session, const std::set<AccountId>& ids);

// Of these, those that exist.
std::set<AccountId> LoadExisting(Session& session, const std::set<AccountId>& ids);

// Of these accounts, those with overdue payments.
std::vector<AccountId> LoadOverdue(Session& session, const std::set<AccountId>& ids);

// At most `limit` of all accounts with ids after `after`, ordered by id.
std::vector<Account> PageAccounts(Session& session, const std::string& after, int64_t limit);

// Those that exist, and what the requester uses of its quotas at `now`.
struct AccountsAndUse {
  std::vector<Account> accounts;
  QuotaUse use;
};
AccountsAndUse LoadAccountsAndUse(Session& session, const std::set<AccountId>& ids,
                                  const AccountId& requester, absl::Time now);

// New rows, as many as there are in one statement. Where one of them exists by then, the
// transaction starts over.
void InsertAccounts(Session& session, const std::vector<Account>& accounts);

// Every column of rows that exist and are locked, in one statement.
void SaveAccounts(Session& session, const std::vector<Account>& accounts);

void UpdateAccount(Session& session, const Account& account);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_ACCOUNT_H_
