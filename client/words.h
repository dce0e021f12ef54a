#ifndef CONTACTS_CLIENT_WORDS_H_
#define CONTACTS_CLIENT_WORDS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/generated_enum_reflection.h"

// The contract's enum values as a person types and reads them:
// BILLING_STANDING_UP_TO_DATE is "up-to-date" on a command line.
namespace contacts::client {

// The part that all names of E's values begin with, such as "CONTACT_ROLE_".
template <typename E>
std::string EnumPrefix() {
  const std::string& zero = google::protobuf::GetEnumDescriptor<E>()->FindValueByNumber(0)->name();
  return std::string(absl::StripSuffix(zero, "UNSPECIFIED"));
}

// The word for `value`, its parts separated by `separator`. Empty for the
// unspecified value; the number for one that this client does not know.
template <typename E>
std::string Word(E value, absl::string_view separator = "-") {
  if (static_cast<int>(value) == 0) return "";
  const auto* known =
      google::protobuf::GetEnumDescriptor<E>()->FindValueByNumber(static_cast<int>(value));
  if (known == nullptr) return absl::StrCat(static_cast<int>(value));
  const std::string name(absl::StripPrefix(known->name(), EnumPrefix<E>()));
  return absl::StrReplaceAll(absl::AsciiStrToLower(name), {{"_", separator}});
}

// The value that `word` names, in any case. Nothing if there is none.
template <typename E>
std::optional<E> FromWord(absl::string_view word) {
  const std::string name =
      absl::StrCat(EnumPrefix<E>(), absl::StrReplaceAll(absl::AsciiStrToUpper(word), {{"-", "_"}}));
  const auto* known = google::protobuf::GetEnumDescriptor<E>()->FindValueByName(name);
  if (known == nullptr || known->number() == 0) return std::nullopt;
  return static_cast<E>(known->number());
}

// Every word of E, in the contract's order.
template <typename E>
std::vector<std::string> AllWords() {
  std::vector<std::string> words;
  const auto* descriptor = google::protobuf::GetEnumDescriptor<E>();
  for (int i = 0; i < descriptor->value_count(); ++i) {
    const std::string word = Word(static_cast<E>(descriptor->value(i)->number()));
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_WORDS_H_
