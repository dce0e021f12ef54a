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

// Public keys of a JSON Web Key Set (RFC 7517), and the strict readers that key sets and
// tokens share.
namespace contacts::server {

// The signature algorithms (RFC 7518, RFC 8037) there are: "ES256", "EdDSA" (Ed25519), "RS256".
const std::vector<std::string>& JwtAlgorithms();

// Decodes base64url in its one canonical form: no padding, no white space, no stray bits.
std::optional<std::string> DecodeBase64Url(absl::string_view text);

// Reads one JSON object. Nothing where it is malformed, nested more than 32 deep, or where an
// object in it has a name twice: two readers could take such text for two different things.
std::optional<nlohmann::json> ReadJsonObject(absl::string_view text);

// A public key and the one algorithm it is for. Immutable, so safe for any thread.
class VerificationKey {
 public:
  // `id` is empty for a key without "kid". `key` must be of the algorithm's type.
  VerificationKey(std::string id, std::string algorithm, std::shared_ptr<evp_pkey_st> key);

  const std::string& id() const { return id_; }
  const std::string& algorithm() const { return algorithm_; }
  // Tells whether `signature`, in the form of JWS, is this key's for `text`.
  bool Verifies(absl::string_view text, absl::string_view signature) const;

 private:
  std::string id_;
  std::string algorithm_;
  std::shared_ptr<evp_pkey_st> key_;
};

// Returns the keys of a key set that verify one of `algorithms`; passes over keys for
// another use or algorithm. INVALID_ARGUMENT, which names the key by its place, where the
// set is malformed, holds a private or a symmetric key, a broken key or RSA of less than 2048
// or more than 8192 bits, where its keys cannot be told apart by "kid", or none is left.
absl::StatusOr<std::vector<VerificationKey>> ReadJwks(absl::string_view text,
                                                      const std::vector<std::string>& algorithms);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_AUTH_JWKS_H_
