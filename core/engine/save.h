#ifndef CONTACTS_CORE_ENGINE_SAVE_H_
#define CONTACTS_CORE_ENGINE_SAVE_H_

#include <vector>

#include "core/domain/contact_change.h"
#include "core/domain/outbox_mail.h"
#include "core/domain/role.h"
#include "core/domain/service.h"
#include "core/engine/engine.h"
#include "core/mysql/session.h"
#include "core/workflow/change.h"

// Steps that several use cases share.
namespace contacts {

// The account or operator that acts: whose request ids and e-mails these are.
inline const std::string& ActorOf(const Call& call) {
  return call.account.empty() ? call.operator_name : call.account.text();
}

// Queues a transition's history and e-mails, with fresh ids.
void SaveEffects(Session& session, Transition& transition, absl::Time now);

// Queues e-mails, with fresh ids.
void SaveMails(Session& session, std::vector<OutboxMail>& mails, absl::Time now);

// Who sees what: tells whether a change concerns `account`; `admins` are the present
// admins of its items' services.
bool Concerns(const ContactChange& change, const std::vector<AccountId>& admins,
              const AccountId& account);

// The change as `viewer` may see it at `now`: e-mail hints are the validator's
// alone, send times the validator's and the requester's.
ContactChange ViewOf(const ContactChange& change, const AccountId& viewer, absl::Time now);

struct TakenOut {
  std::vector<Service> services;  // Those that exist, locked.
  absl::Time now;                 // Taken once they were locked.
};
// Takes (service, role)s out of the pending changes that hold them, on services
// that an operator changes or removes. First locks those changes, then the
// services with their pending roles. Returns ABORTED, to be run again, if another
// change came in between.
absl::StatusOr<TakenOut> TakeOutOfPending(Session& session, const std::set<ServiceId>& ids,
                                          const std::function<bool(const ServiceRole&)>& concerned,
                                          ItemOutcome outcome,
                                          const std::function<absl::Time()>& clock);

// An upper bound of what the contract's encoding of a row has in bytes.
std::size_t MaxEncodedSize(const Service& service);
std::size_t MaxEncodedSize(const ContactChange& change);

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_SAVE_H_
