#ifndef CONTACTS_CORE_MYSQL_CLOCK_H_
#define CONTACTS_CORE_MYSQL_CLOCK_H_

#include <chrono>
#include <mutex>

#include "absl/time/time.h"

namespace contacts {

// The database's time, kept as an offset from this process's steady clock. Reading it costs no
// round trip and does not use this host's wall clock. Thread safe.
class DatabaseClock {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  // One answer of the database: its time was `database` at a moment between `before` and `after`.
  struct Sample {
    Steady before;
    absl::Time database;
    Steady after;
  };

  // Keeps the sample if it is more exact than the kept one, or if the kept one can no longer be
  // true: the database's clock was set, or another member answers. Logs when this host's clock
  // becomes more than a second wrong, and when it is right again.
  void Add(const Sample& sample);

  // The database's time. Before the first sample, this host's time. Never goes back, unless the
  // database's clock went back by more than a second.
  absl::Time Now() { return Now(std::chrono::steady_clock::now()); }
  absl::Time Now(Steady now);

  // This host's wall clock minus the database's. Zero before the first sample.
  absl::Duration HostError();

 private:
  std::mutex mutex_;
  bool has_sample_ = false;
  Sample kept_;
  bool host_is_off_ = false;
  absl::Time last_ = absl::InfinitePast();  // The last result of Now().
};

}  // namespace contacts

#endif  // CONTACTS_CORE_MYSQL_CLOCK_H_
