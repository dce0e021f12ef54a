#ifndef CONTACTS_SERVER_AUTH_IDENTITY_H_
#define CONTACTS_SERVER_AUTH_IDENTITY_H_

#include <grpcpp/support/string_ref.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/domain/ids.h"
#include "server/auth/jwt.h"
#include "server/auth/policy.h"
#include "server/messages/forms.h"

namespace contacts::server {

// A call's metadata, as gRPC gives it.
using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

// Who calls, as far as its credentials tell.
struct Identity {
  AccountId account;  // The acting account; empty where none is named.
  bool is_operator = false;
  bool is_observer = false;
  // Name of who calls, where that is not the acting account itself: in the log, and whose
  // request ids an operator's are. Never an account's id.
  std::string caller;
  // A stream ends then: the session that it was opened in does.
  absl::Time expires = absl::InfiniteFuture();
  // And when this is gone: the policy that judged who calls was replaced.
  std::optional<std::weak_ptr<const Policy>> policy;

  bool Stands() const { return !policy || !policy->expired(); }
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
  // `peer` is the connection's. UNAUTHENTICATED where there are no credentials, or none that
  // verify; CALLER_NOT_ALLOWED where they ask for more than they give.
  virtual absl::StatusOr<Identity> Identify(const Metadata& metadata,
                                            const PeerNames& peer) const = 0;
};

// Believes the metadata contacts-account and contacts-caller. For loopback alone.
class DevelopmentAuthenticator : public Authenticator {
 public:
  explicit DevelopmentAuthenticator(AccountIdForm account_id);
  absl::StatusOr<Identity> Identify(const Metadata& metadata, const PeerNames& peer) const override;

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
  absl::StatusOr<Identity> Identify(const Metadata& metadata, const PeerNames& peer) const override;

 private:
  const JwtVerifier* const verifier_;
  const Clock clock_;
};

// Believes the connection's client certificate; a policy says whose it is and what that caller
// may be. A front end names the acting account in contacts-account or, where sessions are
// wanted, brings its customer's.
class CertificateAuthenticator : public Authenticator {
 public:
  // `sessions` verifies customers' sessions and must outlive it; null: none are wanted.
  CertificateAuthenticator(AccountIdForm account_id, const Authenticator* sessions);
  absl::StatusOr<Identity> Identify(const Metadata& metadata, const PeerNames& peer) const override;
  // Whether the policy lets this caller read the metrics.
  bool MayReadMetrics(const PeerNames& peer) const;
  // In place of the policy before, also for connections that are open. At first nobody may
  // anything.
  void Replace(Policy policy);

 private:
  std::shared_ptr<const Policy> policy() const;
  absl::Status TakeAccount(const Metadata& metadata, const PeerNames& peer,
                           Identity& identity) const;

  const AccountIdForm account_id_;
  const Authenticator* const sessions_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Policy> policy_;  // Guarded by mutex_; what it points to never changes.
};

// CALLER_NOT_ALLOWED where `identity` is not of the method's audience.
absl::Status Authorize(const Identity& identity, Audience audience);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_AUTH_IDENTITY_H_
