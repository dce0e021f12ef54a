// The number of round trips of each call, as ARCHITECTURE.md promises.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using enum Role;

constexpr int kMany = 1000;
constexpr char kS0[] = "s0.example";

// Round trips that `call` makes.
template <typename F>
int64_t TripsOf(const Database& database, F call) {
  const int64_t before = database.round_trips();
  call();
  return database.round_trips() - before;
}

std::vector<Assignment> ManyAssignments(const std::string& new_contact) {
  std::vector<Assignment> assignments;
  for (int i = 0; i < kMany; ++i) {
    assignments.push_back(Move(absl::StrCat("s", i, ".example"), kTech, new_contact));
  }
  return assignments;
}

// The first use of a connection adds round trips (session set-up). So every world reads and
// writes before anything is counted: creating its directory writes, and this reads.
void WarmUp(World& world) {
  ASSERT_TRUE(world.engine.profiles.GetProfile(World::As(kMarie)).ok());
  ASSERT_EQ(
      TripsOf(world.database, [&] { world.engine.profiles.GetProfile(World::As(kMarie)).value(); }),
      1);
}

TEST(RoundTrips, OfGetContactChangeAreOne) {
  World world;
  WarmUp(world);
  const Uuid id = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0).id;
  for (const char* viewer : {kMarie, kDana}) {
    EXPECT_EQ(TripsOf(world.database, [&] { EXPECT_TRUE(world.Get(viewer, id).ok()); }), 1);
  }
}

TEST(RoundTrips, OfListContactChangesAreTwoAtMostForEachPage) {
  World world(Settings(), 60);
  WarmUp(world);
  for (int i = 0; i < 60; ++i) {
    world.clock.Advance(absl::Seconds(1));
    world.Ask(kMarie, {Move(absl::StrCat("s", i, ".example"), kTech, i % 2 ? kDana : kEve)});
  }
  const auto trips = [&](const ChangeFilter& filter, std::size_t rows) {
    return TripsOf(world.database, [&] {
      const auto page =
          world.engine.reading.ListContactChanges(World::As(kMarie), filter, {.size = 20});
      EXPECT_TRUE(page.ok()) << page.status();
      EXPECT_EQ(page->rows.size(), rows);
    });
  };
  EXPECT_LE(trips({}, 20), 2);
  EXPECT_LE(trips({.states = {ChangeState::kValidating}}, 20), 2);
  EXPECT_LE(trips({.involvement = Involvement::kAwaitingMyValidation}, 20), 2);
  EXPECT_LE(trips({.service = ServiceId(kS0)}, 1), 2);
  EXPECT_LE(trips({.states = {ChangeState::kDone}}, 0), 2);
  // With changes of which the first items are enough, and others.
  world.Ask(kMarie, {Move(kS0, kBilling, kDana), Move("s1.example", kBilling, kDana)});
  EXPECT_LE(TripsOf(world.database,
                    [&] {
                      const auto page = world.engine.reading.ListContactChanges(
                          World::As(kMarie), {}, {.size = 20}, /*max_items=*/1);
                      EXPECT_EQ(page->rows.size(), 20U);
                    }),
            3);
}

TEST(RoundTrips, OfServiceReadsAreOne) {
  World world;
  WarmUp(world);
  EXPECT_EQ(
      TripsOf(
          world.database,
          [&] { EXPECT_TRUE(world.engine.reading.ListServices(World::As(kMarie), {}, {}).ok()); }),
      1);
  EXPECT_EQ(TripsOf(world.database,
                    [&] {
                      EXPECT_TRUE(
                          world.engine.reading.GetService(World::As(kMarie), ServiceId(kS0)).ok());
                    }),
            1);
}

TEST(RoundTrips, OfAnAcceptanceAreThreeAtMostAndOfTheLastFour) {
  World world;
  WarmUp(world);
  for (const Role role : {kTech, kBilling, kAdmin}) {
    const ContactChange change = world.Ask(kMarie, {Move(kS0, role, kDana)}).changes.at(0);
    const std::string maries = world.Token(change.id, kMarie);
    const std::string danas = world.Token(change.id, kDana);
    EXPECT_LE(TripsOf(world.database,
                      [&] {
                        EXPECT_THAT(
                            world.Accept(kMarie, change.id, maries, Uuid::Version4()).status,
                            HasReason(""));
                      }),
              3)
        << Name(role);
    EXPECT_LE(TripsOf(world.database,
                      [&] {
                        EXPECT_EQ(
                            world.Accept(kDana, change.id, danas, Uuid::Version4()).change.state,
                            ChangeState::kDone);
                      }),
              4)
        << Name(role);
  }
}

TEST(RoundTrips, OfAWithdrawalAreThreeAtMost) {
  World world;
  world.AddService("eve.example", kEve, kThomas, kBill);
  WarmUp(world);
  const Uuid id = world.Ask(kThomas, {Move(kS0, kTech, kDana), Move("eve.example", kTech, kDana)})
                      .changes.at(0)
                      .id;
  for (const char* admin : {kEve, kMarie}) {
    EXPECT_LE(TripsOf(world.database,
                      [&] { EXPECT_THAT(world.Cancel(admin, id).status, HasReason("")); }),
              3);
  }
}

TEST(RoundTrips, OfTheSupportDesksCallsAreFew) {
  World world;
  WarmUp(world);
  const Uuid id = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0).id;
  ASSERT_TRUE(world.Override({Move(kS0, kBilling, kDana)}).ok());
  Support& support = world.engine.support;
  const Call desk = World::AsOperator();
  const auto trips = [&](const auto& call) {
    return TripsOf(world.database, [&] { EXPECT_TRUE(call().ok()); });
  };
  const ServiceId service(kS0);
  for (const ChangeSearch& search :
       {ChangeSearch{.account = AccountId(kDana)}, ChangeSearch{.service = service},
        ChangeSearch{.from = world.clock.Now()}}) {
    EXPECT_LE(trips([&] { return support.SearchContactChanges(desk, search, {}, 0); }), 2);
    EXPECT_LE(trips([&] { return support.SearchContactChanges(desk, search, {}, 1); }), 3);
  }
  EXPECT_EQ(trips([&] { return support.LookupContactChange(desk, id); }), 2);
  EXPECT_EQ(trips([&] { return support.ListServiceContactHistory(desk, service, {}); }), 1);
  EXPECT_EQ(trips([&] { return support.ListContactOverrides(desk, {.service = service}, {}); }), 2);
  EXPECT_EQ(trips([&] {
              return world.engine.reading.ListContactHistory(World::As(kMarie), service, {});
            }),
            2);
  const auto encode = [](const ContactChange&) { return std::string("x"); };
  EXPECT_LE(trips([&] { return support.ResendValidationFor(desk, id, AccountId(kDana), encode); }),
            4);
  EXPECT_LE(trips([&] { return support.AbortContactChange(desk, id, "why", encode); }), 4);
}

TEST(RoundTrips, OfAWrongTokenAreFourAtMost) {
  World world;
  WarmUp(world);
  const ContactChange change = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  EXPECT_LE(TripsOf(world.database,
                    [&] {
                      EXPECT_THAT(world.Accept(kDana, change.id, "wrong").status,
                                  HasReason("TOKEN_INVALID"));
                    }),
            4);
}

TEST(RoundTrips, OfAResendAreThreeAtMostAndOfOneToAnotherAccountFour) {
  World world;
  WarmUp(world);
  const ContactChange change = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  const auto trips = [&](const char* account, const char* to) {
    world.clock.Advance(absl::Minutes(1));
    return TripsOf(world.database, [&] {
      EXPECT_THAT(world.Resend(account, change.id, to, Uuid::Version4()).status, HasReason(""));
    });
  };
  EXPECT_LE(trips(kDana, ""), 3);
  EXPECT_LE(trips(kMarie, kMarie), 3);
  EXPECT_LE(trips(kMarie, kDana), 4);
}

TEST(RoundTrips, OfADryRunAreTwoAndThreeMoreIfAnAccountIsWrong) {
  World world;
  WarmUp(world);
  const auto trips = [&](const char* named, const char* reason) {
    return TripsOf(world.database, [&] {
      EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, named)}, std::nullopt, true).status,
                  HasReason(reason));
    });
  };
  EXPECT_LE(trips(kDana, ""), 2);
  EXPECT_LE(trips("zz9-ovh", "ACCOUNT_NOT_FOUND"), 5);
}

TEST(RoundTrips, OfAskingApplyingAndReadingDoNotGrowWithAThousandServices) {
  World world(Settings(), kMany);
  WarmUp(world);
  // One.
  World::Asked one;
  const int64_t ask_one = TripsOf(
      world.database, [&] { one = world.Ask(kMarie, {Move(kS0, kTech, kEve)}, Uuid::Version4()); });
  ASSERT_THAT(one.status, HasReason(""));
  EXPECT_LE(ask_one, 3);
  const auto trips_of_answer = [&](const std::string& account, const ContactChange& change) {
    const std::string token = world.Token(change.id, account);
    return TripsOf(world.database, [&] {
      EXPECT_THAT(world.Accept(account, change.id, token, Uuid::Version4()).status, HasReason(""));
    });
  };
  const int64_t first_one = trips_of_answer(kMarie, one.changes.at(0));
  const int64_t last_one = trips_of_answer(kEve, one.changes.at(0));
  ASSERT_EQ(world.Holder(kS0, kTech), kEve);

  // One bad assignment among a thousand creates nothing, and every bad one is listed.
  std::vector<Assignment> with_bad = ManyAssignments(kDana);
  with_bad[999].new_contact = AccountId("zz9-ovh");
  with_bad[500].service = ServiceId("gone.example");
  const std::string before = world.test_database.Dump();
  const World::Asked bad = world.Ask(kMarie, with_bad);
  EXPECT_THAT(bad.status, HasReason("SERVICE_NOT_FOUND"));
  EXPECT_THAT(ViolationsOf(bad.status),
              ElementsAre("assignments[500].service SERVICE_NOT_FOUND",
                          "assignments[999].new_contact ACCOUNT_NOT_FOUND"));
  world.test_database.Execute(
      "DELETE FROM daily_use WHERE kind = 2");  // The count of wrong accounts.
  EXPECT_EQ(world.test_database.Dump(), before);

  // A thousand.
  World::Asked many;
  const int64_t ask_many = TripsOf(
      world.database, [&] { many = world.Ask(kMarie, ManyAssignments(kDana), Uuid::Version4()); });
  ASSERT_THAT(many.status, HasReason(""));
  ASSERT_EQ(many.changes.size(), 1U);
  const ContactChange& change = many.changes[0];
  EXPECT_EQ(change.items.size(), static_cast<std::size_t>(kMany));
  EXPECT_EQ(ask_many, ask_one);
  EXPECT_EQ(TripsOf(world.database, [&] { EXPECT_TRUE(world.Get(kMarie, change.id).ok()); }), 1);
  EXPECT_EQ(trips_of_answer(kMarie, change), first_one);
  EXPECT_EQ(trips_of_answer(kDana, change), last_one);
  EXPECT_EQ(world.Get(kMarie, change.id)->state, ChangeState::kDone);
  EXPECT_EQ(world.test_database.Count("SELECT COUNT(*) FROM service WHERE tech = 'dd4-ovh'"),
            kMany);
  EXPECT_THAT(world.TakeMails(),
              ElementsAre("DONE aa1-ovh", "DONE aa1-ovh", "DONE dd4-ovh", "DONE ee5-ovh",
                          "ROLES_LOST bb2-ovh", "ROLES_LOST bb2-ovh", "ROLES_LOST ee5-ovh"));
}

TEST(RoundTrips, OfAskingDoNotGrowWithTheNumberOfNewContacts) {
  World world(Settings(), 100);
  WarmUp(world);
  std::vector<Assignment> assignments;
  for (int i = 0; i < 100; ++i) {
    const std::string account = absl::StrCat("mm", i, "-ovh");
    world.AddAccount(account, account + "@mail.example");
    assignments.push_back(Move(absl::StrCat("s", i, ".example"), kTech, account));
  }
  EXPECT_LE(TripsOf(world.database,
                    [&] { EXPECT_THAT(world.Ask(kMarie, assignments).changes, SizeIs(100)); }),
            3);
}

TEST(RoundTrips, OfAskingAreFewWhereExpiredChangesAreInTheWay) {
  World world(Settings(), kMany);
  WarmUp(world);
  // One change with a thousand items, then a hundred with one each.
  ASSERT_THAT(world.Ask(kMarie, ManyAssignments(kDana)).status, HasReason(""));
  std::vector<Assignment> each;
  for (int i = 0; i < 100; ++i) {
    const std::string account = absl::StrCat("mm", i, "-ovh");
    world.AddAccount(account, account + "@mail.example");
    each.push_back(Move(absl::StrCat("s", i, ".example"), kTech, account));
  }
  for (const std::vector<Assignment>& assignments : {each, ManyAssignments(kEve)}) {
    world.clock.Advance(absl::Hours(24 * 7));
    World::Asked asked;
    EXPECT_LE(TripsOf(world.database, [&] { asked = world.Ask(kMarie, assignments); }), 12);
    EXPECT_THAT(asked.status, HasReason(""));
  }
  EXPECT_EQ(world.test_database.Count("SELECT COUNT(*) FROM contact_change WHERE state = 5"), 101);
}

TEST(RoundTrips, OfAClaimDoNotGrowWithTheEmailsThatTellOfPendingItems) {
  World world;
  world.Ask(kThomas, {Move(kS0, kTech, kEve)});
  world.Ask(kThomas, {Move("s1.example", kTech, kEve)});
  const auto claim = [&](const std::vector<Assignment>& assignments,
                         std::vector<MailFacts>& claimed) {
    world.TakeMails();
    EXPECT_TRUE(world.Override(assignments).ok());
    return TripsOf(world.database,
                   [&] { claimed = *world.outbox.Claim(10, absl::Minutes(1), world.clock.Now()); });
  };
  std::vector<MailFacts> claimed;
  int64_t of_one = 0;
  int64_t of_two = 0;
  // The second time, all statements are prepared.
  for (const char* other : {kDana, kEve}) {
    of_one = claim({Move(kS0, kAdmin, kDana)}, claimed);
    of_two = claim({Move(kS0, kAdmin, kBill), Move("s1.example", kAdmin, other)}, claimed);
  }
  EXPECT_EQ(of_two, of_one);
  // Each lists what is pending on its own services.
  std::map<std::string, std::string> listed;
  for (const MailFacts& facts : claimed) {
    for (const PendingItem& item : facts.pending) {
      listed[facts.recipient.id.text()] += item.role.service.text();
    }
  }
  EXPECT_THAT(listed,
              ElementsAre(::testing::Pair(kBill, kS0), ::testing::Pair(kEve, "s1.example")));
}

}  // namespace
}  // namespace contacts
