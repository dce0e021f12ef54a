#ifndef CONTACTS_CORE_ENGINE_PROFILES_H_
#define CONTACTS_CORE_ENGINE_PROFILES_H_

#include <cstdint>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "core/domain/account.h"
#include "core/domain/service.h"
#include "core/domain/token.h"
#include "core/engine/call.h"
#include "core/engine/missing_keys.h"
#include "core/mysql/session.h"
#include "core/workflow/assignments.h"
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
  // The accounts of `ids` that exist. Returns the errors of Database::Read.
  absl::StatusOr<AccountMap> FindAccounts(const CallLimits& limits, const std::set<AccountId>& ids);
  // Updates an account, for itself or for an operator. A new address of an account itself becomes
  // its pending one, unless Settings::email_confirmation is zero; an operator's is in use at once.
  // Returns ACCOUNT_NOT_FOUND, ETAG_MISMATCH, or QUOTA_EXCEEDED if an account asks for another
  // address too often.
  absl::StatusOr<std::string> UpdateAccount(const Call& call, const ProfileUpdate& update,
                                            const Encode<Account>& encode);
  // Puts the acting account's pending address in use. Returns ACCOUNT_NOT_FOUND, and the errors of
  // ConfirmEmail in core/workflow/profile.h.
  absl::StatusOr<std::string> ConfirmEmail(const Call& call, const std::string& token,
                                           const Encode<Account>& encode);
  // Returns SERVICE_NOT_FOUND if the acting account has no role on the service, ROLE_NOT_ALLOWED
  // if it is not the admin, or ETAG_MISMATCH.
  absl::StatusOr<std::string> UpdateServiceOwner(const Call& call, const OwnerUpdate& update,
                                                 const Encode<Service>& encode);

  // Number of confirmations whose token could not be checked, as this server's key file lacks its
  // key.
  int64_t confirmations_without_key() const { return missing_keys_.count(); }

 private:
  TokenCheck CheckToken(Session& session, const Account& account, const std::string& token) const;

  const EngineContext& context_;
  MissingKeys missing_keys_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_PROFILES_H_
