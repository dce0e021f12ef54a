#ifndef CONTACTS_CORE_ENGINE_CONTACT_HISTORY_H_
#define CONTACTS_CORE_ENGINE_CONTACT_HISTORY_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/domain/contact_move.h"
#include "core/engine/call.h"
#include "core/mysql/session.h"

// Pages of the history of a service's contacts: for its admin, and for the support desk.
namespace contacts {

// One page, newest first. With `registration`, only the moves of the service that was registered
// then. Returns INVALID_FIELD for a cursor that is not of this list.
absl::StatusOr<Page<ContactMove>> ReadContactHistory(Session& session, const ServiceId& service,
                                                     const std::optional<absl::Time>& registration,
                                                     const PageRequest& request);

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_CONTACT_HISTORY_H_
