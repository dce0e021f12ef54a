#include "core/workflow/assignments.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "core/domain/errors.h"

namespace contacts {
namespace {

struct Problem {
  const char* field;  // Of the assignment.
  absl::Status status;
  std::vector<AccountId> overdue = {};  // The accounts of BILLING_OVERDUE.
  bool wrong_account = false;           // The new contact does not exist or is overdue.
};

// The first reason that applies, in the order of the rules.
std::optional<Problem> FindProblem(const Assignment& assignment, const AskFacts& facts) {
  const ServiceRole role{assignment.service, assignment.role};
  const auto found = facts.services.find(assignment.service);
  if (found == facts.services.end() || !found->second.HasContact(facts.requester)) {
    return Problem{"service", errors::ServiceNotFoundOrNotHeld(assignment.service)};
  }
  const Service& service = found->second;
  if (!MayMove(service, facts.requester, assignment.role)) {
    return Problem{"role", errors::RoleNotAllowed(absl::StrCat(
                               "moving the ", Name(assignment.role), " role of \"",
                               service.id.text(), "\" is for its admin contact",
                               assignment.role == Role::kAdmin
                                   ? ""
                                   : absl::StrCat(" or its ", Name(assignment.role), " contact")))};
  }
  const auto new_contact = facts.accounts.find(assignment.new_contact);
  if (new_contact == facts.accounts.end() || new_contact->second.email.empty()) {
    return Problem{.field = "new_contact",
                   .status = errors::AccountNotFound(assignment.new_contact),
                   .wrong_account = true};
  }
  const AccountId& old_contact = service.holder(assignment.role);
  if (old_contact == assignment.new_contact) {
    return Problem{"new_contact", errors::ContactUnchanged(role, assignment.new_contact)};
  }
  if (const auto pending = facts.pending.find(role); pending != facts.pending.end()) {
    return Problem{"new_contact", errors::ChangeAlreadyPending(role, pending->second)};
  }
  if (NeedsStanding(assignment.role, facts.standing_for_every_role)) {
    std::vector<AccountId> overdue;
    for (const AccountId& id : {old_contact, assignment.new_contact}) {
      const auto account = facts.accounts.find(id);
      if (account != facts.accounts.end() &&
          account->second.standing == BillingStanding::kOverdue) {
        overdue.push_back(id);
      }
    }
    if (!overdue.empty()) {
      return Problem{.field = "new_contact",
                     .status = errors::BillingOverdue(overdue),
                     .overdue = overdue,
                     .wrong_account = overdue.back() == assignment.new_contact};
    }
  }
  return std::nullopt;
}

// Every invalid assignment, under the status of the first.
absl::Status CheckEach(
    const std::vector<Assignment>& assignments,
    const std::function<std::optional<Problem>(const Assignment&)>& find_problem) {
  absl::Status first;
  std::vector<errors::FieldViolation> violations;
  std::vector<AccountId> overdue;  // In request order.
  absl::flat_hash_set<AccountId> named;
  for (std::size_t i = 0; i < assignments.size(); ++i) {
    std::optional<Problem> problem = find_problem(assignments[i]);
    if (!problem) continue;
    violations.push_back(
        {absl::StrCat("assignments[", i, "].", problem->field),
         absl::StrCat(errors::Reason(problem->status), ": ", problem->status.message())});
    for (const AccountId& id : problem->overdue) {
      if (named.insert(id).second) overdue.push_back(id);
    }
    if (first.ok()) first = std::move(problem->status);
  }
  if (first.ok()) return first;
  if (errors::Reason(first) == "BILLING_OVERDUE") first = errors::BillingOverdue(overdue);
  return errors::WithViolations(std::move(first), violations);
}

ContactChange NewChange(const AccountId& requester, const AccountId& new_contact,
                        const std::string& token_key_id, absl::Time now, const Settings& settings) {
  ContactChange change;
  change.requester = requester;
  change.new_contact = new_contact;
  change.create_time = now;
  change.expire_time = now + settings.change_lifetime;
  const absl::Time remind = change.expire_time - settings.reminder_lead;
  if (remind - now >= settings.change_lifetime / 2) change.remind_time = remind;

  Validation validation;
  validation.token_key_id = token_key_id;
  validation.own_resends = validation.other_resends = {.last_time = now, .day_start = now};
  validation.account = requester;
  change.validations.push_back(validation);
  if (new_contact != requester) {
    validation.account = new_contact;
    change.validations.push_back(validation);
  }
  return change;
}

}  // namespace

AccountMap ById(std::vector<Account> accounts) {
  AccountMap map;
  for (Account& account : accounts) map.emplace(account.id, std::move(account));
  return map;
}

bool MayMove(const Service& service, const AccountId& account, Role role) {
  return service.admin == account || service.holder(role) == account;
}

bool NeedsStanding(Role role, bool standing_for_every_role) {
  return role == Role::kBilling || standing_for_every_role;
}

absl::Status CheckAssignments(const std::vector<Assignment>& assignments, const AskFacts& facts) {
  return CheckEach(assignments,
                   [&](const Assignment& assignment) { return FindProblem(assignment, facts); });
}

std::set<AccountId> FindWrongAccounts(const std::vector<Assignment>& assignments,
                                      const AskFacts& facts) {
  std::set<AccountId> wrong;
  for (const Assignment& assignment : assignments) {
    const std::optional<Problem> problem = FindProblem(assignment, facts);
    if (problem && problem->wrong_account) wrong.insert(assignment.new_contact);
  }
  return wrong;
}

absl::Status CheckOverride(const std::vector<Assignment>& assignments, const ServiceMap& services,
                           const AccountMap& accounts) {
  return CheckEach(assignments, [&](const Assignment& assignment) -> std::optional<Problem> {
    if (!services.contains(assignment.service)) {
      return Problem{"service", errors::ServiceNotFound(assignment.service)};
    }
    if (!accounts.contains(assignment.new_contact)) {
      return Problem{"new_contact", errors::AccountNotFound(assignment.new_contact)};
    }
    return std::nullopt;
  });
}

std::vector<OverrideItem> ApplyOverride(const std::vector<Assignment>& assignments,
                                        ServiceMap& services, absl::Time now) {
  std::vector<OverrideItem> items;
  for (const Assignment& assignment : assignments) {
    Service& service = services.at(assignment.service);
    AccountId& holder = service.holder(assignment.role);
    items.push_back({assignment.service, assignment.role, holder, assignment.new_contact});
    if (!items.back().moves()) continue;
    holder = assignment.new_contact;
    ++service.version;
    service.update_time = now;
  }
  return items;
}

std::vector<ContactChange> PlanChanges(const std::vector<Assignment>& assignments,
                                       const AskFacts& facts, const std::string& token_key_id,
                                       absl::Time now, const Settings& settings) {
  std::vector<ContactChange> changes;
  absl::flat_hash_map<AccountId, std::size_t> by_new_contact;
  for (const Assignment& assignment : assignments) {
    const auto [position, is_new] =
        by_new_contact.try_emplace(assignment.new_contact, changes.size());
    if (is_new) {
      changes.push_back(
          NewChange(facts.requester, assignment.new_contact, token_key_id, now, settings));
    }
    const Service& service = facts.services.at(assignment.service);
    changes[position->second].items.push_back({.service = assignment.service,
                                               .role = assignment.role,
                                               .old_contact = service.holder(assignment.role),
                                               .service_create_time = service.create_time});
  }
  for (ContactChange& change : changes) {
    std::sort(change.items.begin(), change.items.end(),
              [](const ChangeItem& a, const ChangeItem& b) {
                return std::tie(a.service, a.role) < std::tie(b.service, b.role);
              });
  }
  return changes;
}

}  // namespace contacts
