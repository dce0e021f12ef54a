#include "client/web/session.h"

#include <glib.h>
#include <openssl/crypto.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace contacts::web {
namespace {

std::string Sign(const std::string& key, const std::string& text) {
  char* hex =
      g_compute_hmac_for_string(G_CHECKSUM_SHA256, reinterpret_cast<const guchar*>(key.data()),
                                key.size(), text.data(), static_cast<gssize>(text.size()));
  std::string signature = hex;
  g_free(hex);
  return signature;
}

// What a token signs. A sealed session has no line break, so neither is taken for the other.
std::string TokenText(const Session& session, const std::string& purpose) {
  return absl::StrCat("token\n", session.id, "\n", purpose);
}

}  // namespace

bool Signer::IsSigned(const std::string& text, const std::string& signature) const {
  return std::any_of(keys_.begin(), keys_.end(), [&](const std::string& key) {
    const std::string wanted = Sign(key, text);
    return wanted.size() == signature.size() &&
           CRYPTO_memcmp(wanted.data(), signature.data(), wanted.size()) == 0;
  });
}

std::string Signer::Seal(const Session& session) const {
  const std::string text = absl::WebSafeBase64Escape(
      absl::StrCat(session.id, "\n", session.account, "\n", session.language, "\n",
                   absl::ToUnixSeconds(session.end)));
  return absl::StrCat(text, ".", Sign(keys_.front(), text));
}

std::optional<Session> Signer::Open(const std::string& cookie, absl::Time now) const {
  const std::pair<std::string, std::string> halves = absl::StrSplit(cookie, '.');
  std::string text;
  if (!IsSigned(halves.first, halves.second) || !absl::WebSafeBase64Unescape(halves.first, &text)) {
    return std::nullopt;
  }
  const std::vector<std::string> parts = absl::StrSplit(text, '\n');
  std::int64_t end = 0;
  const bool valid = parts.size() == 4 && absl::SimpleAtoi(parts[3], &end);
  if (!valid || end <= absl::ToUnixSeconds(now)) return std::nullopt;
  return Session{parts[0], parts[1], parts[2], absl::FromUnixSeconds(end)};
}

std::string Signer::Token(const Session& session, const std::string& purpose) const {
  return Sign(keys_.front(), TokenText(session, purpose));
}

bool Signer::IsToken(const std::string& token, const Session& session,
                     const std::string& purpose) const {
  return IsSigned(TokenText(session, purpose), token);
}

}  // namespace contacts::web
