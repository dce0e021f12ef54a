#include "server/background.h"

#include <malloc.h>
#include <spdlog/spdlog.h>

#include "absl/random/random.h"
#include "absl/status/statusor.h"

namespace contacts::server {
namespace {

constexpr absl::Duration kPurgeInterval = absl::Minutes(10);
constexpr absl::Duration kPurgePause = absl::Milliseconds(100);
constexpr absl::Duration kOutboxInterval = absl::Seconds(15);
constexpr absl::Duration kTrimInterval = absl::Seconds(10);
constexpr int64_t kBatch = 200;

// Varies an interval by a fifth, so that the servers of a fleet do not act at the same time.
absl::Duration Jittered(absl::Duration interval) {
  thread_local absl::BitGen random;
  return interval * absl::Uniform(random, 0.8, 1.2);
}

// Pause after a step of background work that acted on `acted` rows: none after a full batch. Logs
// an error.
absl::Duration PauseAfterBatch(const char* what, const absl::StatusOr<int64_t>& acted,
                               absl::Duration interval) {
  if (!acted.ok()) {
    spdlog::warn("{}: {}", what, acted.status().ToString());
  } else if (*acted >= kBatch) {
    return absl::ZeroDuration();
  }
  return Jittered(interval);
}

}  // namespace

void Background::Start(bool measures_outbox) {
  timers_ = std::make_unique<Periodic>([this] {
    return PauseAfterBatch("timers", engine_->maintenance.RunTimers(kBatch), sweep_interval_);
  });
  purge_ = std::make_unique<Periodic>([this] {
    return PauseAfterBatch("purge", engine_->maintenance.PurgeRequests(kBatch), kPurgeInterval);
  });
  purge_daily_uses_ = std::make_unique<Periodic>([this] {
    return PauseAfterBatch("purge of counts", engine_->maintenance.PurgeDailyUses(kBatch),
                           kPurgeInterval);
  });
  purge_changes_ = std::make_unique<Periodic>([this] {
    const absl::StatusOr<int64_t> removed = engine_->maintenance.PurgeChanges(kBatch);
    // A transaction may have been full of items with any number of changes.
    if (removed.ok() && *removed > 0) return kPurgePause;
    return PauseAfterBatch("purge of contact changes", removed, kPurgeInterval);
  });
  purge_feed_ = std::make_unique<Periodic>([this] {
    return PauseAfterBatch("purge of events", feed_->Purge(kBatch, database_->Now()),
                           kPurgeInterval);
  });
  // The allocator keeps what a burst of calls has freed.
  trim_ = std::make_unique<Periodic>([] {
    malloc_trim(0);
    return kTrimInterval;
  });
  if (!measures_outbox) return;
  measure_outbox_ = std::make_unique<Periodic>([this] { return MeasureOutbox(); });
}

absl::Duration Background::MeasureOutbox() {
  const auto depth = outbox_->GetDepth(database_->Now());
  if (depth.ok()) {
    outbox_mails_ = depth->mails;
    outbox_oldest_seconds_ = absl::ToDoubleSeconds(depth->oldest);
  }
  return Jittered(kOutboxInterval);
}

}  // namespace contacts::server
