#include "core/engine/feed.h"

#include "core/mysql/store_feed.h"

namespace contacts {
namespace {

// Events that get their positions in one transaction.
constexpr int64_t kNumberedAtOnce = 1000;
constexpr absl::Duration kTimeLimit = absl::Seconds(10);

CallLimits Background() { return {.deadline = absl::Now() + kTimeLimit}; }

}  // namespace

Feed::Feed(Database* database, Settings settings) : database_(database), settings_(settings) {}

absl::StatusOr<Feed::Bounds> Feed::GetBounds(const CallLimits& limits) {
  return database_->Read<Bounds>(limits, [&](Session& session) {
    const store::FeedHead head = store::LoadFeedHead(session);
    return Bounds{.last = head.last_position, .removed = head.removed_position};
  });
}

absl::StatusOr<Feed::Bounds> Feed::Advance(absl::Time now) {
  store::FeedHead head;
  absl::Status status = database_->Read(Background(), [&](Session& session) {
    head = store::LoadFeedHead(session);
    return absl::OkStatus();
  });
  bool more = status.ok() && head.queued;
  while (more) {
    int64_t reached = head.last_position;
    status = database_->Write(Background(), [&](Session& session) {
      more = false;
      reached = head.last_position;
      const std::optional<int64_t> last = store::LockFeedHead(session);
      if (!last) return absl::OkStatus();
      const std::vector<store::EventKey> events = store::LoadQueuedEvents(session, kNumberedAtOnce);
      store::NumberEvents(session, events, *last + 1, now);
      reached = *last + static_cast<int64_t>(events.size());
      more = static_cast<int64_t>(events.size()) == kNumberedAtOnce;
      return absl::OkStatus();
    });
    head.last_position = reached;
    more = more && status.ok();
  }
  if (!status.ok()) return status;
  return Bounds{.last = head.last_position, .removed = head.removed_position};
}

absl::StatusOr<std::vector<FeedEvent>> Feed::Read(int64_t position, int64_t limit,
                                                  const std::set<ServiceId>& services,
                                                  const CallLimits& limits) {
  return database_->Read<std::vector<FeedEvent>>(limits, [&](Session& session) {
    std::vector<FeedEvent> events;
    std::set<Uuid> changes;
    for (store::FeedEntry& entry : store::LoadFeed(session, position, limit)) {
      changes.insert(entry.event.change_id);
      events.push_back({.position = entry.position,
                        .event = std::move(entry.event),
                        .concerned = {},
                        .on_services = {}});
    }
    if (events.empty()) return events;
    const auto concerned = store::LoadConcerned(session, changes);
    std::set<std::pair<Uuid, ServiceId>> on;
    if (!services.empty()) on = store::LoadChangesOn(session, changes, services);
    for (FeedEvent& event : events) {
      const auto found = concerned.find(event.event.change_id);
      if (found != concerned.end()) event.concerned = found->second;
      for (const ServiceId& service : services) {
        if (on.contains({event.event.change_id, service})) event.on_services.insert(service);
      }
    }
    return events;
  });
}

absl::StatusOr<int64_t> Feed::Purge(int64_t limit, absl::Time now) {
  return database_->Write<int64_t>(Background(), [&](Session& session) {
    return store::PurgeFeed(session, now - settings_.event_retention, limit);
  });
}

}  // namespace contacts
