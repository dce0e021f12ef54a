#ifndef CONTACTS_CORE_BASE_CALL_LIMITS_H_
#define CONTACTS_CORE_BASE_CALL_LIMITS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"

namespace contacts {

// The time that a call spent waiting, by cause. The rest of its latency is its own work.
struct CallTimes {
  absl::Duration queue;            // For a worker thread. The server adds this.
  absl::Duration connection_wait;  // For a database connection, or for a shared read to begin.
  absl::Duration database;         // For the database's answers.
  absl::Duration backoff;          // Between tries.
  int64_t round_trips = 0;
  int64_t retries = 0;

  CallTimes& operator+=(const CallTimes& other);
};

// How long a piece of work is worth doing. Its database connection is killed once the deadline
// has passed or all its callers have cancelled.
struct CallLimits {
  absl::Time deadline = absl::InfiniteFuture();
  // One flag for each caller, set when that caller cancels. Empty: the work cannot be cancelled.
  std::vector<std::shared_ptr<const std::atomic<bool>>> cancelled;
  // The thread that does the work adds to these. May be null.
  CallTimes* times = nullptr;

  // Whether all callers have cancelled.
  bool IsCancelled() const;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_BASE_CALL_LIMITS_H_
