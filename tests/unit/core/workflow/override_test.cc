#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/workflow/assignments.h"

namespace contacts {
namespace {

const AccountId kMarie("aa1-ovh");
const AccountId kThomas("bb2-ovh");
const AccountId kDana("dd4-ovh");
const ServiceId kA("a.example");
const ServiceId kB("b.example");
const absl::Time kBefore = absl::FromUnixSeconds(1'780'000'000);
const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

ServiceMap Services() {
  ServiceMap services;
  for (const ServiceId& id : {kA, kB}) {
    services[id] = {.id = id,
                    .admin = kMarie,
                    .tech = kThomas,
                    .billing = kThomas,
                    .version = 5,
                    .update_time = kBefore};
  }
  return services;
}

TEST(OverrideTest, GivesEachRoleToItsNewContactAndRecordsTheOldOne) {
  ServiceMap services = Services();
  const std::vector<OverrideItem> items =
      ApplyOverride({{kA, Role::kAdmin, kDana}, {kA, Role::kTech, kMarie}}, services, kNow);
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].service, kA);
  EXPECT_EQ(items[0].role, Role::kAdmin);
  EXPECT_EQ(items[0].old_contact, kMarie);
  EXPECT_EQ(items[0].new_contact, kDana);
  EXPECT_EQ(items[1].role, Role::kTech);
  EXPECT_EQ(items[1].old_contact, kThomas);
  EXPECT_EQ(items[1].new_contact, kMarie);
  EXPECT_EQ(services[kA].admin, kDana);
  EXPECT_EQ(services[kA].tech, kMarie);
  EXPECT_EQ(services[kA].billing, kThomas);
  EXPECT_EQ(services[kA].version, 7);  // Once for each role that moved.
  EXPECT_EQ(services[kA].update_time, kNow);
}

TEST(OverrideTest, RecordsARoleThatItsContactKeepsAndLeavesTheServiceAsItWas) {
  ServiceMap services = Services();
  const std::vector<OverrideItem> items =
      ApplyOverride({{kA, Role::kAdmin, kMarie}, {kB, Role::kTech, kDana}}, services, kNow);
  ASSERT_EQ(items.size(), 2U);
  EXPECT_FALSE(items[0].moves());
  EXPECT_EQ(services[kA].version, 5);
  EXPECT_EQ(services[kA].update_time, kBefore);
  EXPECT_TRUE(items[1].moves());
  EXPECT_EQ(services[kB].version, 6);
}

}  // namespace
}  // namespace contacts
