#ifndef CONTACTS_CORE_WORKFLOW_QUOTA_H_
#define CONTACTS_CORE_WORKFLOW_QUOTA_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/domain/model.h"
#include "core/domain/settings.h"

namespace contacts {

// Decides whether one more ask, for `changes` more, is within both quotas: the window
// that counts it; QUOTA_EXCEEDED, telling when to try again where waiting helps.
absl::StatusOr<QuotaWindow> TakeQuota(const QuotaUse& use, int64_t changes, absl::Time now,
                                      const Settings& settings);

// The same for one more e-mail address in a day: each is told to the address before, which
// may be anyone's.
absl::StatusOr<QuotaWindow> TakeAddressQuota(const QuotaWindow& changes, absl::Time now,
                                             const Settings& settings);

}  // namespace contacts

#endif  // CONTACTS_CORE_WORKFLOW_QUOTA_H_
