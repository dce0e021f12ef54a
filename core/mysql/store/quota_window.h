#ifndef CONTACTS_CORE_MYSQL_STORE_QUOTA_WINDOW_H_
#define CONTACTS_CORE_MYSQL_STORE_QUOTA_WINDOW_H_

#include "core/domain/ids.h"
#include "core/domain/quota.h"
#include "core/mysql/session.h"

// The tables ask_window and address_window.
namespace contacts::store {

// Saves how often the requester asked in its latest minute. LoadAccountsAndUse reads it.
void SaveAskWindow(Session& session, const AccountId& requester, const QuotaWindow& window);

// How often an account changed its own address in its latest day.
// Without a row: no uses, from the Unix epoch on.
QuotaWindow LoadAddressWindow(Session& session, const AccountId& account);

// Inserts or updates the row.
void SaveAddressWindow(Session& session, const AccountId& account, const QuotaWindow& window);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_QUOTA_WINDOW_H_
