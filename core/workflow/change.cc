#include "core/workflow/change.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/domain/errors.h"
#include "core/workflow/quota.h"

namespace contacts {
namespace {

constexpr absl::Duration kResendDay = absl::Hours(24);

void AddEvent(Transition& transition, ContactChange& change, EventType type, const AccountId& actor,
              const AccountId& account, absl::Time now) {
  transition.save = true;
  transition.events.push_back({.change_id = change.id,
                               .ordinal = ++change.event_count,
                               .type = type,
                               .actor = actor,
                               .account = account,
                               .time = now,
                               .state = change.state});
}

// The last event was done by the provider's staff.
void MarkStaff(Transition& transition, const std::string& staff) {
  transition.events.back().by_staff = true;
  transition.events.back().staff = staff;
}

// The cause of the e-mail is the actor of the last event, or the requester if time or an operator
// acted. Its sender is the actor, or the requester if time acted.
void AddMail(Transition& transition, const ContactChange& change, MailKind kind,
             const AccountId& recipient, absl::Time now, int64_t generation = 0) {
  transition.save = true;
  const bool acted = !transition.events.empty() && !transition.events.back().actor.empty();
  const bool in_time = kind == MailKind::kReminder || kind == MailKind::kExpired;
  const AccountId& cause = acted ? transition.events.back().actor : change.requester;
  const bool counts = (acted || in_time) && cause != recipient;
  transition.mails.push_back({.kind = kind,
                              .subject = change.id,
                              .recipient = recipient,
                              .generation = generation,
                              .cause = cause.text(),
                              .sender = counts ? cause : AccountId(),
                              .create_time = now});
}

// Tells the requester and the new contact, except the account that acted.
void TellParties(Transition& transition, const ContactChange& change, MailKind kind,
                 const AccountId& actor, absl::Time now) {
  if (change.requester != actor) AddMail(transition, change, kind, change.requester, now);
  if (change.new_contact != actor && change.new_contact != change.requester) {
    AddMail(transition, change, kind, change.new_contact, now);
  }
}

void Close(ContactChange& change, ChangeState state, absl::Time now) {
  change.state = state;
  change.close_time = now;
  change.remind_time.reset();
  for (ChangeItem& item : change.items) {
    if (item.outcome == ItemOutcome::kPending) item.outcome = ItemOutcome::kNotApplied;
  }
}

Transition Fail(absl::Status status) { return {.status = std::move(status)}; }

absl::Status CheckOpen(const ContactChange& change, absl::Time now) {
  const ChangeState state = StateAt(change, now);
  return state == ChangeState::kValidating ? absl::OkStatus() : errors::ChangeClosed(state);
}

// The checks of every answer. Counts a wrong token.
Transition CheckAnswer(ContactChange& change, const AccountId& account, TokenCheck token,
                       absl::Time now, const Settings& settings) {
  if (absl::Status open = CheckOpen(change, now); !open.ok()) return Fail(std::move(open));
  Validation* validation = change.FindValidation(account);
  if (validation == nullptr) return Fail(errors::TokenInvalid());
  if (validation->state != ValidationState::kPending) return Fail(errors::AlreadyValidated());
  if (validation->wrong_tokens >= settings.max_wrong_tokens) return Fail(errors::TokenLocked());
  if (token == TokenCheck::kNoKey) return Fail(errors::TokenKeyMissing());
  if (token == TokenCheck::kRight) return {};
  if (token == TokenCheck::kSuperseded) return Fail(errors::TokenInvalid(/*superseded=*/true));
  ++validation->wrong_tokens;
  Transition counted = Fail(errors::TokenInvalid());
  AddEvent(counted, change, EventType::kTokenRejected, account, account, now);
  return counted;
}

// Step 3 of taking effect: whether the requester has authority by its admin role or by the role
// itself. A role that another change of the batch took from the requester counts as long as that is
// the role's latest move: the changes of a batch do not take authority from each other. Each role
// is looked at by itself: a seller who is both admin and tech of a service, and sells both roles in
// one batch, keeps authority over the tech role by the tech role itself if the admin role moves
// again.
bool RequesterMayStillMove(const Service& service, const ContactChange& change, Role role,
                           const EffectFacts& facts) {
  const auto has = [&](Role own) {
    for (const GivenRole& given : facts.given_by_batch) {
      if (given.role.service != service.id || given.role.role != own) continue;
      return !given.moved_again && service.holder(own) == given.new_contact;
    }
    return service.holder(own) == change.requester;
  };
  return has(Role::kAdmin) || has(role);
}

ItemOutcome OutcomeOf(const ChangeItem& item, const ContactChange& change,
                      const EffectFacts& facts) {
  if (item.outcome != ItemOutcome::kPending) return item.outcome;
  const auto service = facts.services.find(item.service);
  if (service == facts.services.end()) return ItemOutcome::kSkippedServiceRemoved;
  if (service->second.holder(item.role) != item.old_contact) {
    return ItemOutcome::kSkippedContactChanged;
  }
  if (!RequesterMayStillMove(service->second, change, item.role, facts)) {
    return ItemOutcome::kSkippedAuthorityLost;
  }
  return ItemOutcome::kApplied;
}

std::vector<AccountId> OverdueAccounts(const ContactChange& change,
                                       const std::vector<ItemOutcome>& outcomes,
                                       const EffectFacts& facts, const Settings& settings) {
  std::set<AccountId> overdue;
  for (std::size_t i = 0; i < change.items.size(); ++i) {
    const ChangeItem& item = change.items[i];
    if (!NeedsStanding(item.role, settings.standing_for_every_role) ||
        outcomes[i] != ItemOutcome::kApplied) {
      continue;
    }
    for (const AccountId& id : {item.old_contact, change.new_contact}) {
      if (facts.overdue.contains(id)) overdue.insert(id);
    }
  }
  return {overdue.begin(), overdue.end()};
}

// Each validator's resends are counted by who asked, so that nobody uses up those of another.
const ResendUse& ResendUseOf(const Validation& validation, const AccountId& actor) {
  return actor == validation.account ? validation.own_resends : validation.other_resends;
}

bool BeginsResendDay(const ResendUse& use, absl::Time now) {
  return use.in_day == 0 || now >= use.day_start + kResendDay;
}

absl::Time EarliestResend(const ContactChange& change, const ResendUse& use, absl::Time now,
                          const Settings& settings) {
  // The first resend needs no wait: it is how a wrong address is corrected.
  if (use.in_day == 0) return change.create_time;
  absl::Time earliest = use.last_time + settings.resend_interval;
  if (!BeginsResendDay(use, now) && use.in_day >= settings.max_resends_per_day) {
    earliest = std::max(earliest, use.day_start + kResendDay);
  }
  return earliest;
}

// Sends a validation e-mail with a new token. Without an actor, the provider's staff asks for it.
// `mail_wait`: until the actor may cause another e-mail to the validator.
Transition SendAgain(ContactChange& change, const AccountId& actor, const std::string& staff,
                     const AccountId& validator, const std::string& token_key_id,
                     absl::Duration mail_wait, absl::Time now, const Settings& settings) {
  if (absl::Status open = CheckOpen(change, now); !open.ok()) return Fail(std::move(open));
  Validation* validation = change.FindValidation(validator);
  if (validation->state != ValidationState::kPending) return Fail(errors::AlreadyValidated());

  ResendUse use = ResendUseOf(*validation, actor);
  const absl::Time earliest = EarliestResend(change, use, now, settings);
  if (now < earliest) return Fail(errors::ResendTooSoon(earliest - now));
  if (mail_wait > absl::ZeroDuration()) return Fail(errors::ResendTooSoon(mail_wait));
  if (BeginsResendDay(use, now)) use = {.day_start = now};
  ++use.in_day;
  use.last_time = now;
  (actor == validator ? validation->own_resends : validation->other_resends) = use;
  ++validation->generation;
  validation->token_key_id = token_key_id;
  validation->wrong_tokens = 0;
  Transition transition;
  AddEvent(transition, change, EventType::kResendRequested, actor, validator, now);
  if (actor.empty()) MarkStaff(transition, staff);
  AddMail(transition, change, MailKind::kValidation, validator, now, validation->generation);
  return transition;
}

void TellOfEffect(Transition& transition, const ContactChange& change, absl::Time now) {
  AddMail(transition, change, MailKind::kDone, change.requester, now);
  if (change.new_contact != change.requester) {
    AddMail(transition, change, MailKind::kDone, change.new_contact, now);
  }
  std::set<AccountId> old_contacts;
  for (const ChangeItem& item : change.items) {
    if (item.outcome == ItemOutcome::kApplied) old_contacts.insert(item.old_contact);
  }
  for (const AccountId& account : old_contacts) {
    AddMail(transition, change, MailKind::kRolesLost, account, now);
  }
}

}  // namespace

void Transition::Add(Transition&& other) {
  save = save || other.save;
  std::move(other.events.begin(), other.events.end(), std::back_inserter(events));
  std::move(other.mails.begin(), other.mails.end(), std::back_inserter(mails));
}

bool AwaitsToken(const ContactChange& change, const AccountId& account, absl::Time now,
                 const Settings& settings) {
  const Validation* validation = change.FindValidation(account);
  return StateAt(change, now) == ChangeState::kValidating && validation != nullptr &&
         validation->state == ValidationState::kPending &&
         validation->wrong_tokens < settings.max_wrong_tokens;
}

ChangeState StateAt(ChangeState state, absl::Time expire_time, absl::Time now) {
  const bool over = state == ChangeState::kValidating && now >= expire_time;
  return over ? ChangeState::kExpired : state;
}

ChangeState StateAt(const ContactChange& change, absl::Time now) {
  return StateAt(change.state, change.expire_time, now);
}

ContactChange Presented(ContactChange change, absl::Time now) {
  if (change.open() && now >= change.expire_time) {
    Close(change, ChangeState::kExpired, change.expire_time);
  }
  return change;
}

Transition Request(ContactChange& change, absl::Time now) {
  Transition transition;
  AddEvent(transition, change, EventType::kRequested, change.requester, change.new_contact, now);
  for (const Validation& validation : change.validations) {
    AddMail(transition, change, MailKind::kValidation, validation.account, now,
            validation.generation);
  }
  return transition;
}

bool WouldComplete(const ContactChange& change, const AccountId& account) {
  return std::all_of(change.validations.begin(), change.validations.end(),
                     [&](const Validation& v) {
                       return v.account == account || v.state == ValidationState::kAccepted;
                     });
}

Transition Accept(ContactChange& change, const AccountId& account, TokenCheck token,
                  const EffectFacts& facts, absl::Time now, const Settings& settings) {
  Transition transition = CheckAnswer(change, account, token, now, settings);
  if (!transition.status.ok()) return transition;

  const bool completes = WouldComplete(change, account);
  std::vector<ItemOutcome> outcomes;
  if (completes) {
    for (const ChangeItem& item : change.items) {
      outcomes.push_back(OutcomeOf(item, change, facts));
    }
    const std::vector<AccountId> overdue = OverdueAccounts(change, outcomes, facts, settings);
    if (!overdue.empty()) return Fail(errors::BillingOverdue(overdue));
  }

  Validation& validation = *change.FindValidation(account);
  validation.state = ValidationState::kAccepted;
  validation.decide_time = now;
  AddEvent(transition, change, EventType::kAccepted, account, account, now);
  if (!completes) return transition;

  bool any_applied = false;
  for (std::size_t i = 0; i < change.items.size(); ++i) {
    change.items[i].outcome = outcomes[i];
    any_applied = any_applied || outcomes[i] == ItemOutcome::kApplied;
  }
  Close(change, any_applied ? ChangeState::kDone : ChangeState::kAborted, now);
  if (any_applied) {
    AddEvent(transition, change, EventType::kDone, account, change.new_contact, now);
    TellOfEffect(transition, change, now);
  } else {
    AddEvent(transition, change, EventType::kAborted, account, change.new_contact, now);
    TellParties(transition, change, MailKind::kAborted, account, now);
  }
  return transition;
}

Transition Refuse(ContactChange& change, const AccountId& account, TokenCheck token,
                  const std::string& reason, absl::Time now, const Settings& settings) {
  Transition transition = CheckAnswer(change, account, token, now, settings);
  if (!transition.status.ok()) return transition;

  Validation& validation = *change.FindValidation(account);
  validation.state = ValidationState::kRefused;
  validation.decide_time = now;
  validation.refuse_reason = reason;
  Close(change, ChangeState::kRefused, now);
  AddEvent(transition, change, EventType::kRefused, account, account, now);
  TellParties(transition, change, MailKind::kRefused, account, now);
  return transition;
}

std::optional<absl::Time> ResendTime(const ContactChange& change, const AccountId& actor,
                                     const AccountId& validator, absl::Time now,
                                     const Settings& settings) {
  const Validation* validation = change.FindValidation(validator);
  const bool may = actor.empty() || actor == validator || actor == change.requester;
  if (validation == nullptr || !may || validation->state != ValidationState::kPending ||
      !CheckOpen(change, now).ok()) {
    return std::nullopt;
  }
  return EarliestResend(change, ResendUseOf(*validation, actor), now, settings);
}

Transition Resend(ContactChange& change, const AccountId& actor, const AccountId& validator,
                  const std::string& token_key_id, const QuotaWindow& mails, absl::Time now,
                  const Settings& settings) {
  if (change.FindValidation(validator) == nullptr ||
      (actor != validator && actor != change.requester)) {
    return Fail(errors::CallerNotAllowed(
        "only the requester may ask for a validator's e-mail, and a validator for its own"));
  }
  const absl::Duration wait =
      actor == validator ? absl::ZeroDuration() : MailWait(mails, now, settings);
  return SendAgain(change, actor, "", validator, token_key_id, wait, now, settings);
}

Transition ResendFor(ContactChange& change, const AccountId& validator, const std::string& staff,
                     const std::string& token_key_id, absl::Time now, const Settings& settings) {
  if (change.FindValidation(validator) == nullptr) {
    return Fail(errors::CallerNotAllowed("that account is no validator of the contact change"));
  }
  return SendAgain(change, AccountId(), staff, validator, token_key_id, absl::ZeroDuration(), now,
                   settings);
}

Transition Abort(ContactChange& change, const std::string& staff, const std::string& reason,
                 absl::Time now) {
  if (absl::Status open = CheckOpen(change, now); !open.ok()) return Fail(std::move(open));
  Close(change, ChangeState::kAborted, now);
  change.abort_reason = reason;
  Transition transition;
  AddEvent(transition, change, EventType::kAborted, AccountId(), AccountId(), now);
  MarkStaff(transition, staff);
  TellParties(transition, change, MailKind::kAborted, AccountId(), now);
  return transition;
}

Transition Cancel(ContactChange& change, const AccountId& actor,
                  const std::vector<AccountId>& admins, absl::Time now) {
  const bool withdraws = actor != change.requester;
  // A closed change has no pending items. It is told as closed to the admin of any of them.
  const auto is_own = [&](std::size_t i) {
    return admins[i] == actor &&
           (!change.open() || change.items[i].outcome == ItemOutcome::kPending);
  };
  bool any_own = false;
  for (std::size_t i = 0; i < change.items.size(); ++i) any_own = any_own || is_own(i);
  if (withdraws && !any_own) {
    return Fail(errors::RoleNotAllowed(
        "only the requester may cancel the contact change, and the admin of a service withdraw the "
        "pending items on it"));
  }
  if (absl::Status open = CheckOpen(change, now); !open.ok()) return Fail(std::move(open));
  Transition transition;
  if (withdraws) {
    bool any_left = false;
    for (std::size_t i = 0; i < change.items.size(); ++i) {
      ChangeItem& item = change.items[i];
      if (is_own(i)) {
        item.outcome = ItemOutcome::kWithdrawn;
        item.withdrawn_by = actor;
      }
      any_left = any_left || item.outcome == ItemOutcome::kPending;
    }
    transition.items_changed = true;
    AddEvent(transition, change, EventType::kItemsWithdrawn, actor, AccountId(), now);
    if (any_left) {
      TellParties(transition, change, MailKind::kItemsWithdrawn, actor, now);
      return transition;
    }
  }
  Close(change, ChangeState::kCancelled, now);
  AddEvent(transition, change, EventType::kCancelled, actor, AccountId(), now);
  TellParties(transition, change, MailKind::kCancelled, actor, now);
  return transition;
}

Transition ExpireOrRemind(ContactChange& change, absl::Time now) {
  Transition transition;
  if (!change.open()) return transition;
  if (now >= change.expire_time) {
    Close(change, ChangeState::kExpired, change.expire_time);
    AddEvent(transition, change, EventType::kExpired, AccountId(), AccountId(), now);
    TellParties(transition, change, MailKind::kExpired, AccountId(), now);
  } else if (change.remind_time && now >= *change.remind_time) {
    change.remind_time.reset();
    transition.save = true;
    for (const Validation& validation : change.validations) {
      if (validation.state != ValidationState::kPending) continue;
      AddMail(transition, change, MailKind::kReminder, validation.account, now,
              validation.generation);
    }
  }
  return transition;
}

Transition RemoveItems(ContactChange& change,
                       const std::function<bool(const ChangeItem&)>& concerned, ItemOutcome outcome,
                       absl::Time now, const std::string& staff) {
  Transition transition;
  if (StateAt(change, now) != ChangeState::kValidating) return transition;
  bool any_left = false;
  for (ChangeItem& item : change.items) {
    if (item.outcome != ItemOutcome::kPending) continue;
    if (concerned(item)) {
      item.outcome = outcome;
      transition.save = transition.items_changed = true;
    } else {
      any_left = true;
    }
  }
  if (!transition.save || any_left) return transition;
  Close(change, ChangeState::kAborted, now);
  AddEvent(transition, change, EventType::kAborted, AccountId(), AccountId(), now);
  MarkStaff(transition, staff);
  TellParties(transition, change, MailKind::kAborted, AccountId(), now);
  return transition;
}

Transition AbortForDeletedAccount(ContactChange& change, const AccountId& account,
                                  const std::string& staff, absl::Time now) {
  Transition transition;
  if (!change.open()) return transition;
  if (now >= change.expire_time) return ExpireOrRemind(change, now);
  Close(change, ChangeState::kAborted, now);
  AddEvent(transition, change, EventType::kAborted, AccountId(), account, now);
  MarkStaff(transition, staff);
  TellParties(transition, change, MailKind::kAborted, account, now);
  return transition;
}

void RecordDelivery(Transition& transition, ContactChange& change, const OutboxMail& mail,
                    const std::string& hint, EventType event, const std::string& answer,
                    absl::Time now) {
  Validation* validation = change.FindValidation(mail.recipient);
  if (validation != nullptr && validation->generation == mail.generation) {
    validation->email_hint = hint;
    if (event == EventType::kValidationSent) validation->email_send_time = now;
  }
  AddEvent(transition, change, event, AccountId(), mail.recipient, now);
  transition.events.back().detail = answer;
}

}  // namespace contacts
