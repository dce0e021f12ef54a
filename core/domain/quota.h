#ifndef CONTACTS_CORE_DOMAIN_QUOTA_H_
#define CONTACTS_CORE_DOMAIN_QUOTA_H_

#include <cstdint>
#include <map>

#include "absl/time/time.h"
#include "core/domain/ids.h"

namespace contacts {

// How often an account did something in the minute, or the day, that began at `start`.
struct QuotaWindow {
  absl::Time start;
  int64_t uses = 0;
};

// Uses that are counted for each account and day. The numbers are stored.
enum class DailyUse {
  kItems = 1,          // Items asked for.
  kWrongAccounts = 2,  // Accounts named in asks and dry runs that do not exist or are overdue.
  kMails = 3,          // E-mails caused to one other account.
};

// More uses of an account in its day.
struct DailyCount {
  AccountId account;
  DailyUse use = DailyUse::kItems;
  AccountId other;  // Only of kMails: the recipient.
  int64_t uses = 0;
};

// The used part of a requester's quotas.
struct QuotaUse {
  int64_t pending_changes = 0;
  QuotaWindow asks;                        // Successful ones, in a minute.
  QuotaWindow items;                       // In a day.
  QuotaWindow wrong_accounts;              // In a day.
  std::map<AccountId, QuotaWindow> mails;  // In a day, by recipient.
};

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_QUOTA_H_
