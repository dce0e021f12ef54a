#include "core/engine/feed.h"

#include <algorithm>
#include <cstring>

#include "core/base/sha256.h"
#include "core/domain/errors.h"
#include "core/mysql/store/feed.h"
#include "core/workflow/visibility.h"

namespace contacts {
namespace {

// Number of events that get their positions in one transaction.
constexpr int64_t kNumberedAtOnce = 1000;
constexpr absl::Duration kTimeLimit = absl::Seconds(10);

CallLimits Background() { return {.deadline = absl::Now() + kTimeLimit}; }

// FeedPlace::event of an event with this name. 0 without a name.
uint64_t EventOf(const std::string& name) {
  if (name.empty()) return 0;
  uint64_t event = 0;
  std::memcpy(&event, Sha256(name).data(), sizeof(event));
  return std::max<uint64_t>(event, 1);
}

Feed::Bounds BoundsOf(const store::FeedHead& head, const FeedPlace& seen) {
  Feed::Bounds bounds;
  bounds.last = {.position = head.last_position, .event = EventOf(head.last_name)};
  bounds.removed = head.removed_position;
  bounds.seen = {.position = seen.position, .event = EventOf(head.seen_name)};
  // A removed event can no longer be compared.
  bounds.leads_on = seen.position <= head.last_position && !seen.Contradicts(bounds.seen) &&
                    (bounds.seen.event != 0 || seen.position <= head.removed_position);
  return bounds;
}

}  // namespace

Feed::Feed(Database* database, Settings settings) : database_(database), settings_(settings) {}

absl::StatusOr<Feed::Bounds> Feed::GetBounds(const CallLimits& limits, const FeedPlace& seen) {
  return database_->Read<Bounds>(limits, [&](Session& session) {
    return BoundsOf(store::LoadFeedHead(session, seen.position), seen);
  });
}

absl::StatusOr<Feed::Bounds> Feed::Advance(absl::Time now, const FeedPlace& seen) {
  store::FeedHead head;
  absl::Status status = database_->Read(Background(), [&](Session& session) {
    head = store::LoadFeedHead(session, seen.position);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  Bounds bounds = BoundsOf(head, seen);
  bool more = head.queued;
  while (more) {
    FeedPlace reached;
    bool went_back = false;
    status = database_->Write(Background(), [&](Session& session) {
      more = went_back = false;
      reached = bounds.last;
      const std::optional<int64_t> last = store::LockFeedHead(session);
      if (!last) return absl::OkStatus();
      went_back = *last < bounds.last.position;
      const std::vector<store::EventKey> events = store::LoadQueuedEvents(session, kNumberedAtOnce);
      const std::string name = store::NumberEvents(session, events, *last + 1, now);
      const auto count = static_cast<int64_t>(events.size());
      if (count > 0) reached = {.position = *last + count, .event = EventOf(name)};
      more = count == kNumberedAtOnce;
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
    bounds.last = reached;
    bounds.leads_on = bounds.leads_on && !went_back;
  }
  return bounds;
}

absl::StatusOr<std::vector<FeedEvent>> Feed::Read(const FeedPlace& place, int64_t limit,
                                                  const std::set<ServiceId>& services,
                                                  const CallLimits& limits) {
  using Events = std::vector<FeedEvent>;
  return database_->Read<Events>(limits, [&](Session& session) -> absl::StatusOr<Events> {
    Events events;
    std::set<Uuid> changes;
    store::FeedPage page = store::LoadFeed(session, place.position, limit);
    if (place.Contradicts({.position = place.position, .event = EventOf(page.before)})) {
      return errors::ResumeTokenExpired();
    }
    for (store::FeedEntry& entry : page.entries) {
      changes.insert(entry.event.change_id);
      events.push_back({.place = {.position = entry.position, .event = EventOf(entry.name)},
                        .event = ViewOf(std::move(entry.event)),
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
