#ifndef CONTACTS_SERVER_IDENTITY_H_
#define CONTACTS_SERVER_IDENTITY_H_

#include <grpcpp/support/string_ref.h>

#include <functional>
#include <map>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/domain/ids.h"
#include "server/forms.h"
#include "server/jwt.h"

namespace contacts::server {

// A call's metadata, as gRPC gives it.
using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

// Who calls, as far as its credentials tell.
struct Identity {
  AccountId account;  // The acting account; empty where none is named.
  bool is_operator = false;
  bool is_observer = false;
  // A stream ends then: the session that it was opened in does.
  absl::Time expires = absl::InfiniteFuture();
};

// Who may call a method.
enum class Audience {
  kAccounts,   // Anyone that acts for an account.
  kOperators,  // Directory operators.
  kWatchers,   // Anyone that acts for an account, and observers.
};

// Tells who calls. Implementations are safe for any thread and never block.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // UNAUTHENTICATED where there are no credentials, or none that verify.
  virtual absl::StatusOr<Identity> Identify(const Metadata& metadata) const = 0;
};

// Believes the metadata contacts-account and contacts-caller. For loopback alone.
class DevelopmentAuthenticator : public Authenticator {
 public:
  explicit DevelopmentAuthenticator(AccountIdForm account_id);
  absl::StatusOr<Identity> Identify(const Metadata& metadata) const override;

 private:
  const AccountIdForm account_id_;
};

// Believes the session token in the metadata authorization, "Bearer TOKEN". The account is the
// token's; contacts-account may repeat it. There are no operators and no observers.
class JwtAuthenticator : public Authenticator {
 public:
  using Clock = std::function<absl::Time()>;

  // `verifier` must outlive it.
  JwtAuthenticator(const JwtVerifier* verifier, Clock clock);
  // CALLER_NOT_ALLOWED where the metadata asks for more than the token gives.
  absl::StatusOr<Identity> Identify(const Metadata& metadata) const override;

 private:
  const JwtVerifier* const verifier_;
  const Clock clock_;
};

// CALLER_NOT_ALLOWED where `identity` is not of the method's audience.
absl::Status Authorize(const Identity& identity, Audience audience);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_IDENTITY_H_
