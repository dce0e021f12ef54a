#ifndef CONTACTS_SERVER_MESSAGES_CONVERT_H_
#define CONTACTS_SERVER_MESSAGES_CONVERT_H_

#include <string>
#include <vector>

#include "contacts/v1/contact_service.pb.h"
#include "contacts/v1/directory_service.pb.h"
#include "contacts/v1/support_service.pb.h"
#include "core/domain/account.h"
#include "core/domain/change_event.h"
#include "core/domain/contact_change.h"
#include "core/domain/contact_move.h"
#include "core/domain/contact_override.h"
#include "core/domain/role.h"
#include "core/domain/service.h"
#include "core/engine/engine.h"

// Converts between the domain's values and the contract's messages. Nothing here fails, because
// requests have been validated. Values that a viewer may not see are already empty in the engine's
// results.
namespace contacts::server {

v1::Account ToMessage(const Account& account);
v1::Service ToMessage(const Service& service);
v1::ContactChange ToMessage(const ContactChange& change);
v1::ContactChangeEvent ToMessage(const ChangeEvent& event);
v1::ContactMove ToMessage(const ContactMove& move);
v1::ContactOverride ToMessage(const ContactOverride& record);

absl::Time FromMessage(const google::protobuf::Timestamp& time);
Account FromMessage(const v1::Account& account);
Owner FromMessage(const v1::Owner& owner);
Service FromMessage(const v1::Service& service);
// Fields that the record leaves out stay unset.
ImportRecord FromMessage(const v1::ImportDirectoryRequest& record);

// The fields of `account` that the mask names.
ProfileUpdate ToProfileUpdate(const v1::Account& account,
                              const google::protobuf::FieldMask& update_mask);

// The assignments of ChangeContactsRequest or OverrideContactsRequest, in request order.
template <typename Assignments>
std::vector<Assignment> ToAssignments(const Assignments& assignments) {
  std::vector<Assignment> result;
  result.reserve(assignments.size());
  for (const auto& assignment : assignments) {
    result.push_back({.service = ServiceId(assignment.service()),
                      .role = static_cast<Role>(assignment.role()),
                      .new_contact = AccountId(assignment.new_contact())});
  }
  return result;
}

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_MESSAGES_CONVERT_H_
