#include "core/letter/mo_file.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/utf8.h"

namespace contacts {
namespace {

// The header of gettext's format: magic, revision, number of strings, and where the tables of
// messages, translations and hashes are.
constexpr absl::string_view kMagic = "\xde\x12\x04\x95";
constexpr std::size_t kHeaderSize = 28;
constexpr std::size_t kHashSizeAt = 20;
constexpr std::size_t kMaxStrings = 10'000;
constexpr std::size_t kMaxPluralForms = 200;  // Bytes. A library reads it by recursion.

absl::Status Wrong(absl::string_view reason) {
  return absl::InvalidArgumentError(absl::StrCat("not a catalogue that msgfmt made: ", reason));
}

std::size_t NumberAt(absl::string_view mo, std::size_t at) {
  std::size_t number = 0;
  for (std::size_t i = 4; i-- > 0;) number = number << 8U | static_cast<unsigned char>(mo[at + i]);
  return number;
}

// The string that the table's entry leads to, if it is inside the file.
std::optional<absl::string_view> StringAt(absl::string_view mo, std::size_t entry) {
  const std::size_t size = NumberAt(mo, entry), at = NumberAt(mo, entry + 4);
  if (at >= mo.size() || size >= mo.size() - at || mo[at + size] != '\0') return std::nullopt;
  return mo.substr(at, size);
}

std::set<absl::string_view> NamesIn(absl::string_view message) {
  std::set<absl::string_view> names;
  SplitAtNames(
      message, [](absl::string_view) {}, [&](absl::string_view name) { names.insert(name); });
  return names;
}

// A message has its plural behind a NUL, and a translation its forms.
absl::Status CheckTranslation(absl::string_view message, absl::string_view translation,
                              std::size_t plural_forms) {
  const std::vector<absl::string_view> ids = absl::StrSplit(message, '\0');
  const std::vector<absl::string_view> forms = absl::StrSplit(translation, '\0');
  const auto fault = [&](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("the translation of \"", ids[0], "\" ", what));
  };
  if (forms.size() != (ids.size() > 1 ? plural_forms : 1)) return fault("lacks a plural form");
  for (const absl::string_view form : forms) {
    if (!CountCodePoints(form)) return fault("is not UTF-8");
    if (std::any_of(form.begin(), form.end(),
                    [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); })) {
      return fault("has a control character");
    }
    std::set<absl::string_view> names = NamesIn(form), wanted = NamesIn(ids.back());
    const auto braces =
        std::count_if(form.begin(), form.end(), [](char c) { return c == '{' || c == '}'; });
    // A plural form may say "one" instead of the number.
    if (ids.size() > 1) wanted.insert("count"), names.insert("count");
    if (names != wanted || braces % 2 != 0) return fault("has other names in braces");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> CheckedMoFile(std::string mo) {
  if (mo.size() < kHeaderSize || !absl::StartsWith(mo, kMagic)) return Wrong("its beginning");
  const std::size_t count = NumberAt(mo, 8), messages = NumberAt(mo, 12);
  const std::size_t translations = NumberAt(mo, 16);
  if (NumberAt(mo, 4) != 0 || count == 0 || count > kMaxStrings ||
      std::max(messages, translations) > mo.size() ||
      8 * count > mo.size() - std::max(messages, translations)) {
    return Wrong("its tables");
  }
  std::size_t plural_forms = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto message = StringAt(mo, messages + 8 * i);
    const auto translation = StringAt(mo, translations + 8 * i);
    if (!message || !translation) return Wrong("it is cut off");
    if (i > 0) {
      const absl::Status status = CheckTranslation(*message, *translation, plural_forms);
      if (!status.ok()) return status;
      continue;
    }
    static const LazyRE2 kCharset = {"(?i)charset=utf-8"};
    static const LazyRE2 kPlural = {"Plural-Forms: *(nplurals=([1-6]);[^\\n]*)"};
    std::string plural;
    const re2::StringPiece header(translation->data(), translation->size());
    if (!message->empty() || !RE2::PartialMatch(header, *kCharset)) {
      return Wrong("its header does not say charset=UTF-8");
    }
    if (!RE2::PartialMatch(header, *kPlural, &plural, &plural_forms) ||
        plural.size() > kMaxPluralForms) {
      return Wrong("its header has no right Plural-Forms");
    }
  }
  std::fill_n(mo.begin() + kHashSizeAt, 4, '\0');
  return mo;
}

}  // namespace contacts
