// An e-mail that cannot be delivered is tried for 48 hours, then given up.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/mail/maildir.h"
#include "core/mail/relay.h"
#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using ::testing::Contains;
using ::testing::Not;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.

TEST(MailRelay, GivesUpAfterFortyEightHoursWithAnEvent) {
  World world;
  const ContactChange change =
      world.Ask(kMarie, {Move("s0.example", Role::kTech, kDana)}).changes.at(0);
  Maildir nowhere("/dev/null/mail");
  const MailRenderer renderer({.from = "contacts@mail.example",
                               .link_url = "https://x/{contact_change_id}{token}{answer}"});
  MailRelay relay(&world.outbox, &nowhere, &renderer,
                  {.give_up = world.settings.mail_give_up,
                   .clock = [&] { return world.clock.Now(); },
                   .random = [] { return 0.5; }});
  const auto try_all = [&] {
    const auto tried = relay.RunOnce(world.clock.Now());
    ASSERT_TRUE(tried.ok()) << tried.status();
    EXPECT_EQ(*tried, 2);
  };
  try_all();
  world.clock.Advance(absl::Hours(48) - absl::Seconds(1));
  try_all();
  EXPECT_EQ(relay.counts().failed, 4);
  EXPECT_EQ(relay.counts().given_up, 0);
  EXPECT_THAT(world.History(change.id), Not(Contains(EventType::kValidationUndeliverable)));

  world.clock.Advance(absl::Hours(2));
  try_all();
  EXPECT_EQ(relay.counts().given_up, 2);
  EXPECT_EQ(world.test_database.Count("SELECT COUNT(*) FROM outbox"), 0);
  EXPECT_THAT(world.History(change.id), Contains(EventType::kValidationUndeliverable).Times(2));
}

}  // namespace
}  // namespace contacts
