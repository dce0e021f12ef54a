#ifndef CONTACTS_SERVER_BACKGROUND_H_
#define CONTACTS_SERVER_BACKGROUND_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "core/engine/engine.h"
#include "core/engine/feed.h"
#include "core/engine/outbox.h"
#include "server/support/periodic.h"

namespace contacts::server {

// The periodic work of one server, each kind in its own thread: changes that expire or need a
// reminder, rows past their retention, memory that is free, and the size of the outbox. Errors are
// logged, and the work is tried again after its interval. Thread safe after Start().
class Background {
 public:
  // The pointers must outlive this object. `sweep_interval`: of the changes; varied by a fifth.
  Background(Database* database, Engine* engine, Feed* feed, Outbox* outbox,
             absl::Duration sweep_interval)
      : database_(database),
        engine_(engine),
        feed_(feed),
        outbox_(outbox),
        sweep_interval_(sweep_interval) {}

  // `measures_outbox`: whether the sizes below are wanted. Call it once.
  void Start(bool measures_outbox);

  // E-mails owed by the fleet, counted up to 10,000, and the age of the oldest in seconds.
  // Measured every 12 to 18 s. 0 before the first measurement.
  int64_t outbox_mails() const { return outbox_mails_; }
  double outbox_oldest_seconds() const { return outbox_oldest_seconds_; }

 private:
  absl::Duration MeasureOutbox();

  Database* const database_;
  Engine* const engine_;
  Feed* const feed_;
  Outbox* const outbox_;
  const absl::Duration sweep_interval_;
  std::atomic<int64_t> outbox_mails_ = 0;
  std::atomic<double> outbox_oldest_seconds_ = 0;
  std::unique_ptr<Periodic> timers_;
  std::unique_ptr<Periodic> purge_;
  std::unique_ptr<Periodic> purge_daily_uses_;
  std::unique_ptr<Periodic> purge_changes_;
  std::unique_ptr<Periodic> purge_feed_;
  std::unique_ptr<Periodic> trim_;
  std::unique_ptr<Periodic> measure_outbox_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_BACKGROUND_H_
