#include "server/watch.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "contacts/v1/contact_service.pb.h"
#include "core/domain/errors.h"
#include "server/convert.h"
#include "server/page_token.h"

namespace contacts::server {
namespace {

constexpr int64_t kReadAtOnce = 500;  // Events.
// Events waiting to be written to one watcher, beside those read at once.
constexpr std::size_t kMaxWaiting = 500;
constexpr absl::Duration kReadLimit = absl::Seconds(10);

CallLimits ReadLimits() { return {.deadline = absl::Now() + kReadLimit}; }

grpc::ByteBuffer TokenAlone(int64_t position) {
  v1::WatchContactChangesResponse response;
  response.set_resume_token(MakeResumeToken(position));
  return ToBuffer(response.SerializeAsString());
}

// An event's bytes are the same for all watchers: made once, by the first that
// may see it.
class SharedEvent {
 public:
  explicit SharedEvent(const FeedEvent* event) : event_(event) {}
  const FeedEvent& operator*() const { return *event_; }
  const FeedEvent* operator->() const { return event_; }
  const grpc::ByteBuffer& bytes() {
    if (!bytes_) {
      v1::WatchContactChangesResponse response;
      *response.mutable_event() = ToMessage(event_->event);
      response.set_resume_token(MakeResumeToken(event_->position));
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
  return errors::Unavailable("the policy of who may call changed; resume", absl::ZeroDuration());
}

}  // namespace

// One watcher. gRPC holds it until OnDone, the others as long as they use it.
class Watch::Watcher final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  Watcher(Watch* watch, grpc::CallbackServerContext* context)
      : watch_(watch),
        context_(context),
        admission_(watch->gate_, "contacts.v1.ContactService/WatchContactChanges", context) {}

  void Start(const std::shared_ptr<Watcher>& self, const grpc::ByteBuffer& bytes) {
    self_ = self;
    const absl::Status admitted = Guarded([&] { return Admit(bytes); });
    if (!admitted.ok()) return End(admitted);
    const bool queued = watch_->workers_->TryPush(account().text(), [self] {
      const absl::Status opened = Guarded([&] { return self->watch_->Open(*self); });
      if (!opened.ok()) return self->End(opened);
      if (!self->watch_->Join(self)) {
        self->End(errors::Unavailable("too many watchers here or of this account, or shutting down",
                                      kRetryAfter));
      }
    });
    if (!queued) End(errors::Unavailable("overloaded; try again later", kRetryAfter));
  }

  const AccountId& account() const { return identity_.account; }
  const std::optional<ServiceId>& service() const { return service_; }
  const std::optional<int64_t>& resume_position() const { return resume_position_; }

  // The rest is called by Watch's thread.

  // Up to where events were considered for this watcher; nothing before it began.
  std::optional<int64_t> position() const { return position_; }
  void Begin(int64_t position) {
    position_ = position;
    Write(TokenAlone(position));
  }

  // Whether it may be offered what is read at once.
  bool HasRoom() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size() <= kMaxWaiting;
  }
  bool Ended() const {
    const std::lock_guard lock(mutex_);
    return ended_;
  }
  // gRPC is through with it.
  bool Done() const {
    const std::lock_guard lock(mutex_);
    return done_;
  }

  // Gives it those events after its position that it may see.
  void Offer(std::vector<SharedEvent>& events) {
    for (SharedEvent& event : events) {
      if (event->position <= *position_) continue;
      position_ = event->position;
      if (MaySee(*event)) Write(event.bytes());
    }
  }
  // There is nothing else up to there.
  void MoveTo(int64_t position) { position_ = std::max(*position_, position); }

  // Ends it where its caller may not watch any more.
  void CheckCaller(absl::Time now) {
    if (now >= identity_.expires) return End(SessionExpired());
    if (!identity_.Stands()) End(PolicyChanged());
  }
  // Where it was sent nothing for long, moves its token on; ends it where it does
  // not read or reads too slowly. `last` is the end of the feed.
  void Tick(int64_t last, absl::Time now) {
    if (Ended()) return CutOff(now);
    const Options& options = watch_->options_;
    kept_up_ = kept_up_ || *position_ >= last;
    bool idle = false;
    bool stuck = kept_up_ && last - *position_ > options.max_lag;
    {
      const std::lock_guard lock(mutex_);
      idle = !writing_since_;
      stuck = stuck || (writing_since_ && now - *writing_since_ > options.stall_limit);
    }
    if (stuck) return End(TooSlow());
    if (idle && *position_ > sent_position_ && now - sent_time_ >= options.token_interval) {
      Write(TokenAlone(*position_));
    }
  }

  // From any thread; the first call counts.
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
    auto identity = admission_.Identify(Audience::kWatchers);
    if (!identity.ok()) return identity.status();
    identity_ = *std::move(identity);
    v1::WatchContactChangesRequest request;
    if (auto read = admission_.ReadRequest(bytes, request); !read.ok()) return read;
    if (!request.service().empty()) service_ = ServiceId(request.service());
    if (!request.resume_token().empty()) {
      resume_position_ = OpenResumeToken(request.resume_token());
      if (!resume_position_) return MalformedToken();
    }
    return absl::OkStatus();
  }

  bool MaySee(const FeedEvent& event) const {
    if (service_ && !event.on_services.contains(*service_)) return false;
    return account().empty() || event.concerned.contains(account());
  }

  void Write(const grpc::ByteBuffer& bytes) {
    sent_position_ = *position_;
    sent_time_ = absl::Now();
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    waiting_.push_back(bytes);
    if (!writing_since_) WriteNext();
  }

  // The status waits behind a write that waits for the peer: one that never reads would
  // keep its stream for ever.
  void CutOff(absl::Time now) {
    const std::lock_guard lock(mutex_);
    if (done_ || cut_off_ || now - ended_time_ <= watch_->options_.stall_limit) return;
    cut_off_ = true;
    context_->TryCancel();
  }

  // With the mutex held, which keeps Finish away.
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
  Identity identity_;                 // Without an account it is an observer, who sees all.
  std::optional<ServiceId> service_;  // Sees what is on this service alone.
  std::optional<int64_t> resume_position_;
  std::optional<int64_t> position_;
  bool kept_up_ = false;       // It was up to date once.
  int64_t sent_position_ = 0;  // Of the latest token given to it.
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
    : gate_(gate), workers_(workers), engine_(engine), feed_(feed), options_(options) {}

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
        engine_->GetProfile({.account = watcher.account(), .limits = ReadLimits()});
    if (!account.ok()) return account.status();
  }
  if (!watcher.resume_position()) return absl::OkStatus();
  const auto bounds = feed_->GetBounds(ReadLimits());
  if (!bounds.ok()) return bounds.status();
  if (*watcher.resume_position() < bounds->removed) return errors::ResumeTokenExpired();
  if (*watcher.resume_position() > bounds->last) return MalformedToken();
  return absl::OkStatus();
}

bool Watch::Join(std::shared_ptr<Watcher> watcher) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || !HasRoom(watcher->account())) return false;
    watchers_.push_back(std::move(watcher));
  }
  changed_.notify_all();
  return true;
}

bool Watch::HasRoom(const AccountId& account) const {
  const auto all = static_cast<int64_t>(watchers_.size());
  if (account.empty()) return all < options_.max_watchers;
  const auto its_own = std::count_if(watchers_.begin(), watchers_.end(), [&](const auto& watcher) {
    return watcher->account() == account;
  });
  // One account has half at most, and the last tenth is the observers'.
  return all < options_.max_watchers - options_.max_watchers / 10 &&
         its_own < options_.max_watchers / 2;
}

void Watch::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const std::size_t count = watchers_.size();
    lock.unlock();
    bool again = false;
    const absl::Status stepped = Guarded([&] {
      again = Step();
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

bool Watch::Step() {
  Watchers watchers;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(watchers_, [](const auto& watcher) { return watcher->Done(); });
    watchers = watchers_;
  }
  // Before they are given what came meanwhile, and also while the database is away.
  for (const auto& watcher : watchers) watcher->CheckCaller(absl::Now());
  const auto bounds = feed_->Advance(options_.clock());
  if (!bounds.ok()) {
    spdlog::warn("feed: {}", bounds.status().ToString());
    return false;
  }
  if (auto read = ReadTail(watchers, bounds->last); !read.ok()) {
    spdlog::warn("feed: {}", read.ToString());
    return false;
  }
  const absl::Time now = absl::Now();
  for (const auto& watcher : watchers) {
    if (!watcher->position()) watcher->Begin(watcher->resume_position().value_or(position_));
    if (*watcher->position() < bounds->removed) watcher->End(errors::ResumeTokenExpired());
    watcher->Tick(position_, now);
  }
  const auto behind = ReadBacklog(watchers);
  if (!behind.ok()) spdlog::warn("feed: {}", behind.status().ToString());
  return behind.ok() && *behind;
}

absl::Status Watch::ReadTail(const Watchers& watchers, int64_t last) {
  // Nobody is owed what came before the first look, or while nobody watched.
  Watchers up_to_date;
  std::set<ServiceId> services;
  for (const auto& watcher : watchers) {
    if (!watcher->position() || *watcher->position() < position_ || watcher->Ended()) continue;
    up_to_date.push_back(watcher);
    if (watcher->service()) services.insert(*watcher->service());
  }
  if (up_to_date.empty()) position_ = std::max(position_, last);
  while (position_ < last) {
    const auto events = feed_->Read(position_, kReadAtOnce, services, ReadLimits());
    if (!events.ok()) return events.status();
    if (events->empty()) {
      position_ = last;
      break;
    }
    std::vector<SharedEvent> shared = Shared(*events);
    // One without room stays where it is: it is behind from now on.
    std::erase_if(up_to_date, [](const auto& watcher) { return !watcher->HasRoom(); });
    for (const auto& watcher : up_to_date) watcher->Offer(shared);
    position_ = events->back().position;
  }
  for (const auto& watcher : up_to_date) watcher->MoveTo(position_);
  return absl::OkStatus();
}

absl::StatusOr<bool> Watch::ReadBacklog(const Watchers& watchers) {
  Watchers behind;
  std::map<AccountId, int64_t> lowest;
  for (const auto& watcher : watchers) {
    if (*watcher->position() >= position_ || !watcher->HasRoom() || watcher->Ended()) continue;
    behind.push_back(watcher);
    int64_t& position = lowest.try_emplace(watcher->account(), position_).first->second;
    position = std::min(position, *watcher->position());
  }
  if (behind.empty()) return false;
  // Accounts take turns, so that one which resumes from far back, again and again, keeps no
  // other waiting. Whoever is further on takes what it lacks of the same events.
  auto turn = lowest.upper_bound(turn_);
  if (turn == lowest.end()) turn = lowest.begin();
  turn_ = turn->first;
  const int64_t from = turn->second;
  std::erase_if(behind, [&](const auto& watcher) { return *watcher->position() < from; });
  std::set<ServiceId> services;
  for (const auto& watcher : behind) {
    if (watcher->service()) services.insert(*watcher->service());
  }
  const auto events = feed_->Read(from, kReadAtOnce, services, ReadLimits());
  if (!events.ok()) return events.status();
  std::vector<SharedEvent> shared = Shared(*events);
  const bool all = static_cast<int64_t>(events->size()) < kReadAtOnce;
  const int64_t first = events->empty() ? position_ + 1 : events->front().position;
  for (const auto& watcher : behind) {
    // Positions have no gaps but where events were removed, since the bounds were read.
    if (*watcher->position() + 1 < first) {
      watcher->End(errors::ResumeTokenExpired());
      continue;
    }
    watcher->Offer(shared);
    if (all) watcher->MoveTo(position_);
  }
  return true;
}

}  // namespace contacts::server
