#ifndef CONTACTS_CORE_MYSQL_STORE_EARLIER_ADDRESS_H_
#define CONTACTS_CORE_MYSQL_STORE_EARLIER_ADDRESS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/domain/account.h"
#include "core/domain/ids.h"
#include "core/mysql/session.h"

// The table earlier_address: digests of the addresses that tokens of an account went to before, so
// that a superseded token can be told from a wrong one.
namespace contacts::store {

// Adds addresses that were replaced at `now`.
void InsertEarlierAddresses(Session& session, const std::vector<EarlierAddress>& addresses,
                            absl::Time now);

// Returns the AddressDigests of the latest addresses that the account had or asked for before, at
// most kMostEarlierAddresses.
inline constexpr int64_t kMostEarlierAddresses = 16;
std::vector<std::string> LoadEarlierAddresses(Session& session, const AccountId& account);

// Whether the address that the account used was replaced at `since` or later.
bool AddressReplacedSince(Session& session, const AccountId& account, absl::Time since);

// Queues the removal of at most `limit` addresses that were replaced before `before`.
void PurgeEarlierAddresses(Session& session, absl::Time before, int64_t limit);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_EARLIER_ADDRESS_H_
