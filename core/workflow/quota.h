#ifndef CONTACTS_CORE_WORKFLOW_QUOTA_H_
#define CONTACTS_CORE_WORKFLOW_QUOTA_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/domain/quota.h"
#include "core/domain/settings.h"

namespace contacts {

// Checks both quotas for one more ask with `changes` changes. Returns the updated window, or
// QUOTA_EXCEEDED, with the time to wait if waiting helps.
absl::StatusOr<QuotaWindow> TakeQuota(const QuotaUse& use, int64_t changes, absl::Time now,
                                      const Settings& settings);

// The same for one more e-mail address in a day. Each change of address sends an e-mail to the
// address before, which may be a stranger's.
absl::StatusOr<QuotaWindow> TakeAddressQuota(const QuotaWindow& changes, absl::Time now,
                                             const Settings& settings);

}  // namespace contacts

#endif  // CONTACTS_CORE_WORKFLOW_QUOTA_H_
