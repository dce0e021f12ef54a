#ifndef CONTACTS_CORE_MYSQL_POOL_H_
#define CONTACTS_CORE_MYSQL_POOL_H_

#include <atomic>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/base/histogram.h"
#include "core/mysql/clock.h"
#include "core/mysql/connection.h"
#include "core/mysql/database.h"
#include "core/mysql/lookout.h"
#include "core/mysql/sockets.h"

namespace contacts {

// Opens connections to the member that the lookout chose. Thread safe.
class Connector {
 public:
  explicit Connector(DatabaseOptions options);

  // Throws sql::SQLException if the member cannot be reached or may no longer be used.
  std::unique_ptr<Connection> Connect(const Lookout::Choice& choice, bool autocommit);
  // Connects to a member for a KILL. `limit`: for connecting and for each answer.
  std::unique_ptr<Connection> ConnectTo(const DatabaseOptions::Endpoint& member,
                                        absl::Duration limit);

  const DatabaseOptions& options() const { return options_; }
  DatabaseClock& clock() { return clock_; }
  Lookout& lookout() { return lookout_; }
  int64_t round_trips() const { return round_trips_; }

 private:
  const DatabaseOptions options_;
  DatabaseClock clock_;
  Sockets sockets_;
  std::atomic<int64_t> round_trips_ = 0;
  Lookout lookout_{&options_, &clock_, &sockets_};
};

// A bounded set of connections of one kind. Thread safe.
class Pool {
 public:
  Pool(Connector* connector, bool autocommit) : connector_(connector), autocommit_(autocommit) {}

  // A borrowed connection. Adds the work done on it to the call's times. The destructor closes the
  // connection unless Keep() was called.
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
    // To be called when the connection broke. The pool's other connections are closed too once
    // nobody uses them, and the lookout asks the member.
    void Lost();

   private:
    Pool* pool_ = nullptr;
    std::unique_ptr<Connection> connection_;
    int64_t generation_ = 0;  // The pool's, when the connection was lent.
    CallTimes* times_ = nullptr;
    absl::Time since_;
    Connection::Work before_;
    bool keep_ = false;
  };

  // Waits for a connection until the deadline, 30 s at most. Returns an empty lease if none came
  // free. Throws sql::SQLException if there is no member to use until `patience`, 5 s at most, or
  // if the member accepts no new connection.
  // `asked`, unless null: when it last began to wait for a member, rather than for a connection
  // that others use.
  Lease Acquire(const CallLimits& limits, absl::Time patience = absl::InfiniteFuture(),
                absl::Time* asked = nullptr);

  struct Size {
    int open = 0;
    int idle = 0;
  };
  Size size() const;
  // Times to get a connection, opening it included, and times that connections were lent.
  const DurationHistogram& waits() const { return waits_; }
  const DurationHistogram& loans() const { return loans_; }

 private:
  using Connections = std::vector<std::unique_ptr<Connection>>;

  void GiveBack(std::unique_ptr<Connection> connection, int64_t generation);
  // Starts a new generation, with the lock held. Returns the idle connections, which the caller
  // closes without the lock.
  Connections Renew();
  // Opens a connection. Called with the lock held, and releases it meanwhile. Null if the database
  // has no room for one more connection.
  std::unique_ptr<Connection> Open(std::unique_lock<std::mutex>& lock,
                                   const Lookout::Choice& choice);

  Connector* const connector_;
  const bool autocommit_;
  mutable std::mutex mutex_;
  std::condition_variable returned_;
  Connections idle_;
  DurationHistogram waits_;
  DurationHistogram loans_;
  int open_ = 0;            // Idle or lent.
  int64_t generation_ = 0;  // Connections of an older one are not used again.
  int64_t epoch_ = 0;       // The lookout's, at its last choice.
  // If the database had no room for one more connection: when to ask again, and how often in a row
  // it had none.
  absl::Time next_open_ = absl::InfinitePast();
  int no_room_ = 0;
};

// Kills the connection of work whose deadline has passed or whose callers have gone, through a
// connection of its own. Shuts the connection's socket if the member does not answer. Thread safe.
class Watchdog {
 public:
  explicit Watchdog(Connector* connector);
  ~Watchdog();

 private:
  struct Entry {
    Connection* connection;
    CallLimits limits;
    std::mutex mutex;  // Held while a kill is being sent.
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
    // Ends the watch and returns whether a kill was sent. Further calls only return it again.
    bool Release();

   private:
    Watchdog* watchdog_;
    std::list<std::shared_ptr<Entry>>::iterator position_;
    bool killed_ = false;
  };

  Guard Watch(Connection& connection, const CallLimits& limits);

 private:
  void Loop();
  // `silent`: members that did not answer in this round. Kill adds to it.
  void Kill(Entry& entry, std::set<std::string>& silent);
  // Returns false if the member does not answer.
  bool SendKill(const Connection& connection);

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
