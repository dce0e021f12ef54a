#ifndef CONTACTS_CORE_DOMAIN_SERVICE_H_
#define CONTACTS_CORE_DOMAIN_SERVICE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/domain/ids.h"
#include "core/domain/role.h"

namespace contacts {

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
  std::optional<Owner> owner;  // Unset if the viewer may not see it.
  int64_t version = 1;
  absl::Time create_time;
  absl::Time update_time;
  // Roles with a pending change that the viewer sees. Only in the reads of an account.
  std::vector<Role> pending_roles;

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

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_SERVICE_H_
