#include "client/web/session.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace contacts::web {
namespace {

constexpr std::size_t kShortestKey = 32;

// `purpose` keeps a signature of one kind from being taken as one of another.
std::string Sign(const std::string& key, absl::string_view purpose, absl::string_view text) {
  const std::string whole = absl::StrCat(purpose, "\n", text);
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(whole.data()), whole.size(),
       reinterpret_cast<unsigned char*>(digest.data()), &size);
  return absl::WebSafeBase64Escape(digest.substr(0, size));
}

}  // namespace

Session NewSession(std::string account, std::string language, absl::Time end) {
  unsigned char id[16];
  if (RAND_bytes(id, sizeof id) != 1) std::abort();
  return {absl::BytesToHexString(absl::string_view(reinterpret_cast<char*>(id), sizeof id)),
          std::move(account), std::move(language), end};
}

absl::StatusOr<std::vector<std::string>> ReadKeys(const std::string& path) {
  struct stat status {};
  std::ifstream file(path);
  if (!file || stat(path.c_str(), &status) != 0) {
    return absl::FailedPreconditionError("the file cannot be read");
  }
  if ((status.st_mode & S_IRWXO) != 0) {
    return absl::FailedPreconditionError("others may use the file; want mode 0600 or 0640");
  }
  std::vector<std::string> keys(std::istream_iterator<std::string>(file), {});
  const bool is_short = std::any_of(
      keys.begin(), keys.end(), [](const std::string& key) { return key.size() < kShortestKey; });
  if (keys.empty() || is_short) {
    return absl::FailedPreconditionError("want keys of 32 characters or more, one a line");
  }
  return keys;
}

bool Signer::IsSigned(absl::string_view purpose, absl::string_view text,
                      absl::string_view signature) const {
  return std::any_of(keys_.begin(), keys_.end(), [&](const std::string& key) {
    const std::string wanted = Sign(key, purpose, text);
    return wanted.size() == signature.size() &&
           CRYPTO_memcmp(wanted.data(), signature.data(), wanted.size()) == 0;
  });
}

std::string Signer::Seal(const Session& session) const {
  const std::string text = absl::WebSafeBase64Escape(
      absl::StrCat(session.id, "\n", session.account, "\n", session.language, "\n",
                   absl::ToUnixSeconds(session.end)));
  return absl::StrCat(text, ".", Sign(keys_.front(), "session", text));
}

absl::StatusOr<Session> Signer::Open(absl::string_view cookie, absl::Time now) const {
  const std::pair<absl::string_view, absl::string_view> halves = absl::StrSplit(cookie, '.');
  std::string text;
  if (IsSigned("session", halves.first, halves.second) &&
      absl::WebSafeBase64Unescape(halves.first, &text)) {
    const std::vector<std::string> parts = absl::StrSplit(text, '\n');
    std::int64_t end = 0;
    if (parts.size() == 4 && absl::SimpleAtoi(parts[3], &end) && end > absl::ToUnixSeconds(now)) {
      return Session{parts[0], parts[1], parts[2], absl::FromUnixSeconds(end)};
    }
  }
  return absl::NotFoundError("no session");
}

std::string Signer::Token(const Session& session, const std::string& purpose) const {
  return Sign(keys_.front(), "token", absl::StrCat(session.id, "\n", purpose));
}

bool Signer::IsToken(const std::string& token, const Session& session,
                     const std::string& purpose) const {
  return IsSigned("token", absl::StrCat(session.id, "\n", purpose), token);
}

}  // namespace contacts::web
