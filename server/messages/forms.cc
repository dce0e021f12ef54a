#include "server/messages/forms.h"

#include <re2/re2.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "core/base/utf8.h"
#include "core/domain/email_address.h"

namespace contacts::server {
namespace {

constexpr std::size_t kMaxServiceId = 253;
constexpr std::size_t kMaxEmail = 254;
constexpr std::size_t kMaxLocalPart = 64;
constexpr std::size_t kMaxEcho = 64;

// An address. Its one group is the part before the at sign: in quotes, without characters that
// would end the quotes, or the address in a less careful program; or plain, but not of dots alone.
constexpr char kAddressForm[] = R"re(("[ !#-;=?A-\[\]-~]+")re"
                                R"re(|\.*[\w!#$%&'*+/=?^`{|}~-][\w.!#$%&'*+/=?^`{|}~-]*)@)re"
                                R"re((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+)re"
                                R"re([A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)re";

// The C0 and C1 controls and DEL.
bool IsControl(uint32_t value) { return value < 0x20 || (value >= 0x7F && value < 0xA0); }

re2::StringPiece Piece(absl::string_view text) { return {text.data(), text.size()}; }

bool IsAsciiEmailAddress(absl::string_view text) {
  static const RE2 kAddress(kAddressForm);
  // A last label of digits alone would make the domain an IP address.
  static const RE2 kEndsInNumber("\\.[0-9]+$");
  re2::StringPiece local_part;
  return text.size() <= kMaxEmail && RE2::FullMatch(Piece(text), kAddress, &local_part) &&
         local_part.size() <= kMaxLocalPart && !RE2::PartialMatch(Piece(text), kEndsInNumber);
}

}  // namespace

bool IsPlainText(absl::string_view text, std::size_t max, bool newlines) {
  std::size_t count = 0;
  while (!text.empty()) {
    const auto next = DecodeCodePoint(text);
    if (!next || ++count > max) return false;
    const bool allowed = next->value == '\t' || (newlines && next->value == '\n');
    if (IsControl(next->value) && !allowed) return false;
    text.remove_prefix(next->size);
  }
  return true;
}

bool IsPrintableAscii(absl::string_view text, std::size_t max) {
  return text.size() <= max && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isprint(static_cast<unsigned char>(c));
         });
}

bool IsServiceIdPrefix(absl::string_view text) {
  static const RE2 kPrefix("[a-z0-9._-]*");
  return text.size() <= kMaxServiceId && RE2::FullMatch(Piece(text), kPrefix);
}

bool IsServiceId(absl::string_view text) {
  static const RE2 kId("[a-z0-9_-]+(?:\\.[a-z0-9_-]+)*");
  return text.size() <= kMaxServiceId && RE2::FullMatch(Piece(text), kId);
}

bool IsServiceKind(absl::string_view text) {
  static const RE2 kKind("[a-z0-9][a-z0-9_-]{0,31}");
  return RE2::FullMatch(Piece(text), kKind);
}

bool IsEmailAddress(absl::string_view text) {
  if (IsAscii(text)) return IsAsciiEmailAddress(text);
  // Letters, marks and digits of any script. UTS 46 would drop what is not shown from the domain.
  static const RE2 kLocalPart(
      R"re([\w.!#$%&'*+/=?^`{|}~\p{L}\p{N}-][\w.!#$%&'*+/=?^`{|}~\p{L}\p{M}\p{N}-]*)re");
  const absl::string_view local_part = LocalPartOf(text);
  const std::string address = WithAsciiDomain(text);
  if (address.empty() || HasInvisible(text) || text.size() > kMaxEmail ||
      address.size() > kMaxEmail)
    return false;
  if (IsAscii(local_part)) return IsAsciiEmailAddress(address);
  return local_part.size() <= kMaxLocalPart && RE2::FullMatch(Piece(local_part), kLocalPart) &&
         IsAsciiEmailAddress(absl::StrCat("a", address.substr(local_part.size())));
}

bool IsLanguageTag(absl::string_view text) {
  static const RE2 kTag("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*");
  return text.size() <= 35 && RE2::FullMatch(Piece(text), kTag);
}

bool IsPhoneNumber(absl::string_view text) {
  static const RE2 kPhone("\\+[1-9][0-9]{1,14}");
  return RE2::FullMatch(Piece(text), kPhone);
}

bool IsCountryCode(absl::string_view text) {
  static const RE2 kCode("[A-Z]{2}");
  return RE2::FullMatch(Piece(text), kCode);
}

std::string WithLineFeeds(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\r\n", "\n"}, {"\r", "\n"}});
}

std::string Lower(absl::string_view text) {
  std::string lowered(text);
  absl::AsciiStrToLower(&lowered);
  return lowered;
}

std::string Upper(absl::string_view text) {
  std::string raised(text);
  absl::AsciiStrToUpper(&raised);
  return raised;
}

std::string CanonicalLanguage(absl::string_view tag) {
  std::string canonical;
  for (absl::string_view part : absl::StrSplit(tag, '-')) {
    const bool first = canonical.empty();
    std::string cased = !first && part.size() == 2 ? Upper(part) : Lower(part);
    if (!first && part.size() == 4)
      cased[0] = absl::ascii_toupper(static_cast<unsigned char>(cased[0]));
    absl::StrAppend(&canonical, first ? "" : "-", cased);
  }
  return canonical;
}

std::string Echo(absl::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size() && escaped.size() <= kMaxEcho; ++i) {
    escaped += absl::CHexEscape(text.substr(i, 1));
  }
  if (escaped.size() > kMaxEcho) escaped = absl::StrCat(escaped.substr(0, kMaxEcho - 3), "...");
  return absl::StrCat("\"", escaped, "\"");
}

AccountIdForm::AccountIdForm() : pattern_(std::make_shared<const RE2>(kDefaultPattern)) {}

absl::StatusOr<AccountIdForm> AccountIdForm::Parse(const std::string& pattern) {
  auto compiled = std::make_shared<const RE2>(pattern, RE2::Quiet);
  if (!compiled->ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", pattern, "\" is no regular expression: ", compiled->error()));
  }
  return AccountIdForm(std::move(compiled));
}

bool AccountIdForm::Matches(absl::string_view text) const {
  return !text.empty() && IsPrintableAscii(text, kMaxSize) &&
         RE2::FullMatch(Piece(text), *pattern_);
}

const std::string& AccountIdForm::pattern() const { return pattern_->pattern(); }

}  // namespace contacts::server
