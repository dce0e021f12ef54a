#include "server/calls/watch.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "contacts/v1/contact_service.pb.h"
#include "core/domain/errors.h"
#include "core/workflow/assignments.h"
#include "server/messages/convert.h"
#include "server/messages/page_token.h"

namespace contacts::server {
namespace {

constexpr int64_t kMaxEventsPerRead = 500;  // Events.
// Events queued for one watcher, beside those read at once.
constexpr std::size_t kMaxWaiting = 500;
constexpr absl::Duration kReadLimit = absl::Seconds(10);
constexpr absl::Duration kAccountInterval = absl::Seconds(10);

CallLimits FeedReadLimits() { return {.deadline = absl::Now() + kReadLimit}; }

grpc::ByteBuffer TokenMessage(const FeedPlace& place) {
  v1::WatchContactChangesResponse response;
  response.set_resume_token(MakeResumeToken(place));
  return ToBuffer(response.SerializeAsString());
}

// An event's bytes are the same for all watchers. The first watcher that may see the event makes
// them.
class SharedEvent {
 public:
  explicit SharedEvent(const FeedEvent* event) : event_(event) {}
  const FeedEvent& operator*() const { return *event_; }
  const FeedEvent* operator->() const { return event_; }
  const grpc::ByteBuffer& bytes() {
    if (!bytes_) {
      v1::WatchContactChangesResponse response;
      *response.mutable_event() = ToMessage(event_->event);
      response.set_resume_token(MakeResumeToken(event_->place));
      bytes_ = ToBuffer(response.SerializeAsString());
    }
    return *bytes_;
  }

 private:
  const FeedEvent* event_;
  std::optional<grpc::ByteBuffer> bytes_;
};

std::vector<SharedEvent> Shared(const std::vector<FeedEvent>& events) {
  std::vector<SharedEvent> shared;
  shared.reserve(events.size());
  for (const FeedEvent& event : events) shared.emplace_back(&event);
  return shared;
}

using Rejection = Metrics::Rejection;

absl::Status MalformedToken() {
  return errors::InvalidField("resume_token", "want a token that this service gave out");
}

absl::Status TooSlow() {
  return errors::Unavailable("this watcher reads too slowly; resume after its last token",
                             kRetryAfter);
}

absl::Status SessionExpired() {
  return errors::Unauthenticated("bearer token: expired; resume with a fresh one");
}

absl::Status PolicyChanged() {
  return errors::Unavailable("the policy of callers changed; resume", absl::ZeroDuration());
}

}  // namespace

// One watcher. gRPC keeps it alive until OnDone, other users as long as they use it.
class Watch::Watcher final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  Watcher(Watch* watch, grpc::CallbackServerContext* context)
      : watch_(watch),
        context_(context),
        admission_(watch->gate_, "contacts.v1.ContactService/WatchContactChanges", context) {}

  void Start(const std::shared_ptr<Watcher>& self, const grpc::ByteBuffer& bytes) {
    self_ = self;
    const absl::Status admitted = CatchExceptions([&] { return Admit(bytes); });
    if (!admitted.ok()) return End(admitted);
    const bool queued = watch_->workers_->TryPush(account().text(), [self] {
      const absl::Status opened = CatchExceptions([&] { return self->watch_->Open(*self); });
      if (!opened.ok()) return self->End(opened);
      if (const auto rejected = self->watch_->Join(self)) self->Reject(*rejected);
    });
    if (!queued) Reject(watch_->workers_->IsFull() ? Rejection::kQueue : Rejection::kAccount);
  }

  const AccountId& account() const { return caller_.account; }
  const std::optional<ServiceId>& service() const { return service_; }
  const std::optional<FeedPlace>& resume_place() const { return resume_place_; }
  // The place of its resume token, set before it joins.
  void SetResumePlace(const FeedPlace& place) { resume_place_ = place; }

  // Set before it joins.
  void SetAccountCreateTime(absl::Time time) { account_create_time_ = time; }

  // The functions below are called by Watch's thread.

  // The place up to which events were considered for this watcher. Unset before it began.
  const std::optional<FeedPlace>& place() const { return place_; }
  int64_t position() const { return place_->position; }
  void Begin(const FeedPlace& place) {
    place_ = place;
    Write(TokenMessage(place));
  }

  // Whether there is room for as many events as are read at once.
  bool HasRoom() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size() <= kMaxWaiting;
  }
  bool Ended() const {
    const std::lock_guard lock(mutex_);
    return ended_;
  }
  // Whether gRPC has finished with it.
  bool Done() const {
    const std::lock_guard lock(mutex_);
    return done_;
  }

  // Queues the events after its position that it may see.
  void Offer(std::vector<SharedEvent>& events) {
    for (SharedEvent& event : events) {
      if (event->place.Contradicts(*place_)) return End(errors::ResumeTokenExpired());
      if (event->place.position <= position()) continue;
      place_ = event->place;
      if (MaySee(*event)) Write(event.bytes());
    }
  }
  // Moves its position on: there are no further events up to there.
  void MoveTo(const FeedPlace& place) {
    if (place.position > position()) place_ = place;
  }

  // Ends it if its caller may no longer watch.
  void CheckCaller(absl::Time now) {
    if (now >= caller_.expires) return End(SessionExpired());
    if (!caller_.PolicyIsCurrent()) End(PolicyChanged());
  }
  // Ends it if its account does not exist any more, or is one made later under the same id.
  void CheckAccount(const AccountMap& accounts) {
    if (account().empty()) return;
    const auto found = accounts.find(account());
    if (found != accounts.end() && found->second.create_time == account_create_time_) return;
    End(errors::AccountNotFound(account()));
  }
  // Moves its token on if nothing was sent for long. Ends it if it does not read, or reads too
  // slowly. `last`: the end of the feed.
  void Tick(int64_t last, absl::Time now) {
    if (Ended()) return CutOff(now);
    const Options& options = watch_->options_;
    kept_up_ = kept_up_ || position() >= last;
    bool idle = false;
    bool stuck = kept_up_ && last - position() > options.max_lag;
    {
      const std::lock_guard lock(mutex_);
      idle = !writing_since_;
      stuck = stuck || (writing_since_ && now - *writing_since_ > options.stall_limit);
    }
    if (stuck) return End(TooSlow());
    if (idle && position() > sent_position_ && now - sent_time_ >= options.token_interval) {
      Write(TokenMessage(*place_));
    }
  }

  // May be called by any thread. Only the first call has an effect.
  void End(const absl::Status& status) {
    {
      const std::lock_guard lock(mutex_);
      if (ended_) return;
      ended_ = true;
      ended_time_ = absl::Now();
      waiting_.clear();
    }
    Finish(admission_.End(status));
  }

  void Reject(Rejection why) { End(admission_.Reject(why)); }
  // Ends it for the sake of others. Its place is free at once, so it must not go on waiting for its
  // client to read.
  void Evict() {
    Reject(Rejection::kWatchers);
    const std::lock_guard lock(mutex_);
    if (done_ || !writing_since_) return;
    cut_off_ = true;
    context_->TryCancel();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return End(errors::Cancelled());
    const std::lock_guard lock(mutex_);
    writing_since_.reset();
    WriteNext();
  }
  void OnCancel() override { End(errors::Cancelled()); }
  void OnDone() override {
    const std::shared_ptr<Watcher> last = std::move(self_);
    const std::lock_guard lock(mutex_);
    done_ = true;
  }

 private:
  absl::Status Admit(const grpc::ByteBuffer& bytes) {
    auto caller = admission_.Identify(Audience::kWatchers);
    if (!caller.ok()) return caller.status();
    caller_ = *std::move(caller);
    v1::WatchContactChangesRequest request;
    if (auto read = admission_.ReadRequest(bytes, request); !read.ok()) return read;
    if (!request.service().empty()) service_ = ServiceId(request.service());
    if (!request.resume_token().empty()) {
      resume_place_ = OpenResumeToken(request.resume_token());
      if (!resume_place_) return MalformedToken();
    }
    return absl::OkStatus();
  }

  bool MaySee(const FeedEvent& event) const {
    if (service_ && !event.on_services.contains(*service_)) return false;
    return account().empty() || event.concerned.contains(account());
  }

  void Write(const grpc::ByteBuffer& bytes) {
    sent_position_ = position();
    sent_time_ = absl::Now();
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    waiting_.push_back(bytes);
    if (!writing_since_) WriteNext();
  }

  // The status waits behind a write that waits for the peer: a peer that never reads would keep its
  // stream for ever.
  void CutOff(absl::Time now) {
    const std::lock_guard lock(mutex_);
    if (done_ || cut_off_ || now - ended_time_ <= watch_->options_.stall_limit) return;
    cut_off_ = true;
    context_->TryCancel();
  }

  // With the mutex held, so that Finish cannot run at the same time.
  void WriteNext() {
    if (ended_ || waiting_.empty()) return;
    current_ = waiting_.front();
    waiting_.pop_front();
    writing_since_ = absl::Now();
    StartWrite(&current_);
  }

  Watch* const watch_;
  grpc::CallbackServerContext* const context_;  // Until it is done.
  Admission admission_;
  Caller caller_;  // Without an account it is an observer, which sees all.
  absl::Time account_create_time_;
  std::optional<ServiceId> service_;  // Set: sees only events of this service.
  std::optional<FeedPlace> resume_place_;
  std::optional<FeedPlace> place_;
  bool kept_up_ = false;       // Whether it has been up to date.
  int64_t sent_position_ = 0;  // Of the latest token sent to it.
  absl::Time sent_time_;

  std::shared_ptr<Watcher> self_;
  mutable std::mutex mutex_;
  std::deque<grpc::ByteBuffer> waiting_;
  std::optional<absl::Time> writing_since_;
  grpc::ByteBuffer current_;
  bool ended_ = false;
  absl::Time ended_time_;
  bool cut_off_ = false;
  bool done_ = false;
};

Watch::Watch(const Gate& gate, WorkQueue* workers, Engine* engine, Feed* feed, Options options)
    : gate_(gate), workers_(workers), engine_(engine), feed_(feed), options_(std::move(options)) {}

Watch::~Watch() { Stop(); }

void Watch::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Watch::Stop() {
  Watchers watchers;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    watchers.swap(watchers_);
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  for (const auto& watcher : watchers) {
    watcher->End(errors::Unavailable("shutting down; resume after the last token", kRetryAfter));
  }
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* Watch::Serve(grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request) {
  const auto watcher = std::make_shared<Watcher>(this, context);
  watcher->Start(watcher, *request);
  return watcher.get();
}

int64_t Watch::watchers() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int64_t>(watchers_.size());
}

absl::Status Watch::Open(Watcher& watcher) {
  if (!watcher.account().empty()) {
    const auto account =
        engine_->profiles.GetProfile({.account = watcher.account(), .limits = FeedReadLimits()});
    if (!account.ok()) return account.status();
    watcher.SetAccountCreateTime(account->create_time);
  }
  if (!watcher.resume_place()) return absl::OkStatus();
  const auto bounds = feed_->GetBounds(FeedReadLimits(), *watcher.resume_place());
  if (!bounds.ok()) return bounds.status();
  if (!bounds->leads_on || bounds->seen.position < bounds->removed) {
    return errors::ResumeTokenExpired();
  }
  watcher.SetResumePlace(bounds->seen);
  return absl::OkStatus();
}

std::optional<Metrics::Rejection> Watch::Join(std::shared_ptr<Watcher> watcher) {
  std::shared_ptr<Watcher> evicted;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Rejection::kStopping;
    if (const auto full = MakeRoom(watcher->account(), evicted)) return full;
    watchers_.push_back(std::move(watcher));
  }
  changed_.notify_all();
  if (evicted != nullptr) evicted->Evict();
  return std::nullopt;
}

std::optional<Metrics::Rejection> Watch::MakeRoom(const AccountId& account,
                                                  std::shared_ptr<Watcher>& evicted) {
  const auto all = static_cast<int64_t>(watchers_.size());
  // The last tenth is reserved for observers.
  const int64_t places = options_.max_watchers - (account.empty() ? 0 : options_.max_watchers / 10);
  if (all < places) return std::nullopt;
  std::map<AccountId, int64_t> counts;
  for (const auto& watcher : watchers_) ++counts[watcher->account()];
  counts.erase(AccountId());  // Observers keep their streams.
  const auto largest = std::max_element(
      counts.begin(), counts.end(),
      [](const auto& one, const auto& other) { return one.second < other.second; });
  const auto own = counts.find(account);
  const int64_t wanted = own == counts.end() ? 1 : own->second + 1;
  if (largest == counts.end() || largest->second <= wanted) return Rejection::kWatchers;
  const auto oldest = std::find_if(watchers_.begin(), watchers_.end(), [&](const auto& watcher) {
    return watcher->account() == largest->first;
  });
  evicted = *oldest;
  watchers_.erase(oldest);
  return std::nullopt;
}

void Watch::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const std::size_t count = watchers_.size();
    lock.unlock();
    bool again = false;
    const absl::Status stepped = CatchExceptions([&] {
      again = ReadFeed();
      return absl::OkStatus();
    });
    if (!stepped.ok()) spdlog::error("feed: {}", stepped.ToString());
    lock.lock();
    if (again) continue;
    if (watchers_.empty()) {
      changed_.wait_for(lock, absl::ToChronoMilliseconds(options_.idle_interval),
                        [&] { return stopping_ || !watchers_.empty(); });
    } else if (watchers_.size() == count) {
      changed_.wait_for(lock, absl::ToChronoMilliseconds(options_.poll_interval),
                        [&] { return stopping_; });
    }
  }
}

bool Watch::ReadFeed() {
  Watchers watchers;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(watchers_, [](const auto& watcher) { return watcher->Done(); });
    watchers = watchers_;
  }
  // Before they get further events, and also while the database is away.
  for (const auto& watcher : watchers) watcher->CheckCaller(absl::Now());
  const auto bounds = feed_->Advance(options_.clock(), place_.value_or(FeedPlace()));
  if (!bounds.ok()) {
    spdlog::warn("feed: {}", bounds.status().ToString());
    return false;
  }
  const absl::Status read =
      bounds->leads_on ? ReadTail(watchers, bounds->last) : errors::ResumeTokenExpired();
  if (absl::IsOutOfRange(read)) {
    EndAfterRollback(watchers);
    return true;
  }
  if (!read.ok()) {
    spdlog::warn("feed: {}", read.ToString());
    return false;
  }
  const absl::Time now = absl::Now();
  if (now - accounts_checked_ >= kAccountInterval) CheckAccounts(watchers, now);
  for (const auto& watcher : watchers) {
    if (!watcher->place()) watcher->Begin(watcher->resume_place().value_or(*place_));
    // The feed was read after each of them had joined. So a watcher is ahead of the feed only if
    // the database went back.
    if (watcher->position() < bounds->removed || watcher->position() > place_->position ||
        watcher->place()->Contradicts(*place_)) {
      watcher->End(errors::ResumeTokenExpired());
    }
    watcher->Tick(place_->position, now);
  }
  const auto behind = ReadBacklog(watchers);
  if (!behind.ok()) spdlog::warn("feed: {}", behind.status().ToString());
  return behind.ok() && *behind;
}

void Watch::CheckAccounts(const Watchers& watchers, absl::Time now) {
  std::set<AccountId> ids;
  for (const auto& watcher : watchers) ids.insert(watcher->account());
  ids.erase(AccountId());
  if (ids.empty()) return;
  const auto accounts = engine_->profiles.FindAccounts(FeedReadLimits(), ids);
  if (!accounts.ok()) return;  // Asked again with the next read of the feed.
  for (const auto& watcher : watchers) watcher->CheckAccount(*accounts);
  accounts_checked_ = now;
}

void Watch::EndAfterRollback(const Watchers& watchers) {
  spdlog::warn("feed: the database went back to an earlier state; its watchers have to start anew");
  place_.reset();
  for (const auto& watcher : watchers) {
    // The places of watchers that have not begun are compared when they begin.
    if (watcher->place()) watcher->End(errors::ResumeTokenExpired());
  }
}

absl::Status Watch::ReadTail(const Watchers& watchers, const FeedPlace& last) {
  if (!place_) place_ = last;
  // Events before the first read, or from a time without watchers, are for no watcher.
  Watchers up_to_date;
  std::set<ServiceId> services;
  for (const auto& watcher : watchers) {
    if (!watcher->place() || watcher->position() < place_->position || watcher->Ended()) continue;
    up_to_date.push_back(watcher);
    if (watcher->service()) services.insert(*watcher->service());
  }
  if (up_to_date.empty() && last.position > place_->position) place_ = last;
  while (place_->position < last.position) {
    const auto events = feed_->Read(*place_, kMaxEventsPerRead, services, FeedReadLimits());
    if (!events.ok()) return events.status();
    if (events->empty()) {
      place_ = last;
      break;
    }
    std::vector<SharedEvent> shared = Shared(*events);
    // A watcher without room keeps its position: it is behind from now on.
    std::erase_if(up_to_date, [](const auto& watcher) { return !watcher->HasRoom(); });
    for (const auto& watcher : up_to_date) watcher->Offer(shared);
    place_ = events->back().place;
  }
  for (const auto& watcher : up_to_date) watcher->MoveTo(*place_);
  return absl::OkStatus();
}

absl::StatusOr<bool> Watch::ReadBacklog(const Watchers& watchers) {
  Watchers behind;
  std::map<AccountId, FeedPlace> lowest;
  for (const auto& watcher : watchers) {
    if (watcher->position() >= place_->position || !watcher->HasRoom() || watcher->Ended())
      continue;
    behind.push_back(watcher);
    FeedPlace& place = lowest.try_emplace(watcher->account(), *watcher->place()).first->second;
    if (watcher->position() < place.position) place = *watcher->place();
  }
  if (behind.empty()) return false;
  // Accounts take turns, so that an account that keeps resuming from far back does not delay
  // others. A watcher that is further on gets the part of the same events that it lacks.
  auto turn = lowest.upper_bound(turn_);
  if (turn == lowest.end()) turn = lowest.begin();
  turn_ = turn->first;
  const FeedPlace from = turn->second;
  std::erase_if(behind, [&](const auto& watcher) { return watcher->position() < from.position; });
  std::set<ServiceId> services;
  for (const auto& watcher : behind) {
    if (watcher->service()) services.insert(*watcher->service());
  }
  const auto events = feed_->Read(from, kMaxEventsPerRead, services, FeedReadLimits());
  if (absl::IsOutOfRange(events.status())) {
    for (const auto& watcher : behind) {
      if (watcher->position() == from.position) watcher->End(events.status());
    }
    return true;
  }
  if (!events.ok()) return events.status();
  std::vector<SharedEvent> shared = Shared(*events);
  const bool all = static_cast<int64_t>(events->size()) < kMaxEventsPerRead;
  const int64_t first = events->empty() ? place_->position + 1 : events->front().place.position;
  for (const auto& watcher : behind) {
    // Positions have gaps only where events were removed after the bounds were read.
    if (watcher->position() + 1 < first || watcher->place()->Contradicts(from)) {
      watcher->End(errors::ResumeTokenExpired());
      continue;
    }
    watcher->Offer(shared);
    if (all) watcher->MoveTo(*place_);
  }
  return true;
}

}  // namespace contacts::server
