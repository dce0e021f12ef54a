#ifndef CONTACTS_CORE_MYSQL_STORE_CONTACT_MOVE_H_
#define CONTACTS_CORE_MYSQL_STORE_CONTACT_MOVE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "core/domain/contact_move.h"
#include "core/domain/ids.h"
#include "core/domain/role.h"
#include "core/mysql/session.h"

// The table contact_move: the history of each service's contacts. Rows are never updated and never
// removed.
namespace contacts::store {

// Adds moves.
void InsertMoves(Session& session, const std::vector<ContactMove>& moves);

// Adds the moves of `role` of `services`, which are locked, to `account`. Queue it before the
// statement that moves the role and raises the version.
void InsertMovesTo(Session& session, const std::vector<ServiceId>& services, Role role,
                   const AccountId& account, const MoveOrigin& origin);

// Adds the end of all roles of a service that is locked. Queue it before the row is deleted.
void InsertRemoval(Session& session, const ServiceId& service, const MoveOrigin& origin);

// Place of a move in the history of its service.
struct MovePlace {
  absl::Time service_create_time = absl::InfiniteFuture();
  int64_t version = 0;
  Role role = Role::kAdmin;
};
// Returns at most `limit` moves of a service's roles before `before`, newest first. With
// `registration`, only those of the service that was registered then under this id.
std::vector<ContactMove> ListMoves(Session& session, const ServiceId& service,
                                   const std::optional<absl::Time>& registration,
                                   const MovePlace& before, int64_t limit);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_CONTACT_MOVE_H_
