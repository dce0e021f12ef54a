#include "core/domain/model.h"

#include "absl/strings/str_cat.h"

namespace contacts {

std::string Etag(int64_t version) { return absl::StrCat("v", version); }

std::string MaskEmail(const std::string& email) {
  const std::size_t at = email.rfind('@');
  if (at == std::string::npos || at == 0) return "***";
  // Keeps the first character whole, which in UTF-8 may be several bytes.
  std::size_t first = 1;
  while (first < at && (static_cast<unsigned char>(email[first]) & 0xC0U) == 0x80U) ++first;
  return absl::StrCat(email.substr(0, first), "***", email.substr(at));
}

const char* Name(Role role) {
  switch (role) {
    case Role::kAdmin: return "admin";
    case Role::kTech: return "tech";
    case Role::kBilling: return "billing";
  }
  return "";
}

const char* Name(ChangeState state) {
  switch (state) {
    case ChangeState::kValidating: return "VALIDATING";
    case ChangeState::kDone: return "DONE";
    case ChangeState::kRefused: return "REFUSED";
    case ChangeState::kCancelled: return "CANCELLED";
    case ChangeState::kExpired: return "EXPIRED";
    case ChangeState::kAborted: return "ABORTED";
  }
  return "";
}

}  // namespace contacts
