#ifndef CONTACTS_CORE_ENGINE_SUPPORT_H_
#define CONTACTS_CORE_ENGINE_SUPPORT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/domain/change_event.h"
#include "core/domain/contact_change.h"
#include "core/domain/contact_move.h"
#include "core/domain/contact_override.h"
#include "core/engine/call.h"
#include "core/workflow/visibility.h"

namespace contacts {

// A change and the latest 1,000 events of its history, oldest first.
struct ChangeAndHistory {
  ContactChange change;
  std::vector<ChangeEvent> events;
};

struct OverrideFilter {
  std::optional<ServiceId> service;  // Keeps overrides of this service's roles.
  AccountId account;                 // Keeps overrides that took a role from it or gave it one.
};

// The use cases of the provider's support desk. Results have the masked addresses
// of all validators and the names of the provider's staff, and never a token. Those that write also
// return the errors of MutateOnce. Thread safe; calls block on the database.
class Support {
 public:
  // `context` must outlive this object.
  explicit Support(const EngineContext* context) : context_(*context) {}

  // Newest first, with at most `max_items` items each (0: all). A page may be shorter than asked.
  absl::StatusOr<Page<ContactChange>> SearchContactChanges(const Call& call,
                                                           const ChangeSearch& search,
                                                           const PageRequest& page,
                                                           int64_t max_items);
  // Returns CONTACT_CHANGE_NOT_FOUND if it does not exist.
  absl::StatusOr<ChangeAndHistory> LookupContactChange(const Call& call, const Uuid& id);
  // Returns CONTACT_CHANGE_NOT_FOUND, or the errors of ResendFor in core/workflow.
  absl::StatusOr<std::string> ResendValidationFor(const Call& call, const Uuid& id,
                                                  const AccountId& validator,
                                                  const Encode<ContactChange>& encode);
  // Returns CONTACT_CHANGE_NOT_FOUND, or CHANGE_CLOSED.
  absl::StatusOr<std::string> AbortContactChange(const Call& call, const Uuid& id,
                                                 const std::string& reason,
                                                 const Encode<ContactChange>& encode);
  // The moves of a service's roles, newest first, also of a removed service. Returns
  // SERVICE_NOT_FOUND if there was never such a service.
  absl::StatusOr<Page<ContactMove>> ListServiceContactHistory(const Call& call, const ServiceId& id,
                                                              const PageRequest& page);
  // Newest first. A page may be shorter than asked.
  absl::StatusOr<Page<ContactOverride>> ListContactOverrides(const Call& call,
                                                             const OverrideFilter& filter,
                                                             const PageRequest& page);

 private:
  const EngineContext& context_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_SUPPORT_H_
