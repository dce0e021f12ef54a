#ifndef CONTACTS_CORE_DOMAIN_CONTACT_CHANGE_H_
#define CONTACTS_CORE_DOMAIN_CONTACT_CHANGE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "core/domain/ids.h"
#include "core/domain/role.h"

namespace contacts {

enum class ChangeState {
  kValidating = 1,
  kDone = 2,
  kRefused = 3,
  kCancelled = 4,
  kExpired = 5,
  kAborted = 6,
};
// Size of an array indexed by the number of a state.
inline constexpr std::size_t kChangeStates = 7;

enum class ValidationState { kPending = 1, kAccepted = 2, kRefused = 3 };

enum class ItemOutcome {
  kPending = 1,
  kApplied = 2,
  kSkippedContactChanged = 3,
  kSkippedAuthorityLost = 4,
  kSkippedServiceRemoved = 5,
  kNotApplied = 6,
  kWithdrawn = 7,
};

// Returns the contract's short name, such as "VALIDATING".
const char* Name(ChangeState state);

// Filter of a list: why the changes concern the acting account.
enum class Involvement {
  kAny = 0,
  kRequester = 1,
  kNewContact = 2,
  kAwaitingMyValidation = 3,
  kOldContact = 4,
};

struct ChangeItem {
  ServiceId service;
  Role role = Role::kAdmin;
  AccountId old_contact;
  bool old_contact_gone = false;  // That account was deleted. One of its id is another account.
  ItemOutcome outcome = ItemOutcome::kPending;
  AccountId withdrawn_by;  // The admin that withdrew it. Empty for other outcomes.
  // Distinguishes the service from one that is made later under its id. Written, never loaded.
  absl::Time service_create_time;
};

// How often a validator's e-mail was sent again.
struct ResendUse {
  absl::Time last_time;  // When the latest e-mail was asked for.
  absl::Time day_start;  // Start of the day in which they are counted.
  int64_t in_day = 0;    // 0: none was sent again so far.
};

// One validator's answer, with the values that check and limit it.
struct Validation {
  AccountId account;
  ValidationState state = ValidationState::kPending;
  std::optional<absl::Time> decide_time;
  std::string refuse_reason;
  std::optional<absl::Time> email_send_time;
  std::string email_hint;  // Masked address of the latest e-mail.
  // When the viewer may ask for another e-mail. Only in views.
  std::optional<absl::Time> resend_time;

  int64_t generation = 1;    // Raised by each resend; part of what the token is derived from.
  std::string token_key_id;  // Key that the token of this generation is derived with.
  int64_t wrong_tokens = 0;  // Since the last resend.
  ResendUse own_resends;     // Asked for by the validator itself.
  ResendUse other_resends;   // Asked for by another: the requester, or an operator.
};

struct ContactChange {
  Uuid id;
  Uuid batch_id;
  AccountId requester;
  AccountId new_contact;
  // Whether that account was deleted. One of its id is another account.
  bool requester_gone = false;
  bool new_contact_gone = false;
  std::vector<ChangeItem> items;  // Ordered by service, then role.
  int64_t items_left_out = 0;     // Items after those, in a list that has only the first.
  ChangeState state = ChangeState::kValidating;
  std::vector<Validation> validations;  // The requester's, then the new contact's if it differs.
  absl::Time create_time;
  absl::Time expire_time;
  std::optional<absl::Time> close_time;
  std::string abort_reason;  // That the support desk gave.

  std::optional<absl::Time> remind_time;  // When the reminder is due. Unset afterwards.
  int64_t event_count = 0;                // Number of events, and ordinal of the last one.

  // Returns the validation of `account`, or null if it is not a validator.
  const Validation* FindValidation(const AccountId& account) const {
    for (const Validation& v : validations) {
      if (v.account == account) return &v;
    }
    return nullptr;
  }
  Validation* FindValidation(const AccountId& account) {
    return const_cast<Validation*>(std::as_const(*this).FindValidation(account));
  }
  bool open() const { return state == ChangeState::kValidating; }
};

// A role that a change which is still being validated moves.
struct PendingItem {
  ServiceRole role;
  AccountId requester;
  AccountId new_contact;
};

// The fields of a change by which a list decides whether to load the whole.
struct ChangeSummary {
  Uuid id;
  ChangeState state = ChangeState::kValidating;
  absl::Time expire_time;
  AccountId requester;
  AccountId new_contact;
  ValidationState requester_state = ValidationState::kPending;
  ValidationState new_contact_state = ValidationState::kPending;
  int64_t item_count = 0;
  absl::Time create_time;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_CONTACT_CHANGE_H_
