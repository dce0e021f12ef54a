#ifndef CONTACTS_CORE_WORKFLOW_MOVE_H_
#define CONTACTS_CORE_WORKFLOW_MOVE_H_

#include <vector>

#include "core/domain/contact_move.h"
#include "core/domain/contact_override.h"
#include "core/domain/service.h"

// The history of a service's contacts. Pure functions.
namespace contacts {

// The moves that lead from `before` to `after`, one for each role whose holder differs. `before` is
// null if `after` is registered: then all three roles move, for that cause.
std::vector<ContactMove> MovesBetween(const Service* before, const Service& after,
                                      MoveOrigin origin);

// The moves of an override. Items whose contact stays the same move nothing.
std::vector<ContactMove> MovesOf(const ContactOverride& record);

}  // namespace contacts

#endif  // CONTACTS_CORE_WORKFLOW_MOVE_H_
