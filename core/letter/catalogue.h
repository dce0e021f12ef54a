#ifndef CONTACTS_CORE_LETTER_CATALOGUE_H_
#define CONTACTS_CORE_LETTER_CATALOGUE_H_

#include <cstdint>
#include <locale>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace contacts {

// A message of the catalogues: its English text, with the names of values in braces. With `many`,
// the language's plural form for `count` is taken.
struct Message {
  using Values = std::vector<std::pair<absl::string_view, std::string>>;

  const char* id;
  const char* many = nullptr;
  int64_t count = 1;
  Values values;
};
// The marks by which xgettext finds the messages.
inline Message T(const char* id, Message::Values values = {}) {
  return {.id = id, .many = nullptr, .count = 1, .values = std::move(values)};
}
inline Message N(const char* one, const char* many, int64_t count, Message::Values values = {}) {
  return {.id = one, .many = many, .count = count, .values = std::move(values)};
}

// A piece of a message in words: the catalogue's own text, or a value.
struct Part {
  std::string text;
  bool is_value = false;
};

// One language of the e-mails: the messages as gettext has them, and dates, numbers and lists as
// ICU writes them. Immutable and thread safe.
class Catalogue {
 public:
  // The messages as the sources have them.
  static absl::StatusOr<Catalogue> English();
  // `tag`: a BCP 47 language tag. `mo`: what msgfmt made of a .po file in UTF-8. Returns
  // INVALID_ARGUMENT, with the reason, if it is not that or ICU does not know the language.
  static absl::StatusOr<Catalogue> Make(const std::string& tag, const std::string& mo);
  ~Catalogue();
  Catalogue(Catalogue&&) noexcept;
  Catalogue& operator=(Catalogue&&) noexcept;

  const std::string& tag() const { return tag_; }

  // The message in this language. A message that the catalogue does not have is in English.
  std::vector<Part> Parts(const Message& message) const;
  std::string Text(const Message& message) const;

  // Until it is called with nullptr: adds to `missing` each message that is asked for and that the
  // catalogue does not have. For a catalogue that no other thread uses yet.
  void CollectMissing(std::set<std::string>* missing) { missing_ = missing; }

  // Full date and time of day in UTC, without seconds: "Monday, 1 June 2026 at 14:05 UTC".
  std::string Date(absl::Time time) const;
  // "1,000" in English.
  std::string Number(int64_t number) const;
  // "a, b and c" in English.
  std::string List(const std::vector<std::string>& items) const;

 private:
  struct Formats;

  Catalogue(std::string tag, const std::locale& messages, bool translated);
  const char* Find(const Message& message) const;
  static absl::StatusOr<Catalogue> Formatted(Catalogue catalogue);

  std::string tag_;
  std::locale messages_;
  bool translated_;
  std::set<std::string>* missing_ = nullptr;
  std::unique_ptr<const Formats> formats_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_LETTER_CATALOGUE_H_
