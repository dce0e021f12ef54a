#include "core/mysql/connection.h"

#include <cppconn/exception.h>
#include <cppconn/resultset.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

namespace contacts {
namespace {

// Number of expressions in a list such as "a, IFNULL(b, '')".
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

// Counts and times a round trip, also if it fails.
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

Connection::Connection(const DatabaseOptions& options, DatabaseOptions::Endpoint member,
                       MemberKind kind, bool autocommit, Sockets* sockets,
                       std::atomic<int64_t>* round_trips)
    : member_(std::move(member)), kind_(kind), round_trips_(round_trips) {
  Dialled dialled = Dial(options, member_, options.connect_timeout, options.network_timeout);
  connection_ = std::move(dialled.connection);
  socket_.emplace(sockets, dialled.socket, MemberName(member_));
  statement_.reset(connection_->createStatement());
  SetUp(options);
  connection_->setAutoCommit(autocommit);
}

void Connection::SetUp(const DatabaseOptions& options) {
  time_.before = std::chrono::steady_clock::now();
  std::unique_ptr<sql::ResultSet> about(statement_->executeQuery(
      absl::StrCat("SELECT ", UsableExpression(kind_), ", CONNECTION_ID(), VERSION(), ", kMicrosNow,
                   ", @@max_allowed_packet")));
  time_.after = std::chrono::steady_clock::now();
  about->next();
  writable_ = about->getInt(1) != 0;
  id_ = about->getInt64(2);
  const bool mariadb = absl::StrContains(about->getString(3).asStdString(), "MariaDB");
  time_.database = absl::FromUnixMicros(about->getInt64(4));
  max_packet_ = about->getInt64(5);
  about.reset();
  // The connector forces REPEATABLE READ at connect, so this comes after it.
  const int limit = WholeSeconds(options.statement_timeout);
  std::vector<std::string> statements = {
      "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
      absl::StrCat("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', "
                   "time_zone = '+00:00', innodb_lock_wait_timeout = ",
                   WholeSeconds(options.lock_wait_timeout),
                   mariadb ? absl::StrCat(", max_statement_time = ", limit)
                           : absl::StrCat(", max_execution_time = ", limit * 1000))};
  if (kind_ == MemberKind::kGalera) {
    // The first statement of each transaction waits until this node has everything that was
    // committed before: for some seconds after a fault another server may use another node.
    // 7: reads, updates, inserts.
    statements.emplace_back("SET SESSION wsrep_sync_wait = 7");
  }
  Batch(statements);
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

void Connection::CheckSize(const std::string& text) const {
  constexpr int kTooLarge = 1153;
  if (static_cast<int64_t>(text.size()) < max_packet_) return;
  throw sql::SQLException(absl::StrCat("a statement has ", text.size(),
                                       " bytes, and the database's"
                                       " max_allowed_packet is ",
                                       max_packet_),
                          "", kTooLarge);
}

void Connection::Batch(const std::vector<std::string>& statements) {
  const std::string text = absl::StrJoin(statements, ";");
  CheckSize(text);
  const RoundTrip trip(this);
  statement_->execute(text);
  // Each call reads one more answer, and throws if that statement failed. The server skips the
  // statements after it.
  for (std::size_t i = 1; i < statements.size(); ++i) statement_->getMoreResults();
}

void Connection::Commit(const std::vector<std::string>& statements) {
  std::vector<std::string> all = statements;
  all.emplace_back("COMMIT");
  // Another node of Galera may abort the transaction between two statements of a text. The server
  // would then run the rest, with COMMIT, as a new transaction. A block ends at the abort instead.
  if (kind_ != MemberKind::kGalera) return Batch(all);
  const std::string text = absl::StrCat("BEGIN NOT ATOMIC ", absl::StrJoin(all, ";"), "; END");
  CheckSize(text);
  Execute(text);
}

void Connection::Execute(const std::string& sql) {
  const RoundTrip trip(this);
  statement_->execute(sql);
}

}  // namespace contacts
