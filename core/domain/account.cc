#include "core/domain/account.h"

#include <algorithm>

#include "absl/strings/match.h"
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

std::string MaskEmails(absl::string_view text) {
  constexpr absl::string_view kAround = " \t\r\n<>()[]\"',;:=";
  std::string masked;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find_first_of(kAround, begin), text.size());
    const absl::string_view word = text.substr(begin, end - begin);
    masked += absl::StrContains(word, '@') ? MaskEmail(std::string(word)) : std::string(word);
    if (end < text.size()) masked += text[end];
    begin = end + 1;
  }
  return masked;
}

}  // namespace contacts
