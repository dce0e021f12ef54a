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
#include "core/base/call_limits.h"
#include "core/base/histogram.h"
#include "core/domain/contact_change.h"

namespace contacts {

class Session;

// How connections to the database are encrypted. Each includes what those before it do.
enum class DatabaseTls {
  kDisabled,
  kPreferred,       // Encrypted where the database offers it.
  kRequired,        // Rejects a database that does not.
  kVerifyCa,        // Rejects a certificate that no trusted authority signed, or that has expired.
  kVerifyIdentity,  // Rejects a certificate that does not name the host that was connected to.
};

// The place of the database, and the limits of its use.
struct DatabaseOptions {
  struct Endpoint {
    std::string host;
    int port = 3306;
  };
  std::vector<Endpoint> endpoints;  // Several endpoints are one replicated cluster.
  std::string socket;               // Path of a local socket. If set, `endpoints` are not used.
  std::string user;
  std::string password;
  std::string database;
  DatabaseTls tls = DatabaseTls::kPreferred;
  // PEM files, read for each new connection.
  std::string tls_ca_file;    // Trusted authorities; empty: the system's.
  std::string tls_cert_file;  // Our own certificate, and its key; empty: none.
  std::string tls_key_file;
  int max_connections = 16;  // For reads and for writes, each.
  absl::Duration connect_timeout = absl::Seconds(3);
  absl::Duration statement_timeout = absl::Seconds(30);  // Also if the call's deadline is later.
  // Longer than statement_timeout, so that it only ends waits on a dead network.
  absl::Duration network_timeout = absl::Seconds(35);
  absl::Duration lock_wait_timeout = absl::Seconds(5);

  // Parses mysql://USER[:PASSWORD]@HOST[:PORT][,HOST[:PORT]...]/DATABASE[?socket=PATH],
  // with percent-encoding in user and password. Returns INVALID_ARGUMENT, without the password, for
  // any other text.
  static absl::StatusOr<DatabaseOptions> Parse(const std::string& uri);
};

// The database as the engine uses it: a bounded number of connections, and transactions that start
// over after a conflict or a failover. Hides the driver's types. Thread safe. Each call blocks its
// thread.
class Database {
 public:
  // Does not connect. The methods connect as needed.
  explicit Database(DatabaseOptions options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  using Body = std::function<absl::Status(Session&)>;
  template <typename T>
  using BodyOf = std::function<absl::StatusOr<T>(Session&)>;

  // Runs `body` on a connection in autocommit mode. `body` may run several times, so it must not
  // keep state between runs. Returns the result of the last run, or UNAVAILABLE once tries or time
  // run out.
  absl::Status Read(const CallLimits& limits, const Body& body);
  template <typename T>
  absl::StatusOr<T> Read(const CallLimits& limits, const BodyOf<T>& body) {
    absl::StatusOr<T> result;
    const absl::Status status = Read(limits, Keeping(body, result));
    if (!status.ok()) return status;
    return result;
  }

  // Runs `body` in a READ COMMITTED transaction. If it returned OK, or called
  // Session::CommitAnyway, sends its queued writes and COMMIT in one round trip; else ROLLBACK.
  // After a deadlock, a lock wait, a duplicate key or a lost server, all of it runs again within
  // the deadline, after a pause with jitter. After a connection that was lost during COMMIT too:
  // then Session::maybe_committed() is set, and a body that would do harm if run twice must look
  // for the row that its first run wrote. Returns UNAVAILABLE once tries or time run out.
  absl::Status Write(const CallLimits& limits, const Body& body);
  template <typename T>
  absl::StatusOr<T> Write(const CallLimits& limits, const BodyOf<T>& body) {
    absl::StatusOr<T> result;
    const absl::Status status = Write(limits, Keeping(body, result));
    if (!status.ok()) return status;
    return result;
  }

  // Applies the schema. Safe if several servers do so at once, and if repeated. Waits a few seconds
  // for a database that is away, then returns UNAVAILABLE. FAILED_PRECONDITION, saying what to do,
  // if waiting cannot help.
  absl::Status Migrate();
  // Errors as Migrate; FAILED_PRECONDITION also if the schema is missing, older than this program
  // needs, or too new for it.
  absl::Status CheckSchema();
  // OK if the member in use answers within `limits`. INTERNAL if it has no schema.
  absl::Status Ping(const CallLimits& limits);
  // Whether a member is in use. Does not wait: calls fail within seconds while it is false.
  bool HasMember();

  // The database's time, in microseconds. All servers of a fleet have the same time, whatever
  // time their hosts' clocks have. Costs no round trip: it is measured when the member in use is
  // asked what it is. Before the first answer, the host's own time.
  absl::Time Now();

  // Round trips made so far, for tests and metrics.
  int64_t round_trips() const;

  // The methods below are for metrics and do not wait for the database.
  // Reads and transactions that were started over, by cause.
  struct Retries {
    std::atomic<int64_t> conflict = 0;   // Deadlock, lock wait or certification.
    std::atomic<int64_t> duplicate = 0;  // Another transaction inserted the same key.
    std::atomic<int64_t> lost = 0;       // The server was gone or no longer writable.
  };
  const Retries& retries() const;
  // The host's clock minus the database's.
  absl::Duration host_clock_error() const;
  // How often another member was used than before.
  int64_t failovers() const;
  // The number of members that say that they are the one that accepts writes: 0 or 1 in a healthy
  // cluster.
  int64_t writable_members() const;
  // Contact changes that entered `state` in committed transactions.
  int64_t entered(ChangeState state) const;

  // Reads and writes have separate connections.
  enum class Kind { kRead, kWrite };
  struct Connections {
    int64_t used = 0;
    int64_t idle = 0;
    int64_t max = 0;
  };
  Connections connections(Kind kind) const;
  // Times to get a connection, opening it included.
  const DurationHistogram& connection_waits(Kind kind) const;
  // Times that a read or a transaction used its connection, for each try.
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
