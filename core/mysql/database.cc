#include "core/mysql/database.h"

#include <cppconn/driver.h>
#include <cppconn/exception.h>
#include <cppconn/resultset.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/domain/errors.h"
#include "core/mysql/connection.h"
#include "core/mysql/encoder.h"
#include "core/mysql/pool.h"
#include "core/mysql/schema.h"
#include "core/mysql/session.h"

namespace contacts {
namespace {

constexpr int kMaxTries = 30;
constexpr int kInterrupted = 1317;
constexpr int kDuplicateColumn = 1060;
constexpr int kMaxDuplicateTries = 10;
constexpr absl::Duration kRetryHint = absl::Seconds(1);

enum class Failure {
  kConflict,   // Deadlock, lock wait, certification: the transaction was or must be rolled back.
  kDuplicate,  // A key is taken: deciding again with fresh data tells why.
  kLost,       // The server or the way to it is gone, or it is not the writable one.
  kKilled,     // Stopped by a time limit or by the watchdog.
  kDefect,
};

Failure Classify(int code) {
  switch (code) {
    case 1205:  // Lock wait timeout.
    case 1213:  // Deadlock.
    case 3101:  // Group Replication: rolled back in favour of another member's transaction.
    case 3572:  // NOWAIT or SKIP LOCKED found a lock.
    case 1020:  // MariaDB: the record changed since the last read.
      return Failure::kConflict;
    case 1062: return Failure::kDuplicate;
    case 1290:  // Read only.
    case 1836:
    case 1047:  // Galera: not part of the primary component.
    case 1040:  // Too many connections.
    case 1129:  // Host blocked.
    case 1053:  // Shutdown in progress.
    case 1927:  // Connection killed.
    case 3100:  // Group Replication: could not certify.
    case 1180:  // Error during COMMIT, which may be done or not.
    case 3032:  // Offline mode.
    case 3169:  // The session was killed.
    case 4031:  // Disconnected for inactivity.
    case 1461:  // Too many prepared statements: those of the connections that are dropped end.
      return Failure::kLost;
    case kInterrupted:
    case 1969:  // max_statement_time.
    case 3024:  // max_execution_time.
      return Failure::kKilled;
    default:
      // The client library's own errors are 2xxx, or 0 where it knows no better.
      return code == 0 || (code >= 2000 && code < 3000) ? Failure::kLost : Failure::kDefect;
  }
}

absl::Duration Backoff(int attempt) {
  thread_local std::minstd_rand random(std::random_device{}());
  const double limit = std::min(500.0, 4.0 * static_cast<double>(1 << std::min(attempt, 7)));
  return absl::Milliseconds(std::uniform_real_distribution<double>(limit / 4, limit)(random));
}

absl::Status LimitError(const CallLimits& limits) {
  absl::Status reached = limits.Check();
  return reached.ok() ? errors::Unavailable("the database took too long", kRetryHint) : reached;
}

}  // namespace

bool CallLimits::IsCancelled() const {
  return !cancelled.empty() && std::all_of(cancelled.begin(), cancelled.end(),
                                           [](const auto& flag) { return flag->load(); });
}

absl::Status CallLimits::Check() const {
  if (IsCancelled()) return errors::Cancelled();
  return absl::Now() < deadline ? absl::OkStatus() : errors::DeadlineExceeded();
}

CallTimes& CallTimes::operator+=(const CallTimes& other) {
  queue += other.queue;
  connection_wait += other.connection_wait;
  database += other.database;
  backoff += other.backoff;
  round_trips += other.round_trips;
  retries += other.retries;
  return *this;
}

class Database::Impl {
 public:
  explicit Impl(DatabaseOptions options)
      : connector_(std::move(options)),
        readers_(&connector_, /*autocommit=*/true),
        writers_(&connector_, /*autocommit=*/false),
        watchdog_(&connector_) {}

  absl::Status Run(Pool& pool, bool transaction, const CallLimits& limits,
                   const std::function<absl::Status(Session&)>& body) {
    bool maybe_committed = false;
    int duplicates = 0;
    for (int attempt = 0;; ++attempt) {
      if (absl::Status reached = limits.Check(); !reached.ok()) return reached;
      Failure failure = Failure::kDefect;
      std::string text;
      bool committing = false;
      try {
        Pool::Lease lease = pool.Acquire(limits);
        if (!lease) return errors::Unavailable("every database connection is busy", kRetryHint);
        Watchdog::Guard guard = watchdog_.Watch(*lease, limits);
        Session session(&*lease, maybe_committed);
        try {
          absl::Status status = body(session);
          if (transaction) {
            if (status.ok() || session.commit_anyway_) {
              session.writes_.push_back("COMMIT");
              committing = true;
              lease->Batch(session.writes_);
              for (std::size_t i = 0; i < entered_.size(); ++i) {
                if (session.entered_[i] != 0) entered_[i] += session.entered_[i];
              }
            } else {
              lease->Execute("ROLLBACK");
            }
          }
          // A kill that came too late to stop anything must not stop the next user.
          if (!guard.Release()) lease.Keep();
          return status;
        } catch (const sql::SQLException& error) {
          failure = Classify(error.getErrorCode());
          text = absl::StrCat(error.getErrorCode(), " ", error.what());
          if (guard.Release()) {
            failure = Failure::kKilled;
          } else if (error.getErrorCode() == kInterrupted) {
            failure = Failure::kLost;  // By somebody else: Galera, or an operator.
          } else if (failure == Failure::kConflict || failure == Failure::kDuplicate) {
            if (transaction) lease->Execute("ROLLBACK");
            lease.Keep();
          } else if (failure == Failure::kLost) {
            connector_.Distrust(lease->endpoint());
          }
        }
      } catch (const sql::SQLException& error) {
        failure = Failure::kLost;  // To connect, or to roll back.
        text = absl::StrCat(error.getErrorCode(), " ", error.what());
      }
      // Unless kept, the connection is closed by now, which rolls back what it had open.
      switch (failure) {
        case Failure::kDefect: return absl::InternalError(absl::StrCat("database error ", text));
        case Failure::kKilled: return LimitError(limits);
        case Failure::kDuplicate:
          if (++duplicates > kMaxDuplicateTries) {
            return absl::InternalError(absl::StrCat("database error ", text));
          }
          break;
        case Failure::kLost:
          readers_.DropAll();
          writers_.DropAll();
          maybe_committed = maybe_committed || committing;
          break;
        case Failure::kConflict: break;
      }
      const absl::Duration wait = Backoff(attempt);
      if (attempt + 1 >= kMaxTries || absl::Now() + wait >= limits.deadline) {
        spdlog::warn("database: giving up after {} tries: {}", attempt + 1, text);
        if (absl::Now() + wait >= limits.deadline && failure != Failure::kLost) {
          return errors::DeadlineExceeded();
        }
        return errors::Unavailable(
            failure == Failure::kLost ? "the database is out of reach" : "too much contention",
            kRetryHint);
      }
      spdlog::debug("database: trying again after {}", text);
      ++(failure == Failure::kConflict    ? retries_.conflict
         : failure == Failure::kDuplicate ? retries_.duplicate
                                          : retries_.lost);
      if (limits.times != nullptr) {
        ++limits.times->retries;
        limits.times->backoff += wait;
      }
      absl::SleepFor(wait);
    }
  }

  Pool& pool(Kind kind) { return kind == Kind::kRead ? readers_ : writers_; }

  Connector connector_;
  Pool readers_;
  Pool writers_;
  Watchdog watchdog_;
  Retries retries_;
  std::array<std::atomic<int64_t>, kChangeStates> entered_ = {};
};

Database::Database(DatabaseOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Database::~Database() = default;

absl::Status Database::Read(const CallLimits& limits,
                            const std::function<absl::Status(Session&)>& body) {
  return impl_->Run(impl_->readers_, /*transaction=*/false, limits, body);
}

absl::Status Database::Write(const CallLimits& limits,
                             const std::function<absl::Status(Session&)>& body) {
  return impl_->Run(impl_->writers_, /*transaction=*/true, limits, body);
}

absl::Status Database::Migrate() {
  // Every statement may run twice, so two servers that migrate at once do no harm.
  return Read({.deadline = absl::Now() + absl::Minutes(10)}, [&](Session& session) {
    session.connection_->Execute(
        "CREATE TABLE IF NOT EXISTS schema_version (version INT NOT NULL, apply_time BIGINT NOT "
        "NULL, PRIMARY KEY (version)) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE "
        "utf8mb4_unicode_ci");
    Rows rows = session.Query("SELECT version FROM schema_version", {});
    std::set<int64_t> applied;
    while (rows.Next()) applied.insert(rows.Int());
    for (const Migration& migration : Migrations()) {
      if (applied.contains(migration.version)) continue;
      for (const std::string& statement : migration.statements) {
        try {
          session.connection_->Execute(statement);
        } catch (const sql::SQLException& error) {
          // An ALTER TABLE that was run before; MySQL has no ADD COLUMN IF NOT EXISTS.
          if (error.getErrorCode() != kDuplicateColumn) throw;
        }
      }
      session.connection_->Execute(
          sqltext::Fill("INSERT IGNORE INTO schema_version (version, apply_time) VALUES (?, ?)",
                        {sqltext::Int(migration.version), sqltext::Time(Now())}));
      spdlog::info("database: schema is at version {}", migration.version);
    }
    return absl::OkStatus();
  });
}

absl::Status Database::CheckSchema() {
  const int wanted = Migrations().back().version;
  int64_t found = 0;
  absl::Status status = Read({.deadline = absl::Now() + absl::Seconds(10)}, [&](Session& session) {
    Rows tables = session.Query(
        "SELECT COUNT(*) FROM information_schema.tables"
        " WHERE table_schema = DATABASE() AND table_name = 'schema_version'",
        {});
    if (!tables.Next() || tables.Int() == 0) return absl::OkStatus();
    Rows rows = session.Query("SELECT COALESCE(MAX(version), 0) FROM schema_version", {});
    if (rows.Next()) found = rows.Int();
    return absl::OkStatus();
  });
  if (!status.ok() || found >= wanted) return status;
  return absl::FailedPreconditionError(
      absl::StrCat("the database's schema is at version ", found, ", want ", wanted,
                   ": run contactsd --migrate_only, or start with --migrate"));
}

absl::Status Database::Ping(const CallLimits& limits) {
  return Read(limits, [this](Session& session) {
    // A table too: a member that left its cluster still answers without one.
    DatabaseClock::Sample sample = {.before = std::chrono::steady_clock::now()};
    Rows rows = session.Query(
        absl::StrCat("SELECT @@global.read_only, ", Connection::kMicrosNow, " FROM feed_head"), {});
    sample.after = std::chrono::steady_clock::now();
    if (!rows.Next()) return absl::OkStatus();
    // As a refused write would: connects anew, to the member that is writable by now.
    if (rows.Int() != 0) throw sql::SQLException("no longer writable", "", 1290);
    sample.database = absl::FromUnixMicros(rows.Int());
    impl_->connector_.clock().Add(sample);
    return absl::OkStatus();
  });
}

absl::Time Database::Now() { return impl_->connector_.clock().Now(); }
absl::Duration Database::host_clock_error() const { return impl_->connector_.clock().HostError(); }

int64_t Database::round_trips() const { return impl_->connector_.round_trips(); }

const Database::Retries& Database::retries() const { return impl_->retries_; }
int64_t Database::failovers() const { return impl_->connector_.failovers(); }
int64_t Database::entered(ChangeState state) const {
  return impl_->entered_[static_cast<std::size_t>(state)];
}

Database::Connections Database::connections(Kind kind) const {
  const Pool::Size size = impl_->pool(kind).size();
  return {.used = size.open - size.idle,
          .idle = size.idle,
          .max = impl_->connector_.options().max_connections};
}

const DurationHistogram& Database::connection_waits(Kind kind) const {
  return impl_->pool(kind).waits();
}

const DurationHistogram& Database::transactions(Kind kind) const {
  return impl_->pool(kind).loans();
}

}  // namespace contacts
