#ifndef CONTACTS_CORE_MYSQL_POOL_H_
#define CONTACTS_CORE_MYSQL_POOL_H_

#include <atomic>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/domain/histogram.h"
#include "core/mysql/clock.h"
#include "core/mysql/connection.h"
#include "core/mysql/database.h"

namespace contacts {

// Opens connections to the writable member among the endpoints. Thread safe.
class Connector {
 public:
  explicit Connector(DatabaseOptions options);

  // Throws sql::SQLException where no endpoint is reachable and writable.
  std::unique_ptr<Connection> Connect(bool autocommit);
  // Connects to one endpoint, writable or not.
  // `limit`: for connecting and for each answer; unset: as the options have it.
  std::unique_ptr<Connection> ConnectTo(std::size_t endpoint, bool autocommit,
                                        std::optional<absl::Duration> limit = std::nullopt);
  // Lets the next connection try the endpoints after this one first.
  void Distrust(std::size_t endpoint);

  const DatabaseOptions& options() const { return options_; }
  // Set by each connection to the writable member.
  DatabaseClock& clock() { return clock_; }
  int64_t round_trips() const { return round_trips_; }
  int64_t failovers() const { return failovers_; }

 private:
  const DatabaseOptions options_;
  DatabaseClock clock_;
  std::atomic<std::size_t> last_good_ = 0;
  std::atomic<int64_t> found_ = -1;     // Where the writable member was found last; -1: not yet.
  std::atomic<int64_t> failovers_ = 0;  // How often it was found elsewhere than before.
  std::atomic<int64_t> round_trips_ = 0;
};

// A bounded set of connections of one kind. Thread safe.
class Pool {
 public:
  Pool(Connector* connector, bool autocommit) : connector_(connector), autocommit_(autocommit) {}

  // Lends a connection, and adds up what is done on it. Unless told to Keep it, its end
  // closes the connection.
  class Lease {
   public:
    Lease() = default;
    Lease(Pool* pool, std::unique_ptr<Connection> connection, int64_t generation, CallTimes* times);
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    explicit operator bool() const { return connection_ != nullptr; }
    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }
    void Keep() { keep_ = true; }

   private:
    Pool* pool_ = nullptr;
    std::unique_ptr<Connection> connection_;
    int64_t generation_ = 0;  // Of the pool, when it was lent.
    CallTimes* times_ = nullptr;
    absl::Time since_;
    Connection::Work before_;
    bool keep_ = false;
  };

  // Waits until the deadline for a connection; an empty lease where none came free.
  // Throws sql::SQLException where a new one cannot be opened.
  Lease Acquire(const CallLimits& limits);
  // Closes those that nobody uses now, and those in use once they are given back:
  // the member that they are connected to may have stopped being the writable one.
  void DropAll();

  struct Size {
    int open = 0;
    int idle = 0;
  };
  Size size() const;
  // How long it took to get a connection, opening a new one included, and for how long
  // each was lent.
  const DurationHistogram& waits() const { return waits_; }
  const DurationHistogram& loans() const { return loans_; }

 private:
  void GiveBack(std::unique_ptr<Connection> connection, int64_t generation);

  Connector* const connector_;
  const bool autocommit_;
  mutable std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;
  DurationHistogram waits_;
  DurationHistogram loans_;
  int open_ = 0;            // Idle or lent.
  int64_t generation_ = 0;  // Counts DropAll.
};

// Kills the connection of work whose deadline passed or whose caller went away,
// through a connection of its own. Thread safe.
class Watchdog {
 public:
  explicit Watchdog(Connector* connector);
  ~Watchdog();

 private:
  struct Entry {
    std::size_t endpoint;
    int64_t connection_id;
    CallLimits limits;
    std::mutex mutex;  // Held while a kill is on its way.
    bool done = false;
    bool killed = false;
  };

 public:
  class Guard {
   public:
    Guard(Watchdog* watchdog, std::list<std::shared_ptr<Entry>>::iterator position)
        : watchdog_(watchdog), position_(position) {}
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard() { Release(); }
    // Ends the watch; returns whether a kill was sent. Further calls do nothing.
    bool Release();

   private:
    Watchdog* watchdog_;
    std::list<std::shared_ptr<Entry>>::iterator position_;
    bool killed_ = false;
  };

  Guard Watch(const Connection& connection, const CallLimits& limits);

 private:
  void Loop();
  void Kill(Entry& entry);

  Connector* const connector_;
  std::unique_ptr<Connection> connection_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<std::shared_ptr<Entry>> entries_;
  bool asleep_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_MYSQL_POOL_H_
