#ifndef CONTACTS_CORE_WORKFLOW_PROFILE_H_
#define CONTACTS_CORE_WORKFLOW_PROFILE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/domain/account.h"
#include "core/domain/ids.h"
#include "core/domain/service.h"

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

// Sets the fields of the update that have a value, the next version and the time. Returns
// ETAG_MISMATCH, with nothing set, if the account has another etag.
absl::Status ApplyProfileUpdate(Account& account, const ProfileUpdate& update, absl::Time now);

// Sets the named fields of the owner, the next version and the time. The service's owner must be
// set. Returns, with nothing set, ROLE_NOT_ALLOWED if `actor` is not the admin contact, or
// ETAG_MISMATCH.
absl::Status ApplyOwnerUpdate(Service& service, const OwnerUpdate& update, const AccountId& actor,
                              absl::Time now);

}  // namespace contacts

#endif  // CONTACTS_CORE_WORKFLOW_PROFILE_H_
