#ifndef CONTACTS_CORE_WORKFLOW_PROFILE_H_
#define CONTACTS_CORE_WORKFLOW_PROFILE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/domain/account.h"
#include "core/domain/ids.h"
#include "core/domain/outbox_mail.h"
#include "core/domain/service.h"
#include "core/domain/settings.h"
#include "core/domain/token.h"

// Updates of the data of one account, and of the owner of one service. Pure functions.
namespace contacts {

struct ProfileUpdate {
  AccountId id;
  std::optional<std::string> email;
  std::optional<std::string> language;
  std::optional<BillingStanding> standing;  // For operators alone.
  std::string etag;                         // Empty skips the check.
};

struct OwnerUpdate {
  ServiceId service;
  Owner owner;
  std::vector<std::string> fields;  // The contract's field names in Owner.
  std::string etag;                 // Empty skips the check.
};

// The account or operator that updates a profile, and the use of a new address.
struct ProfileUpdater {
  std::string cause;              // The account or operator.
  absl::Duration confirm_within;  // Zero: a new address is in use at once.
  std::string token_key_id;       // Key of new tokens.
};

// The effects of a profile's change, beside the new values.
struct ProfileEffects {
  bool takes_address_quota = false;     // Whether the account asked for another address.
  std::vector<EarlierAddress> earlier;  // Their tokens serve no more.
  std::vector<OutboxMail> mails;        // Without ids.
};

// Puts an address in use at once, and ends a pending one. Tells the address before, if that is
// another one. Leaves version and time.
ProfileEffects UseAddress(Account& account, const std::string& address, const std::string& cause,
                          absl::Time now);

// Sets the fields of the update that have a value, the next version and the time. Returns
// ETAG_MISMATCH, with nothing set, if the account has another etag. A new address becomes the
// pending one, unless it is in use at once; the present address ends a pending one.
absl::StatusOr<ProfileEffects> ApplyProfileUpdate(Account& account, const ProfileUpdate& update,
                                                  const ProfileUpdater& updater, absl::Time now);

// Whether a confirmation depends on its token: none of the errors before TOKEN_INVALID comes first.
bool AwaitsConfirmation(const Account& account, absl::Time now, const Settings& settings);

// The effects of a confirmation. The account was updated in place.
struct Confirmation {
  absl::Status status;
  bool save = false;  // Whether to commit, also if the status is an error.
  ProfileEffects effects;
};

// Puts the pending address in use. Errors in this order: NO_PENDING_EMAIL, TOKEN_LOCKED,
// UNAVAILABLE (without the token's key), TOKEN_INVALID (counted, unless the token is superseded).
Confirmation ConfirmEmail(Account& account, TokenCheck token, absl::Time now,
                          const Settings& settings);

// Returns the account as a read at `now` shows it: a pending address is gone once it expires.
Account Presented(Account account, absl::Time now);

// Sets the named fields of the owner, the next version and the time. The service's owner must be
// set. Returns, with nothing set, ROLE_NOT_ALLOWED if `actor` is not the admin contact, or
// ETAG_MISMATCH.
absl::Status ApplyOwnerUpdate(Service& service, const OwnerUpdate& update, const AccountId& actor,
                              absl::Time now);

}  // namespace contacts

#endif  // CONTACTS_CORE_WORKFLOW_PROFILE_H_
