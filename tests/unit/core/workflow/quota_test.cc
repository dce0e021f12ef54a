// Quotas of a requester: pending changes, asks a minute; items, e-mails, wrong accounts and address
// changes a day.

#include "core/workflow/quota.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/testing/reasons.h"

namespace contacts {
namespace {

using testing::HasReason;

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

Settings Small() {
  Settings settings;
  settings.max_pending_changes = 10;
  settings.max_asks_per_minute = 3;
  return settings;
}

// Changes with two items each, to different accounts.
std::vector<ContactChange> Changes(int count) {
  std::vector<ContactChange> changes(static_cast<std::size_t>(count));
  for (ContactChange& change : changes) {
    change.requester = AccountId("aa1-ovh");
    change.new_contact = AccountId(absl::StrCat("dd", &change - changes.data(), "-ovh"));
    change.items.resize(2);
  }
  return changes;
}

QuotaUse Use(int64_t pending, absl::Duration since, int64_t asks) {
  return {.pending_changes = pending, .asks = {.start = kNow - since, .uses = asks}};
}

TEST(Quota, TheFirstAskOpensAWindow) {
  const auto window = TakeQuota({}, Changes(1), kNow, Small());
  ASSERT_TRUE(window.ok()) << window.status();
  EXPECT_EQ(window->start, kNow);
  EXPECT_EQ(window->uses, 1);
}

TEST(Quota, AsksOfOneMinuteAreCountedUpToTheLimit) {
  const auto window = TakeQuota(Use(0, absl::Seconds(59), 2), Changes(1), kNow, Small());
  ASSERT_TRUE(window.ok()) << window.status();
  EXPECT_EQ(window->start, kNow - absl::Seconds(59));
  EXPECT_EQ(window->uses, 3);

  const auto refused = TakeQuota(Use(0, absl::Seconds(59), 3), Changes(1), kNow, Small());
  EXPECT_THAT(refused.status(), HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(testing::RetryDelayOf(refused.status()), absl::Seconds(1)) << "until the window ends";
}

TEST(Quota, AFullMinuteLaterANewWindowBegins) {
  const auto window = TakeQuota(Use(0, absl::Minutes(1), 3), Changes(1), kNow, Small());
  ASSERT_TRUE(window.ok()) << window.status();
  EXPECT_EQ(window->start, kNow);
  EXPECT_EQ(window->uses, 1);
}

TEST(Quota, AWindowFarAheadOfTheClockDoesNotShutTheRequesterOut) {
  EXPECT_TRUE(TakeQuota(Use(0, -absl::Hours(5), 3), Changes(1), kNow, Small()).ok());
}

TEST(Quota, AnAddressMayChangeSoManyTimesADay) {
  Settings settings;
  settings.max_addresses_per_day = 2;
  const auto first = TakeAddressQuota({}, kNow, settings);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = TakeAddressQuota(*first, kNow + absl::Hours(23), settings);
  ASSERT_TRUE(second.ok()) << second.status();
  const auto refused = TakeAddressQuota(*second, kNow + absl::Hours(23), settings);
  EXPECT_THAT(refused.status(), HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(testing::RetryDelayOf(refused.status()), absl::Hours(1));
  EXPECT_TRUE(TakeAddressQuota(*second, kNow + absl::Hours(24), settings).ok());
}

TEST(Quota, ItemsOfADayAreCountedUpToTheLimit) {
  Settings settings;
  settings.max_items_per_day = 10;
  const QuotaUse use = {.items = {.start = kNow - absl::Hours(20), .uses = 8}};
  EXPECT_TRUE(TakeQuota(use, Changes(1), kNow, settings).ok());
  const auto refused = TakeQuota(use, Changes(2), kNow, settings);
  EXPECT_THAT(refused.status(), HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(testing::RetryDelayOf(refused.status()), absl::Hours(4));
  EXPECT_TRUE(TakeQuota(use, Changes(2), kNow + absl::Hours(4), settings).ok());
}

TEST(Quota, EmailsOfADayToOneAccountAreCountedUpToTheLimit) {
  const auto refused = [](const char* recipient, int64_t uses) {
    const QuotaUse use = {
        .mails = {{AccountId(recipient), {.start = kNow - absl::Hours(23), .uses = uses}}}};
    std::vector<ContactChange> changes = Changes(2);
    changes[1].items[0].old_contact = AccountId("cc1-ovh");
    changes[1].items[1].old_contact = changes[1].requester;
    return TakeQuota(use, changes, kNow, Settings()).status();
  };
  EXPECT_TRUE(refused("dd1-ovh", 99).ok());
  EXPECT_THAT(refused("dd1-ovh", 100), HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(testing::RetryDelayOf(refused("dd1-ovh", 100)), absl::Hours(1));
  EXPECT_THAT(refused("cc1-ovh", 100), HasReason("QUOTA_EXCEEDED")) << "an old contact";
  EXPECT_TRUE(refused("aa1-ovh", 100).ok()) << "the requester";
  EXPECT_TRUE(refused("zz9-ovh", 100).ok()) << "another recipient";
}

TEST(Quota, WrongAccountsOfADayAreToldUpToTheLimit) {
  Settings settings;
  settings.max_wrong_accounts_per_day = 5;
  const auto take = [&](int64_t uses, int64_t wrong) {
    return TakeWrongAccounts({.start = kNow - absl::Hours(1), .uses = uses}, wrong, kNow, settings);
  };
  EXPECT_TRUE(take(0, 5).status.ok());
  EXPECT_EQ(take(0, 5).uses, 5);
  EXPECT_TRUE(take(4, 1).status.ok());
  // To learn that more are wrong than may be told costs a use.
  EXPECT_THAT(take(0, 6).status, HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(take(0, 6).uses, 1);
  EXPECT_THAT(take(5, 1).status, HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(take(5, 1).uses, 0);
  EXPECT_EQ(testing::RetryDelayOf(take(5, 1).status), absl::Hours(23));
}

TEST(Quota, PendingChangesCountWithThoseAskedFor) {
  EXPECT_TRUE(TakeQuota(Use(8, absl::Hours(1), 0), Changes(2), kNow, Small()).ok());
  const auto refused = TakeQuota(Use(8, absl::Hours(1), 0), Changes(3), kNow, Small());
  EXPECT_THAT(refused.status(), HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(testing::RetryDelayOf(refused.status()), absl::ZeroDuration())
      << "waiting does not help";
}

}  // namespace
}  // namespace contacts
