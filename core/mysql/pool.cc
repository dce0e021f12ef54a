#include "core/mysql/pool.h"

#include <cppconn/driver.h>
#include <cppconn/exception.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <random>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/mysql/failure.h"

namespace contacts {
namespace {

// How often the watched work is looked at, and so how late a kill may be.
constexpr std::chrono::milliseconds kWatchInterval(20);
constexpr int kNoSuchThread = 1094;
// For connecting and for the answer to a kill, so that a frozen member does not hold up kills at
// another.
constexpr absl::Duration kKillLimit = absl::Seconds(2);
constexpr absl::Duration kAwake = absl::Seconds(1);
// Longest wait for a connection that others use.
constexpr absl::Duration kBusyPatience = absl::Seconds(30);
// Longest wait for a member to use.
constexpr absl::Duration kMemberPatience = absl::Seconds(5);
constexpr int kNoMember = 2003;
constexpr int kTooMany = 1040;

// How long to wait after the database had no room `times` times in a row, before a further
// connection is tried.
absl::Duration NoRoomPause(int times) {
  thread_local std::minstd_rand random(std::random_device{}());
  const double limit = std::min(2000.0, 200.0 * static_cast<double>(1 << std::min(times, 4)));
  return absl::Milliseconds(std::uniform_real_distribution<double>(limit / 2, limit)(random));
}

}  // namespace

Connector::Connector(DatabaseOptions options) : options_(std::move(options)) {
  get_driver_instance();  // Must be made before any thread uses it.
}

std::unique_ptr<Connection> Connector::Connect(const Lookout::Choice& choice, bool autocommit) {
  constexpr int kReadOnly = 1290;
  try {
    auto connection = std::make_unique<Connection>(options_, choice.member, choice.kind, autocommit,
                                                   &sockets_, &round_trips_);
    if (connection->writable()) return connection;
    throw sql::SQLException("the member is not to be used any more", "", kReadOnly);
  } catch (const sql::SQLException& error) {
    if (!IsFull(error.getErrorCode())) lookout_.Suspect(choice.member);
    throw;
  }
}

std::unique_ptr<Connection> Connector::ConnectTo(const DatabaseOptions::Endpoint& member,
                                                 absl::Duration limit) {
  DatabaseOptions options = options_;
  options.connect_timeout = options.network_timeout = limit;
  return std::make_unique<Connection>(options, member, MemberKind::kAlone,
                                      /*autocommit=*/true, &sockets_, &round_trips_);
}

Pool::Lease::Lease(Pool* pool, std::unique_ptr<Connection> connection, int64_t generation,
                   CallTimes* times)
    : pool_(pool),
      connection_(std::move(connection)),
      generation_(generation),
      times_(times),
      since_(absl::Now()),
      before_(connection_->work()) {}

Pool::Lease::~Lease() {
  if (!connection_) return;
  pool_->loans_.Add(absl::Now() - since_);
  if (times_ != nullptr) {
    times_->database += connection_->work().time - before_.time;
    times_->round_trips += connection_->work().round_trips - before_.round_trips;
  }
  pool_->GiveBack(keep_ ? std::move(connection_) : nullptr, generation_);
}

void Pool::Lease::Lost() {
  pool_->connector_->lookout().Suspect(connection_->member());
  Connections closed;
  const std::lock_guard lock(pool_->mutex_);
  // Only once for connections that broke together.
  if (generation_ == pool_->generation_) closed = pool_->Renew();
}

Pool::Lease Pool::Acquire(const CallLimits& limits, absl::Time patience, absl::Time* asked) {
  const absl::Time start = absl::Now();
  const absl::Cleanup measure = [this, &limits, start] {
    const absl::Duration wait = absl::Now() - start;
    waits_.Add(wait);
    if (limits.times != nullptr) limits.times->connection_wait += wait;
  };
  const absl::Time until = std::min(limits.deadline, start + kBusyPatience);
  Connections closed;  // Closed after the lock is released.
  std::unique_lock lock(mutex_, std::defer_lock);
  while (true) {
    const absl::Time begin = absl::Now();
    if (asked != nullptr) *asked = begin;
    const std::optional<Lookout::Choice> choice =
        connector_->lookout().Await(std::min({until, patience, begin + kMemberPatience}));
    if (!choice) throw sql::SQLException("there is no member to use", "", kNoMember);
    lock.lock();
    if (choice->epoch > epoch_) {
      epoch_ = choice->epoch;
      closed = Renew();
    }
    if (choice->epoch == epoch_ && !idle_.empty()) {
      Lease lease(this, std::move(idle_.back()), generation_, limits.times);
      idle_.pop_back();
      return lease;
    }
    const absl::Time now = absl::Now();
    if (choice->epoch == epoch_ && open_ < connector_->options().max_connections &&
        now >= next_open_) {
      const int64_t generation = generation_;
      if (auto connection = Open(lock, *choice)) {
        return {this, std::move(connection), generation, limits.times};
      }
    }
    if (now >= until) {
      if (no_room_ > 0) throw sql::SQLException("the database has no room", "", kTooMany);
      return Lease();
    }
    absl::Time look_again = until;
    if (open_ < connector_->options().max_connections) look_again = std::min(until, next_open_);
    returned_.wait_until(lock, absl::ToChronoTime(look_again), [&] {
      return !idle_.empty() ||
             (open_ < connector_->options().max_connections && absl::Now() >= next_open_);
    });
    lock.unlock();
    closed.clear();
  }
}

std::unique_ptr<Connection> Pool::Open(std::unique_lock<std::mutex>& lock,
                                       const Lookout::Choice& choice) {
  ++open_;
  // Until the answer is there, the others do not ask.
  if (no_room_ > 0) next_open_ = absl::Now() + NoRoomPause(no_room_);
  lock.unlock();
  std::unique_ptr<Connection> connection;
  std::optional<sql::SQLException> trouble;
  try {
    connection = connector_->Connect(choice, autocommit_);
  } catch (const sql::SQLException& error) {
    trouble.emplace(error);
  }
  lock.lock();
  if (connection) {
    no_room_ = 0;
    next_open_ = absl::InfinitePast();
    lock.unlock();
    returned_.notify_all();
    return connection;
  }
  --open_;
  if (!IsFull(trouble->getErrorCode())) {
    lock.unlock();
    returned_.notify_one();
    throw *trouble;
  }
  if (no_room_ == 0) {
    spdlog::warn("database: no room for another connection, {} are open: {} {}", open_,
                 trouble->getErrorCode(), trouble->what());
  }
  ++no_room_;
  next_open_ = absl::Now() + NoRoomPause(no_room_);
  return nullptr;
}

Pool::Connections Pool::Renew() {
  ++generation_;
  Connections closed;
  closed.swap(idle_);
  open_ -= static_cast<int>(closed.size());
  returned_.notify_all();
  return closed;
}

Pool::Size Pool::size() const {
  const std::lock_guard lock(mutex_);
  return {.open = open_, .idle = static_cast<int>(idle_.size())};
}

void Pool::GiveBack(std::unique_ptr<Connection> connection, int64_t generation) {
  const std::lock_guard lock(mutex_);
  if (connection && generation == generation_) {
    idle_.push_back(std::move(connection));
  } else {
    --open_;
  }
  returned_.notify_one();
}

Watchdog::Watchdog(Connector* connector) : connector_(connector), thread_([this] { Loop(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Watchdog::Guard Watchdog::Watch(Connection& connection, const CallLimits& limits) {
  auto entry = std::make_shared<Entry>();
  entry->connection = &connection;
  entry->limits = limits;
  const std::lock_guard lock(mutex_);
  entries_.push_front(std::move(entry));
  if (asleep_) changed_.notify_all();
  return Guard(this, entries_.begin());
}

bool Watchdog::Guard::Release() {
  if (watchdog_ == nullptr) return killed_;
  const std::shared_ptr<Entry> entry = *position_;
  {
    const std::lock_guard lock(watchdog_->mutex_);
    watchdog_->entries_.erase(position_);
  }
  watchdog_ = nullptr;
  const std::lock_guard lock(entry->mutex);  // Waits for a kill in progress.
  entry->done = true;
  killed_ = entry->killed;
  return killed_;
}

void Watchdog::Loop() {
  std::unique_lock lock(mutex_);
  absl::Time last_busy = absl::Now();
  while (!stopping_) {
    const absl::Time now = absl::Now();
    if (!entries_.empty()) last_busy = now;
    // Sleeps without a limit only after a while without work, since waking this thread costs each
    // call more than looking does.
    asleep_ = now - last_busy > kAwake;
    if (asleep_) {
      changed_.wait(lock);
      continue;
    }
    changed_.wait_for(lock, kWatchInterval);
    std::vector<std::shared_ptr<Entry>> late;
    for (const std::shared_ptr<Entry>& entry : entries_) {
      const CallLimits& limits = entry->limits;
      if (now >= limits.deadline || limits.IsCancelled()) late.push_back(entry);
    }
    if (late.empty()) continue;
    lock.unlock();
    std::set<std::string> silent;
    for (const std::shared_ptr<Entry>& entry : late) Kill(*entry, silent);
    lock.lock();
  }
}

void Watchdog::Kill(Entry& entry, std::set<std::string>& silent) {
  const std::lock_guard lock(entry.mutex);
  if (entry.done || entry.killed) return;
  entry.killed = true;
  const std::string member = MemberName(entry.connection->member());
  if (!silent.contains(member) && SendKill(*entry.connection)) return;
  silent.insert(member);
  entry.connection->Shut();
}

bool Watchdog::SendKill(const Connection& late) {
  while (true) {
    const bool fresh =
        !connection_ || MemberName(connection_->member()) != MemberName(late.member());
    const absl::Time begin = absl::Now();
    try {
      if (fresh) connection_ = connector_->ConnectTo(late.member(), kKillLimit);
      // Not KILL QUERY: MySQL may then end a batch between two statements and say that more results
      // follow, and the reader waits for ever.
      connection_->Execute(absl::StrCat("KILL ", late.id()));
      return true;
    } catch (const sql::SQLException& error) {
      if (error.getErrorCode() == kNoSuchThread) return true;  // It has ended.
      connection_.reset();
      // The watchdog's own connection may have broken since its last use.
      if (!fresh && absl::Now() - begin < kKillLimit / 2) continue;
      spdlog::warn("database: could not stop late work: {} {}", error.getErrorCode(), error.what());
      return false;
    }
  }
}

}  // namespace contacts
