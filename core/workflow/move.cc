#include "core/workflow/move.h"

namespace contacts {

std::vector<ContactMove> MovesBetween(const Service* before, const Service& after,
                                      MoveOrigin origin) {
  if (before == nullptr) origin.cause = MoveCause::kRegistered;
  std::vector<ContactMove> moves;
  for (Role role : kRoles) {
    const AccountId old_contact = before == nullptr ? AccountId() : before->holder(role);
    if (old_contact == after.holder(role)) continue;
    moves.push_back({.service = after.id,
                     .role = role,
                     .old_contact = old_contact,
                     .new_contact = after.holder(role),
                     .origin = origin,
                     .service_create_time = after.create_time,
                     .version = after.version});
  }
  return moves;
}

std::vector<ContactMove> MovesOf(const ContactOverride& record) {
  std::vector<ContactMove> moves;
  for (const OverrideItem& item : record.items) {
    if (!item.moves()) continue;
    moves.push_back({.service = item.service,
                     .role = item.role,
                     .old_contact = item.old_contact,
                     .new_contact = item.new_contact,
                     .origin = {.cause = MoveCause::kOverride,
                                .cause_id = record.id,
                                .staff = record.staff,
                                .time = record.create_time}});
  }
  return moves;
}

}  // namespace contacts
