// The rules of contact changes, seen through the engine on a real database.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "core/domain/errors.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Move;
using testing::World;
using enum Role;
using enum EventType;

constexpr const char* kAdmin_ = World::kAdmin;
constexpr const char* kTech_ = World::kTech;
constexpr const char* kBilling_ = World::kBilling;
constexpr const char* kOther_ = World::kOther;
constexpr const char* kThird_ = World::kThird;

#define EXPECT_REASON(status, reason) EXPECT_EQ(errors::Reason(status), reason) << (status)

TEST(MainScenario, AdminHandsTechRoleOverBothValidateAndAllThreeAreTold) {
  World world;
  const World::Asked asked = world.Ask(kAdmin_, {Move("s0.example", kTech, kOther_)});
  ASSERT_TRUE(asked.status.ok()) << asked.status;
  ASSERT_EQ(asked.changes.size(), 1U);
  const ContactChange& change = asked.changes[0];
  EXPECT_THAT(world.TakeMails(), ElementsAre("VALIDATION aa1-ovh", "VALIDATION dd4-ovh"));

  const World::Answered first = world.Accept(kAdmin_, change);
  ASSERT_TRUE(first.status.ok()) << first.status;
  EXPECT_EQ(first.change.state, ChangeState::kValidating);
  EXPECT_EQ(world.Holder("s0.example", kTech), kTech_);
  EXPECT_THAT(world.TakeMails(), IsEmpty());

  const World::Answered last = world.Accept(kOther_, change);
  ASSERT_TRUE(last.status.ok()) << last.status;
  EXPECT_EQ(last.change.state, ChangeState::kDone);
  EXPECT_EQ(last.change.items[0].outcome, ItemOutcome::kApplied);
  EXPECT_EQ(world.Holder("s0.example", kTech), kOther_);
  EXPECT_THAT(world.TakeMails(),
              ElementsAre("DONE aa1-ovh", "DONE dd4-ovh", "ROLES_LOST bb2-ovh"));
  EXPECT_THAT(world.History(change.id),
              ElementsAre(kRequested, kValidationSent, kValidationSent, kAccepted, kAccepted,
                          EventType::kDone));
}

TEST(MainScenario, AdminTakesTechRoleOverWithItsOwnValidationAlone) {
  World world;
  const World::Asked asked = world.Ask(kAdmin_, {Move("s0.example", kTech, kAdmin_)});
  ASSERT_TRUE(asked.status.ok()) << asked.status;
  EXPECT_EQ(asked.changes[0].validations.size(), 1U);
  EXPECT_EQ(world.Accept(kAdmin_, asked.changes[0]).change.state, ChangeState::kDone);
  EXPECT_EQ(world.Holder("s0.example", kTech), kAdmin_);
}

}  // namespace
}  // namespace contacts
