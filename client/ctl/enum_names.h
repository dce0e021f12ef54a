#ifndef CONTACTS_CLIENT_CTL_ENUM_NAMES_H_
#define CONTACTS_CLIENT_CTL_ENUM_NAMES_H_

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

// The short names of the contract's enum values, as a person types and reads them:
// BILLING_STANDING_UP_TO_DATE is "up-to-date".
namespace contacts::client {

// The common beginning of the names of all values of E, such as "CONTACT_ROLE_".
template <typename E>
std::string EnumPrefix() {
  const std::string& zero = google::protobuf::GetEnumDescriptor<E>()->FindValueByNumber(0)->name();
  return std::string(absl::StripSuffix(zero, "UNSPECIFIED"));
}

// The short name of `value`, with `separator` in place of "_". "" for the unspecified value; the
// number for a value that this client does not know.
template <typename E>
std::string EnumName(E value, absl::string_view separator = "-") {
  if (static_cast<int>(value) == 0) return "";
  const auto* known =
      google::protobuf::GetEnumDescriptor<E>()->FindValueByNumber(static_cast<int>(value));
  if (known == nullptr) return absl::StrCat(static_cast<int>(value));
  const std::string name(absl::StripPrefix(known->name(), EnumPrefix<E>()));
  return absl::StrReplaceAll(absl::AsciiStrToLower(name), {{"_", separator}});
}

// The value with the short name `name`, in any case. Nothing if there is none, and for the
// unspecified value.
template <typename E>
std::optional<E> EnumFromName(absl::string_view name) {
  const std::string full =
      absl::StrCat(EnumPrefix<E>(), absl::StrReplaceAll(absl::AsciiStrToUpper(name), {{"-", "_"}}));
  const auto* known = google::protobuf::GetEnumDescriptor<E>()->FindValueByName(full);
  if (known == nullptr || known->number() == 0) return std::nullopt;
  return static_cast<E>(known->number());
}

// Every short name of E, in the contract's order.
template <typename E>
std::vector<std::string> EnumNames() {
  std::vector<std::string> names;
  const auto* descriptor = google::protobuf::GetEnumDescriptor<E>();
  for (int i = 0; i < descriptor->value_count(); ++i) {
    const std::string name = EnumName(static_cast<E>(descriptor->value(i)->number()));
    if (!name.empty()) names.push_back(name);
  }
  return names;
}

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_CTL_ENUM_NAMES_H_
