#ifndef CONTACTS_CORE_WORKFLOW_VISIBILITY_H_
#define CONTACTS_CORE_WORKFLOW_VISIBILITY_H_

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "core/domain/change_event.h"
#include "core/domain/contact_change.h"
#include "core/domain/contact_move.h"
#include "core/domain/ids.h"
#include "core/domain/service.h"
#include "core/domain/settings.h"

// Which account sees which contact change, and which parts of it. Pure functions.
// store::LoadConcerned is the same rule as one statement for many changes; the
// engine_visibility_test compares them.
namespace contacts {

// Whether `account` may see a change: as its requester, its new contact, the present admin of one
// of its services (`admins`, in the order of the items), or a contact that it replaced.
bool Concerns(const ContactChange& change, const std::vector<AccountId>& admins,
              const AccountId& account);

// Whether `account` asked for the change, or is its new contact. An account that was made again
// under the id of a deleted one is another account.
bool IsRequester(const ContactChange& change, const AccountId& account);
bool IsNewContact(const ContactChange& change, const AccountId& account);

// Whether the change took a role from `account`: it is DONE, and an applied item had this contact.
bool Replaced(const ContactChange& change, const AccountId& account);

// Whether `account` sees all changes that are pending on the service, so that none need be checked.
bool SeesAllChangesOn(const Service& service, const AccountId& account);

// Whether `account` sees the history of the service's contacts.
bool SeesContactHistory(const Service& service, const AccountId& account);

// Returns the change as `viewer` sees it at `now`. Only the validator sees its e-mail hint. Only
// the validator and the requester see send times and when the next e-mail may be asked for.
ContactChange ViewOf(const ContactChange& change, const AccountId& viewer, absl::Time now,
                     const Settings& settings);

// Returns the change as the support desk sees it: with the masked addresses of all validators.
ContactChange StaffViewOf(const ContactChange& change, absl::Time now, const Settings& settings);

// Returns a move of a role as a customer sees it: without the name of the provider's staff.
ContactMove ViewOf(ContactMove move);

// Returns an event as a customer sees it: without the name of the provider's staff, and without why
// an e-mail could not be delivered.
ChangeEvent ViewOf(ChangeEvent event);

// Returns the service as `viewer` sees it: only the admin sees the owner's details.
Service ViewOf(Service service, const AccountId& viewer);

// The filter of a list of changes.
struct ChangeFilter {
  std::vector<ChangeState> states;  // Empty keeps all.
  Involvement involvement = Involvement::kAny;
  std::optional<ServiceId> service;
};

// Whether a change with this summary may match the filter. False is certain; Matches decides.
bool MayMatch(const ChangeSummary& summary, const ChangeFilter& filter, const AccountId& account,
              absl::Time now);

// Whether `account` may see the change and it has the filter's involvement. Only for changes whose
// summary MayMatch.
bool Matches(const ContactChange& change, const std::vector<AccountId>& admins,
             const ChangeFilter& filter, const AccountId& account);

// Whether Matches looks at the items of a change whose summary MayMatch. If not, the first items
// are enough for a list that shows no more.
bool MatchNeedsItems(const ChangeSummary& summary, const ChangeFilter& filter,
                     const AccountId& account);

// A search of the support desk. Unset fields keep all.
struct ChangeSearch {
  // The requester, the new contact, or an old contact of an item: with `service`, of one on it.
  AccountId account;
  std::optional<ServiceId> service;
  std::vector<ChangeState> states;
  std::optional<absl::Time> from;    // Asked for at this time or later.
  std::optional<absl::Time> before;  // Asked for before this time.
};
// As for a ChangeFilter. Matches looks at the account alone.
bool MayMatch(const ChangeSummary& summary, const ChangeSearch& search, absl::Time now);
bool Matches(const ContactChange& change, const ChangeSearch& search);

// Whether the filter keeps only open changes.
bool KeepsOpenOnly(const ChangeFilter& filter);

}  // namespace contacts

#endif  // CONTACTS_CORE_WORKFLOW_VISIBILITY_H_
