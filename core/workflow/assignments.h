#ifndef CONTACTS_CORE_WORKFLOW_ASSIGNMENTS_H_
#define CONTACTS_CORE_WORKFLOW_ASSIGNMENTS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "core/domain/model.h"
#include "core/domain/settings.h"

// Who may ask for what: the policy table of the rules, as pure functions.
namespace contacts {

using ServiceMap = absl::flat_hash_map<ServiceId, Service>;
using AccountMap = absl::flat_hash_map<AccountId, Account>;

// Tells whether an account's roles on a service let it move `role`: the
// administrative contact moves any, another contact only a role of its own.
bool MayMove(const Service& service, const AccountId& account, Role role);

// What the database said when the change was asked for.
struct AskFacts {
  AccountId requester;
  ServiceMap services;  // Those that exist.
  AccountMap accounts;  // New contacts, and holders of billing roles.
  // Roles for which a change is pending, with the change's id where the requester may see it.
  std::map<ServiceRole, std::optional<Uuid>> pending;
};

// Returns OK, or the error of the first wrong assignment in request order with
// the list of all wrong ones (field path and reason) as its BadRequest. BILLING_OVERDUE
// names the overdue accounts of all assignments that it is the reason of.
absl::Status CheckAssignments(const std::vector<Assignment>& assignments, const AskFacts& facts);

// The same for an operator's override, which asks for nobody's right.
absl::Status CheckOverride(const std::vector<Assignment>& assignments, const ServiceMap& services,
                           const AccountMap& accounts);

// Groups assignments by new contact, in request order, into one change each.
// Ids are left for the caller to set. The assignments have passed CheckAssignments.
std::vector<ContactChange> PlanChanges(const std::vector<Assignment>& assignments,
                                       const AskFacts& facts, const std::string& token_key_id,
                                       absl::Time now, const Settings& settings);

}  // namespace contacts

#endif  // CONTACTS_CORE_WORKFLOW_ASSIGNMENTS_H_
