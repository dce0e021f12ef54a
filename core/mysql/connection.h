#ifndef CONTACTS_CORE_MYSQL_CONNECTION_H_
#define CONTACTS_CORE_MYSQL_CONNECTION_H_

#include <cppconn/connection.h>
#include <cppconn/prepared_statement.h>
#include <cppconn/statement.h>

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/mysql/clock.h"
#include "core/mysql/database.h"
#include "core/mysql/probe.h"
#include "core/mysql/session.h"

namespace contacts {

// A connection to the database with its prepared statements. Every method makes one round trip for
// each statement or batch and throws sql::SQLException. Used by one thread at a time.
class Connection {
 public:
  // Connects to `member` and sets the session up: READ COMMITTED, UTC, strict mode, time limits.
  // Without autocommit, every statement belongs to a transaction that the first one starts. The
  // pointers must outlive it.
  Connection(const DatabaseOptions& options, DatabaseOptions::Endpoint member, MemberKind kind,
             bool autocommit, Sockets* sockets, std::atomic<int64_t>* round_trips);

  // SQL for the database's time in microseconds since the Unix epoch, in any time zone.
  static constexpr char kMicrosNow[] = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))";
  // Separates the columns that Select packs.
  static constexpr char kSeparator = '\x1F';

  std::unique_ptr<sql::ResultSet> Query(const std::string& sql, const std::vector<Param>& params);
  // See Session::Select.
  Rows Select(const std::string& columns, const std::string& rest,
              const std::vector<Param>& params);
  // Runs statements that return no rows, together.
  void Batch(const std::vector<std::string>& statements);
  void Execute(const std::string& sql);
  // Runs the statements and COMMIT in one round trip: all of them, or none.
  void Commit(const std::vector<std::string>& statements);
  // Ends the connection. May be called from any thread. A thread that waits for an answer gets
  // error 2013.
  void Shut() { socket_->Shut(); }

  // The time of the database's clock when this was connected.
  const DatabaseClock::Sample& time() const { return time_; }
  // Whether the member reported, when the connection was made, that it may be used.
  bool writable() const { return writable_; }
  // The work done on the connection so far, as seen by the client.
  struct Work {
    int64_t round_trips = 0;
    absl::Duration time;
  };
  const Work& work() const { return work_; }
  // The connection's member and its id there, for KILL.
  const DatabaseOptions::Endpoint& member() const { return member_; }
  int64_t id() const { return id_; }

 private:
  class RoundTrip;

  void SetUp(const DatabaseOptions& options);
  // Throws error 1153 if the server would: the server would also end the connection.
  void CheckSize(const std::string& text) const;

  const DatabaseOptions::Endpoint member_;
  const MemberKind kind_;
  std::atomic<int64_t>* const round_trips_;
  std::unique_ptr<sql::Connection> connection_;
  std::optional<Sockets::Entry> socket_;
  std::unique_ptr<sql::Statement> statement_;
  struct Prepared {
    std::unique_ptr<sql::PreparedStatement> statement;
    std::size_t packed = 0;  // Columns.
  };
  std::unique_ptr<sql::ResultSet> Run(sql::PreparedStatement& prepared,
                                      const std::vector<Param>& params);

  std::unordered_map<std::string, Prepared> prepared_;
  Work work_;
  DatabaseClock::Sample time_;
  bool writable_ = false;
  int64_t id_ = 0;
  int64_t max_packet_ = 0;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_MYSQL_CONNECTION_H_
