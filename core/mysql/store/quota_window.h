#ifndef CONTACTS_CORE_MYSQL_STORE_QUOTA_WINDOW_H_
#define CONTACTS_CORE_MYSQL_STORE_QUOTA_WINDOW_H_

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "core/domain/ids.h"
#include "core/domain/quota.h"
#include "core/mysql/session.h"
#include "core/mysql/store/lock.h"

// The tables ask_window, address_window and daily_use.
namespace contacts::store {

// Saves how often the requester asked in its latest minute. LoadAccountsAndUse reads it.
void SaveAskWindow(Session& session, const AccountId& requester, const QuotaWindow& window);

// How often an account changed its own address in its latest day.
// Without a row: no uses, from the Unix epoch on.
QuotaWindow LoadAddressWindow(Session& session, const AccountId& account);

// Inserts or updates the row.
void SaveAddressWindow(Session& session, const AccountId& account, const QuotaWindow& window);

// Adds uses to the days of their accounts, in one statement. Parallel transactions may add to the
// same day.
void CountDailyUses(Session& session, const std::vector<DailyCount>& counts, absl::Time now);

// The day of an account. `other`: the recipient of kMails, else empty. Without a row: no uses, from
// the Unix epoch on.
QuotaWindow LoadDailyUse(Session& session, const AccountId& account, DailyUse use,
                         const AccountId& other, Lock lock);

// Removes at most `limit` days that began before `before`. Returns their number.
int64_t PurgeDailyUses(Session& session, absl::Time before, int64_t limit);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_QUOTA_WINDOW_H_
