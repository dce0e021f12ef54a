#include "core/domain/token.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/sha256.h"
#include "core/domain/email_address.h"

namespace contacts {
namespace {

constexpr absl::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford's.
constexpr std::size_t kTokenCharacters = 26;                                 // 130 bits.
constexpr std::size_t kGroup = 5;
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kMaxIdSize = 32;
constexpr absl::string_view kBound = "/address";  // No key's id has a slash.

std::string Hmac(const std::string& key, const std::string& data) {
  std::string mac(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(data.data()), data.size(),
       reinterpret_cast<unsigned char*>(mac.data()), &size);
  mac.resize(size);
  return mac;
}

std::string Base32(absl::string_view bytes, std::size_t characters) {
  std::string out;
  uint32_t buffer = 0;
  unsigned bits = 0;
  for (std::size_t next = 0; out.size() < characters;) {
    if (bits < 5) {
      buffer = (buffer << 8U) | static_cast<unsigned char>(bytes[next++]);
      bits += 8;
    }
    bits -= 5;
    out += kAlphabet[(buffer >> bits) & 31U];
  }
  return out;
}

// Typed text in the letters of the alphabet. The letter U stays, and matches nothing.
std::string Canonical(absl::string_view typed) {
  std::string out = absl::AsciiStrToUpper(TokenCharacters(typed));
  for (char& c : out) c = c == 'O' ? '0' : (c == 'I' || c == 'L') ? '1' : c;
  return out;
}

bool IsKeyId(absl::string_view id) {
  if (id.empty() || id.size() > kMaxIdSize) return false;
  for (char c : id) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_') return false;
  }
  return true;
}

// An e-mail is told as superseded if no more than so many newer ones were asked for.
constexpr int64_t kSupersededGenerations = 200;

// Of 32 random bytes about 30 differ. Fewer than 16 differ once in 10^16 times.
constexpr std::size_t kLeastDistinctBytes = 16;

bool IsSecret(absl::string_view secret) {
  if (secret.size() != 2 * kSecretBytes) return false;
  for (char c : secret) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return false;
  }
  return true;
}

// The text that a token is the HMAC of.
std::string TextOf(const TokenSource& source, bool bound) {
  const std::string address = absl::BytesToHexString(source.address);
  if (source.change.is_nil()) {
    return absl::StrCat("contacts confirmation token 1\n", source.account.text(), "\n",
                        source.generation, "\n", address);
  }
  const std::string validator =
      absl::StrCat(source.change.text(), "\n", source.account.text(), "\n", source.generation);
  return bound ? absl::StrCat("contacts validation token 2\n", validator, "\n", address)
               : absl::StrCat("contacts validation token 1\n", validator);
}

std::string TokenOf(const std::string& secret, const std::string& text) {
  return Base32(Hmac(secret, text), kTokenCharacters);
}

// In constant time, for tokens in the letters of the alphabet.
bool Same(const std::string& got, const std::string& want) {
  return got.size() == want.size() && CRYPTO_memcmp(got.data(), want.data(), want.size()) == 0;
}

}  // namespace

std::string AddressDigest(const AccountId& account, absl::string_view address) {
  // One in ASCII stays as it was before there were others: servers of then and tokens under way
  // have its digest.
  const std::string spelled =
      IsAscii(address) ? std::string(address) : ComparableEmailAddress(address);
  return Sha256(absl::StrCat("contacts address\n", account.text(), "\n", spelled));
}

std::string TokenCharacters(absl::string_view typed) {
  std::string kept;
  for (const char c : typed) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c))) kept += c;
  }
  return kept;
}

absl::StatusOr<TokenKeys> TokenKeys::Parse(absl::string_view file) {
  TokenKeys keys;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(file, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') continue;
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    if (words.size() != 2 || !IsKeyId(words[0]) || !IsSecret(words[1])) {
      return absl::InvalidArgumentError(absl::StrCat(
          "token keys, line ", number,
          ": want \"ID SECRET\", ID of 1 to 32 letters, digits, '-' or '_', SECRET of 64 "
          "hexadecimal digits"));
    }
    const std::string id(words[0]);
    const std::string secret = absl::HexStringToBytes(words[1]);
    if (std::set<char>(secret.begin(), secret.end()).size() < kLeastDistinctBytes) {
      return absl::InvalidArgumentError(absl::StrCat("token keys, line ", number,
                                                     ": the secret of \"", id,
                                                     "\" is weak; want 32 random bytes"));
    }
    if (!keys.secrets_.emplace(id, secret).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("token keys, line ", number, ": id \"", id, "\" is there twice"));
    }
    if (keys.active_.empty()) keys.active_ = absl::StrCat(id, kBound);
  }
  if (keys.secrets_.empty()) return absl::InvalidArgumentError("token keys: no key in the file");
  return keys;
}

std::string TokenKeys::Generate() {
  std::string random(4 + kSecretBytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(random.data()),
                 static_cast<int>(random.size())) != 1) {
    abort();
  }
  return absl::StrCat("k", absl::BytesToHexString(random.substr(0, 4)), " ",
                      absl::BytesToHexString(random.substr(4)), "\n");
}

void TokenKeys::UnbindNewTokens() { active_ = std::string(absl::StripSuffix(active_, kBound)); }

bool TokenKeys::IsBound(absl::string_view key_name) { return absl::EndsWith(key_name, kBound); }

absl::StatusOr<std::string> TokenKeys::Derive(absl::string_view key_name,
                                              const TokenSource& source) const {
  const auto key = secrets_.find(absl::StripSuffix(key_name, kBound));
  if (key == secrets_.end()) {
    return absl::NotFoundError(absl::StrCat("no token key has the id \"", key_name, "\""));
  }
  std::string token = TokenOf(key->second, TextOf(source, IsBound(key_name)));
  for (std::size_t at = kGroup; at < token.size(); at += kGroup + 1) token.insert(at, "-");
  return token;
}

TokenCheck TokenKeys::Check(absl::string_view typed, absl::string_view key_name,
                            const TokenSource& source) const {
  const absl::StatusOr<std::string> token = Derive(key_name, source);
  if (!token.ok()) return TokenCheck::kNoKey;
  return Same(Canonical(typed), Canonical(*token)) ? TokenCheck::kRight : TokenCheck::kWrong;
}

bool TokenKeys::IsSuperseded(absl::string_view typed, const TokenSource& latest,
                             const std::vector<std::string>& before) const {
  const std::string got = Canonical(typed);
  if (got.size() != kTokenCharacters) return false;
  const auto was_sent = [&](const TokenSource& source, bool bound) {
    const std::string text = TextOf(source, bound);
    return std::any_of(secrets_.begin(), secrets_.end(),
                       [&](const auto& key) { return Same(got, TokenOf(key.second, text)); });
  };
  // Bounded, because anybody may try tokens.
  const int64_t oldest = std::max<int64_t>(0, latest.generation - kSupersededGenerations);
  for (TokenSource source = latest; source.generation > oldest; --source.generation) {
    source.address = latest.address;
    if (was_sent(source, true)) return true;
    if (!source.change.is_nil() && was_sent(source, false)) return true;
    for (const std::string& address : before) {
      source.address = address;
      if (was_sent(source, true)) return true;
    }
  }
  return false;
}

}  // namespace contacts
