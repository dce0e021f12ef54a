// The main scenarios of contact changes, seen through the engine on a real database.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using enum Role;
using enum EventType;

TEST(MainScenario, AdminHandsTechRoleOverBothValidateAndAllThreeAreTold) {
  World world;
  const World::Asked asked = world.Ask(kMarie, {Move("s0.example", kTech, kDana)});
  ASSERT_THAT(asked.status, HasReason(""));
  ASSERT_THAT(asked.changes, SizeIs(1));
  const ContactChange& change = asked.changes[0];
  EXPECT_THAT(world.TakeMails(), ElementsAre("VALIDATION aa1-ovh", "VALIDATION dd4-ovh"));

  const World::Answered first = world.Accept(kMarie, change);
  ASSERT_THAT(first.status, HasReason(""));
  EXPECT_EQ(first.change.state, ChangeState::kValidating);
  EXPECT_EQ(world.Holder("s0.example", kTech), kThomas);
  EXPECT_THAT(world.TakeMails(), IsEmpty());

  const World::Answered last = world.Accept(kDana, change);
  ASSERT_THAT(last.status, HasReason(""));
  EXPECT_EQ(last.change.state, ChangeState::kDone);
  EXPECT_EQ(last.change.items[0].outcome, ItemOutcome::kApplied);
  EXPECT_EQ(world.Holder("s0.example", kTech), kDana);
  EXPECT_THAT(world.TakeMails(), ElementsAre("DONE aa1-ovh", "DONE dd4-ovh", "ROLES_LOST bb2-ovh"));
  EXPECT_THAT(world.History(change.id), ElementsAre(kRequested, kValidationSent, kValidationSent,
                                                    kAccepted, kAccepted, EventType::kDone));
}

TEST(MainScenario, AdminTakesTechRoleOverWithItsOwnValidationAlone) {
  World world;
  const World::Asked asked = world.Ask(kMarie, {Move("s0.example", kTech, kMarie)});
  ASSERT_THAT(asked.status, HasReason(""));
  EXPECT_THAT(asked.changes[0].validations, SizeIs(1));
  EXPECT_EQ(world.Accept(kMarie, asked.changes[0]).change.state, ChangeState::kDone);
  EXPECT_EQ(world.Holder("s0.example", kTech), kMarie);
}

TEST(MainScenario, NewContactRefusesAndTheRequesterIsTold) {
  World world;
  const ContactChange change = world.Ask(kMarie, {Move("s0.example", kTech, kDana)}).changes.at(0);
  world.TakeMails();
  const World::Answered refused =
      world.Refuse(kDana, change.id, world.Token(change.id, kDana), "not mine");
  ASSERT_THAT(refused.status, HasReason(""));
  EXPECT_EQ(refused.change.state, ChangeState::kRefused);
  EXPECT_EQ(world.Get(kMarie, change.id)->FindValidation(AccountId(kDana))->refuse_reason,
            "not mine");
  EXPECT_THAT(world.TakeMails(), ElementsAre("REFUSED aa1-ovh"));
  EXPECT_EQ(world.Holder("s0.example", kTech), kThomas);
}

// No token is ever stored in the database.
TEST(Tokens, AreNeverStored) {
  World world;
  const World::Asked asked =
      world.Ask(kMarie, {Move("s0.example", kTech, kDana), Move("s1.example", kTech, kEve)},
                Uuid::Version4());
  ASSERT_THAT(asked.status, HasReason(""));
  std::vector<std::string> tokens;
  const auto remember = [&](const ContactChange& change) {
    for (const Validation& validation : change.validations) {
      tokens.push_back(world.Token(change.id, validation.account.text()));
    }
  };
  for (const ContactChange& change : asked.changes) remember(change);
  const ContactChange& first = asked.changes[0];
  world.Accept(kDana, first.id, "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA-A");
  world.Resend(kDana, first.id);
  remember(first);
  const std::string before = world.test_database.Dump();
  world.TakeMails();
  world.Accept(kMarie, first.id, world.Token(first.id, kMarie), Uuid::Version4());
  world.Accept(kDana, first.id, world.Token(first.id, kDana), Uuid::Version4());
  world.Refuse(kEve, asked.changes[1].id, world.Token(asked.changes[1].id, kEve));
  const std::string after = world.test_database.Dump();
  ASSERT_THAT(before, HasSubstr("s0.example"));
  ASSERT_THAT(tokens, SizeIs(6));
  for (const std::string& token : tokens) {
    std::string bare = token;
    bare.erase(std::remove(bare.begin(), bare.end(), '-'), bare.end());
    for (const std::string& dump : {before, after}) {
      EXPECT_THAT(dump, Not(HasSubstr(token)));
      EXPECT_THAT(dump, Not(HasSubstr(bare)));
    }
  }
}

TEST(Tokens, OfTheTwoValidatorsDifferAndServeTheirOwnerAlone) {
  World world;
  const ContactChange change = world.Ask(kMarie, {Move("s0.example", kTech, kDana)}).changes.at(0);
  const std::string maries = world.Token(change.id, kMarie);
  const std::string danas = world.Token(change.id, kDana);
  EXPECT_NE(maries, danas);
  EXPECT_THAT(world.Accept(kDana, change.id, maries).status, HasReason("TOKEN_INVALID"));
  EXPECT_THAT(world.Accept(kMarie, change.id, danas).status, HasReason("TOKEN_INVALID"));
}

TEST(Tokens, OfOneChangeDoNotOpenAnother) {
  World world;
  const ContactChange one = world.Ask(kMarie, {Move("s0.example", kTech, kDana)}).changes.at(0);
  const ContactChange two = world.Ask(kMarie, {Move("s1.example", kTech, kDana)}).changes.at(0);
  EXPECT_THAT(world.Accept(kDana, two.id, world.Token(one.id, kDana)).status,
              HasReason("TOKEN_INVALID"));
}

}  // namespace
}  // namespace contacts
