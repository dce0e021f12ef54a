#ifndef CONTACTS_CORE_ENGINE_READING_H_
#define CONTACTS_CORE_ENGINE_READING_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/domain/change_event.h"
#include "core/domain/contact_change.h"
#include "core/domain/contact_move.h"
#include "core/domain/role.h"
#include "core/domain/service.h"
#include "core/engine/batcher.h"
#include "core/engine/call.h"
#include "core/workflow/visibility.h"

namespace contacts {

struct ServiceFilter {
  std::vector<Role> roles;  // Empty keeps all.
  std::string id_prefix;
  AccountId contact;  // Keeps services on which this account has a role too. Empty keeps all.
};
struct ServiceView {
  Service service;                       // Owner set only for its admin; with pending roles.
  std::vector<Uuid> pending_change_ids;  // Those that the acting account sees.
};

struct EventPage : Page<ChangeEvent> {
  std::optional<ContactChange> change;  // On the first page.
};

// Reads of an acting account. Each result is a view of that account: a field that it may not see
// is empty. All return ACCOUNT_NOT_FOUND if the acting account does not exist and nothing was
// found, and the errors of Database::Read. Thread safe; calls block on the database.
class Reading {
 public:
  // `context` must outlive this object.
  explicit Reading(const EngineContext* context);

  // The services on which the acting account has one of the roles, ordered by id.
  absl::StatusOr<Page<Service>> ListServices(const Call& call, const ServiceFilter& filter,
                                             const PageRequest& page);
  // Returns SERVICE_NOT_FOUND if there is no such service on which the account has a role.
  absl::StatusOr<ServiceView> GetService(const Call& call, const ServiceId& id);

  // Returns CONTACT_CHANGE_NOT_FOUND if there is no such change that concerns the account.
  absl::StatusOr<ContactChange> GetContactChange(const Call& call, const Uuid& id);
  // As above, in a round trip that the read may share with others. Calls `got` once: before it
  // returns, or in another thread. `call` must live until then. `got` must not throw.
  using Got = std::function<void(absl::StatusOr<ContactChange>)>;
  void GetContactChange(const Call& call, const Uuid& id, Got got);
  // The changes that concern the account, newest first, with at most `max_items` items each (0:
  // all). A page may be shorter than asked, as it looks at a bounded number of changes.
  absl::StatusOr<Page<ContactChange>> ListContactChanges(const Call& call,
                                                         const ChangeFilter& filter,
                                                         const PageRequest& page,
                                                         int64_t max_items = 0);
  // The moves of a service's roles since it was registered, newest first. Returns SERVICE_NOT_FOUND
  // if there is no such service on which the account has a role, ROLE_NOT_ALLOWED unless it is its
  // admin, and INVALID_FIELD for a cursor that is not one of this method's.
  absl::StatusOr<Page<ContactMove>> ListContactHistory(const Call& call, const ServiceId& id,
                                                       const PageRequest& page);
  // The history of one change, oldest first, and on the first page the change. Returns
  // CONTACT_CHANGE_NOT_FOUND as above and INVALID_FIELD for a cursor that is not one of this
  // method's.
  absl::StatusOr<EventPage> ListContactChangeEvents(const Call& call, const Uuid& id,
                                                    const PageRequest& page);

 private:
  struct ChangeRead {
    const Call* call;
    Uuid id;
    Got got;
    absl::Time since;
    const AccountId& tenant() const { return call->account; }
  };
  using Views = std::vector<absl::StatusOr<ContactChange>>;
  // Each change as its caller sees it: one round trip, or two if a caller may not see its change.
  absl::StatusOr<Views> LoadViews(const CallLimits& limits, const std::vector<ChangeRead>& reads);
  void ReadChanges(std::vector<ChangeRead> reads);

  const EngineContext& context_;
  Batcher<ChangeRead> change_reads_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_READING_H_
