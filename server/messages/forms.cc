#include "server/messages/forms.h"

#include <re2/re2.h>

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "core/base/utf8.h"

namespace contacts::server {
namespace {

constexpr std::size_t kMaxServiceId = 253;
constexpr std::size_t kMaxEmail = 254;
constexpr std::size_t kMaxLocalPart = 64;
constexpr std::size_t kMaxLabel = 63;
constexpr std::size_t kMaxEcho = 64;

bool IsAlpha(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)); }
bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }
bool IsAlnum(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }

// The C0 and C1 controls and DEL.
bool IsControl(uint32_t value) { return value < 0x20 || (value >= 0x7F && value < 0xA0); }

bool IsLocalPart(absl::string_view text) {
  constexpr absl::string_view kOthers = ".!#$%&'*+-/=?^_`{|}~";
  // Without characters that would end the quotes, or the address in a less careful program.
  static const RE2 kQuoted(R"("[ !#-;=?A-\[\]-~]+")");
  if (RE2::FullMatch({text.data(), text.size()}, kQuoted)) return text.size() <= kMaxLocalPart;
  return text.size() <= kMaxLocalPart && text.find_first_not_of('.') != absl::string_view::npos &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return IsAlnum(c) || kOthers.find(c) != absl::string_view::npos;
         });
}

bool IsMailDomain(absl::string_view text) {
  const std::vector<absl::string_view> labels = absl::StrSplit(text, '.');
  if (labels.size() < 2) return false;
  for (absl::string_view label : labels) {
    if (label.empty() || label.size() > kMaxLabel) return false;
    if (label.front() == '-' || label.back() == '-') return false;
    if (!std::all_of(label.begin(), label.end(), [](char c) { return IsAlnum(c) || c == '-'; })) {
      return false;
    }
  }
  // A last label of digits alone would make it an IP address.
  return !std::all_of(labels.back().begin(), labels.back().end(), IsDigit);
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
  return text.size() <= kMaxServiceId && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || IsDigit(c) || c == '.' || c == '-' || c == '_';
         });
}

bool IsServiceId(absl::string_view text) {
  if (!IsServiceIdPrefix(text)) return false;
  const std::vector<absl::string_view> labels = absl::StrSplit(text, '.');
  return std::none_of(labels.begin(), labels.end(), [](auto label) { return label.empty(); });
}

bool IsServiceKind(absl::string_view text) {
  static const RE2 kKind("[a-z0-9][a-z0-9_-]{0,31}");
  return RE2::FullMatch({text.data(), text.size()}, kKind);
}

bool IsEmailAddress(absl::string_view text) {
  const std::size_t at = text.find('@');
  return at != absl::string_view::npos && text.size() <= kMaxEmail &&
         IsLocalPart(text.substr(0, at)) && IsMailDomain(text.substr(at + 1));
}

bool IsLanguageTag(absl::string_view text) {
  static const RE2 kTag("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*");
  return text.size() <= 35 && RE2::FullMatch({text.data(), text.size()}, kTag);
}

bool IsPhoneNumber(absl::string_view text) {
  static const RE2 kPhone("\\+[1-9][0-9]{1,14}");
  return RE2::FullMatch({text.data(), text.size()}, kPhone);
}

bool IsCountryCode(absl::string_view text) {
  return text.size() == 2 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
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
    if (!first && part.size() == 4 && IsAlpha(part[0])) cased[0] = Upper(part.substr(0, 1))[0];
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
         RE2::FullMatch({text.data(), text.size()}, *pattern_);
}

const std::string& AccountIdForm::pattern() const { return pattern_->pattern(); }

}  // namespace contacts::server
