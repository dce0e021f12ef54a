#ifndef CONTACTS_CORE_DOMAIN_CONTACT_MOVE_H_
#define CONTACTS_CORE_DOMAIN_CONTACT_MOVE_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "core/domain/ids.h"
#include "core/domain/role.h"

namespace contacts {

enum class MoveCause {
  kRegistered = 1,
  kContactChange = 2,
  kOverride = 3,
  kImport = 4,
  kRemoved = 5,
};

// The cause of a move, and its time.
struct MoveOrigin {
  MoveCause cause = MoveCause::kRegistered;
  Uuid cause_id;      // The contact change or the override. Nil for other causes.
  std::string staff;  // The operator behind it, as the policy names it. Empty for accounts.
  absl::Time time;
};

// One move of one role of a service: an entry of the history of the service's contacts.
struct ContactMove {
  ServiceId service;
  Role role = Role::kAdmin;
  AccountId old_contact;  // Empty if the service was registered.
  AccountId new_contact;  // Empty if the service was removed.
  MoveOrigin origin;
  // Order of the moves: the registration of the service, and its version after the move.
  absl::Time service_create_time;
  int64_t version = 0;
};

// A role that a change of a batch took from its requester.
struct GivenRole {
  ServiceRole role;
  AccountId new_contact;
  bool moved_again = false;  // Whether the role has moved since, even back.
};

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_CONTACT_MOVE_H_
