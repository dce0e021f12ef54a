#ifndef CONTACTS_CORE_LETTER_MO_FILE_H_
#define CONTACTS_CORE_LETTER_MO_FILE_H_

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace contacts {

// The names in braces of a message.
std::set<absl::string_view> NamesIn(absl::string_view message);

// Checks a compiled catalogue before a library reads it that trusts it: gettext's format, UTF-8,
// no control characters, plural forms as many as announced, and in each translation the same names
// in braces as in its message. Returns it without its hash table, or INVALID_ARGUMENT with the
// reason.
absl::StatusOr<std::string> CheckedMoFile(std::string mo);

}  // namespace contacts

#endif  // CONTACTS_CORE_LETTER_MO_FILE_H_
