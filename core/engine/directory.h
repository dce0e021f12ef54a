#ifndef CONTACTS_CORE_ENGINE_DIRECTORY_H_
#define CONTACTS_CORE_ENGINE_DIRECTORY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/domain/account.h"
#include "core/domain/role.h"
#include "core/domain/service.h"
#include "core/engine/call.h"

namespace contacts {

struct OverrideAsk {
  std::vector<Assignment> assignments;  // Each (service, role) once.
  std::string reason;
};

// Changes of single accounts and services by operators. Thread safe; calls block on the database.
// Those that write also return the errors of MutateOnce.
class Directory {
 public:
  // `context` must outlive this object.
  explicit Directory(const EngineContext* context) : context_(*context) {}

  // Returns ALREADY_EXISTS if the id is in use.
  absl::StatusOr<std::string> CreateAccount(const Call& call, const Account& account,
                                            const Encode<Account>& encode);
  // Deletes an account that holds no role. Its pending changes are aborted and the other party is
  // told; its address, language, kept replies and owed e-mails are erased. Returns
  // ACCOUNT_NOT_FOUND, or ACCOUNT_IN_USE with up to 20 of its services.
  absl::StatusOr<std::string> DeleteAccount(const Call& call, const AccountId& id,
                                            const Encode<AccountId>& encode);
  // Returns ALREADY_EXISTS if the id is in use, or ACCOUNT_NOT_FOUND for the first contact that
  // does not exist.
  absl::StatusOr<std::string> CreateService(const Call& call, const Service& service,
                                            const Encode<Service>& encode);
  // Returns SERVICE_NOT_FOUND if it does not exist.
  absl::StatusOr<Service> LookupService(const Call& call, const ServiceId& id);
  // Removes a service, and its items from pending changes. Returns SERVICE_NOT_FOUND, or
  // UNAVAILABLE if other changes keep coming in between.
  absl::StatusOr<std::string> DeleteService(const Call& call, const ServiceId& id,
                                            const Encode<Service>& encode);
  // Moves roles without validations, removes them from pending changes, and tells the
  // accounts concerned. Returns the errors of CheckOverride in core/workflow, or UNAVAILABLE if
  // other changes keep coming in between.
  absl::StatusOr<std::string> OverrideContacts(const Call& call, const OverrideAsk& ask,
                                               const Encode<std::vector<Service>>& encode);

 private:
  const EngineContext& context_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_DIRECTORY_H_
