#ifndef CONTACTS_CORE_MYSQL_DATABASE_H_
#define CONTACTS_CORE_MYSQL_DATABASE_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/domain/histogram.h"
#include "core/domain/model.h"

namespace contacts {

class Session;

// Where the time of a call went, as far as it was spent on waiting. The rest of its
// latency is its own work.
struct CallTimes {
  absl::Duration queue;            // For a thread to work on it; the server's to fill in.
  absl::Duration connection_wait;  // For a database connection, or for a read to share.
  absl::Duration database;         // For the database's answers.
  absl::Duration backoff;          // Between tries.
  int64_t round_trips = 0;
  int64_t retries = 0;

  CallTimes& operator+=(const CallTimes& other);
};

// How long a piece of work is worth doing: its connection is killed in the database
// once the deadline has passed or nobody waits for it any more.
struct CallLimits {
  absl::Time deadline = absl::InfiniteFuture();
  // Each is set once one of those who wait for it no longer does. None: cannot be cancelled.
  std::vector<std::shared_ptr<const std::atomic<bool>>> cancelled;
  CallTimes* times = nullptr;  // Added to by the thread that does the work; null: by nobody.

  bool IsCancelled() const;
  // CANCELLED or DEADLINE_EXCEEDED where it is not worth doing any more.
  absl::Status Check() const;
};

// Where the database is and how much of it to use.
struct DatabaseOptions {
  struct Endpoint {
    std::string host;
    int port = 3306;
  };
  std::vector<Endpoint> endpoints;  // Several: one replicated cluster.
  std::string socket;               // Local socket; used instead of the endpoints when set.
  std::string user;
  std::string password;
  std::string database;
  int max_connections = 16;  // For reads and for writes, each.
  absl::Duration connect_timeout = absl::Seconds(3);
  absl::Duration statement_timeout = absl::Seconds(30);  // Whatever the call's own deadline.
  // Beyond the database's own limit: only a dead network is cut off by it.
  absl::Duration network_timeout = absl::Seconds(35);
  absl::Duration lock_wait_timeout = absl::Seconds(5);

  // Parses mysql://USER[:PASSWORD]@HOST[:PORT][,HOST[:PORT]...]/DATABASE[?socket=PATH],
  // with percent-encoding in user and password. INVALID_ARGUMENT, without the
  // password, for anything else.
  static absl::StatusOr<DatabaseOptions> Parse(const std::string& uri);
};

// The database as the engine uses it: bounded connections, transactions that
// start over after a conflict or a fail-over, and nothing of the driver's types.
// Thread safe; each call blocks its thread.
class Database {
 public:
  // Does not connect yet; every use connects as needed.
  explicit Database(DatabaseOptions options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  using Body = std::function<absl::Status(Session&)>;
  template <typename T>
  using BodyOf = std::function<absl::StatusOr<T>(Session&)>;

  // Runs `body` on a connection where each statement stands alone. `body` may
  // run again, so it keeps no state of an earlier run; what its last run returned is
  // returned.
  absl::Status Read(const CallLimits& limits, const Body& body);
  template <typename T>
  absl::StatusOr<T> Read(const CallLimits& limits, const BodyOf<T>& body) {
    absl::StatusOr<T> result;
    const absl::Status status = Read(limits, Keeping(body, result));
    if (!status.ok()) return status;
    return result;
  }

  // Runs `body` in a READ COMMITTED transaction, then its queued writes and COMMIT
  // in one round trip where it returned OK (or asked by Session::CommitAnyway),
  // else ROLLBACK. A deadlock, a lock wait, a duplicate key or a lost server runs
  // all of it again, with jitter, within the deadline; so does a connection lost
  // during COMMIT, then with Session::maybe_committed() set: a body whose second
  // run would do harm must look for the row that its first run wrote.
  // Returns UNAVAILABLE once tries or time run out.
  absl::Status Write(const CallLimits& limits, const Body& body);
  template <typename T>
  absl::StatusOr<T> Write(const CallLimits& limits, const BodyOf<T>& body) {
    absl::StatusOr<T> result;
    const absl::Status status = Write(limits, Keeping(body, result));
    if (!status.ok()) return status;
    return result;
  }

  // Applies the schema; safe when several servers do it at once, and when run again.
  absl::Status Migrate();
  // FAILED_PRECONDITION where the schema is missing or older than this program needs.
  absl::Status CheckSchema();
  // OK where a writable member answers within `limits`; INTERNAL where it has no schema.
  absl::Status Ping(const CallLimits& limits);

  // The database's time, to the microsecond; every server of a fleet has the same one, whatever
  // its host's clock says. No round trip: measured at each new connection and by Ping. The
  // host's own before the first connection.
  absl::Time Now();

  // Round trips made so far, for tests and metrics.
  int64_t round_trips() const;

  // The rest is for metrics; none of it waits for the database.
  // Reads and transactions started over, by why.
  struct Retries {
    std::atomic<int64_t> conflict = 0;   // Deadlock, lock wait, certification.
    std::atomic<int64_t> duplicate = 0;  // A key was taken meanwhile.
    std::atomic<int64_t> lost = 0;       // A server that is gone or no longer writable.
  };
  const Retries& retries() const;
  // The host's clock minus the database's.
  absl::Duration host_clock_error() const;
  // How often the writable member was found at another endpoint than before.
  int64_t failovers() const;
  // Contact changes that committed transactions brought into `state`.
  int64_t entered(ChangeState state) const;

  // Reads and writes have connections of their own.
  enum class Kind { kRead, kWrite };
  struct Connections {
    int64_t used = 0;
    int64_t idle = 0;
    int64_t max = 0;
  };
  Connections connections(Kind kind) const;
  // Times to get a connection, opening one included.
  const DurationHistogram& connection_waits(Kind kind) const;
  // Times that reads, or whole transactions, had one; each try by itself.
  const DurationHistogram& transactions(Kind kind) const;

 private:
  template <typename T>
  static Body Keeping(const BodyOf<T>& body, absl::StatusOr<T>& result) {
    return [&body, &result](Session& session) {
      result = body(session);
      return result.status();
    };
  }

  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_MYSQL_DATABASE_H_
