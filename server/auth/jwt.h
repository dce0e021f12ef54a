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

// Requirements on a bearer token.
struct JwtOptions {
  std::string issuer;                 // Value of "iss".
  std::string audience;               // Value of "aud", or one of its entries.
  std::string account_claim = "sub";  // Claim with the account's id.
  std::vector<std::string> algorithms = JwtAlgorithms();
  absl::Duration skew = absl::Seconds(30);        // Between the issuer's clock and this host's.
  absl::Duration max_lifetime = absl::Hours(24);  // From "iat", or else from now, until "exp".
};

// A verified session.
struct JwtSession {
  AccountId account;   // The account that it acts for.
  absl::Time expires;  // The token is rejected from then on.
};

// Verifies the bearer tokens of customers' sessions: JSON Web Tokens (RFC 7519) in JWS's
// compact form, as RFC 8725 recommends. The key determines the algorithm, and the token must agree.
// Thread safe. A verification takes a lock only to copy a pointer.
class JwtVerifier {
 public:
  static constexpr std::size_t kMaxTokenSize = 8 * 1024;  // Bytes.
  static constexpr absl::Duration kMaxSkew = absl::Minutes(5);

  // Has no keys at first, so rejects every token.
  JwtVerifier(JwtOptions options, AccountIdForm account_id);

  // Replaces the keys by those of a JWKS file's text. Returns their number. Returns
  // INVALID_ARGUMENT and keeps the old keys if ReadJwks rejects the text.
  absl::StatusOr<std::size_t> ReplaceKeys(absl::string_view jwks);

  // Returns the session of `token` at `now`. Returns UNAUTHENTICATED, without any part of the
  // token, if the token is not valid.
  absl::StatusOr<JwtSession> Verify(absl::string_view token, absl::Time now) const;

 private:
  using Keys = std::vector<VerificationKey>;

  std::shared_ptr<const Keys> keys() const;

  const JwtOptions options_;
  const AccountIdForm account_id_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Keys> keys_;  // Guarded by mutex_. The keys themselves never change.
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_AUTH_JWT_H_
