// Reminders and expiry, by any server of the fleet, once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/engine/feed.h"
#include "core/mysql/store/feed.h"
#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using enum Role;

constexpr char kS0[] = "s0.example";
constexpr char kS1[] = "s1.example";

ContactChange AskTech(World& world) {
  const World::Asked asked = world.Ask(kMarie, {Move(kS0, kTech, kDana)});
  EXPECT_THAT(asked.status, HasReason(""));
  return asked.changes.at(0);
}

// Lets both servers run their timers at the same time; returns how many changes
// they acted on in all.
int64_t RunOnBoth(World& world, World::Server& other) {
  int64_t here = 0, there = 0;
  std::thread beside([&] { there = other.engine.maintenance.RunTimers(100).value_or(-1000); });
  here = world.engine.maintenance.RunTimers(100).value_or(-1000);
  beside.join();
  return here + there;
}

TEST(Timers, ReminderGoesOnceFromTwoServers) {
  World world;
  World::Server other(world);
  const ContactChange change = AskTech(world);
  world.Accept(kMarie, change);
  world.TakeMails();
  world.clock.Advance(absl::Hours(24 * 5) - absl::Microseconds(1));
  EXPECT_EQ(RunOnBoth(world, other), 0);
  world.clock.Advance(absl::Microseconds(1));
  EXPECT_EQ(RunOnBoth(world, other), 1);
  EXPECT_EQ(RunOnBoth(world, other), 0);
  EXPECT_THAT(world.TakeMails(), ElementsAre("REMINDER dd4-ovh"));
  EXPECT_THAT(world.Accept(kDana, change).status, HasReason(""));
}

TEST(Timers, ExpiryIsMarkedAndToldOnceFromTwoServers) {
  World world;
  World::Server other(world);
  const ContactChange change = AskTech(world);
  world.TakeMails();
  world.clock.Advance(absl::Hours(24 * 7));
  EXPECT_EQ(RunOnBoth(world, other), 1);
  EXPECT_EQ(RunOnBoth(world, other), 0);
  EXPECT_THAT(world.TakeMails(), ElementsAre("EXPIRED aa1-ovh", "EXPIRED dd4-ovh"));
  EXPECT_EQ(world.History(change.id).back(), EventType::kExpired);
  EXPECT_EQ(world.Get(kMarie, change.id)->close_time, change.expire_time);
}

TEST(Timers, RemindThenExpireEachAtItsTime) {
  World world;
  AskTech(world);
  world.TakeMails();
  world.clock.Advance(absl::Hours(24 * 5));
  EXPECT_EQ(*world.engine.maintenance.RunTimers(10), 1);
  EXPECT_THAT(world.TakeMails(), ElementsAre("REMINDER aa1-ovh", "REMINDER dd4-ovh"));
  world.clock.Advance(absl::Hours(24 * 2));
  EXPECT_EQ(*world.engine.maintenance.RunTimers(10), 1);
  EXPECT_THAT(world.TakeMails(), ElementsAre("EXPIRED aa1-ovh", "EXPIRED dd4-ovh"));
}

TEST(Timers, ShortLivedChangeIsNotRemindedOf) {
  Settings settings;
  settings.change_lifetime = absl::Hours(72);
  World world(settings);
  AskTech(world);
  world.TakeMails();
  world.clock.Advance(absl::Hours(71));
  EXPECT_EQ(*world.engine.maintenance.RunTimers(10), 0);
  EXPECT_THAT(world.TakeMails(), IsEmpty());
}

TEST(Timers, ClosedChangeIsLeftAlone) {
  World world;
  const ContactChange change = AskTech(world);
  world.Cancel(kMarie, change.id);
  world.TakeMails();
  world.clock.Advance(absl::Hours(24 * 5));
  EXPECT_EQ(*world.engine.maintenance.RunTimers(10), 0);
  world.clock.Advance(absl::Hours(24 * 5));
  EXPECT_EQ(*world.engine.maintenance.RunTimers(10), 0);
  EXPECT_EQ(world.Get(kMarie, change.id)->state, ChangeState::kCancelled);
}

TEST(Timers, ActOnAtMostTheirLimitAndGoOnWithTheRest) {
  World world;
  world.Ask(kMarie, {Move(kS0, kTech, kDana), Move(kS1, kTech, kEve), Move(kS1, kBilling, kMarie)});
  world.clock.Advance(absl::Hours(24 * 7));
  EXPECT_EQ(*world.engine.maintenance.RunTimers(2), 2);
  EXPECT_EQ(*world.engine.maintenance.RunTimers(2), 1);
  EXPECT_EQ(*world.engine.maintenance.RunTimers(2), 0);
}

TEST(Timers, ReminderStillComesForAChangeThatLostAnItem) {
  World world;
  const ContactChange change =
      world.Ask(kMarie, {Move(kS0, kTech, kDana), Move(kS1, kTech, kDana)}).changes.at(0);
  ASSERT_TRUE(world.Override({Move(kS0, kTech, kEve)}).ok());
  world.Resend(kDana, change.id);
  world.TakeMails();
  world.clock.Advance(absl::Hours(24 * 5));
  EXPECT_EQ(*world.engine.maintenance.RunTimers(10), 1);
  EXPECT_THAT(world.TakeMails(), ElementsAre("REMINDER aa1-ovh", "REMINDER dd4-ovh"));
}

TEST(Timers, ThoseThatAlwaysFailStopNoOthersAndAreTriedAgainLater) {
  World world;
  std::vector<Uuid> ids;
  for (const ContactChange& change :
       world
           .Ask(kMarie, {Move(kS0, kTech, kDana), Move(kS1, kTech, kEve), Move(kS1, kAdmin, kBill)})
           .changes) {
    ids.push_back(change.id);
  }
  std::sort(ids.begin(), ids.end());
  ASSERT_EQ(ids.size(), 3U);
  // The event of the expiry of the first two cannot be written.
  for (int i = 0; i < 2; ++i) {
    world.test_database.Execute(
        absl::StrCat("INSERT INTO contact_change_event (change_id, ordinal, id, type, actor, "
                     "account, time, state,"
                     " detail) SELECT change_id, 2, id, type, actor, account, time, state, '' FROM "
                     "contact_change_event WHERE change_id = x'",
                     absl::BytesToHexString(ids[i].bytes()), "'"));
  }
  world.clock.Advance(absl::Hours(24 * 7));
  EXPECT_EQ(*world.engine.maintenance.RunTimers(2), 1);
  EXPECT_EQ(world.History(ids[2]).back(), EventType::kExpired);
  world.test_database.Execute("DELETE FROM contact_change_event WHERE ordinal = 2 AND type = 1");
  EXPECT_EQ(*world.engine.maintenance.RunTimers(2), 0);
  world.clock.Advance(absl::Minutes(5));
  EXPECT_EQ(*world.engine.maintenance.RunTimers(2), 2);
  EXPECT_EQ(world.History(ids[0]).back(), EventType::kExpired);
}

TEST(DailyUses, AreRemovedOnceTheirDayIsOverAndNoChangeOfItCanBeOpen) {
  World world;
  ASSERT_THAT(world.Ask(kMarie, {Move("s0.example", kTech, kDana)}).status, HasReason(""));
  world.clock.Advance(world.settings.change_lifetime + absl::Hours(48));
  ASSERT_THAT(world.Ask(kMarie, {Move("s1.example", kTech, kEve)}).status, HasReason(""));
  EXPECT_EQ(*world.engine.maintenance.PurgeDailyUses(10), 0);
  world.clock.Advance(absl::Microseconds(1));
  EXPECT_EQ(*world.engine.maintenance.PurgeDailyUses(10), 1) << "the e-mail to Dana";
  EXPECT_EQ(world.test_database.Count("SELECT COUNT(*) FROM daily_use"), 2);
}

// --- Closed changes ---------------------------------------------------------------

constexpr absl::Duration kRetention = absl::Hours(24 * 90);

Settings KeptFor(absl::Duration retention) {
  Settings settings;
  settings.change_retention = retention;
  return settings;
}

// Rows of every table about contact changes.
int64_t RowsAbout(const World& world, const std::vector<Uuid>& ids) {
  int64_t rows = 0;
  for (const Uuid& id : ids) {
    const std::string is = absl::StrCat(" = x'", absl::BytesToHexString(id.bytes()), "'");
    for (const char* key :
         {"contact_change WHERE id", "contact_change_item WHERE change_id",
          "contact_change_event WHERE change_id", "involvement WHERE change_id",
          "pending_role WHERE change_id", "feed_queue WHERE change_id", "outbox WHERE subject"}) {
      rows += world.test_database.Count(absl::StrCat("SELECT COUNT(*) FROM ", key, is));
    }
  }
  return rows;
}

TEST(ChangeRetention, RemovesClosedChangesWithAllThatHangsOnThemButTheHistoryOfTheServices) {
  World world(KeptFor(kRetention));
  const Uuid cancelled = world.Ask(kMarie, {Move("s0.example", kTech, kDana)}).changes.at(0).id;
  ASSERT_THAT(world.Cancel(kMarie, cancelled).status, HasReason(""));
  const Uuid done = world.AskAndAccept(kMarie, {Move("s1.example", kTech, kDana)}).change.id;
  const Uuid expired = world.Ask(kMarie, {Move("s2.example", kTech, kDana)}).changes.at(0).id;
  world.clock.Advance(world.settings.change_lifetime);
  ASSERT_EQ(*world.engine.maintenance.RunTimers(10), 1);
  const int64_t kept = RowsAbout(world, {expired});

  world.clock.Advance(kRetention - world.settings.change_lifetime);
  EXPECT_EQ(*world.engine.maintenance.PurgeChanges(10), 0) << "not before its time is over";
  const Uuid open = world.Ask(kMarie, {Move("s0.example", kTech, kDana)}).changes.at(0).id;
  const int64_t rows_of_open = RowsAbout(world, {open});
  world.clock.Advance(absl::Microseconds(1));
  EXPECT_GT(RowsAbout(world, {cancelled, done}), 0);
  const std::string moves_of_done =
      absl::StrCat("SELECT COUNT(*) FROM contact_move WHERE cause_id = x'",
                   absl::BytesToHexString(done.bytes()), "'");
  EXPECT_EQ(world.test_database.Count(moves_of_done), 1);
  EXPECT_EQ(*world.engine.maintenance.PurgeChanges(1), 1) << "in batches";
  EXPECT_EQ(*world.engine.maintenance.PurgeChanges(10), 1);
  EXPECT_EQ(*world.engine.maintenance.PurgeChanges(10), 0);
  EXPECT_EQ(RowsAbout(world, {cancelled, done}), 0);
  EXPECT_EQ(world.test_database.Count(moves_of_done), 1) << "the history of the service's contacts";
  EXPECT_EQ(RowsAbout(world, {expired}), kept) << "time counts from its end";
  EXPECT_EQ(RowsAbout(world, {open}), rows_of_open);
  EXPECT_THAT(world.Get(kMarie, done).status(), HasReason("CONTACT_CHANGE_NOT_FOUND"));
  EXPECT_EQ(world.Holder("s1.example", kTech), kDana);
  const auto page = world.engine.reading.ListContactChanges(World::As(kMarie), {}, {});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->rows.size(), 2U);
  EXPECT_EQ(page->rows[0].id, open);
  EXPECT_EQ(page->rows[1].id, expired);
}

TEST(ChangeRetention, IsForEverByDefault) {
  World world;
  const Uuid id = world.Ask(kMarie, {Move("s0.example", kTech, kDana)}).changes.at(0).id;
  ASSERT_THAT(world.Cancel(kMarie, id).status, HasReason(""));
  world.clock.Advance(absl::Hours(24) * 365 * 50);
  EXPECT_EQ(*world.engine.maintenance.PurgeChanges(10), 0);
}

// A gap in the feed would end the streams of watchers.
TEST(ChangeRetention, LeavesChangesWhoseEventsAreStillInTheFeed) {
  World world(KeptFor(kRetention));
  const Uuid id = world.Ask(kMarie, {Move("s0.example", kTech, kDana)}).changes.at(0).id;
  ASSERT_THAT(world.Cancel(kMarie, id).status, HasReason(""));
  world.clock.Advance(kRetention + absl::Hours(1));
  // Its events get their positions late, as there was no watcher.
  Feed feed(&world.database, world.settings);
  ASSERT_TRUE(feed.Advance(world.clock.Now(), {}).ok());
  EXPECT_EQ(*world.engine.maintenance.PurgeChanges(10), 0);
  world.clock.Advance(world.settings.event_retention + absl::Hours(1));
  EXPECT_EQ(*feed.Purge(10, world.clock.Now()), 2);
  EXPECT_EQ(*world.engine.maintenance.PurgeChanges(10), 1);
}

TEST(ChangeRetention, WaitsWhileEventsGetTheirPositions) {
  World world(KeptFor(kRetention));
  const Uuid id = world.Ask(kMarie, {Move("s0.example", kTech, kDana)}).changes.at(0).id;
  ASSERT_THAT(world.Cancel(kMarie, id).status, HasReason(""));
  world.clock.Advance(kRetention + absl::Hours(1));
  ASSERT_TRUE(world.database
                  .Write({.deadline = absl::Now() + absl::Seconds(10)},
                         [&](Session& session) {
                           EXPECT_TRUE(store::LockFeedHead(session).has_value());
                           EXPECT_EQ(*world.engine.maintenance.PurgeChanges(10), 0);
                           return absl::OkStatus();
                         })
                  .ok());
  EXPECT_EQ(*world.engine.maintenance.PurgeChanges(10), 1);
}

}  // namespace
}  // namespace contacts
