#include "core/domain/role.h"

namespace contacts {

const char* Name(Role role) {
  switch (role) {
    case Role::kAdmin: return "admin";
    case Role::kTech: return "tech";
    case Role::kBilling: return "billing";
  }
  return "";
}

}  // namespace contacts
