#ifndef CONTACTS_CORE_WORKFLOW_CHANGE_H_
#define CONTACTS_CORE_WORKFLOW_CHANGE_H_

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "core/domain/change_event.h"
#include "core/domain/contact_change.h"
#include "core/domain/contact_move.h"
#include "core/domain/outbox_mail.h"
#include "core/domain/quota.h"
#include "core/domain/role.h"
#include "core/domain/settings.h"
#include "core/domain/token.h"
#include "core/workflow/assignments.h"

// The contact change's state machine: state + command + time -> new state and effects. Pure
// functions of their arguments.
namespace contacts {

// The effects of a command. The change itself was updated in place.
struct Transition {
  absl::Status status;              // The status for the caller.
  bool save = false;                // Whether to commit, also if the status is an error.
  bool items_changed = false;       // Whether an open change has items with other outcomes.
  std::vector<ChangeEvent> events;  // Without ids; ordinals are set.
  std::vector<OutboxMail> mails;    // Without ids.

  // Adds the effects of another command.
  void Add(Transition&& other);
};

// Returns the state at `now`. An open change past its deadline is EXPIRED, whether or not it has
// been marked.
ChangeState StateAt(ChangeState state, absl::Time expire_time, absl::Time now);
ChangeState StateAt(const ContactChange& change, absl::Time now);

// Returns the change as a read at `now` shows it.
ContactChange Presented(ContactChange change, absl::Time now);

// Adds the event REQUESTED and the first validation e-mails. The change must have its id.
Transition Request(ContactChange& change, absl::Time now);

// Facts from the database when the last acceptance is about to take effect.
struct EffectFacts {
  ServiceMap services;                     // The services that still exist, locked.
  absl::flat_hash_set<AccountId> overdue;  // Accounts with overdue payments.
  std::vector<GivenRole> given_by_batch;   // By other changes of the batch.
};

// Whether an acceptance by `account` would be the last one needed.
bool WouldComplete(const ContactChange& change, const AccountId& account);

// Whether an answer by `account` depends on its token: none of the errors before TOKEN_INVALID
// comes first.
bool AwaitsToken(const ContactChange& change, const AccountId& account, absl::Time now,
                 const Settings& settings);

// Errors in this order: CHANGE_CLOSED, ALREADY_VALIDATED, TOKEN_LOCKED,
// UNAVAILABLE (without the token's key; nothing is recorded), TOKEN_INVALID (counted and recorded,
// unless the token is superseded), BILLING_OVERDUE (nothing is recorded). `facts` are read only if
// WouldComplete.
Transition Accept(ContactChange& change, const AccountId& account, TokenCheck token,
                  const EffectFacts& facts, absl::Time now, const Settings& settings);

// The errors of Accept without BILLING_OVERDUE.
Transition Refuse(ContactChange& change, const AccountId& account, TokenCheck token,
                  const std::string& reason, absl::Time now, const Settings& settings);

// When `actor` (empty: the support desk) may ask for another e-mail to `validator` at the earliest.
// In the past if it may now. Nothing if waiting does not help: see the other errors of Resend.
std::optional<absl::Time> ResendTime(const ContactChange& change, const AccountId& actor,
                                     const AccountId& validator, absl::Time now,
                                     const Settings& settings);

// `mails`: e-mails that the actor has caused to the validator. Read only if they differ.
// Errors: CALLER_NOT_ALLOWED, CHANGE_CLOSED, ALREADY_VALIDATED, RESEND_TOO_SOON.
Transition Resend(ContactChange& change, const AccountId& actor, const AccountId& validator,
                  const std::string& token_key_id, const QuotaWindow& mails, absl::Time now,
                  const Settings& settings);

// Resend by the support desk, for either validator. Errors: CALLER_NOT_ALLOWED (no validator),
// CHANGE_CLOSED, ALREADY_VALIDATED, RESEND_TOO_SOON.
Transition ResendFor(ContactChange& change, const AccountId& validator, const std::string& staff,
                     const std::string& token_key_id, absl::Time now, const Settings& settings);

// Aborts an open change for the support desk, with the reason that both parties are told. Error:
// CHANGE_CLOSED.
Transition Abort(ContactChange& change, const std::string& staff, const std::string& reason,
                 absl::Time now);

// Cancels all of a change for its requester. For another account, withdraws the pending items on
// services of which it is admin; a change that loses its last pending item so is CANCELLED.
// `admins`: the present admins of the items' services, in the order of the items. Errors:
// ROLE_NOT_ALLOWED, CHANGE_CLOSED.
Transition Cancel(ContactChange& change, const AccountId& actor,
                  const std::vector<AccountId>& admins, absl::Time now);

// Expires an open change that is past its deadline, or else sends its reminder if that is due.
// Never fails.
Transition ExpireOrRemind(ContactChange& change, absl::Time now);

// Removes the pending items that are `concerned` from an open change, with `outcome`, as the
// operator `staff` changes their services. A change that loses its last pending item is ABORTED.
// Never fails.
Transition RemoveItems(ContactChange& change,
                       const std::function<bool(const ChangeItem&)>& concerned, ItemOutcome outcome,
                       absl::Time now, const std::string& staff = "");

// Closes an open change of an account that `staff` deletes, its requester or new contact. It is
// ABORTED, and the other party is told. Past its deadline it is EXPIRED. Never fails.
Transition AbortForDeletedAccount(ContactChange& change, const AccountId& account,
                                  const std::string& staff, absl::Time now);

// Records that a validation e-mail was handed to the mail server (VALIDATION_SENT) or was given up
// (VALIDATION_UNDELIVERABLE). `hint`: its masked address, which the validation keeps if no later
// e-mail was asked for. `answer`: what the mail server said, or why it was given up; for the
// support desk, without a whole address.
void RecordDelivery(Transition& transition, ContactChange& change, const OutboxMail& mail,
                    const std::string& hint, EventType event, const std::string& answer,
                    absl::Time now);

}  // namespace contacts

#endif  // CONTACTS_CORE_WORKFLOW_CHANGE_H_
