#ifndef CONTACTS_SERVER_AUTH_AUTHENTICATOR_H_
#define CONTACTS_SERVER_AUTH_AUTHENTICATOR_H_

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
#include "server/auth/caller_policy.h"
#include "server/auth/jwt.h"
#include "server/messages/forms.h"

namespace contacts::server {

// A call's metadata, as gRPC gives it.
using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

// The account and caller of a call, as its credentials prove them.
struct Caller {
  AccountId account;  // The acting account. Empty if the call names none.
  bool is_operator = false;
  bool is_observer = false;
  bool is_support = false;
  // Name of the caller, if it is not the acting account itself. Used in the log, and as the owner
  // of an operator's request ids. Never an account id.
  std::string name;
  // End of the session. A stream ends with it.
  absl::Time expires = absl::InfiniteFuture();
  // A stream also ends when this is gone, because the policy behind the caller was replaced.
  std::optional<std::weak_ptr<const CallerPolicy>> policy;

  // The name that the policy gives the caller. Empty for an account.
  std::string policy_name() const;
  bool PolicyIsCurrent() const { return !policy || !policy->expired(); }
};

// The callers that may call a method.
enum class Audience {
  kAccounts,   // Callers that act for an account.
  kOperators,  // Directory operators.
  kSupport,    // The support desk.
  kWatchers,   // Callers that act for an account, and observers.
};

// Makes the caller of a call. Implementations are thread safe and never block.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // `peer`: names of the connection's certificate. Returns UNAUTHENTICATED if credentials are
  // missing or do not verify, CALLER_NOT_ALLOWED if the call asks for more than they allow.
  virtual absl::StatusOr<Caller> Identify(const Metadata& metadata,
                                          const PeerNames& peer) const = 0;
};

// Believes the metadata contacts-account and contacts-caller. Only for loopback.
class DevelopmentAuthenticator : public Authenticator {
 public:
  explicit DevelopmentAuthenticator(AccountIdForm account_id);
  absl::StatusOr<Caller> Identify(const Metadata& metadata, const PeerNames& peer) const override;

 private:
  const AccountIdForm account_id_;
};

// Verifies the session token in the metadata authorization, "Bearer TOKEN". The account is the
// token's. contacts-account may repeat it. There are no operators and no observers.
class JwtAuthenticator : public Authenticator {
 public:
  using Clock = std::function<absl::Time()>;

  // `verifier` must outlive this object.
  JwtAuthenticator(const JwtVerifier* verifier, Clock clock);
  absl::StatusOr<Caller> Identify(const Metadata& metadata, const PeerNames& peer) const override;

 private:
  const JwtVerifier* const verifier_;
  const Clock clock_;
};

// Identifies the caller by the connection's client certificate and a policy, which also has the
// caller's roles. A front end names the acting account in contacts-account. With `sessions`, it
// sends its customer's session token instead.
class CertificateAuthenticator : public Authenticator {
 public:
  // `sessions` verifies customers' sessions and must outlive this object. Null: no session is
  // needed.
  CertificateAuthenticator(AccountIdForm account_id, const Authenticator* sessions);
  absl::StatusOr<Caller> Identify(const Metadata& metadata, const PeerNames& peer) const override;
  // Whether the policy lets this caller read the metrics.
  bool MayReadMetrics(const PeerNames& peer) const;
  // Replaces the policy, also for open connections. Before the first call, no caller may do
  // anything.
  void Replace(CallerPolicy policy);

 private:
  std::shared_ptr<const CallerPolicy> policy() const;
  absl::Status ReadActingAccount(const Metadata& metadata, const PeerNames& peer,
                                 Caller& caller) const;

  const AccountIdForm account_id_;
  const Authenticator* const sessions_;
  mutable std::mutex mutex_;
  std::shared_ptr<const CallerPolicy>
      policy_;  // Guarded by mutex_. The policy itself never changes.
};

// Returns CALLER_NOT_ALLOWED if `caller` may not call a method with this audience.
absl::Status Authorize(const Caller& caller, Audience audience);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_AUTH_AUTHENTICATOR_H_
