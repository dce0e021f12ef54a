#ifndef CONTACTS_CORE_WORKFLOW_QUOTA_H_
#define CONTACTS_CORE_WORKFLOW_QUOTA_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/domain/contact_change.h"
#include "core/domain/quota.h"
#include "core/domain/settings.h"

namespace contacts {

// Checks all quotas for one more ask with these changes. Returns the updated window of asks, or
// QUOTA_EXCEEDED, with the time to wait if waiting helps.
absl::StatusOr<QuotaWindow> TakeQuota(const QuotaUse& use,
                                      const std::vector<ContactChange>& changes, absl::Time now,
                                      const Settings& settings);

// How long an account must wait before it may cause one more e-mail to another account. `mails`:
// those that it caused to that account so far. Zero if it need not wait.
absl::Duration MailWait(const QuotaWindow& mails, absl::Time now, const Settings& settings);

// Whether an account may still be told whether accounts exist and are overdue. Beyond the limit an
// ask either succeeds or gets this QUOTA_EXCEEDED, and so does every dry run: any other answer
// would tell.
absl::Status CheckWrongAccounts(const QuotaWindow& wrong_accounts, absl::Time now,
                                const Settings& settings);

// Cost of an answer that tells of `wrong` accounts (at least 1) that they do not exist or are
// overdue.
struct WrongAccounts {
  absl::Status status;  // QUOTA_EXCEEDED if the answer must not be given.
  int64_t uses = 0;     // The uses to count, also with an error.
};
WrongAccounts TakeWrongAccounts(const QuotaWindow& wrong_accounts, int64_t wrong, absl::Time now,
                                const Settings& settings);

// The same for one more e-mail address in a day. Each change of address sends an e-mail to the
// address before, which may be a stranger's.
absl::StatusOr<QuotaWindow> TakeAddressQuota(const QuotaWindow& changes, absl::Time now,
                                             const Settings& settings);

}  // namespace contacts

#endif  // CONTACTS_CORE_WORKFLOW_QUOTA_H_
