#ifndef CONTACTS_SERVER_MESSAGES_FORMS_H_
#define CONTACTS_SERVER_MESSAGES_FORMS_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace re2 {
class RE2;
}

// The well-formed texts of each kind. Knows no fields or requests. All functions are pure.
namespace contacts::server {

// Valid UTF-8 of at most `max` code points without control characters except tabs; `newlines`
// allows \n.
bool IsPlainText(absl::string_view text, std::size_t max, bool newlines = false);
// Printable ASCII, spaces included, of at most `max` characters.
bool IsPrintableAscii(absl::string_view text, std::size_t max);
// Lower-case letters, digits, dots, hyphens and underscores: the characters of a service id.
bool IsServiceIdPrefix(absl::string_view text);
// A service id: the characters above, 1 to 253 of them, no empty label between dots.
bool IsServiceId(absl::string_view text);
// Lower-case kind of service, such as "domain".
bool IsServiceKind(absl::string_view text);
// An e-mail address by RFC 5321, without comments, routes or address literals, in a domain of at
// least two labels. A quoted local part may not contain any of \"<>@ between its quotes. Dots may
// be anywhere before the at sign: Japanese providers gave out addresses such as "a..b@" and "a.@".
// Beyond ASCII (RFC 6531): letters, marks and digits before the at sign, a domain that has
// A-labels, and nothing that is not shown. At most 254 bytes, also with the domain in A-labels, 64
// of them before the at sign.
bool IsEmailAddress(absl::string_view text);
// A BCP 47 tag's shape, at most 35 characters.
bool IsLanguageTag(absl::string_view text);
// A telephone number in E.164 form.
bool IsPhoneNumber(absl::string_view text);
// Two upper-case letters.
bool IsCountryCode(absl::string_view text);

// Writes each line break (CR LF, as browsers' forms send it, or a single CR) as one LF.
std::string WithLineFeeds(absl::string_view text);
// ASCII letters in lower, or upper, case. Other bytes stay.
std::string Lower(absl::string_view text);
std::string Upper(absl::string_view text);
// Cases a language tag as BCP 47 recommends: "FR-fr" becomes "fr-FR".
std::string CanonicalLanguage(absl::string_view tag);

// Quotes text for an error message: escaped to printable ASCII, cut to 64 characters.
std::string Echo(absl::string_view text);

// The form of an account id in lower case. Immutable and thread safe.
class AccountIdForm {
 public:
  static constexpr std::size_t kMaxSize = 32;
  static constexpr char kDefaultPattern[] = "^[a-z]{2}[0-9]+-ovh$";

  // Uses the default pattern.
  AccountIdForm();
  // Returns INVALID_ARGUMENT if `pattern` is not a regular expression (RE2 syntax).
  static absl::StatusOr<AccountIdForm> Parse(const std::string& pattern);

  // Whether `text`, already in lower case, is an account id. Any pattern allows only printable
  // ASCII.
  bool Matches(absl::string_view text) const;
  const std::string& pattern() const;

 private:
  explicit AccountIdForm(std::shared_ptr<const re2::RE2> pattern) : pattern_(std::move(pattern)) {}
  std::shared_ptr<const re2::RE2> pattern_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_MESSAGES_FORMS_H_
