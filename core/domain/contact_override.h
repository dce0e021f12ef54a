#ifndef CONTACTS_CORE_DOMAIN_CONTACT_OVERRIDE_H_
#define CONTACTS_CORE_DOMAIN_CONTACT_OVERRIDE_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/domain/ids.h"
#include "core/domain/role.h"

namespace contacts {

// The effect of an operator's override, stored with its reason.
struct OverrideItem {
  ServiceId service;
  Role role = Role::kAdmin;
  AccountId old_contact;
  AccountId new_contact;
  bool moves() const { return old_contact != new_contact; }
};
struct ContactOverride {
  Uuid id;
  std::string reason;
  std::string staff;  // The operator, as the policy names it.
  absl::Time create_time;
  std::vector<OverrideItem> items;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_CONTACT_OVERRIDE_H_
