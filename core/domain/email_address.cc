#include "core/domain/email_address.h"

#include <unicode/bytestream.h>
#include <unicode/idna.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/utf8.h"

namespace contacts {
namespace {

// Empty if the name has no A-labels.
std::string ToALabels(absl::string_view name) {
  UErrorCode error = U_ZERO_ERROR;
  static const icu::IDNA* const kIdna = icu::IDNA::createUTS46Instance(
      UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
          UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_NONTRANSITIONAL_TO_UNICODE,
      error);
  if (kIdna == nullptr) return "";
  std::string ascii;
  icu::StringByteSink<std::string> sink(&ascii);
  icu::IDNAInfo info;
  kIdna->nameToASCII_UTF8({name.data(), static_cast<int32_t>(name.size())}, sink, info, error);
  return U_SUCCESS(error) && !info.hasErrors() ? ascii : "";
}

}  // namespace

std::string ToNfc(absl::string_view text) {
  if (IsAscii(text) || !CountCodePoints(text)) return std::string(text);
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* const nfc = icu::Normalizer2::getNFCInstance(error);
  std::string normal;
  icu::StringByteSink<std::string> sink(&normal);
  if (nfc != nullptr) {
    nfc->normalizeUTF8(0, {text.data(), static_cast<int32_t>(text.size())}, sink, nullptr, error);
  }
  return U_SUCCESS(error) ? normal : std::string(text);
}

bool IsAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isascii(static_cast<unsigned char>(c)); });
}

bool HasInvisible(absl::string_view text) {
  while (!text.empty()) {
    const std::optional<CodePoint> next = DecodeCodePoint(text);
    const bool joins = next && (next->value == 0x200C || next->value == 0x200D);
    if (next && !joins &&
        u_hasBinaryProperty(static_cast<UChar32>(next->value),
                            UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0) {
      return true;
    }
    text.remove_prefix(next ? next->size : 1);
  }
  return false;
}

absl::string_view LocalPartOf(absl::string_view address) {
  const std::size_t at = address.rfind('@');
  return at == absl::string_view::npos ? "" : address.substr(0, at);
}

std::string WithAsciiDomain(absl::string_view address) {
  const absl::string_view local = LocalPartOf(address);
  const absl::string_view domain = address.substr(std::min(local.size() + 1, address.size()));
  const std::string ascii = IsAscii(domain) ? std::string(domain) : ToALabels(domain);
  return ascii.empty() ? "" : absl::StrCat(local, "@", ascii);
}

std::string ComparableEmailAddress(absl::string_view address) {
  const std::string spelled = WithAsciiDomain(ToNfc(address));
  const std::size_t domain = spelled.rfind('@');
  if (domain == std::string::npos) return std::string(address);
  return absl::StrCat(spelled.substr(0, domain), absl::AsciiStrToLower(spelled.substr(domain)));
}

bool SameEmailAddress(absl::string_view one, absl::string_view other) {
  return one == other || ComparableEmailAddress(one) == ComparableEmailAddress(other);
}

}  // namespace contacts
