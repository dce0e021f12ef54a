#include "core/mysql/connection.h"

#include <cppconn/driver.h>
#include <cppconn/exception.h>
#include <cppconn/resultset.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

namespace contacts {
namespace {

int WholeSeconds(absl::Duration duration) {
  return static_cast<int>(
      std::max<int64_t>(1, absl::ToInt64Seconds(absl::Ceil(duration, absl::Seconds(1)))));
}

sql::ConnectOptionsMap ConnectOptions(const DatabaseOptions& options, std::size_t endpoint) {
  sql::ConnectOptionsMap map;
  const std::string address = options.socket.empty()
                                  ? absl::StrCat("tcp://", options.endpoints.at(endpoint).host, ":",
                                                 options.endpoints.at(endpoint).port)
                                  : absl::StrCat("unix://", options.socket);
  map["hostName"] = sql::SQLString(address);
  map["userName"] = sql::SQLString(options.user);
  map["password"] = sql::SQLString(options.password);
  map["schema"] = sql::SQLString(options.database);
  map["OPT_CHARSET_NAME"] = sql::SQLString("utf8mb4");
  map["CLIENT_MULTI_STATEMENTS"] = true;
  map["CLIENT_FOUND_ROWS"] = true;
  map["OPT_CONNECT_TIMEOUT"] = WholeSeconds(options.connect_timeout);
  map["OPT_READ_TIMEOUT"] = WholeSeconds(options.network_timeout);
  map["OPT_WRITE_TIMEOUT"] = WholeSeconds(options.network_timeout);
  return map;
}

// Of a list of expressions, such as "a, IFNULL(b, '')".
std::size_t CountColumns(const std::string& columns) {
  std::size_t count = 1;
  int depth = 0;
  for (const char c : columns) {
    depth += static_cast<int>(c == '(') - static_cast<int>(c == ')');
    if (c == ',' && depth == 0) ++count;
  }
  return count;
}

}  // namespace

// Counts and times one, also where it fails.
class Connection::RoundTrip {
 public:
  explicit RoundTrip(Connection* connection) : work_(connection->work_) {
    ++work_.round_trips;
    ++*connection->round_trips_;
  }
  RoundTrip(const RoundTrip&) = delete;
  RoundTrip& operator=(const RoundTrip&) = delete;
  ~RoundTrip() { work_.time += absl::Now() - start_; }

 private:
  Work& work_;
  const absl::Time start_ = absl::Now();
};

Connection::Connection(const DatabaseOptions& options, std::size_t endpoint, bool autocommit,
                       std::atomic<int64_t>* round_trips)
    : endpoint_(endpoint), round_trips_(round_trips) {
  sql::ConnectOptionsMap map = ConnectOptions(options, endpoint);
  connection_.reset(get_driver_instance()->connect(map));
  statement_.reset(connection_->createStatement());
  time_.before = std::chrono::steady_clock::now();
  std::unique_ptr<sql::ResultSet> about(statement_->executeQuery(
      absl::StrCat("SELECT @@global.read_only, CONNECTION_ID(), VERSION(), ", kMicrosNow)));
  time_.after = std::chrono::steady_clock::now();
  about->next();
  writable_ = about->getInt(1) == 0;
  id_ = about->getInt64(2);
  const bool mariadb = absl::StrContains(about->getString(3).asStdString(), "MariaDB");
  time_.database = absl::FromUnixMicros(about->getInt64(4));
  about.reset();
  // The connector forces REPEATABLE READ at connect, so this comes after it.
  const int limit = WholeSeconds(options.statement_timeout);
  Batch({"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
         absl::StrCat("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', "
                      "time_zone = '+00:00', innodb_lock_wait_timeout = ",
                      WholeSeconds(options.lock_wait_timeout),
                      mariadb ? absl::StrCat(", max_statement_time = ", limit)
                              : absl::StrCat(", max_execution_time = ", limit * 1000))});
  connection_->setAutoCommit(autocommit);
}

std::unique_ptr<sql::ResultSet> Connection::Query(const std::string& sql,
                                                  const std::vector<Param>& params) {
  Prepared& prepared = prepared_[sql];
  if (!prepared.statement) prepared.statement.reset(connection_->prepareStatement(sql));
  return Run(*prepared.statement, params);
}

Rows Connection::Select(const std::string& columns, const std::string& rest,
                        const std::vector<Param>& params) {
  Prepared& prepared = prepared_[absl::StrCat(columns, rest)];
  if (!prepared.statement) {
    prepared.statement.reset(
        connection_->prepareStatement(absl::StrCat("SELECT ", PackedColumns(columns), rest)));
    prepared.packed = CountColumns(columns);
  }
  return Rows(Run(*prepared.statement, params), prepared.packed);
}

std::unique_ptr<sql::ResultSet> Connection::Run(sql::PreparedStatement& prepared,
                                                const std::vector<Param>& params) {
  unsigned int index = 0;
  for (const Param& param : params) {
    ++index;
    if (const auto* number = std::get_if<int64_t>(&param)) {
      prepared.setInt64(index, *number);
    } else {
      prepared.setString(index, sql::SQLString(std::get<std::string>(param)));
    }
  }
  const RoundTrip trip(this);
  return std::unique_ptr<sql::ResultSet>(prepared.executeQuery());
}

void Connection::Batch(const std::vector<std::string>& statements) {
  const RoundTrip trip(this);
  statement_->execute(absl::StrJoin(statements, ";"));
  // Each call reads one more answer, and throws where that statement failed;
  // the server skips those after it.
  for (std::size_t i = 1; i < statements.size(); ++i) statement_->getMoreResults();
}

void Connection::Execute(const std::string& sql) {
  const RoundTrip trip(this);
  statement_->execute(sql);
}

}  // namespace contacts
