#include "core/workflow/visibility.h"

#include <algorithm>

#include "core/workflow/change.h"

namespace contacts {
namespace {

// An empty list has every state.
bool IsOneOf(const std::vector<ChangeState>& states, ChangeState state) {
  return states.empty() || std::find(states.begin(), states.end(), state) != states.end();
}

}  // namespace

bool IsRequester(const ContactChange& change, const AccountId& account) {
  return change.requester == account && !change.requester_gone;
}

bool IsNewContact(const ContactChange& change, const AccountId& account) {
  return change.new_contact == account && !change.new_contact_gone;
}

bool Replaced(const ContactChange& change, const AccountId& account) {
  return change.state == ChangeState::kDone &&
         std::any_of(change.items.begin(), change.items.end(), [&](const ChangeItem& item) {
           return item.outcome == ItemOutcome::kApplied && item.old_contact == account &&
                  !item.old_contact_gone;
         });
}

bool Concerns(const ContactChange& change, const std::vector<AccountId>& admins,
              const AccountId& account) {
  if (account.empty()) return false;
  return IsRequester(change, account) || IsNewContact(change, account) ||
         std::find(admins.begin(), admins.end(), account) != admins.end() ||
         Replaced(change, account);
}

bool SeesAllChangesOn(const Service& service, const AccountId& account) {
  return service.admin == account;
}

bool SeesContactHistory(const Service& service, const AccountId& account) {
  return service.admin == account;
}

ContactChange ViewOf(const ContactChange& change, const AccountId& viewer, absl::Time now,
                     const Settings& settings) {
  ContactChange view = Presented(change, now);
  const bool is_requester = IsRequester(change, viewer);
  const bool is_party = is_requester || IsNewContact(change, viewer);
  for (Validation& validation : view.validations) {
    validation.resend_time = ResendTime(change, viewer, validation.account, now, settings);
    if (is_party && validation.account == viewer) continue;
    validation.email_hint.clear();
    if (!is_requester) validation.email_send_time.reset();
  }
  return view;
}

ContactChange StaffViewOf(const ContactChange& change, absl::Time now, const Settings& settings) {
  ContactChange view = Presented(change, now);
  for (Validation& validation : view.validations) {
    validation.resend_time = ResendTime(change, AccountId(), validation.account, now, settings);
  }
  return view;
}

ContactMove ViewOf(ContactMove move) {
  move.origin.staff.clear();
  return move;
}

ChangeEvent ViewOf(ChangeEvent event) {
  event.staff.clear();
  event.detail.clear();
  return event;
}

Service ViewOf(Service service, const AccountId& viewer) {
  if (service.admin != viewer) service.owner.reset();
  return service;
}

bool MayMatch(const ChangeSummary& summary, const ChangeFilter& filter, const AccountId& account,
              absl::Time now) {
  const ChangeState state = StateAt(summary.state, summary.expire_time, now);
  if (!IsOneOf(filter.states, state)) return false;
  switch (filter.involvement) {
    case Involvement::kAny: return true;
    case Involvement::kRequester: return summary.requester == account;
    case Involvement::kNewContact: return summary.new_contact == account;
    case Involvement::kAwaitingMyValidation:
      return state == ChangeState::kValidating &&
             ((summary.requester == account &&
               summary.requester_state == ValidationState::kPending) ||
              (summary.new_contact == account &&
               summary.new_contact_state == ValidationState::kPending));
    case Involvement::kOldContact: return summary.state == ChangeState::kDone;
  }
  return false;
}

bool Matches(const ContactChange& change, const std::vector<AccountId>& admins,
             const ChangeFilter& filter, const AccountId& account) {
  if (!Concerns(change, admins, account)) return false;
  switch (filter.involvement) {
    case Involvement::kRequester: return IsRequester(change, account);
    case Involvement::kNewContact: return IsNewContact(change, account);
    case Involvement::kOldContact: return Replaced(change, account);
    case Involvement::kAny:
    case Involvement::kAwaitingMyValidation: return true;
  }
  return false;
}

bool MatchNeedsItems(const ChangeSummary& summary, const ChangeFilter& filter,
                     const AccountId& account) {
  return filter.involvement == Involvement::kOldContact ||
         (summary.requester != account && summary.new_contact != account);
}

bool MayMatch(const ChangeSummary& summary, const ChangeSearch& search, absl::Time now) {
  return IsOneOf(search.states, StateAt(summary.state, summary.expire_time, now)) &&
         (!search.from || summary.create_time >= *search.from) &&
         (!search.before || summary.create_time < *search.before);
}

bool Matches(const ContactChange& change, const ChangeSearch& search) {
  const AccountId& account = search.account;
  return account.empty() || change.requester == account || change.new_contact == account ||
         std::any_of(change.items.begin(), change.items.end(), [&](const ChangeItem& item) {
           return item.old_contact == account &&
                  (!search.service || item.service == *search.service);
         });
}

bool KeepsOpenOnly(const ChangeFilter& filter) {
  return filter.involvement == Involvement::kAwaitingMyValidation ||
         (filter.states.size() == 1 && filter.states.front() == ChangeState::kValidating);
}

}  // namespace contacts
