#ifndef CONTACTS_SERVER_AUTH_JWT_H_
#define CONTACTS_SERVER_AUTH_JWT_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/domain/ids.h"
#include "server/auth/jwks.h"
#include "server/messages/forms.h"

namespace contacts::server {

// What a bearer token must say.
struct JwtOptions {
  std::string issuer;                 // "iss", exactly.
  std::string audience;               // "aud", or one of its entries.
  std::string account_claim = "sub";  // Holds the account's id.
  std::vector<std::string> algorithms = JwtAlgorithms();
  absl::Duration skew = absl::Seconds(30);        // Between the issuer's clock and ours.
  absl::Duration max_lifetime = absl::Hours(24);  // From "iat", or else from now, to "exp".
};

// What a bearer token proves.
struct JwtSession {
  AccountId account;   // That it acts for.
  absl::Time expires;  // From then on it is refused.
};

// Verifies the bearer tokens of customers' sessions: JSON Web Tokens (RFC 7519) in JWS's
// compact form, as RFC 8725 recommends. The key tells the algorithm, a token only agrees.
// Safe for any thread; a verification takes no lock but to copy a pointer.
class JwtVerifier {
 public:
  static constexpr std::size_t kMaxTokenSize = 8 * 1024;  // Bytes.
  static constexpr absl::Duration kMaxSkew = absl::Minutes(5);

  // Has no keys, so refuses every token until it is given some.
  JwtVerifier(JwtOptions options, AccountIdForm account_id);

  // Takes the keys of a JWKS file's text in place of those before. INVALID_ARGUMENT, and
  // the keys before are kept, where ReadJwks refuses it. Returns how many there are.
  absl::StatusOr<std::size_t> ReplaceKeys(absl::string_view jwks);

  // Returns what `token` proves at `now`. UNAUTHENTICATED, without any part of the token, where
  // it is not one to believe.
  absl::StatusOr<JwtSession> Verify(absl::string_view token, absl::Time now) const;

 private:
  using Keys = std::vector<VerificationKey>;

  std::shared_ptr<const Keys> keys() const;

  const JwtOptions options_;
  const AccountIdForm account_id_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Keys> keys_;  // Guarded by mutex_; what it points to never changes.
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_AUTH_JWT_H_
