#ifndef CONTACTS_CORE_WORKFLOW_ASSIGNMENTS_H_
#define CONTACTS_CORE_WORKFLOW_ASSIGNMENTS_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "core/domain/account.h"
#include "core/domain/contact_change.h"
#include "core/domain/contact_override.h"
#include "core/domain/role.h"
#include "core/domain/service.h"
#include "core/domain/settings.h"

// The policy table of the rules, as pure functions: which account may move which role.
namespace contacts {

using ServiceMap = absl::flat_hash_map<ServiceId, Service>;
using AccountMap = absl::flat_hash_map<AccountId, Account>;

AccountMap ById(std::vector<Account> accounts);

// Whether an account's roles on a service allow it to move `role`. The administrative contact may
// move any role, another contact only its own.
bool MayMove(const Service& service, const AccountId& account, Role role);

// Whether the old and the new contact of `role` must be up to date with their payments.
bool NeedsStanding(Role role, bool standing_for_every_role);

// Facts from the database when the change is asked for.
struct AskFacts {
  AccountId requester;
  ServiceMap services;  // The services that exist.
  AccountMap accounts;  // New contacts, and holders of the roles that need standing.
  bool standing_for_every_role = false;  // See Settings.
  // Roles with a pending change, with the change's id if the requester may see it.
  std::map<ServiceRole, std::optional<Uuid>> pending;
};

// Returns OK, or the error of the first invalid assignment in request order. Its BadRequest lists
// all invalid assignments (field path and reason). BILLING_OVERDUE names the overdue accounts of
// all assignments with that reason.
absl::Status CheckAssignments(const std::vector<Assignment>& assignments, const AskFacts& facts);

// The new contacts of which the error of CheckAssignments tells that they do not exist or are
// overdue.
std::set<AccountId> FindWrongAccounts(const std::vector<Assignment>& assignments,
                                      const AskFacts& facts);

// The same as CheckAssignments for an operator's override, which needs no role.
absl::Status CheckOverride(const std::vector<Assignment>& assignments, const ServiceMap& services,
                           const AccountMap& accounts);

// Gives the roles to their new contacts in `services`, and raises the version of each service once
// for each role that moves. Returns one item for each assignment, in their order. The assignments
// must have passed CheckOverride.
std::vector<OverrideItem> ApplyOverride(const std::vector<Assignment>& assignments,
                                        ServiceMap& services, absl::Time now);

// Makes one change for each new contact, in request order. The caller must set the ids. The
// assignments must have passed CheckAssignments.
std::vector<ContactChange> PlanChanges(const std::vector<Assignment>& assignments,
                                       const AskFacts& facts, const std::string& token_key_id,
                                       absl::Time now, const Settings& settings);

}  // namespace contacts

#endif  // CONTACTS_CORE_WORKFLOW_ASSIGNMENTS_H_
