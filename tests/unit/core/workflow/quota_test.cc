// Quotas of a requester: pending changes, asks a minute, address changes a day.

#include "core/workflow/quota.h"

#include <gtest/gtest.h>

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

QuotaUse Use(int64_t pending, absl::Duration since, int64_t asks) {
  return {.pending_changes = pending, .asks = {.start = kNow - since, .uses = asks}};
}

TEST(Quota, TheFirstAskOpensAWindow) {
  const auto window = TakeQuota({}, 1, kNow, Small());
  ASSERT_TRUE(window.ok()) << window.status();
  EXPECT_EQ(window->start, kNow);
  EXPECT_EQ(window->uses, 1);
}

TEST(Quota, AsksOfOneMinuteAreCountedUpToTheLimit) {
  const auto window = TakeQuota(Use(0, absl::Seconds(59), 2), 1, kNow, Small());
  ASSERT_TRUE(window.ok()) << window.status();
  EXPECT_EQ(window->start, kNow - absl::Seconds(59));
  EXPECT_EQ(window->uses, 3);

  const auto refused = TakeQuota(Use(0, absl::Seconds(59), 3), 1, kNow, Small());
  EXPECT_THAT(refused.status(), HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(testing::RetryDelayOf(refused.status()), absl::Seconds(1)) << "until the window ends";
}

TEST(Quota, AFullMinuteLaterANewWindowBegins) {
  const auto window = TakeQuota(Use(0, absl::Minutes(1), 3), 1, kNow, Small());
  ASSERT_TRUE(window.ok()) << window.status();
  EXPECT_EQ(window->start, kNow);
  EXPECT_EQ(window->uses, 1);
}

TEST(Quota, AWindowFarAheadOfTheClockDoesNotShutTheRequesterOut) {
  EXPECT_TRUE(TakeQuota(Use(0, -absl::Hours(5), 3), 1, kNow, Small()).ok());
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

TEST(Quota, PendingChangesCountWithThoseAskedFor) {
  EXPECT_TRUE(TakeQuota(Use(8, absl::Hours(1), 0), 2, kNow, Small()).ok());
  const auto refused = TakeQuota(Use(8, absl::Hours(1), 0), 3, kNow, Small());
  EXPECT_THAT(refused.status(), HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(testing::RetryDelayOf(refused.status()), absl::ZeroDuration())
      << "waiting does not help";
}

}  // namespace
}  // namespace contacts
