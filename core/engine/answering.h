#ifndef CONTACTS_CORE_ENGINE_ANSWERING_H_
#define CONTACTS_CORE_ENGINE_ANSWERING_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/domain/contact_change.h"
#include "core/domain/token.h"
#include "core/engine/call.h"
#include "core/engine/missing_keys.h"
#include "core/mysql/session.h"
#include "core/workflow/change.h"

namespace contacts {

// The answers to one contact change: accept, refuse, resend, cancel. Each returns the encoded
// change as the acting account sees it. All return CONTACT_CHANGE_NOT_FOUND if there is no such
// change or it does not concern the acting account, ACCOUNT_NOT_FOUND if that account does not
// exist, and the errors of MutateOnce. Thread safe; calls block on the database.
class Answering {
 public:
  // `context` must outlive this object.
  explicit Answering(const EngineContext* context) : context_(*context) {}

  // Also the errors of Accept in core/workflow/change.h.
  absl::StatusOr<std::string> AcceptContactChange(const Call& call, const Uuid& id,
                                                  const std::string& token,
                                                  const Encode<ContactChange>& encode);
  // Also the errors of Refuse in core/workflow/change.h. `reason` may be empty.
  absl::StatusOr<std::string> RefuseContactChange(const Call& call, const Uuid& id,
                                                  const std::string& token,
                                                  const std::string& reason,
                                                  const Encode<ContactChange>& encode);
  // Sends `validator` its validation e-mail again; an empty `validator` means the acting account.
  // Also the errors of Resend in core/workflow/change.h.
  absl::StatusOr<std::string> ResendValidation(const Call& call, const Uuid& id,
                                               const AccountId& validator,
                                               const Encode<ContactChange>& encode);
  // Also the errors of Cancel in core/workflow/change.h.
  absl::StatusOr<std::string> CancelContactChange(const Call& call, const Uuid& id,
                                                  const Encode<ContactChange>& encode);

  // Number of answers whose token could not be checked, as this server's key file lacks its key.
  int64_t answers_without_key() const { return missing_keys_.count(); }

 private:
  // Checks the token of an answer by `account`, whose address is `email`.
  TokenCheck CheckToken(Session& session, const ContactChange& change, const AccountId& account,
                        const std::string& email, const std::string& token) const;

  const EngineContext& context_;
  MissingKeys missing_keys_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_ANSWERING_H_
