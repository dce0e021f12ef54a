#include "core/mysql/pool.h"

#include <cppconn/driver.h>
#include <cppconn/exception.h>
#include <spdlog/spdlog.h>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace contacts {
namespace {

// How late a kill may come; also how often the watched work is looked at.
constexpr std::chrono::milliseconds kWatchInterval(20);
// Of a kill itself: a database that is frozen must not hold up the kills at another.
constexpr int kNoSuchThread = 1094;
constexpr absl::Duration kKillLimit = absl::Seconds(2);
constexpr absl::Duration kAwake = absl::Seconds(1);

}  // namespace

Connector::Connector(DatabaseOptions options) : options_(std::move(options)) {
  get_driver_instance();  // Must be made before any thread uses it.
}

std::unique_ptr<Connection> Connector::Connect(bool autocommit) {
  const std::size_t count = std::max<std::size_t>(1, options_.endpoints.size());
  const std::size_t first = last_good_;
  for (std::size_t i = 0;; ++i) {
    const std::size_t at = (first + i) % count;
    const bool last_try = i + 1 == count;
    try {
      auto connection = ConnectTo(at, autocommit);
      if (connection->writable()) {
        last_good_ = at;
        clock_.Add(connection->time());
        const int64_t before = found_.exchange(static_cast<int64_t>(at));
        if (before >= 0 && before != static_cast<int64_t>(at)) ++failovers_;
        return connection;
      }
      if (last_try) throw sql::SQLException("no endpoint takes writes", "", 1290);
    } catch (const sql::SQLException& error) {
      if (last_try) throw;
      spdlog::warn("database: {}:{}: {} {}", options_.endpoints[at].host,
                   options_.endpoints[at].port, error.getErrorCode(), error.what());
    }
  }
}

std::unique_ptr<Connection> Connector::ConnectTo(std::size_t endpoint, bool autocommit,
                                                 std::optional<absl::Duration> limit) {
  DatabaseOptions options = options_;
  if (limit) options.connect_timeout = options.network_timeout = *limit;
  return std::make_unique<Connection>(options, endpoint, autocommit, &round_trips_);
}

void Connector::Distrust(std::size_t endpoint) {
  const std::size_t count = std::max<std::size_t>(1, options_.endpoints.size());
  std::size_t expected = endpoint;
  last_good_.compare_exchange_strong(expected, (endpoint + 1) % count);
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

Pool::Lease Pool::Acquire(const CallLimits& limits) {
  const absl::Cleanup measure = [this, &limits, start = absl::Now()] {
    const absl::Duration wait = absl::Now() - start;
    waits_.Add(wait);
    if (limits.times != nullptr) limits.times->connection_wait += wait;
  };
  std::unique_lock lock(mutex_);
  const auto available = [&] {
    return !idle_.empty() || open_ < connector_->options().max_connections;
  };
  if (!returned_.wait_until(
          lock, absl::ToChronoTime(std::min(limits.deadline, absl::Now() + absl::Seconds(30))),
          available)) {
    return Lease();
  }
  if (!idle_.empty()) {
    Lease lease(this, std::move(idle_.back()), generation_, limits.times);
    idle_.pop_back();
    return lease;
  }
  ++open_;
  const int64_t generation = generation_;
  lock.unlock();
  try {
    return {this, connector_->Connect(autocommit_), generation, limits.times};
  } catch (...) {
    GiveBack(nullptr, generation);
    throw;
  }
}

void Pool::DropAll() {
  std::vector<std::unique_ptr<Connection>> dropped;
  const std::lock_guard lock(mutex_);
  ++generation_;
  dropped.swap(idle_);
  open_ -= static_cast<int>(dropped.size());
  returned_.notify_all();
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

Watchdog::Guard Watchdog::Watch(const Connection& connection, const CallLimits& limits) {
  auto entry = std::make_shared<Entry>();
  entry->endpoint = connection.endpoint();
  entry->connection_id = connection.id();
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
  const std::lock_guard lock(entry->mutex);  // Waits for a kill on its way.
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
    // Sleeps for good only after a while: to be woken costs each call more than it costs
    // to look.
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
    for (const std::shared_ptr<Entry>& entry : late) Kill(*entry);
    lock.lock();
  }
}

void Watchdog::Kill(Entry& entry) {
  const std::lock_guard lock(entry.mutex);
  if (entry.done || entry.killed) return;
  // Twice: the watchdog's own connection may have died since it was used last.
  for (int tries = 0; tries < 2; ++tries) {
    try {
      if (!connection_ || connection_->endpoint() != entry.endpoint) {
        connection_ = connector_->ConnectTo(entry.endpoint, /*autocommit=*/true, kKillLimit);
      }
      entry.killed = true;
      // The connection, not its statement: MySQL may end a batch between two statements
      // and say that more follows, and the reader waits for what never comes.
      connection_->Execute(absl::StrCat("KILL ", entry.connection_id));
      return;
    } catch (const sql::SQLException& error) {
      if (error.getErrorCode() == kNoSuchThread) return;  // It is gone already.
      spdlog::warn("database: could not stop late work: {} {}", error.getErrorCode(), error.what());
      connection_.reset();
    }
  }
}

}  // namespace contacts
