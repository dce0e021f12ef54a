#ifndef CONTACTS_CORE_MYSQL_STORE_PENDING_ROLE_H_
#define CONTACTS_CORE_MYSQL_STORE_PENDING_ROLE_H_

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "core/domain/ids.h"
#include "core/domain/role.h"
#include "core/domain/service.h"
#include "core/mysql/session.h"
#include "core/mysql/store/lock.h"

// The table pending_role, alone and joined to the services that its roles are on.
namespace contacts::store {

// A role that a pending change is about.
struct PendingRole {
  ServiceRole role;
  Uuid change_id;
  absl::Time expire_time;
};

std::vector<PendingRole> LoadPendingRoles(Session& session, const std::set<ServiceId>& ids);

struct ServicesAndPending {
  std::vector<Service> services;
  std::vector<PendingRole> pending;
};
// Those that exist, ordered by id, with the pending roles on them. Where `contact` is one's, those
// of which it is a contact: others are neither locked nor told from what does not exist.
ServicesAndPending LoadServicesAndPending(Session& session, const std::set<ServiceId>& ids,
                                          Lock lock, const AccountId& contact = {});

// A service of which `contact` is one, and the changes pending on it at `now`, in one round trip.
// Another's service costs what one costs that does not exist.
std::optional<std::pair<Service, std::vector<Uuid>>> LoadServiceAndPending(Session& session,
                                                                           const ServiceId& id,
                                                                           const AccountId& contact,
                                                                           absl::Time now);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_PENDING_ROLE_H_
