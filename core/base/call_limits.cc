#include "core/base/call_limits.h"

#include <algorithm>

namespace contacts {

CallTimes& CallTimes::operator+=(const CallTimes& other) {
  queue += other.queue;
  connection_wait += other.connection_wait;
  database += other.database;
  backoff += other.backoff;
  round_trips += other.round_trips;
  retries += other.retries;
  return *this;
}

bool CallLimits::IsCancelled() const {
  return !cancelled.empty() && std::all_of(cancelled.begin(), cancelled.end(),
                                           [](const auto& flag) { return flag->load(); });
}

}  // namespace contacts
