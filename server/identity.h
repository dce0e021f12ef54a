#ifndef CONTACTS_SERVER_IDENTITY_H_
#define CONTACTS_SERVER_IDENTITY_H_

#include <grpcpp/support/string_ref.h>

#include <map>

#include "absl/status/statusor.h"
#include "core/domain/ids.h"
#include "server/forms.h"

namespace contacts::server {

// A call's metadata, as gRPC gives it.
using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

// Who calls, as far as its credentials tell.
struct Identity {
  AccountId account;  // The acting account; empty where none is named.
  bool is_operator = false;
  bool is_observer = false;
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

// CALLER_NOT_ALLOWED where `identity` is not of the method's audience.
absl::Status Authorize(const Identity& identity, Audience audience);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_IDENTITY_H_
