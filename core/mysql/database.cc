#include "core/mysql/database.h"

#include <cppconn/exception.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>

#include "absl/strings/str_cat.h"
#include "core/domain/errors.h"
#include "core/mysql/connection.h"
#include "core/mysql/failure.h"
#include "core/mysql/pool.h"
#include "core/mysql/schema.h"
#include "core/mysql/session.h"

namespace contacts {
namespace {

constexpr int kMaxTries = 30;
constexpr int kMaxDuplicateTries = 10;
constexpr absl::Duration kRetryHint = absl::Seconds(1);
// How long work waits for a member to use, before its caller is told UNAVAILABLE.
constexpr absl::Duration kLostPatience = absl::Seconds(5);
constexpr absl::Duration kMigrationLimit = absl::Hours(24);
// Enough for the longest text: a batch of an import, or a call's writes with its idempotency
// record.
constexpr int64_t kLeastPacket = int64_t{16} << 20;

absl::Duration Backoff(int attempt) {
  thread_local std::minstd_rand random(std::random_device{}());
  const double limit = std::min(500.0, 4.0 * static_cast<double>(1 << std::min(attempt, 7)));
  return absl::Milliseconds(std::uniform_real_distribution<double>(limit / 4, limit)(random));
}

// Whether the connection can be used again after ROLLBACK.
bool KeepsItsConnection(Failure failure, int code) {
  // Closing the connection frees its prepared statements.
  constexpr int kPreparedStatements = 1461;
  return failure == Failure::kConflict || failure == Failure::kDuplicate ||
         (failure == Failure::kFull && code != kPreparedStatements);
}

absl::Status LimitError(const CallLimits& limits) {
  absl::Status reached = errors::IfEnded(limits);
  return reached.ok() ? errors::Unavailable("the database took too long", kRetryHint) : reached;
}

}  // namespace

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
    absl::Time lost_since = absl::InfiniteFuture();
    for (int attempt = 0;; ++attempt) {
      if (absl::Status reached = errors::IfEnded(limits); !reached.ok()) return reached;
      absl::Time asked = absl::Now();
      Failure failure = Failure::kDefect;
      std::string text;
      int code = 0;
      bool committing = false;
      try {
        Pool::Lease lease = pool.Acquire(limits, lost_since + kLostPatience, &asked);
        if (!lease) return errors::Unavailable("every database connection is busy", kRetryHint);
        Watchdog::Guard guard = watchdog_.Watch(*lease, limits);
        Session session(&*lease, maybe_committed);
        try {
          absl::Status status = body(session);
          if (transaction) {
            if (status.ok() || session.commit_anyway_) {
              committing = true;
              lease->Commit(session.writes_);
              for (std::size_t i = 0; i < entered_.size(); ++i) {
                if (session.entered_[i] != 0) entered_[i] += session.entered_[i];
              }
            } else {
              lease->Execute("ROLLBACK");
            }
          }
          // A kill that came too late to stop this work must not stop the connection's next user.
          if (!guard.Release()) lease.Keep();
          return status;
        } catch (const sql::SQLException& error) {
          code = error.getErrorCode();
          failure = Classify(code);
          text = absl::StrCat(code, " ", error.what());
          if (guard.Release()) {
            failure = Failure::kKilled;
          } else if (IsInterrupted(code)) {
            failure = Failure::kLost;  // Interrupted by Galera or an operator.
            lease.Lost();
          } else if (failure == Failure::kLost) {
            lease.Lost();
          } else if (KeepsItsConnection(failure, code)) {
            if (transaction) lease->Execute("ROLLBACK");
            lease.Keep();
          }
        }
      } catch (const sql::SQLException& error) {
        // From Acquire or ROLLBACK.
        code = error.getErrorCode();
        failure = Classify(code);
        if (failure != Failure::kFull && failure != Failure::kDenied) failure = Failure::kLost;
        lost_since = std::min(lost_since, asked);  // The wait for a member is part of the loss.
        text = absl::StrCat(code, " ", error.what());
      } catch (const std::exception& error) {
        return absl::InternalError(error.what());  // For example, a row that cannot be read.
      }
      // Unless kept, the connection is closed by now, which rolled back its transaction.
      switch (failure) {
        case Failure::kDefect: return absl::InternalError(absl::StrCat("database error ", text));
        case Failure::kKilled: return LimitError(limits);
        case Failure::kDuplicate:
          if (++duplicates > kMaxDuplicateTries) {
            return absl::InternalError(absl::StrCat("database error ", text));
          }
          break;
        case Failure::kLost:
          lost_since = std::min(lost_since, absl::Now());
          maybe_committed = maybe_committed || committing;
          break;
        case Failure::kFull:
        case Failure::kTooLarge:
        case Failure::kDenied:
          spdlog::warn("database: giving up: {}", text);
          return errors::Unavailable(ForCaller(code), kRetryHint);
        case Failure::kConflict: break;
      }
      const absl::Duration wait = Backoff(attempt);
      const absl::Time next = absl::Now() + wait;
      if (attempt + 1 >= kMaxTries || next >= limits.deadline ||
          next >= lost_since + kLostPatience) {
        spdlog::warn("database: giving up after {} tries: {}", attempt + 1, text);
        if (next >= limits.deadline && failure != Failure::kLost) {
          return errors::DeadlineExceeded();
        }
        return errors::Unavailable(
            failure == Failure::kLost ? ForCaller(code) : "too much contention", kRetryHint);
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

  // Waits for a member to use. Returns FAILED_PRECONDITION, without waiting, if the login, the
  // database or a right is refused or if a setting of the database does not suffice. Returns
  // UNAVAILABLE, with each member's answer, if no member can be used.
  absl::Status AwaitMember() {
    if (!connector_.lookout().Await(absl::Now() + kLostPatience)) {
      return connector_.lookout().Trouble();
    }
    int64_t packet = 0;
    const auto ask = [&](Session& session) {
      Rows rows = session.Query("SELECT @@global.max_allowed_packet", {});
      if (rows.Next()) packet = rows.Int();
      return absl::OkStatus();
    };
    absl::Status status = Run(readers_, false, {.deadline = absl::Now() + kLostPatience}, ask);
    if (!status.ok() || packet >= kLeastPacket) return status;
    return absl::FailedPreconditionError(absl::StrCat("the database's max_allowed_packet is ",
                                                      packet, " bytes: raise it to ", kLeastPacket,
                                                      " or more"));
  }

  absl::Status ApplySchema(const CallLimits& limits) {
    const int64_t known = Migrations().back().version;
    const auto prepare = [&](Session& session) {
      const SchemaState state = ReadSchemaState(*session.connection_, known);
      if (state.version > known) return CheckSchemaState(state, known);
      session.connection_->Execute(
          "CREATE TABLE IF NOT EXISTS schema_lock (id TINYINT NOT NULL, PRIMARY KEY (id))"
          " ENGINE=InnoDB");
      session.connection_->Execute("INSERT IGNORE INTO schema_lock (id) VALUES (1)");
      return absl::OkStatus();
    };
    if (auto ready = Run(readers_, false, limits, prepare); !ready.ok()) return ready;
    absl::Status done;
    bool locked = false;
    const auto apply = [&](Session& session) {
      ApplyMigrations(*session.connection_, Migrations(), connector_.clock().Now());
      return absl::OkStatus();
    };
    do {
      // DDL ends the transaction that it runs in, so the lock is on another connection and ends
      // with it. GET_LOCK does not suffice, as it is local to a node of Galera.
      done = Run(writers_, true, limits, [&](Session& lock) {
        lock.Query("SELECT id FROM schema_lock WHERE id = 1 FOR UPDATE", {});
        locked = true;
        return Run(readers_, false, limits, apply);
      });
      // The wait for the lock has a limit, which another server's migration may exceed.
    } while (!locked && absl::IsUnavailable(done));
    return done;
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
  if (auto ready = impl_->AwaitMember(); !ready.ok()) return ready;
  // Changing a large table may take hours.
  DatabaseOptions options = impl_->connector_.options();
  options.statement_timeout = options.network_timeout = kMigrationLimit;
  return Impl(options).ApplySchema({.deadline = absl::Now() + kMigrationLimit});
}

absl::Status Database::CheckSchema() {
  if (auto ready = impl_->AwaitMember(); !ready.ok()) return ready;
  const int64_t known = Migrations().back().version;
  return Read({.deadline = absl::Now() + absl::Seconds(10)}, [&](Session& session) {
    return CheckSchemaState(ReadSchemaState(*session.connection_, known), known);
  });
}

absl::Status Database::Ping(const CallLimits& limits) {
  return Read(limits, [](Session& session) {
    session.Query("SELECT last_position FROM feed_head", {});
    return absl::OkStatus();
  });
}

bool Database::HasMember() { return impl_->connector_.lookout().HasMember(); }

absl::Time Database::Now() { return impl_->connector_.clock().Now(); }
absl::Duration Database::host_clock_error() const { return impl_->connector_.clock().HostError(); }

int64_t Database::round_trips() const { return impl_->connector_.round_trips(); }

const Database::Retries& Database::retries() const { return impl_->retries_; }
int64_t Database::failovers() const { return impl_->connector_.lookout().failovers(); }
int64_t Database::writable_members() const { return impl_->connector_.lookout().writable(); }
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
