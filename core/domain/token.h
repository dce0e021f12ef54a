#ifndef CONTACTS_CORE_DOMAIN_TOKEN_H_
#define CONTACTS_CORE_DOMAIN_TOKEN_H_

#include <cstdint>
#include <string>
#include <vector>
#include "absl/strings/string_view.h"

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "core/domain/ids.h"

namespace contacts {

// Result of checking a typed token. kSuperseded: it is that of an earlier e-mail, or went to an
// address that is no longer the account's.
enum class TokenCheck { kRight, kWrong, kSuperseded, kNoKey };

// Stands for an account's e-mail address in what a token is derived from, and in the table of
// addresses that accounts had before: 32 bytes.
std::string AddressDigest(const AccountId& account, absl::string_view address);

// Source of a token, beside its key.
struct TokenSource {
  Uuid change;          // The contact change that it answers. Nil: it confirms the address.
  AccountId account;    // The only account that it serves.
  int64_t generation;   // Raised with each e-mail that is asked for.
  std::string address;  // AddressDigest of the address that it goes to.
};

// Returns the letters and digits of `typed`. A token that is copied out of an e-mail may have
// quotes, dots, brackets, hyphens, white space or line breaks around or in it.
std::string TokenCharacters(absl::string_view typed);

// The secret keys that tokens are derived from. A token is HMAC-SHA-256, cut to 130 bits, of its
// source; it is written in Crockford's base 32, in groups of five characters with hyphens between.
// Immutable and thread safe.
//
// A token is stored as the name of its key: the key's id, and "/address" if the token is bound to
// the address that it went to. Servers of a time before that have no key with such a name, so they
// leave these tokens to others (UNAVAILABLE) and neither reject nor send them.
//
// File: one key a line, "ID SECRET", where ID is 1 to 32 letters, digits, '-' or
// '_' and SECRET is 64 hexadecimal digits (256 bits). Blank lines and lines that
// begin with '#' are skipped. New tokens use the first key. The other keys verify tokens that were
// sent before.
class TokenKeys {
 public:
  // Returns INVALID_ARGUMENT, with the number of the line but never its secret, for a malformed
  // file or a secret that was not drawn at random.
  static absl::StatusOr<TokenKeys> Parse(absl::string_view file);
  // Returns the text of a file with one fresh random key.
  static std::string Generate();

  // New tokens are not bound to an address, so that servers of a time before can check them.
  void UnbindNewTokens();

  // The key name that new tokens are stored with.
  const std::string& active() const { return active_; }

  // Whether tokens with this key name are bound to an address.
  static bool IsBound(absl::string_view key_name);

  // Derives a token. Returns NOT_FOUND if there is no such key.
  absl::StatusOr<std::string> Derive(absl::string_view key_name, const TokenSource& source) const;

  // Compares `typed` with that token in constant time: kRight, kWrong, or kNoKey if there is no
  // such key. Only TokenCharacters() count, and not their case. O is read as 0, I and L as 1.
  TokenCheck Check(absl::string_view typed, absl::string_view key_name,
                   const TokenSource& source) const;

  // Whether `typed` is a token that was sent before `latest`: of its generation or an earlier one,
  // to its address or one of `before` (AddressDigests), under any key. The cost grows with the
  // product of these numbers, 2 µs each.
  bool IsSuperseded(absl::string_view typed, const TokenSource& latest,
                    const std::vector<std::string>& before) const;

 private:
  std::string active_;
  absl::flat_hash_map<std::string, std::string> secrets_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_TOKEN_H_
