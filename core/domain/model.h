#ifndef CONTACTS_CORE_DOMAIN_MODEL_H_
#define CONTACTS_CORE_DOMAIN_MODEL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/domain/ids.h"

// The values that the rules speak of. Enumerators carry the contract's numbers,
// which are also what the database stores.
namespace contacts {

enum class Role { kAdmin = 1, kTech = 2, kBilling = 3 };
inline constexpr Role kRoles[] = {Role::kAdmin, Role::kTech, Role::kBilling};

enum class ChangeState {
  kValidating = 1,
  kDone = 2,
  kRefused = 3,
  kCancelled = 4,
  kExpired = 5,
  kAborted = 6,
};
// Room for a value of each, by its number.
inline constexpr std::size_t kChangeStates = 7;

enum class ValidationState { kPending = 1, kAccepted = 2, kRefused = 3 };

enum class ItemOutcome {
  kPending = 1,
  kApplied = 2,
  kSkippedContactChanged = 3,
  kSkippedAuthorityLost = 4,
  kSkippedServiceRemoved = 5,
  kNotApplied = 6,
};

enum class BillingStanding { kUpToDate = 1, kOverdue = 2 };

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
};

// How the acting account wants to be concerned by the changes it lists.
enum class Involvement {
  kAny = 0,
  kRequester = 1,
  kNewContact = 2,
  kAwaitingMyValidation = 3,
  kOldContact = 4,
};

struct Account {
  AccountId id;
  std::string email;
  std::string language = "en";
  BillingStanding standing = BillingStanding::kUpToDate;
  int64_t version = 1;  // The etag's source: one more at each update.
  absl::Time create_time;
  absl::Time update_time;
};

struct Owner {
  std::string name;
  std::string organisation;
  std::string email;
  std::string phone;
  std::vector<std::string> address_lines;
  std::string city;
  std::string postal_code;
  std::string country_code;
  friend bool operator==(const Owner&, const Owner&) = default;
};

struct Service {
  ServiceId id;
  std::string kind;
  AccountId admin;
  AccountId tech;
  AccountId billing;
  std::optional<Owner> owner;  // Unset where the viewer may not see it.
  int64_t version = 1;
  absl::Time create_time;
  absl::Time update_time;

  const AccountId& holder(Role role) const {
    return role == Role::kAdmin ? admin : role == Role::kTech ? tech : billing;
  }
  AccountId& holder(Role role) {
    return role == Role::kAdmin ? admin : role == Role::kTech ? tech : billing;
  }
  bool HasContact(const AccountId& account) const {
    return admin == account || tech == account || billing == account;
  }
};

// One role of one service.
struct ServiceRole {
  ServiceId service;
  Role role = Role::kAdmin;
  friend auto operator<=>(const ServiceRole&, const ServiceRole&) = default;
};

// One role of one service and the account that is to hold it.
struct Assignment {
  ServiceId service;
  Role role = Role::kAdmin;
  AccountId new_contact;
};

struct ChangeItem {
  ServiceId service;
  Role role = Role::kAdmin;
  AccountId old_contact;
  ItemOutcome outcome = ItemOutcome::kPending;
  // Tells the service from one that is made later under its id. Written, never loaded.
  absl::Time service_create_time;
};

// One validator's answer, and what is kept to check and to limit it.
struct Validation {
  AccountId account;
  ValidationState state = ValidationState::kPending;
  std::optional<absl::Time> decide_time;
  std::string refuse_reason;
  std::optional<absl::Time> email_send_time;
  std::string email_hint;  // Masked address of the latest e-mail.

  int64_t generation = 1;        // Raised by each resend; part of what the token is derived from.
  std::string token_key_id;      // Key that the token of this generation is derived with.
  int64_t wrong_tokens = 0;      // Since the last resend.
  absl::Time last_request_time;  // When the latest e-mail was asked for.
  absl::Time resend_day_start;   // Start of the day in which resends are counted.
  int64_t resends_in_day = 0;
};

struct ContactChange {
  Uuid id;
  Uuid batch_id;
  AccountId requester;
  AccountId new_contact;
  std::vector<ChangeItem> items;  // Ordered by service, then role.
  ChangeState state = ChangeState::kValidating;
  std::vector<Validation> validations;  // The requester's, then the new contact's where another.
  absl::Time create_time;
  absl::Time expire_time;
  std::optional<absl::Time> close_time;

  std::optional<absl::Time> remind_time;  // When the reminder is due; unset once it is not.
  int64_t event_count = 0;                // Events recorded so far; the last one's ordinal.

  // Returns the validation of `account`, or null where it is no validator.
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

// One entry of a change's history.
struct ChangeEvent {
  Uuid id;
  Uuid change_id;
  int64_t ordinal = 0;  // Position in the change's history, from 1.
  EventType type = EventType::kRequested;
  AccountId actor;    // Empty for the system.
  AccountId account;  // Whom it is about, such as the validator an e-mail went to.
  absl::Time time;
  ChangeState state = ChangeState::kValidating;  // Where the change stood afterwards.
};

enum class MailKind {
  kValidation = 1,
  kReminder = 2,
  kDone = 3,       // To the requester and the new contact.
  kRolesLost = 4,  // To an old contact.
  kRefused = 5,
  kCancelled = 6,
  kExpired = 7,
  kAborted = 8,
  kProfileChanged = 9,
  kOverride = 10,
};

// An e-mail that is owed: written in the transaction of what it tells of, sent afterwards.
struct OutboxMail {
  Uuid id;  // Names the e-mail: its Message-ID is made of it.
  MailKind kind = MailKind::kValidation;
  Uuid subject;            // The contact change, or the override; nil for kProfileChanged.
  AccountId recipient;     // Address and language are read when it is sent.
  std::string address;     // kProfileChanged alone: the address that was replaced.
  int64_t generation = 0;  // kValidation and kReminder alone.
  std::string cause;       // The account or operator whose act it follows from.
  absl::Time create_time;
  int64_t tries = 0;  // Deliveries tried so far.
  int64_t turn = 0;   // Its place in the line that it was claimed from.
  std::string claim;  // Of whom it is claimed by for now.

  bool IsValidation() const { return kind == MailKind::kValidation || kind == MailKind::kReminder; }
};

// What an operator's override did, kept with its reason.
struct OverrideItem {
  ServiceId service;
  Role role = Role::kAdmin;
  AccountId old_contact;
  AccountId new_contact;
};
struct ContactOverride {
  Uuid id;
  std::string reason;
  absl::Time create_time;
  std::vector<OverrideItem> items;
};

// Opaque revision of a resource; changes with each update.
std::string Etag(int64_t version);

// Masks an address for display, such as "j***@example.com".
std::string MaskEmail(const std::string& email);

// The contract's short names: "admin", "VALIDATING" and so on.
const char* Name(Role role);
const char* Name(ChangeState state);

// How often an account did something in the minute, or the day, that began at `start`.
struct QuotaWindow {
  absl::Time start;
  int64_t uses = 0;
};

// What a requester uses of its quotas.
struct QuotaUse {
  int64_t pending_changes = 0;
  QuotaWindow asks;  // With success, in a minute.
};

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_MODEL_H_
