#ifndef CONTACTS_TESTS_TESTING_BEARER_TOKENS_H_
#define CONTACTS_TESTS_TESTING_BEARER_TOKENS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

struct evp_pkey_st;

// An issuer of customers' session tokens, and an attacker's forgeries. Uses only OpenSSL and
// text, so that it shares no code with the verifier that it tests.
namespace contacts::testing {

// Base64url without padding.
std::string Base64Url(absl::string_view bytes);

// A fresh key pair. An empty `id` gives a JWK and tokens without "kid".
class IssuerKey {
 public:
  static IssuerKey Es256(std::string id);
  static IssuerKey EdDsa(std::string id);
  static IssuerKey Rs256(std::string id, int bits = 2048);

  const std::string& id() const { return id_; }
  // The public key as a JWK. `more` is inserted as it is, such as R"(,"use":"sig")".
  std::string Jwk(absl::string_view more = "") const;
  // The public key as PEM. An attack by key confusion uses it as a secret.
  std::string Pem() const;
  std::string Header() const;
  // "Header.payload.signature", for any texts.
  std::string Sign(absl::string_view header, absl::string_view payload) const;
  std::string Sign(absl::string_view payload) const { return Sign(Header(), payload); }
  // The signature in the form of JWS, or, for ES256, in OpenSSL's.
  std::string Signature(absl::string_view text, bool der = false) const;

 private:
  IssuerKey(std::string id, std::string algorithm, evp_pkey_st* key);

  std::string id_;
  std::string algorithm_;
  std::shared_ptr<evp_pkey_st> key_;
};

std::string Jwks(const std::vector<std::string>& jwks);

// Valid claims for an account: issuer "https://login.example", audience
// "contacts", issued at `now`, valid for 10 minutes.
std::string SessionClaims(absl::string_view account, absl::Time now, absl::string_view more = "");

}  // namespace contacts::testing

#endif  // CONTACTS_TESTS_TESTING_BEARER_TOKENS_H_
