// Times of changes and their history tell the order that the locks decided.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/mysql/database.h"
#include "core/mysql/session.h"
#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using enum Role;

constexpr char kS0[] = "s0.example";
constexpr char kLockService[] = "SELECT id FROM service WHERE id = 's0.example' FOR UPDATE";
constexpr char kLockChanges[] = "SELECT id FROM contact_change FOR UPDATE";
constexpr char kCloseTime[] = "SELECT MAX(close_time) FROM contact_change";

// Runs `call` while another transaction locks the rows that `locking` selects. The clock is moved
// by a minute before that transaction ends.
void RunWhileLocked(World& world, const std::string& locking, const std::function<void()>& call) {
  std::thread caller;
  Database other(world.test_database.options());
  const absl::Status ended = other.Write({}, [&](Session& session) {
    session.Query(locking, {});
    std::thread waiting(call);
    // When the call makes no further round trip, it waits for the lock.
    int64_t trips = -1;
    for (int same = 0; same < 20;) {
      absl::SleepFor(absl::Milliseconds(10));
      const bool working = world.database.connections(Database::Kind::kWrite).used > 0;
      same = working && world.database.round_trips() == trips ? same + 1 : 0;
      trips = world.database.round_trips();
    }
    world.clock.Advance(absl::Minutes(1));
    caller = std::move(waiting);
    return absl::CancelledError("only the locks were wanted");
  });
  EXPECT_TRUE(absl::IsCancelled(ended)) << ended;
  caller.join();
}

int64_t Now(const World& world) { return absl::ToUnixMicros(world.clock.Now()); }

TEST(Times, OfAnAskIsTakenOnceItsServicesAreLocked) {
  World world;
  RunWhileLocked(world, kLockService, [&] {
    EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}).status, HasReason(""));
  });
  EXPECT_EQ(world.test_database.Count("SELECT create_time FROM contact_change"), Now(world));
  EXPECT_EQ(world.test_database.Count("SELECT time FROM contact_change_event"), Now(world));
}

TEST(Times, OfAnAskIsTakenOnceItsNewContactsAreLocked) {
  World world;
  RunWhileLocked(world, "SELECT id FROM account WHERE id = 'dd4-ovh' FOR UPDATE", [&] {
    EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}).status, HasReason(""));
  });
  EXPECT_EQ(world.test_database.Count("SELECT create_time FROM contact_change"), Now(world));
}

TEST(Times, OfTheLastAcceptanceIsTakenOnceItsServicesAreLocked) {
  World world;
  const ContactChange change = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  world.Accept(kMarie, change);
  const std::string token = world.Token(change.id, kDana);
  RunWhileLocked(world, kLockService,
                 [&] { EXPECT_THAT(world.Accept(kDana, change.id, token).status, HasReason("")); });
  EXPECT_EQ(world.test_database.Count(kCloseTime), Now(world));
  EXPECT_EQ(world.test_database.Count("SELECT update_time FROM service WHERE id = 's0.example'"),
            Now(world));
}

TEST(Times, OfWhatAnOperatorEndsIsTakenOnceTheServicesAreLocked) {
  for (const bool removed : {false, true}) {
    World world;
    world.Ask(kMarie, {Move(kS0, kTech, kDana)});
    RunWhileLocked(world, kLockService, [&] {
      EXPECT_TRUE(
          (removed ? world.DeleteService(kS0) : world.Override({Move(kS0, kTech, kEve)})).ok());
    });
    EXPECT_EQ(world.test_database.Count(kCloseTime), Now(world)) << removed;
  }
}

TEST(Times, OfACancellationAndOfAnExpiryAreTakenOnceTheChangeIsLocked) {
  World world;
  const Uuid id = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0).id;
  RunWhileLocked(world, kLockChanges,
                 [&] { EXPECT_THAT(world.Cancel(kMarie, id).status, HasReason("")); });
  EXPECT_EQ(world.test_database.Count(kCloseTime), Now(world));
  world.Ask(kMarie, {Move(kS0, kTech, kDana)});
  world.clock.Advance(absl::Hours(24 * 7));
  RunWhileLocked(world, kLockChanges,
                 [&] { EXPECT_EQ(*world.engine.maintenance.RunTimers(10), 1); });
  EXPECT_EQ(world.test_database.Count("SELECT MAX(time) FROM contact_change_event"), Now(world));
}

// So the admin of the service is admin at that time, whatever operators do beside.
TEST(Times, OfAWithdrawalIsTakenOnceTheServicesAreLocked) {
  World world;
  const Uuid id = world.Ask(kThomas, {Move(kS0, kTech, kDana)}).changes.at(0).id;
  RunWhileLocked(world, kLockService,
                 [&] { EXPECT_THAT(world.Cancel(kMarie, id).status, HasReason("")); });
  EXPECT_EQ(world.test_database.Count(kCloseTime), Now(world));
}

TEST(Times, OfADeliveryIsTakenOnceItsChangeIsLocked) {
  World world;
  world.Ask(kMarie, {Move(kS0, kTech, kDana)});
  const auto claimed = world.outbox.Claim(2, absl::Minutes(1), world.clock.Now());
  ASSERT_TRUE(claimed.ok() && claimed->size() == 2) << claimed.status();
  RunWhileLocked(world, kLockChanges,
                 [&] { EXPECT_TRUE(world.outbox.Sent({claimed->at(0)}, world.Clock()).ok()); });
  EXPECT_EQ(world.test_database.Count("SELECT MAX(time) FROM contact_change_event"), Now(world));
  RunWhileLocked(world, kLockChanges,
                 [&] { EXPECT_TRUE(world.outbox.GiveUp(claimed->at(1), world.Clock()).ok()); });
  EXPECT_EQ(world.test_database.Count("SELECT MAX(time) FROM contact_change_event"), Now(world));
}

TEST(Times, OfAnImportIsTakenOnceItsServicesAreLocked) {
  World world;
  Service service = *world.engine.directory.LookupService(World::AsOperator(), ServiceId(kS0));
  service.tech = AccountId(kEve);
  RunWhileLocked(world, kLockService, [&] {
    EXPECT_TRUE(world.engine.bulk.ImportBatch({}, {ImportRecord(service)}).ok());
  });
  EXPECT_EQ(world.test_database.Count("SELECT update_time FROM service WHERE id = 's0.example'"),
            Now(world));
}

// Two servers with a real clock: an account that keeps asking gets CHANGE_ALREADY_PENDING until
// the pending change is closed.
TEST(Times, OfAChangeIsNotBeforeTheEndOfTheOneThatWasInItsWay) {
  World world;
  Database database(world.test_database.options());
  Engine asking(&database, world.keys, world.settings);
  Engine closing(&world.database, world.keys, world.settings);
  for (int i = 0; i < 20; ++i) {
    const auto first =
        world.Ask(kMarie, {Move(kS0, kTech, kDana)}, std::nullopt, false, &closing).changes.at(0);
    World::Asked second;
    std::thread beside([&] {
      do {
        second = world.Ask(kMarie, {Move(kS0, kTech, kEve)}, std::nullopt, false, &asking);
      } while (second.changes.empty());
    });
    const auto closed = world.Cancel(kMarie, first.id, &closing);
    beside.join();
    ASSERT_THAT(closed.status, HasReason(""));
    EXPECT_LE(*closed.change.close_time, second.changes.at(0).create_time);
    EXPECT_THAT(world.Cancel(kMarie, second.changes.at(0).id, &closing).status, HasReason(""));
  }
}

}  // namespace
}  // namespace contacts
