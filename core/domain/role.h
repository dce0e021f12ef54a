#ifndef CONTACTS_CORE_DOMAIN_ROLE_H_
#define CONTACTS_CORE_DOMAIN_ROLE_H_

#include <compare>

#include "core/domain/ids.h"

namespace contacts {

enum class Role { kAdmin = 1, kTech = 2, kBilling = 3 };
inline constexpr Role kRoles[] = {Role::kAdmin, Role::kTech, Role::kBilling};

// Returns "admin", "tech" or "billing".
const char* Name(Role role);

// One role of one service.
struct ServiceRole {
  ServiceId service;
  Role role = Role::kAdmin;
  friend auto operator<=>(const ServiceRole&, const ServiceRole&) = default;
};

// One role of one service and the account that will hold it.
struct Assignment {
  ServiceId service;
  Role role = Role::kAdmin;
  AccountId new_contact;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_ROLE_H_
