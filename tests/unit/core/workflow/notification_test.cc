#include "core/workflow/notification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace contacts {
namespace {

using ::testing::ElementsAre;

const AccountId kMarie("aa1-ovh");
const AccountId kDana("dd4-ovh");
const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

TEST(NotificationTest, AnOverrideTellsEachAccountThatLostOrGotARoleOnce) {
  ContactOverride record;
  record.items = {{ServiceId("a.example"), Role::kAdmin, kMarie, kDana},
                  {ServiceId("b.example"), Role::kTech, kDana, kMarie},
                  {ServiceId("c.example"), Role::kTech, AccountId("x"), AccountId("x")}};
  std::vector<std::string> recipients;
  for (const OutboxMail& mail : MailsOfOverride(record, "operator", kNow)) {
    EXPECT_EQ(mail.kind, MailKind::kOverride);
    EXPECT_EQ(mail.cause, "operator");
    recipients.push_back(mail.recipient.text());
  }
  EXPECT_THAT(recipients, ElementsAre("aa1-ovh", "dd4-ovh"));
}

TEST(NotificationTest, TheAddressBeforeIsToldOfTheNewOne) {
  Account before;
  before.id = kDana;
  before.email = "old@mail.example";
  const OutboxMail mail = MailOfAddressChange(before, "dd4-ovh", kNow);
  EXPECT_EQ(mail.kind, MailKind::kProfileChanged);
  EXPECT_EQ(mail.recipient, kDana);
  EXPECT_EQ(mail.address, "old@mail.example");
}

TEST(NotificationTest, AValidationEmailIsWantedWhileItsTokenServes) {
  ContactChange change;
  change.expire_time = kNow + absl::Hours(1);
  change.validations = {{.account = kDana, .generation = 2}};
  const OutboxMail mail = {.kind = MailKind::kReminder, .recipient = kDana, .generation = 2};
  EXPECT_TRUE(IsStillWanted(mail, &change, kNow));
  EXPECT_FALSE(IsStillWanted(mail, &change, change.expire_time));
  EXPECT_FALSE(IsStillWanted(mail, nullptr, kNow));
  OutboxMail other = mail;
  other.generation = 1;
  EXPECT_FALSE(IsStillWanted(other, &change, kNow));
  other = mail;
  other.recipient = kMarie;
  EXPECT_FALSE(IsStillWanted(other, &change, kNow));
  change.validations[0].state = ValidationState::kAccepted;
  EXPECT_FALSE(IsStillWanted(mail, &change, kNow));
}

TEST(NotificationTest, AnyOtherEmailIsAlwaysWanted) {
  EXPECT_TRUE(IsStillWanted({.kind = MailKind::kDone}, nullptr, kNow));
}

}  // namespace
}  // namespace contacts
