#ifndef CONTACTS_CORE_DOMAIN_QUOTA_H_
#define CONTACTS_CORE_DOMAIN_QUOTA_H_

#include <cstdint>

#include "absl/time/time.h"

namespace contacts {

// How often an account did something in the minute, or the day, that began at `start`.
struct QuotaWindow {
  absl::Time start;
  int64_t uses = 0;
};

// The used part of a requester's quotas.
struct QuotaUse {
  int64_t pending_changes = 0;
  QuotaWindow asks;  // Successful ones, in a minute.
};

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_QUOTA_H_
