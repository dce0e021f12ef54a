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
  EXPECT_TRUE(IsStillWanted(mail, Account(), &change, kNow));
  EXPECT_FALSE(IsStillWanted(mail, Account(), &change, change.expire_time));
  EXPECT_FALSE(IsStillWanted(mail, Account(), nullptr, kNow));
  OutboxMail other = mail;
  other.generation = 1;
  EXPECT_FALSE(IsStillWanted(other, Account(), &change, kNow));
  other = mail;
  other.recipient = kMarie;
  EXPECT_FALSE(IsStillWanted(other, Account(), &change, kNow));
  change.validations[0].state = ValidationState::kAccepted;
  EXPECT_FALSE(IsStillWanted(mail, Account(), &change, kNow));
}

TEST(NotificationTest, ANewAddressGetsItsTokenAndThePresentOneIsToldTheMaskedOne) {
  Account dana{.id = kDana, .email = "present@mail.example"};
  dana.pending = {.address = "new@mail.example", .generation = 3};
  const std::vector<OutboxMail> mails = MailsOfAskedAddress(dana, "dd4-ovh", kNow);
  ASSERT_EQ(mails.size(), 2U);
  EXPECT_EQ(mails[0].kind, MailKind::kConfirmEmail);
  EXPECT_EQ(mails[0].address, "new@mail.example");
  EXPECT_EQ(mails[0].generation, 3);
  EXPECT_EQ(mails[1].kind, MailKind::kEmailAsked);
  EXPECT_EQ(mails[1].address, "present@mail.example");
  EXPECT_EQ(mails[1].masked_address, "n***@mail.example");
}

TEST(NotificationTest, AConfirmationEmailIsWantedWhileItsTokenServes) {
  Account dana{.id = kDana, .email = "present@mail.example"};
  dana.pending = {
      .address = "new@mail.example", .expire_time = kNow + absl::Hours(1), .generation = 3};
  const OutboxMail mail = MailsOfAskedAddress(dana, "dd4-ovh", kNow)[0];
  EXPECT_TRUE(IsStillWanted(mail, dana, nullptr, kNow));
  EXPECT_FALSE(IsStillWanted(mail, dana, nullptr, kNow + absl::Hours(1)));
  ++dana.pending.generation;
  EXPECT_FALSE(IsStillWanted(mail, dana, nullptr, kNow));
  --dana.pending.generation;
  dana.pending.address = "other@mail.example";
  EXPECT_FALSE(IsStillWanted(mail, dana, nullptr, kNow));
}

TEST(NotificationTest, AnyOtherEmailIsAlwaysWanted) {
  EXPECT_TRUE(IsStillWanted({.kind = MailKind::kDone}, Account(), nullptr, kNow));
}

}  // namespace
}  // namespace contacts
