#ifndef CONTACTS_CORE_ENGINE_PROFILES_H_
#define CONTACTS_CORE_ENGINE_PROFILES_H_

#include <string>

#include "absl/status/statusor.h"
#include "core/domain/account.h"
#include "core/domain/service.h"
#include "core/engine/call.h"
#include "core/workflow/profile.h"

namespace contacts {

// The data of one account, and of the owner of one service. Thread safe; calls block on the
// database. Those that write also return the errors of MutateOnce.
class Profiles {
 public:
  // `context` must outlive this object.
  explicit Profiles(const EngineContext* context) : context_(*context) {}

  // The acting account. Returns ACCOUNT_NOT_FOUND if it does not exist.
  absl::StatusOr<Account> GetProfile(const Call& call);
  // For an operator. Returns ACCOUNT_NOT_FOUND if it does not exist.
  absl::StatusOr<Account> GetAccount(const Call& call, const AccountId& id);
  // Updates an account, for itself or for an operator. The address before is told of a new one.
  // Returns ACCOUNT_NOT_FOUND, ETAG_MISMATCH, or QUOTA_EXCEEDED if an account changes its own
  // address too often.
  absl::StatusOr<std::string> UpdateAccount(const Call& call, const ProfileUpdate& update,
                                            const Encode<Account>& encode);
  // Returns SERVICE_NOT_FOUND if the acting account has no role on the service, ROLE_NOT_ALLOWED
  // if it is not the admin, or ETAG_MISMATCH.
  absl::StatusOr<std::string> UpdateServiceOwner(const Call& call, const OwnerUpdate& update,
                                                 const Encode<Service>& encode);

 private:
  const EngineContext& context_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_PROFILES_H_
