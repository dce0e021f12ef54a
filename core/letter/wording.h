#ifndef CONTACTS_CORE_LETTER_WORDING_H_
#define CONTACTS_CORE_LETTER_WORDING_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "core/domain/contact_change.h"
#include "core/letter/catalogue.h"

// Services and roles in a few words. All functions are pure.
namespace contacts {

// Ordered by service.
using Items = std::vector<const ChangeItem*>;

// The items of each service.
std::vector<absl::Span<const ChangeItem* const>> ByService(const Items& items);
std::set<Role> RolesOf(const Items& items);
// The roles of `items` if every service has the same ones, else none.
std::set<Role> CommonRoles(const Items& items);

// The number of services, and the id of the first one.
struct Services {
  int64_t count = 0;
  std::string first;
};
Services ServicesOf(const Items& items);

Message RoleWord(Role role);
// "the technical contact role", "the administrator and billing contact roles", or, without roles,
// "the contact roles listed below".
std::string InShort(const std::set<Role>& roles, const Catalogue& say);
// "example.com" for one service, else "300 services".
std::string InShort(const Services& services, const Catalogue& say);
// Services and roles for a subject line: "example.com (technical)", "a.example and 299 more
// (administrator, billing)". Long names are cut in the middle, to 60 characters. Empty without
// services.
std::string Matter(const Services& services, const std::set<Role>& roles, const Catalogue& say);
// Why an item has no effect; empty if it has one.
std::string SkipReason(const ChangeItem& item, const Catalogue& say);

}  // namespace contacts

#endif  // CONTACTS_CORE_LETTER_WORDING_H_
