#include "core/workflow/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/testing/names.h"
#include "tests/testing/reasons.h"

namespace contacts {
namespace {

using ::testing::ElementsAre;
using testing::HasReason;
using ::testing::IsEmpty;

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

const Settings kSettings;

// An operator's addresses are in use at once.
ProfileUpdater ByOperator() { return {.cause = "operator", .token_key_id = "k1/address"}; }
ProfileUpdater ByItself() {
  return {.cause = kMarie.text(),
          .confirm_within = kSettings.email_confirmation,
          .token_key_id = "k1/address"};
}

std::vector<std::string> MailsOf(const ProfileEffects& effects) {
  std::vector<std::string> lines;
  for (const OutboxMail& mail : effects.mails) {
    lines.push_back(absl::StrCat(testing::MailName(mail.kind), " to ", mail.address));
  }
  return lines;
}

std::vector<std::string> EarlierOf(const ProfileEffects& effects) {
  std::vector<std::string> addresses;
  for (const EarlierAddress& earlier : effects.earlier) {
    EXPECT_EQ(earlier.account, kMarie);
    addresses.push_back(earlier.address);
  }
  return addresses;
}

ProfileEffects Ask(Account& account, const std::string& email,
                   const ProfileUpdater& updater = ByItself()) {
  const auto effects = ApplyProfileUpdate(account, {.id = kMarie, .email = email}, updater, kNow);
  EXPECT_THAT(effects.status(), HasReason(""));
  return *effects;
}

TEST(ProfileTest, AnUpdateSetsItsFieldsAndKeepsTheOthers) {
  Account account = Marie();
  const ProfileEffects effects = Ask(account, "new@mail.example", ByOperator());
  EXPECT_EQ(account.email, "new@mail.example");
  EXPECT_EQ(account.language, "fr");
  EXPECT_EQ(account.standing, BillingStanding::kUpToDate);
  EXPECT_EQ(account.version, 4);
  EXPECT_EQ(account.update_time, kNow);
  EXPECT_EQ(account.create_time, kBefore);
  EXPECT_THAT(MailsOf(effects), ElementsAre("PROFILE_CHANGED to marie@mail.example"));
  EXPECT_THAT(EarlierOf(effects), ElementsAre("marie@mail.example"));

  const auto other = ApplyProfileUpdate(
      account,
      {.id = kMarie, .language = "en", .standing = BillingStanding::kOverdue, .etag = "v4"},
      ByOperator(), kNow);
  EXPECT_THAT(other.status(), HasReason(""));
  EXPECT_THAT(MailsOf(*other), IsEmpty());
  EXPECT_EQ(account.email, "new@mail.example");
  EXPECT_EQ(account.language, "en");
  EXPECT_EQ(account.standing, BillingStanding::kOverdue);
  EXPECT_EQ(account.version, 5);
}

TEST(ProfileTest, AnUpdateOfAnotherVersionSetsNothing) {
  Account account = Marie();
  EXPECT_THAT(ApplyProfileUpdate(account, {.id = kMarie, .email = "x@mail.example", .etag = "v2"},
                                 ByItself(), kNow)
                  .status(),
              HasReason("ETAG_MISMATCH"));
  EXPECT_EQ(account.email, "marie@mail.example");
  EXPECT_EQ(account.pending.address, "");
  EXPECT_EQ(account.version, 3);
  EXPECT_EQ(account.update_time, kBefore);
}

TEST(PendingEmailTest, AnotherAddressIsNotInUseBeforeItIsConfirmed) {
  Account account = Marie();
  const ProfileEffects effects = Ask(account, "new@mail.example");
  EXPECT_EQ(account.email, "marie@mail.example");
  EXPECT_EQ(account.pending.address, "new@mail.example");
  EXPECT_EQ(account.pending.expire_time, kNow + absl::Hours(24));
  EXPECT_EQ(account.pending.generation, absl::ToUnixSeconds(account.create_time) + 1);
  EXPECT_EQ(account.pending.token_key_id, "k1/address");
  EXPECT_TRUE(effects.takes_address_quota);
  EXPECT_THAT(MailsOf(effects), ElementsAre("CONFIRM_EMAIL to new@mail.example",
                                            "EMAIL_ASKED to marie@mail.example"));
  EXPECT_THAT(EarlierOf(effects), IsEmpty());
  EXPECT_EQ(account.version, 4);
}

TEST(PendingEmailTest, ANewUpdateReplacesThePendingAddressAndItsToken) {
  Account account = Marie();
  Ask(account, "new@mail.example");
  account.pending.wrong_tokens = 10;
  const ProfileEffects effects = Ask(account, "newer@mail.example");
  EXPECT_EQ(account.pending.address, "newer@mail.example");
  EXPECT_EQ(account.pending.generation, absl::ToUnixSeconds(account.create_time) + 2);
  EXPECT_EQ(account.pending.wrong_tokens, 0);
  EXPECT_THAT(EarlierOf(effects), ElementsAre("new@mail.example"));
  // The same address again: another token.
  Ask(account, "newer@mail.example");
  EXPECT_EQ(account.pending.generation, absl::ToUnixSeconds(account.create_time) + 3);
}

TEST(PendingEmailTest, AnUpdateWithThePresentAddressWithdrawsThePendingOne) {
  Account account = Marie();
  Ask(account, "new@mail.example");
  const ProfileEffects effects = Ask(account, "marie@mail.example");
  EXPECT_EQ(account.pending.address, "");
  EXPECT_EQ(account.email, "marie@mail.example");
  EXPECT_FALSE(effects.takes_address_quota);
  EXPECT_THAT(MailsOf(effects), IsEmpty());
  EXPECT_THAT(ConfirmEmail(account, TokenCheck::kRight, kNow, kSettings).status,
              HasReason("NO_PENDING_EMAIL"));
  // The generation is never given again.
  Ask(account, "new@mail.example");
  EXPECT_EQ(account.pending.generation, absl::ToUnixSeconds(account.create_time) + 2);
}

TEST(PendingEmailTest, AnotherSpellingOfThePresentAddressIsNoNewOne) {
  Account account = Marie();
  account.email = "jos\u00e9@ex\u00e4mple.fr";
  const ProfileEffects effects = Ask(account, "jos\u00e9@xn--exmple-cua.fr");
  EXPECT_EQ(account.email, "jos\u00e9@ex\u00e4mple.fr");
  EXPECT_EQ(account.pending.address, "");
  EXPECT_THAT(MailsOf(effects), IsEmpty());
  EXPECT_THAT(EarlierOf(effects), IsEmpty());
  EXPECT_FALSE(effects.takes_address_quota);
}

TEST(PendingEmailTest, AnUpdateOfTheLanguageLeavesIt) {
  Account account = Marie();
  Ask(account, "new@mail.example");
  ASSERT_TRUE(ApplyProfileUpdate(account, {.id = kMarie, .language = "en"}, ByItself(), kNow).ok());
  EXPECT_EQ(account.pending.address, "new@mail.example");
}

TEST(PendingEmailTest, AnOperatorsAddressIsInUseAtOnceAndReplacesThePendingOne) {
  Account account = Marie();
  Ask(account, "new@mail.example");
  const ProfileEffects effects = Ask(account, "checked@mail.example", ByOperator());
  EXPECT_EQ(account.email, "checked@mail.example");
  EXPECT_EQ(account.pending.address, "");
  EXPECT_THAT(EarlierOf(effects), ElementsAre("new@mail.example", "marie@mail.example"));
  EXPECT_THAT(ConfirmEmail(account, TokenCheck::kRight, kNow, kSettings).status,
              HasReason("NO_PENDING_EMAIL"));
}

TEST(PendingEmailTest, AReadShowsItUntilItExpires) {
  Account account = Marie();
  Ask(account, "new@mail.example");
  const absl::Time end = account.pending.expire_time;
  EXPECT_EQ(Presented(account, end - absl::Microseconds(1)).pending.address, "new@mail.example");
  EXPECT_EQ(Presented(account, end).pending.address, "");
}

TEST(ConfirmEmailTest, TheRightTokenPutsTheAddressInUseAndTellsTheOldOne) {
  Account account = Marie();
  Ask(account, "new@mail.example");
  const Confirmation confirmed = ConfirmEmail(account, TokenCheck::kRight, kNow, kSettings);
  EXPECT_THAT(confirmed.status, HasReason(""));
  EXPECT_TRUE(confirmed.save);
  EXPECT_EQ(account.email, "new@mail.example");
  EXPECT_EQ(account.pending.address, "");
  EXPECT_EQ(account.version, 5);
  EXPECT_THAT(MailsOf(confirmed.effects), ElementsAre("PROFILE_CHANGED to marie@mail.example"));
  EXPECT_THAT(EarlierOf(confirmed.effects), ElementsAre("marie@mail.example"));
  EXPECT_THAT(ConfirmEmail(account, TokenCheck::kRight, kNow, kSettings).status,
              HasReason("NO_PENDING_EMAIL"));
}

TEST(ConfirmEmailTest, WrongTokensAreCountedAndLockAtTenUntilTheAddressIsAskedForAgain) {
  Account account = Marie();
  Ask(account, "new@mail.example");
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(AwaitsConfirmation(account, kNow, kSettings));
    const Confirmation wrong = ConfirmEmail(account, TokenCheck::kWrong, kNow, kSettings);
    EXPECT_THAT(wrong.status, HasReason("TOKEN_INVALID"));
    EXPECT_TRUE(wrong.save);
  }
  EXPECT_FALSE(AwaitsConfirmation(account, kNow, kSettings));
  const Confirmation locked = ConfirmEmail(account, TokenCheck::kRight, kNow, kSettings);
  EXPECT_THAT(locked.status, HasReason("TOKEN_LOCKED"));
  EXPECT_FALSE(locked.save);
  EXPECT_EQ(account.email, "marie@mail.example");
  Ask(account, "new@mail.example");
  EXPECT_THAT(ConfirmEmail(account, TokenCheck::kRight, kNow, kSettings).status, HasReason(""));
}

TEST(ConfirmEmailTest, SupersededAndUncheckedTokensAreNotCounted) {
  Account account = Marie();
  Ask(account, "new@mail.example");
  const Confirmation superseded = ConfirmEmail(account, TokenCheck::kSuperseded, kNow, kSettings);
  EXPECT_THAT(superseded.status, HasReason("TOKEN_INVALID"));
  EXPECT_EQ(testing::MetadataOf(superseded.status, "superseded"), "true");
  EXPECT_FALSE(superseded.save);
  EXPECT_THAT(ConfirmEmail(account, TokenCheck::kNoKey, kNow, kSettings).status,
              HasReason("UNAVAILABLE"));
  EXPECT_EQ(account.pending.wrong_tokens, 0);
}

TEST(ConfirmEmailTest, AfterADayThereIsNoPendingEmailWhateverTheToken) {
  Account account = Marie();
  Ask(account, "new@mail.example");
  const absl::Time end = account.pending.expire_time;
  EXPECT_TRUE(AwaitsConfirmation(account, end - absl::Microseconds(1), kSettings));
  EXPECT_FALSE(AwaitsConfirmation(account, end, kSettings));
  for (const TokenCheck token : {TokenCheck::kRight, TokenCheck::kWrong, TokenCheck::kNoKey}) {
    EXPECT_THAT(ConfirmEmail(account, token, end, kSettings).status, HasReason("NO_PENDING_EMAIL"));
  }
  EXPECT_EQ(account.pending.wrong_tokens, 0);
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
