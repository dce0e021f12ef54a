#ifndef CONTACTS_CORE_MYSQL_STORE_PENDING_ROLE_H_
#define CONTACTS_CORE_MYSQL_STORE_PENDING_ROLE_H_

#include <optional>
#include <set>
#include <vector>

#include "absl/time/time.h"
#include "core/domain/contact_change.h"
#include "core/domain/ids.h"
#include "core/domain/role.h"
#include "core/domain/service.h"
#include "core/mysql/session.h"
#include "core/mysql/store/lock.h"

// The table pending_role, by itself and joined to the services of its roles.
namespace contacts::store {

// A role with a pending change.
struct PendingRole {
  ServiceRole role;
  Uuid change_id;
  absl::Time expire_time;
};

// Returns the pending roles of these services, in no order, including those of changes past their
// deadline.
std::vector<PendingRole> LoadPendingRoles(Session& session, const std::set<ServiceId>& ids);

// An item that is pending on a service, and the service's present admin.
struct PendingItemAndAdmin {
  PendingItem item;
  AccountId admin;
};
// Returns the items pending at `now` on these services, ordered by service and role.
std::vector<PendingItemAndAdmin> LoadPendingItems(Session& session,
                                                  const std::set<ServiceId>& services,
                                                  absl::Time now);

struct ServicesAndPending {
  std::vector<Service> services;
  std::vector<PendingRole> pending;
};
// Returns the services that exist, ordered by id, with the pending roles on them.
ServicesAndPending LoadServicesAndPending(Session& session, const std::set<ServiceId>& ids,
                                          Lock lock);

// Locks the requester's account, then the services on which it holds a role. Returns these
// services, ordered by id, with their pending roles. Others are treated as missing and are not
// locked.
struct RequesterAndServices : ServicesAndPending {
  bool may_ask = false;  // Whether the account exists and has an address.
};
RequesterAndServices LoadRequesterAndServices(Session& session, const AccountId& requester,
                                              const std::set<ServiceId>& ids, Lock lock);

// Returns a service on which `contact` holds a role, and the roles pending on it at `now`, in one
// round trip. A service of others takes as long as a missing one, so timing tells nothing.
struct ServiceAndPending {
  Service service;
  std::vector<PendingRole> pending;  // Ordered by role.
};
std::optional<ServiceAndPending> LoadServiceAndPending(Session& session, const ServiceId& id,
                                                       const AccountId& contact, absl::Time now);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_PENDING_ROLE_H_
