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

// Result of checking a typed token.
enum class TokenCheck { kRight, kWrong, kNoKey };

// Returns the letters and digits of `typed`. A token that is copied out of an e-mail may have
// quotes, dots, brackets, hyphens, white space or line breaks around or in it.
std::string TokenCharacters(absl::string_view typed);

// The secret keys that validation tokens are derived from. A token is
// HMAC-SHA-256, cut to 130 bits, of the change, the validator and the
// generation; it is written in Crockford's base 32, in groups of five
// characters with hyphens between. Immutable and thread safe.
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

  const std::string& active_id() const { return active_id_; }

  // Derives a token. Returns NOT_FOUND if there is no key `key_id`.
  absl::StatusOr<std::string> Derive(absl::string_view key_id, const Uuid& change,
                                     const AccountId& validator, int64_t generation) const;

  // Compares `typed` with that token in constant time. Returns kNoKey if there is no key `key_id`.
  // Only TokenCharacters() count, and not their case. O is read as 0, I and L as 1.
  TokenCheck Check(absl::string_view typed, absl::string_view key_id, const Uuid& change,
                   const AccountId& validator, int64_t generation) const;

 private:
  std::string active_id_;
  absl::flat_hash_map<std::string, std::string> secrets_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_TOKEN_H_
