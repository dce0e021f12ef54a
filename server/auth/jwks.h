#ifndef CONTACTS_SERVER_AUTH_JWKS_H_
#define CONTACTS_SERVER_AUTH_JWKS_H_

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct evp_pkey_st;

// Public keys of a JSON Web Key Set (RFC 7517), and the strict readers for key sets and tokens.
namespace contacts::server {

// The supported signature algorithms (RFC 7518, RFC 8037): "ES256", "EdDSA" (Ed25519), "RS256".
const std::vector<std::string>& JwtAlgorithms();

// Decodes base64url in its one canonical form: no padding, no white space, no stray bits.
std::optional<std::string> DecodeBase64Url(absl::string_view text);

// Reads one JSON object. Returns nothing if the text is malformed, nested more than 32 deep, or has
// an object with a name twice or a byte order mark: two readers could understand such text
// differently.
std::optional<nlohmann::json> ReadJsonObject(absl::string_view text);

// A public key with its algorithm. Immutable and thread safe.
class VerificationKey {
 public:
  // `id` is empty for a key without "kid". `key` must have the algorithm's type.
  VerificationKey(std::string id, std::string algorithm, std::shared_ptr<evp_pkey_st> key);

  const std::string& id() const { return id_; }
  const std::string& algorithm() const { return algorithm_; }
  // Whether `signature`, in the form of JWS, is this key's signature of `text`.
  bool Verifies(absl::string_view text, absl::string_view signature) const;

 private:
  std::string id_;
  std::string algorithm_;
  std::shared_ptr<evp_pkey_st> key_;
};

// Returns the keys of a key set that verify one of `algorithms`. Ignores keys for another use or
// algorithm. Returns INVALID_ARGUMENT, with the position of the key, if the set is malformed, has a
// private or symmetric key, a broken key, or RSA below 2048 or above 8192 bits, if two keys have
// the same "kid", or if no key remains.
absl::StatusOr<std::vector<VerificationKey>> ReadJwks(absl::string_view text,
                                                      const std::vector<std::string>& algorithms);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_AUTH_JWKS_H_
