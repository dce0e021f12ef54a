#include "core/workflow/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/reasons.h"

namespace contacts {
namespace {

using testing::HasReason;

const AccountId kMarie("aa1-ovh");
const AccountId kThomas("bb2-ovh");
const absl::Time kBefore = absl::FromUnixSeconds(1'780'000'000);
const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

Account Marie() {
  return {.id = kMarie,
          .email = "marie@mail.example",
          .language = "fr",
          .version = 3,
          .create_time = kBefore,
          .update_time = kBefore};
}

Service MariesService() {
  return {.id = ServiceId("s.example"),
          .kind = "domain",
          .admin = kMarie,
          .tech = kThomas,
          .billing = kThomas,
          .owner = Owner{.name = "Marie",
                         .organisation = "Radium",
                         .email = "owner@mail.example",
                         .phone = "+33.1",
                         .address_lines = {"1 rue"},
                         .city = "Paris",
                         .postal_code = "75005",
                         .country_code = "FR"},
          .version = 3,
          .create_time = kBefore,
          .update_time = kBefore};
}

TEST(ProfileTest, AnUpdateSetsItsFieldsAndKeepsTheOthers) {
  Account account = Marie();
  EXPECT_THAT(ApplyProfileUpdate(account, {.id = kMarie, .email = "new@mail.example"}, kNow),
              HasReason(""));
  EXPECT_EQ(account.email, "new@mail.example");
  EXPECT_EQ(account.language, "fr");
  EXPECT_EQ(account.standing, BillingStanding::kUpToDate);
  EXPECT_EQ(account.version, 4);
  EXPECT_EQ(account.update_time, kNow);
  EXPECT_EQ(account.create_time, kBefore);

  EXPECT_THAT(
      ApplyProfileUpdate(
          account,
          {.id = kMarie, .language = "en", .standing = BillingStanding::kOverdue, .etag = "v4"},
          kNow),
      HasReason(""));
  EXPECT_EQ(account.email, "new@mail.example");
  EXPECT_EQ(account.language, "en");
  EXPECT_EQ(account.standing, BillingStanding::kOverdue);
  EXPECT_EQ(account.version, 5);
}

TEST(ProfileTest, AnUpdateOfAnotherVersionSetsNothing) {
  Account account = Marie();
  EXPECT_THAT(
      ApplyProfileUpdate(account, {.id = kMarie, .email = "x@mail.example", .etag = "v2"}, kNow),
      HasReason("ETAG_MISMATCH"));
  EXPECT_EQ(account.email, "marie@mail.example");
  EXPECT_EQ(account.version, 3);
  EXPECT_EQ(account.update_time, kBefore);
}

TEST(ProfileTest, TheAdminSetsTheNamedFieldsOfTheOwnerAndNoOthers) {
  const Owner fresh{.name = "Irène",
                    .organisation = "Institut",
                    .email = "irene@mail.example",
                    .phone = "+33.2",
                    .address_lines = {"2 rue", "B"},
                    .city = "Lyon",
                    .postal_code = "69001",
                    .country_code = "BE"};
  Service service = MariesService();
  EXPECT_THAT(ApplyOwnerUpdate(service,
                               {.service = service.id,
                                .owner = fresh,
                                .fields = {"city", "address_lines"},
                                .etag = "v3"},
                               kMarie, kNow),
              HasReason(""));
  Owner wanted = *MariesService().owner;
  wanted.city = "Lyon";
  wanted.address_lines = {"2 rue", "B"};
  EXPECT_EQ(*service.owner, wanted);
  EXPECT_EQ(service.version, 4);
  EXPECT_EQ(service.update_time, kNow);

  EXPECT_THAT(ApplyOwnerUpdate(service,
                               {.service = service.id,
                                .owner = fresh,
                                .fields = {"name", "organisation", "email", "phone",
                                           "address_lines", "city", "postal_code", "country_code"}},
                               kMarie, kNow),
              HasReason(""));
  EXPECT_EQ(*service.owner, fresh);
}

TEST(ProfileTest, OnlyTheAdminMayChangeTheOwner) {
  Service service = MariesService();
  // The role is checked before the etag, so that an etag tells nothing to others.
  EXPECT_THAT(ApplyOwnerUpdate(
                  service,
                  {.service = service.id, .owner = {.name = "X"}, .fields = {"name"}, .etag = "v2"},
                  kThomas, kNow),
              HasReason("ROLE_NOT_ALLOWED"));
  EXPECT_THAT(ApplyOwnerUpdate(
                  service,
                  {.service = service.id, .owner = {.name = "X"}, .fields = {"name"}, .etag = "v2"},
                  kMarie, kNow),
              HasReason("ETAG_MISMATCH"));
  EXPECT_EQ(*service.owner, *MariesService().owner);
  EXPECT_EQ(service.version, 3);
  EXPECT_EQ(service.update_time, kBefore);
}

}  // namespace
}  // namespace contacts
