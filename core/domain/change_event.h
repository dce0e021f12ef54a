#ifndef CONTACTS_CORE_DOMAIN_CHANGE_EVENT_H_
#define CONTACTS_CORE_DOMAIN_CHANGE_EVENT_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "core/domain/contact_change.h"
#include "core/domain/ids.h"

namespace contacts {

enum class EventType {
  kRequested = 1,
  kValidationSent = 2,
  kValidationUndeliverable = 3,
  kAccepted = 4,
  kRefused = 5,
  kTokenRejected = 6,
  kResendRequested = 7,
  kDone = 8,
  kCancelled = 9,
  kExpired = 10,
  kAborted = 11,
  kItemsWithdrawn = 12,
};

// One entry of a change's history.
struct ChangeEvent {
  Uuid id;
  Uuid change_id;
  int64_t ordinal = 0;  // Position in the change's history, from 1.
  EventType type = EventType::kRequested;
  AccountId actor;    // Empty for the system and for the provider's staff.
  AccountId account;  // The account that it is about, such as the recipient of an e-mail.
  absl::Time time;
  ChangeState state = ChangeState::kValidating;  // State of the change after the event.
  bool by_staff = false;                         // An operator or the support desk did it.
  // For the support desk alone: the name of that caller in the policy, and why an e-mail could not
  // be delivered.
  std::string staff;
  std::string detail;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_CHANGE_EVENT_H_
