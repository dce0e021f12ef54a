#ifndef CONTACTS_CORE_ENGINE_SAVE_H_
#define CONTACTS_CORE_ENGINE_SAVE_H_

#include <vector>

#include "core/domain/model.h"
#include "core/engine/engine.h"
#include "core/mysql/session.h"
#include "core/workflow/change.h"

// Steps that several use cases share.
namespace contacts {

// The account or operator that acts. It owns the request id and causes the e-mails.
inline const std::string& ActorOf(const Call& call) {
  return call.account.empty() ? call.operator_name : call.account.text();
}

// Queues a transition's history and e-mails, with fresh ids.
void SaveEffects(Session& session, Transition& transition, absl::Time now);

// Queues e-mails, with fresh ids.
void SaveMails(Session& session, std::vector<OutboxMail>& mails, absl::Time now);

// Whether a change concerns `account`, so that the account may see it. `admins`: the present admins
// of its items' services.
bool Concerns(const ContactChange& change, const std::vector<AccountId>& admins,
              const AccountId& account);

// The change as `viewer` may see it at `now`. Only the validator sees its e-mail hint. Only the
// validator and the requester see send times.
ContactChange ViewOf(const ContactChange& change, const AccountId& viewer, absl::Time now);

struct TakenOut {
  std::vector<Service> services;  // The services that exist, locked.
  absl::Time now;                 // Read after they were locked.
};
// Withdraws items from pending changes, on services that an operator changes or removes. First
// locks these changes, then the services with their pending roles. Returns ABORTED if another
// change came in between: run it again.
absl::StatusOr<TakenOut> TakeOutOfPending(Session& session, const std::set<ServiceId>& ids,
                                          const std::function<bool(const ServiceRole&)>& concerned,
                                          ItemOutcome outcome,
                                          const std::function<absl::Time()>& clock);

// An upper bound of the size of a row in the contract's encoding, in bytes.
std::size_t MaxEncodedSize(const Service& service);
std::size_t MaxEncodedSize(const ContactChange& change);

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_SAVE_H_
