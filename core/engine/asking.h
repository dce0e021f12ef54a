#ifndef CONTACTS_CORE_ENGINE_ASKING_H_
#define CONTACTS_CORE_ENGINE_ASKING_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/domain/contact_change.h"
#include "core/domain/role.h"
#include "core/engine/call.h"

namespace contacts {

struct ChangeAsk {
  std::vector<Assignment> assignments;  // In request order; each (service, role) once.
  // Checks alone: nothing is locked or written, but the count of wrong accounts.
  bool validate_only = false;
};

// The use case that asks for contact changes. Thread safe; calls block on the database.
class Asking {
 public:
  // `context` must outlive this object.
  explicit Asking(const EngineContext* context) : context_(*context) {}

  // Makes one contact change for each new contact and returns them encoded. Returns
  // ACCOUNT_NOT_FOUND if the acting account does not exist or has no address, the errors of
  // CheckAssignments, TakeQuota and TakeWrongAccounts in core/workflow, and those of MutateOnce.
  absl::StatusOr<std::string> ChangeContacts(const Call& call, const ChangeAsk& ask,
                                             const Encode<std::vector<ContactChange>>& encode);

 private:
  const EngineContext& context_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_ASKING_H_
