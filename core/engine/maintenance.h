#ifndef CONTACTS_CORE_ENGINE_MAINTENANCE_H_
#define CONTACTS_CORE_ENGINE_MAINTENANCE_H_

#include <cstdint>
#include <set>

#include "absl/status/statusor.h"
#include "core/engine/call.h"

namespace contacts {

// Marks those of the changes that are past their deadline as expired, and sends the reminders that
// are due, in one transaction. Returns for how many changes something was due. Returns the errors
// of Database::Write.
absl::StatusOr<int64_t> ExpireOrRemind(const EngineContext& context, const std::set<Uuid>& ids,
                                       const CallLimits& limits);

// Background work. All servers of a fleet may do it at once. Thread safe; calls block on the
// database, for 30 s each at most.
class Maintenance {
 public:
  // `context` must outlive this object.
  explicit Maintenance(const EngineContext* context) : context_(*context) {}

  // Expires and reminds at most `limit` changes that are due; returns how many. A change that
  // fails is logged and tried again after five minutes, and the others go on. Returns UNAVAILABLE
  // if the database does not answer.
  absl::StatusOr<int64_t> RunTimers(int64_t limit);
  // Removes at most `limit` idempotency records past their retention; returns how many. Returns
  // the errors of Database::Write.
  absl::StatusOr<int64_t> PurgeRequests(int64_t limit);
  // Removes at most `limit` counts of days that are over; returns how many. Returns the errors of
  // Database::Write.
  absl::StatusOr<int64_t> PurgeDailyUses(int64_t limit);
  // Removes at most `limit` closed changes past their retention; returns how many: often fewer, as
  // one transaction removes about 1,000 items. Returns the errors of Database::Write.
  absl::StatusOr<int64_t> PurgeChanges(int64_t limit);

 private:
  const EngineContext& context_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_MAINTENANCE_H_
