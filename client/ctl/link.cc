#include "client/ctl/link.h"

#include <cstddef>
#include <optional>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "client/lib/uuid.h"

namespace contacts::client {
namespace {

constexpr std::size_t kUuidLength = 36;
constexpr int kMaxGateways = 5;  // That rewrote a link, one after the other.

int HexValue(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (!absl::ascii_isxdigit(byte)) return -1;
  return absl::ascii_isdigit(byte) ? c - '0' : absl::ascii_tolower(byte) - 'a' + 10;
}

// Keeps a '%' that begins no escape.
std::string PercentDecode(absl::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = HexValue(text[i + 1]);
      const int low = HexValue(text[i + 2]);
      if (high >= 0 && low >= 0) {
        decoded.push_back(static_cast<char>(high * 16 + low));
        i += 2;
        continue;
      }
    }
    decoded.push_back(text[i]);
  }
  return decoded;
}

// Removes spaces, line breaks, quotes and angle brackets. A link is ASCII, so everything else, such
// as typographic quotes, is removed too.
std::string WithoutPasteMarks(absl::string_view text) {
  std::string link;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isgraph(byte) && c != '<' && c != '>' && c != '"' && c != '\'') {
      link.push_back(c);
    }
  }
  return link;
}

void FindUuids(absl::string_view text, std::set<std::string>& found) {
  auto is_hex = [&text](std::size_t i) {
    return i < text.size() && absl::ascii_isxdigit(static_cast<unsigned char>(text[i]));
  };
  for (std::size_t i = 0; i + kUuidLength <= text.size(); ++i) {
    const bool stands_alone = (i == 0 || !is_hex(i - 1)) && !is_hex(i + kUuidLength);
    const absl::string_view candidate = text.substr(i, kUuidLength);
    if (stands_alone && IsUuid(candidate)) found.insert(absl::AsciiStrToLower(candidate));
  }
}

// Decodes an address that Proofpoint, version 2, encoded: with "-" for "%", and "_" for "/".
std::string FromProofpoint(absl::string_view text) {
  return PercentDecode(absl::StrReplaceAll(text, {{"-", "%"}, {"_", "/"}}));
}

bool IsWebAddress(absl::string_view text) {
  return absl::StartsWithIgnoreCase(text, "https://") ||
         absl::StartsWithIgnoreCase(text, "http://");
}

// Returns the link inside a link that a mail gateway rewrote (SafeLinks, Google, Barracuda,
// Proofpoint); nothing if `link` was not rewritten.
std::optional<std::string> Unwrapped(absl::string_view link) {
  constexpr absl::string_view kProofpoint3 = "/v3/__";
  constexpr absl::string_view kProofpoint3End = "__;";
  if (const auto begin = link.find(kProofpoint3); begin != absl::string_view::npos) {
    const absl::string_view inner = link.substr(begin + kProofpoint3.size());
    const auto end = inner.rfind(kProofpoint3End);
    if (end != absl::string_view::npos) return std::string(inner.substr(0, end));
  }
  const auto query = link.find('?');
  if (query == absl::string_view::npos) return std::nullopt;
  const bool proofpoint = absl::StrContains(link.substr(0, query), "urldefense.proofpoint.com/v2/");
  std::optional<std::string> inner;
  for (absl::string_view piece : absl::StrSplit(link.substr(query + 1), absl::ByAnyChar("?&#"))) {
    absl::ConsumePrefix(&piece, "amp;");
    const auto equals = piece.find('=');
    if (equals == absl::string_view::npos) continue;
    // This is our own link: another address in it belongs to it.
    if (absl::EqualsIgnoreCase(piece.substr(0, equals), "token")) return std::nullopt;
    const absl::string_view value = piece.substr(equals + 1);
    std::string decoded = proofpoint ? FromProofpoint(value) : PercentDecode(value);
    if (!inner && IsWebAddress(decoded)) inner = std::move(decoded);
  }
  return inner;
}

std::string OnlyLetters(absl::string_view text) {
  std::string letters;
  for (const char c : text) {
    if (absl::ascii_isalpha(static_cast<unsigned char>(c))) letters.push_back(c);
  }
  return letters;
}

LinkAnswer AnswerFrom(absl::string_view word) {
  if (absl::EqualsIgnoreCase(word, "accept")) return LinkAnswer::kAccept;
  if (absl::EqualsIgnoreCase(word, "refuse")) return LinkAnswer::kRefuse;
  return LinkAnswer::kUnspecified;
}

// The parts of a link.
struct Parts {
  std::set<std::string> ids;  // UUIDs.
  std::string token;
  LinkAnswer answer = LinkAnswer::kUnspecified;
};

Parts PartsOf(absl::string_view text) {
  std::string whole = WithoutPasteMarks(text);
  for (int gateways = 0; gateways < kMaxGateways; ++gateways) {
    std::optional<std::string> inner = Unwrapped(whole);
    if (!inner) break;
    whole = *std::move(inner);
  }
  absl::string_view rest = whole;
  if (const auto scheme = rest.find("://"); scheme != absl::string_view::npos) {
    rest.remove_prefix(scheme + 3);
    // The host is no place to look for an id.
    const auto end = rest.find_first_of("/?#");
    rest.remove_prefix(end == absl::string_view::npos ? rest.size() : end);
  }

  Parts parts;
  LinkAnswer path_answer = LinkAnswer::kUnspecified;
  for (absl::string_view piece : absl::StrSplit(rest, absl::ByAnyChar("/?&#"))) {
    // A link copied out of HTML separates its parameters by "&amp;".
    absl::ConsumePrefix(&piece, "amp;");
    const auto equals = piece.find('=');
    if (equals == absl::string_view::npos) {
      FindUuids(PercentDecode(piece), parts.ids);
      if (AnswerFrom(piece) != LinkAnswer::kUnspecified) path_answer = AnswerFrom(piece);
      continue;
    }
    const std::string name = absl::AsciiStrToLower(PercentDecode(piece.substr(0, equals)));
    const std::string value = PercentDecode(piece.substr(equals + 1));
    if (name == "token") {
      parts.token = TrimToken(value);
    } else if (name == "answer") {
      // Without punctuation that was pasted along.
      parts.answer = AnswerFrom(OnlyLetters(value));
    } else {
      FindUuids(value, parts.ids);
    }
  }
  if (parts.answer == LinkAnswer::kUnspecified) parts.answer = path_answer;
  return parts;
}

absl::Status NoToken() {
  return absl::InvalidArgumentError("the link has no token in it; want a parameter \"token\"");
}

}  // namespace

bool LooksLikeLink(absl::string_view text) {
  return absl::StrContains(text, "://") || text.find_first_of("/?&") != absl::string_view::npos;
}

absl::StatusOr<Link> ParseLink(absl::string_view text) {
  const Parts parts = PartsOf(text);
  if (parts.ids.empty()) {
    return absl::InvalidArgumentError("the link has no contact change id in it; want one UUID");
  }
  if (parts.ids.size() > 1) {
    return absl::InvalidArgumentError(
        "the link has several contact change ids in it; want one UUID");
  }
  if (parts.token.empty()) return NoToken();
  return Link{*parts.ids.begin(), parts.token, parts.answer};
}

absl::StatusOr<std::string> ParseConfirmLink(absl::string_view text) {
  const Parts parts = PartsOf(text);
  if (parts.answer != LinkAnswer::kUnspecified) {
    return absl::InvalidArgumentError(
        "this link answers a contact change; want that of the e-mail to the new address");
  }
  if (parts.token.empty()) return NoToken();
  return parts.token;
}

std::string TrimToken(absl::string_view token) {
  std::string kept;
  for (const char c : token) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-') kept.push_back(c);
  }
  return kept;
}

}  // namespace contacts::client
