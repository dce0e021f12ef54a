// Request ids make retries safe.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
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

int64_t Count(const World& world, const std::string& table) {
  return world.test_database.Count("SELECT COUNT(*) FROM " + table);
}

TEST(RequestId, SameContentReplaysTheFirstResult) {
  World world;
  const Uuid id = Uuid::Version4();
  const World::Asked first = world.Ask(kMarie, {Move(kS0, kTech, kDana)}, id);
  ASSERT_THAT(first.status, HasReason(""));
  const std::string before = world.test_database.Dump();
  const World::Asked again = world.Ask(kMarie, {Move(kS0, kTech, kDana)}, id);
  EXPECT_THAT(again.status, HasReason(""));
  EXPECT_EQ(again.reply, first.reply);
  EXPECT_THAT(again.changes, IsEmpty());  // Nothing was encoded again.
  EXPECT_EQ(world.test_database.Dump(), before);
}

TEST(RequestId, ReplayIsTheFirstResultEvenWhereTheChangeHasMovedOnSince) {
  World world;
  const Uuid id = Uuid::Version4();
  const World::Asked first = world.Ask(kMarie, {Move(kS0, kTech, kDana)}, id);
  world.Cancel(kMarie, first.changes.at(0).id);
  EXPECT_EQ(world.Ask(kMarie, {Move(kS0, kTech, kDana)}, id).reply, first.reply);
  EXPECT_EQ(Count(world, "contact_change"), 1);
}

TEST(RequestId, OtherContentIsRequestIdReused) {
  World world;
  const Uuid id = Uuid::Version4();
  world.Ask(kMarie, {Move(kS0, kTech, kDana)}, id);
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kEve)}, id).status,
              HasReason("REQUEST_ID_REUSED"));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS1, kTech, kDana)}, id).status,
              HasReason("REQUEST_ID_REUSED"));
  EXPECT_EQ(Count(world, "contact_change"), 1);
}

TEST(RequestId, OtherMethodIsRequestIdReused) {
  World world;
  const Uuid id = Uuid::Version4();
  const World::Asked asked = world.Ask(kMarie, {Move(kS0, kTech, kDana)}, id);
  const Uuid change = asked.changes.at(0).id;
  EXPECT_THAT(world.Accept(kMarie, change, world.Token(change, kMarie), id).status,
              HasReason("REQUEST_ID_REUSED"));
  EXPECT_EQ(world.Get(kMarie, change)->validations[0].state, ValidationState::kPending);
}

TEST(RequestId, IsEachActingAccountsOwn) {
  World world;
  const Uuid id = Uuid::Version4();
  ASSERT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}, id).status, HasReason(""));
  EXPECT_THAT(world.Ask(kBill, {Move(kS0, kBilling, kDana)}, id).status, HasReason(""));
  EXPECT_EQ(Count(world, "contact_change"), 2);
}

TEST(RequestId, FailedCallIsNotKept) {
  World world;
  const Uuid id = Uuid::Version4();
  const ContactChange in_the_way = world.Ask(kBill, {Move(kS0, kBilling, kEve)}).changes.at(0);
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kBilling, kDana)}, id).status,
              HasReason("CHANGE_ALREADY_PENDING"));
  world.Cancel(kBill, in_the_way.id);
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kBilling, kDana)}, id).status, HasReason(""));
}

TEST(RequestId, WrongTokenIsNotKeptAndEachTryCounts) {
  World world;
  const Uuid id = Uuid::Version4();
  const ContactChange change = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  EXPECT_THAT(world.Accept(kDana, change.id, "wrong", id).status, HasReason("TOKEN_INVALID"));
  EXPECT_THAT(world.Accept(kDana, change.id, "wrong", id).status, HasReason("TOKEN_INVALID"));
  EXPECT_EQ(world.test_database.Count("SELECT new_contact_wrong_tokens FROM contact_change"), 2);
  EXPECT_THAT(world.Accept(kDana, change.id, world.Token(change.id, kDana), id).status,
              HasReason(""));
}

TEST(RequestId, OfAnAnswerReplaysIt) {
  World world;
  const ContactChange change = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  const Uuid first_id = Uuid::Version4();
  const std::string maries = world.Token(change.id, kMarie);
  const World::Answered first = world.Accept(kMarie, change.id, maries, first_id);
  ASSERT_THAT(first.status, HasReason(""));
  const Uuid last_id = Uuid::Version4();
  const std::string danas = world.Token(change.id, kDana);
  const World::Answered last = world.Accept(kDana, change.id, danas, last_id);
  ASSERT_EQ(last.change.state, ChangeState::kDone);
  world.TakeMails();

  const std::string before = world.test_database.Dump();
  // The change is closed by now: without its id, the call would fail.
  const World::Answered first_again = world.Accept(kMarie, change.id, maries, first_id);
  EXPECT_THAT(first_again.status, HasReason(""));
  EXPECT_EQ(first_again.reply, first.reply);
  EXPECT_EQ(world.Accept(kDana, change.id, danas, last_id).reply, last.reply);
  EXPECT_THAT(world.Accept(kDana, change.id, danas).status, HasReason("CHANGE_CLOSED"));
  EXPECT_THAT(world.Accept(kDana, change.id, "other", last_id).status,
              HasReason("REQUEST_ID_REUSED"));
  EXPECT_EQ(world.test_database.Dump(), before);
}

TEST(RequestId, OfAnAnswerCountsNoWrongTokenOfAnotherAnswer) {
  World world;
  const ContactChange change = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  const ContactChange other = world.Ask(kMarie, {Move(kS1, kTech, kDana)}).changes.at(0);
  const Uuid id = Uuid::Version4();
  ASSERT_THAT(world.Accept(kDana, change.id, world.Token(change.id, kDana), id).status,
              HasReason(""));
  const std::string before = world.test_database.Dump();
  EXPECT_THAT(world.Accept(kDana, other.id, "wrong", id).status, HasReason("REQUEST_ID_REUSED"));
  EXPECT_EQ(world.test_database.Dump(), before);
}

TEST(RequestId, OfAnAskTellsOfNoWrongAccountOfAnotherAsk) {
  World world;
  const Uuid id = Uuid::Version4();
  ASSERT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}, id).status, HasReason(""));
  const std::string before = world.test_database.Dump();
  EXPECT_THAT(world.Ask(kMarie, {Move(kS1, kTech, "zz9-ovh")}, id).status,
              HasReason("REQUEST_ID_REUSED"));
  EXPECT_EQ(world.test_database.Dump(), before);
}

// The change is past its deadline and in the way of its own repetition.
TEST(RequestId, OfAnAskReplaysItAfterItsChangeExpired) {
  World world;
  const Uuid id = Uuid::Version4();
  const World::Asked first = world.Ask(kMarie, {Move(kS0, kTech, kDana)}, id);
  world.clock.Advance(world.settings.change_lifetime);
  const World::Asked again = world.Ask(kMarie, {Move(kS0, kTech, kDana)}, id);
  EXPECT_THAT(again.status, HasReason(""));
  EXPECT_EQ(again.reply, first.reply);
  EXPECT_EQ(Count(world, "contact_change"), 1);
}

TEST(RequestId, OfAnAskReplaysItAlsoIfItWouldFailByNow) {
  World world;
  const Uuid id = Uuid::Version4();
  const World::Asked first = world.Ask(kMarie, {Move(kS0, kTech, kDana)}, id);
  world.Cancel(kMarie, first.changes.at(0).id);
  ASSERT_TRUE(world.Override({Move(kS0, kAdmin, kEve)}).ok());
  ASSERT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}).status, HasReason("SERVICE_NOT_FOUND"));
  const std::string before = world.test_database.Dump();
  EXPECT_EQ(world.Ask(kMarie, {Move(kS0, kTech, kDana)}, id).reply, first.reply);
  EXPECT_EQ(world.test_database.Dump(), before);
}

TEST(RequestId, OfAResendReplaysItWithoutASecondEmail) {
  World world;
  const ContactChange change = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  world.TakeMails();
  const Uuid id = Uuid::Version4();
  const World::Answered first = world.Resend(kDana, change.id, "", id);
  const World::Answered again = world.Resend(kDana, change.id, "", id);
  EXPECT_THAT(again.status, HasReason(""));
  EXPECT_EQ(again.reply, first.reply);
  EXPECT_THAT(world.TakeMails(), ElementsAre("VALIDATION dd4-ovh"));
}

TEST(RequestId, OfAnOperatorReplaysToo) {
  World world;
  Call call = World::AsOperator(Uuid::Version4());
  Account account;
  account.id = AccountId("ff6-ovh");
  account.email = "f@mail.example";
  const auto create = [&] {
    return world.engine.directory.CreateAccount(call, account,
                                                [](const Account& a) { return a.email; });
  };
  ASSERT_TRUE(create().ok());
  EXPECT_EQ(*create(), "f@mail.example");
  call.request_id.reset();
  EXPECT_THAT(create().status(), HasReason("ALREADY_EXISTS"));
}

TEST(RequestId, OfADryRunIsFreeForTheRealCall) {
  World world;
  const Uuid id = Uuid::Version4();
  ASSERT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}, id, true).status, HasReason(""));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}, id).status, HasReason(""));
  EXPECT_EQ(Count(world, "contact_change"), 1);
}

TEST(Purge, KeepsRepliesForSevenDaysAtLeastThenRemovesThem) {
  World world;
  const Uuid id = Uuid::Version4();
  const World::Asked first = world.Ask(kMarie, {Move(kS0, kTech, kDana)}, id);
  world.clock.Advance(absl::Hours(24 * 7));
  world.engine.maintenance.PurgeRequests(1000).IgnoreError();
  EXPECT_EQ(Count(world, "reply"), 1);
  EXPECT_EQ(world.Ask(kMarie, {Move(kS0, kTech, kDana)}, id).reply, first.reply);
  world.clock.Advance(world.settings.request_retention);
  EXPECT_GT(*world.engine.maintenance.PurgeRequests(1000), 0);
  EXPECT_EQ(Count(world, "reply"), 0);
}

// Its directory was made by calls without ids. The server keeps their replies under its own ids.
TEST(Purge, KeepsWhatNobodyCanAskForNoLongerThanACallMayTake) {
  World world;
  world.clock.Advance(absl::Hours(1));
  EXPECT_EQ(*world.engine.maintenance.PurgeRequests(1000), 0);
  EXPECT_GT(Count(world, "reply"), 0);
  world.clock.Advance(absl::Hours(1) + absl::Seconds(1));
  EXPECT_GT(*world.engine.maintenance.PurgeRequests(1000), 0);
  EXPECT_EQ(Count(world, "reply"), 0);
}

TEST(Purge, RemovesAtMostItsLimitAndOnlyTheOld) {
  World world;
  const int64_t old = Count(world, "reply");
  ASSERT_GT(old, 5);
  world.clock.Advance(world.settings.request_retention + absl::Seconds(1));
  world.Ask(kMarie, {Move(kS0, kTech, kDana)}, Uuid::Version4());
  EXPECT_EQ(*world.engine.maintenance.PurgeRequests(5), 5);
  EXPECT_EQ(Count(world, "reply"), old - 5 + 1);
  EXPECT_EQ(*world.engine.maintenance.PurgeRequests(1000), old - 5);
  EXPECT_EQ(Count(world, "reply"), 1);
  EXPECT_EQ(*world.engine.maintenance.PurgeRequests(1000), 0);
}

}  // namespace
}  // namespace contacts
