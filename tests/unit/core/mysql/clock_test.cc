#include "core/mysql/clock.h"

#include <gtest/gtest.h>

#include "absl/time/clock.h"

namespace contacts {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const DatabaseClock::Steady kStart = std::chrono::steady_clock::now();
const absl::Time kTime = absl::FromUnixSeconds(1'790'000'000);

// An answer that took `round_trip` and came `since` the start.
DatabaseClock::Sample Answer(absl::Time database, seconds since, milliseconds round_trip) {
  return {.before = kStart + since - round_trip, .database = database, .after = kStart + since};
}

TEST(DatabaseClock, IsTheHostsClockBeforeTheFirstSample) {
  DatabaseClock clock;
  const absl::Time before = absl::Now();
  const absl::Time now = clock.Now();
  EXPECT_GE(now, before);
  EXPECT_LE(now, absl::Now());
  EXPECT_EQ(clock.HostError(), absl::ZeroDuration());
}

TEST(DatabaseClock, TakesTheDatabasesTimeAsThatOfTheMiddleOfTheRoundTrip) {
  DatabaseClock clock;
  clock.Add(Answer(kTime, seconds(0), milliseconds(200)));
  EXPECT_EQ(clock.Now(kStart), kTime + absl::Milliseconds(100));
  EXPECT_EQ(clock.Now(kStart + seconds(5)), kTime + absl::Milliseconds(5100));
}

TEST(DatabaseClock, TellsHowWrongTheHostsClockIs) {
  DatabaseClock clock;
  const auto now = std::chrono::steady_clock::now();
  clock.Add({.before = now, .database = absl::Now() + absl::Minutes(10), .after = now});
  EXPECT_LT(clock.HostError(), absl::Minutes(-9));
  EXPECT_GT(clock.HostError(), absl::Minutes(-11));
}

TEST(DatabaseClock, ASlowAnswerDoesNotReplaceAQuickOne) {
  DatabaseClock clock;
  clock.Add(Answer(kTime, seconds(0), milliseconds(2)));
  clock.Add(Answer(kTime + absl::Milliseconds(600), seconds(1), milliseconds(900)));
  EXPECT_EQ(clock.Now(kStart + seconds(1)), kTime + absl::Milliseconds(1001));
}

TEST(DatabaseClock, AnOldQuickAnswerIsReplacedInTheEnd) {
  DatabaseClock clock;
  clock.Add(Answer(kTime, seconds(0), milliseconds(2)));
  clock.Add(
      Answer(kTime + absl::Seconds(3600) + absl::Milliseconds(3), seconds(3600), milliseconds(4)));
  EXPECT_EQ(clock.Now(kStart + seconds(3600)), kTime + absl::Seconds(3600) + absl::Milliseconds(5));
}

TEST(DatabaseClock, FollowsAMemberWhoseClockIsAnother) {
  DatabaseClock clock;
  clock.Add(Answer(kTime, seconds(0), milliseconds(2)));
  clock.Now(kStart + seconds(1));
  clock.Add(Answer(kTime - absl::Seconds(20), seconds(1), milliseconds(4)));
  EXPECT_EQ(clock.Now(kStart + seconds(1)), kTime - absl::Milliseconds(19'998));
}

TEST(DatabaseClock, StandsStillRatherThanGoBackALittle) {
  DatabaseClock clock;
  clock.Add(Answer(kTime, seconds(0), milliseconds(2)));
  const absl::Time before = clock.Now(kStart + seconds(1));
  clock.Add(Answer(kTime + absl::Milliseconds(500), seconds(1), milliseconds(2)));
  EXPECT_EQ(clock.Now(kStart + seconds(1)), before);
  EXPECT_GT(clock.Now(kStart + seconds(2)), before);
}

}  // namespace
}  // namespace contacts
