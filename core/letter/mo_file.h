#ifndef CONTACTS_CORE_LETTER_MO_FILE_H_
#define CONTACTS_CORE_LETTER_MO_FILE_H_

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace contacts {

// Calls `own` with each text of a message, and `name` with each name in braces.
template <typename Own, typename Name>
void SplitAtNames(absl::string_view format, const Own& own, const Name& name) {
  while (!format.empty()) {
    const std::size_t open = format.find('{');
    const std::size_t close = format.find('}', std::min(open, format.size()));
    if (close == absl::string_view::npos) return own(format);
    if (open > 0) own(format.substr(0, open));
    name(format.substr(open + 1, close - open - 1));
    format.remove_prefix(close + 1);
  }
}

// Checks a compiled catalogue before a library reads it that trusts it: gettext's format, UTF-8,
// no control characters, plural forms as many as announced, and in each translation the same names
// in braces as in its message. Returns it without its hash table, or INVALID_ARGUMENT with the
// reason.
absl::StatusOr<std::string> CheckedMoFile(std::string mo);

}  // namespace contacts

#endif  // CONTACTS_CORE_LETTER_MO_FILE_H_
