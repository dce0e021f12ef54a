// The measures that Database gives to the metrics and to the log of slow calls.

#include <cppconn/exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <numeric>
#include <thread>

#include "core/mysql/session.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using Kind = Database::Kind;

constexpr int kDeadlock = 1213;
constexpr int kDuplicateKey = 1062;

int64_t Total(const DurationHistogram& histogram) {
  const auto counts = histogram.counts();
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

TEST(DatabaseMeasures, CountsStatesEnteredOnceTheyAreCommitted) {
  const TestDatabase test;
  Database database(test.options());
  int runs = 0;
  EXPECT_TRUE(database
                  .Write({},
                         [&](Session& session) {
                           session.CountEntered(ChangeState::kDone);
                           session.CountEntered(ChangeState::kAborted);
                           session.CountEntered(ChangeState::kAborted);
                           // Rolled back twice, and then committed.
                           if (runs++ < 2) throw sql::SQLException("told so", "", kDeadlock);
                           return absl::OkStatus();
                         })
                  .ok());
  EXPECT_EQ(database.entered(ChangeState::kDone), 1);
  EXPECT_EQ(database.entered(ChangeState::kAborted), 2);
  EXPECT_EQ(database.retries().conflict, 2);

  const auto fail = [](Session& session) {
    session.CountEntered(ChangeState::kDone);
    return absl::InternalError("no");
  };
  EXPECT_FALSE(database.Write({}, fail).ok());
  EXPECT_EQ(database.entered(ChangeState::kDone), 1);
  const auto fail_and_commit = [&](Session& session) {
    session.CommitAnyway();
    return fail(session);
  };
  EXPECT_FALSE(database.Write({}, fail_and_commit).ok());
  EXPECT_EQ(database.entered(ChangeState::kDone), 2);
}

TEST(DatabaseMeasures, CountTriesByCauseAndTimeThem) {
  const TestDatabase test;
  Database database(test.options());
  CallTimes times;
  int runs = 0;
  const auto body = [&](Session&) {
    if (runs++ == 0) throw sql::SQLException("told so", "", kDuplicateKey);
    if (runs == 2) throw sql::SQLException("told so", "", 2013);
    return absl::OkStatus();
  };
  EXPECT_TRUE(database.Write({.times = &times}, body).ok());
  EXPECT_EQ(database.retries().conflict, 0);
  EXPECT_EQ(database.retries().duplicate, 1);
  EXPECT_EQ(database.retries().lost, 1);
  EXPECT_EQ(times.retries, 2);
  EXPECT_GT(times.backoff, absl::ZeroDuration());
  EXPECT_EQ(Total(database.transactions(Kind::kWrite)), 3);
  EXPECT_EQ(Total(database.connection_waits(Kind::kWrite)), 3);
  EXPECT_EQ(Total(database.transactions(Kind::kRead)), 0);
}

TEST(DatabaseMeasures, TellTheDatabasesTimeFromOurOwn) {
  const TestDatabase test;
  Database database(test.options());
  CallTimes times;
  const absl::Time start = absl::Now();
  EXPECT_TRUE(database
                  .Read({.times = &times},
                        [&](Session& session) {
                          session.Query("SELECT SLEEP(0.2)", {});
                          session.Query("SELECT 1", {});
                          absl::SleepFor(absl::Milliseconds(300));
                          return absl::OkStatus();
                        })
                  .ok());
  const absl::Duration all = absl::Now() - start;
  EXPECT_EQ(times.round_trips, 2);
  EXPECT_GE(times.database, absl::Milliseconds(190));
  EXPECT_LE(times.database + times.connection_wait, all - absl::Milliseconds(300));
  EXPECT_GE(database.transactions(Kind::kRead).sum(), absl::Milliseconds(490));
  EXPECT_LE(database.transactions(Kind::kRead).sum(), all);
}

TEST(DatabaseMeasures, TellHowLongOneWaitedForAConnection) {
  const TestDatabase test;
  DatabaseOptions options = test.options();
  options.max_connections = 1;
  Database database(options);
  std::latch holds(1);
  absl::Time asked = absl::InfiniteFuture();
  std::atomic<bool> asks = false;
  std::thread holder([&] {
    EXPECT_TRUE(database
                    .Read({},
                          [&](Session&) {
                            holds.count_down();
                            while (!asks) absl::SleepFor(absl::Milliseconds(1));
                            EXPECT_EQ(database.connections(Kind::kRead).used, 1);
                            absl::SleepFor(asked + absl::Milliseconds(500) - absl::Now());
                            return absl::OkStatus();
                          })
                    .ok());
  });
  holds.wait();
  asked = absl::Now();
  asks = true;
  CallTimes times;
  EXPECT_TRUE(database.Read({.times = &times}, [](Session&) { return absl::OkStatus(); }).ok());
  holder.join();
  EXPECT_GE(times.connection_wait, absl::Milliseconds(50));
  EXPECT_EQ(times.round_trips, 0);
  EXPECT_EQ(times.database, absl::ZeroDuration());
  EXPECT_EQ(database.connections(Kind::kRead).used, 0);
  EXPECT_EQ(database.connections(Kind::kRead).idle, 1);
  EXPECT_EQ(database.connections(Kind::kRead).max, 1);
  EXPECT_EQ(database.connections(Kind::kWrite).idle, 0);
}

TEST(DatabaseMeasures, AHistogramPutsEachDurationIntoTheBucketThatHoldsIt) {
  DurationHistogram histogram;
  histogram.Add(absl::Microseconds(-5));
  histogram.Add(absl::Microseconds(100));
  histogram.Add(absl::Microseconds(101));
  histogram.Add(absl::Seconds(30));
  histogram.Add(absl::Seconds(31));
  EXPECT_EQ(histogram.counts().front(), 2);
  EXPECT_EQ(histogram.counts()[1], 1);
  EXPECT_EQ(histogram.counts()[DurationHistogram::kBounds.size() - 1], 1);
  EXPECT_EQ(histogram.counts().back(), 1);
  EXPECT_EQ(histogram.sum(), absl::Microseconds(201) + absl::Seconds(61));
}

}  // namespace
}  // namespace contacts
