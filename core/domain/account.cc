#include "core/domain/account.h"

#include "absl/strings/str_cat.h"
#include "core/base/utf8.h"

namespace contacts {

std::string MaskEmail(const std::string& email) {
  const std::size_t at = email.rfind('@');
  if (at == std::string::npos || at == 0) return "***";
  // Keeps the first character whole, which in UTF-8 may be several bytes.
  std::size_t first = 1;
  while (first < at && IsContinuationByte(email[first])) ++first;
  return absl::StrCat(email.substr(0, first), "***", email.substr(at));
}

}  // namespace contacts
