// Answers to a contact change: locked tokens, resends, deliveries of e-mails.

#include "tests/unit/core/workflow/change_cases.h"

namespace contacts {
namespace {

using namespace change_cases;  // NOLINT(google-build-using-namespace): the test vocabulary.

// --- Locking -----------------------------------------------------------------------

TEST(Locking, TenWrongTokensLockTheAnswerEvenForTheRightOneUntilAResend) {
  ContactChange change = Asked();
  for (int i = 1; i <= 10; ++i) {
    EXPECT_THAT(AcceptWrongly(change, kDana).status, HasReason("TOKEN_INVALID")) << i;
    EXPECT_EQ(change.FindValidation(kDana)->wrong_tokens, i);
  }
  EXPECT_THAT(AcceptBy(change, kDana).status, HasReason("TOKEN_LOCKED"));
  EXPECT_THAT(AcceptWrongly(change, kDana).status, HasReason("TOKEN_LOCKED"));
  EXPECT_EQ(change.FindValidation(kDana)->wrong_tokens, 10);

  EXPECT_THAT(Resend(change, kDana, kDana, "k1", {}, kNow, kSettings).status, HasReason(""));
  EXPECT_EQ(change.FindValidation(kDana)->wrong_tokens, 0);
  EXPECT_THAT(AcceptBy(change, kDana).status, HasReason(""));
}

TEST(Locking, NineWrongTokensDoNotLock) {
  ContactChange change = Asked();
  for (int i = 0; i < 9; ++i) AcceptWrongly(change, kDana);
  EXPECT_THAT(AcceptBy(change, kDana).status, HasReason(""));
}

TEST(Locking, WrongTokensOfRefusalsAndAcceptancesCountTogether) {
  ContactChange change = Asked();
  for (int i = 0; i < 5; ++i) {
    AcceptWrongly(change, kDana);
    Refuse(change, kDana, TokenCheck::kWrong, "", kNow, kSettings);
  }
  EXPECT_THAT(RefuseBy(change, kDana).status, HasReason("TOKEN_LOCKED"));
}

TEST(Locking, IsEachValidatorsOwn) {
  ContactChange change = Asked();
  for (int i = 0; i < 10; ++i) AcceptWrongly(change, kDana);
  EXPECT_THAT(AcceptBy(change, kMarie).status, HasReason(""));
}

TEST(Locking, LimitIsASetting) {
  Settings settings;
  settings.max_wrong_tokens = 2;
  ContactChange change = Asked();
  AcceptWrongly(change, kDana, settings);
  AcceptWrongly(change, kDana, settings);
  EXPECT_THAT(AcceptWrongly(change, kDana, settings).status, HasReason("TOKEN_LOCKED"));
}

TEST(Locking, EveryWrongTokenIsInTheHistoryWithItsOrdinal) {
  ContactChange change = Asked();
  EXPECT_EQ(AcceptWrongly(change, kDana).events.at(0).ordinal, 2);
  EXPECT_EQ(AcceptWrongly(change, kDana).events.at(0).ordinal, 3);
  EXPECT_EQ(change.event_count, 3);
}

// --- Resending ---------------------------------------------------------------------

TEST(Resending, RequesterMayAskForEitherValidatorsEmail) {
  ContactChange change = Asked();
  const Transition own = Resend(change, kMarie, kMarie, "k1", {}, kNow, kSettings);
  EXPECT_THAT(MailsOf(own), ElementsAre("VALIDATION aa1-ovh #2"));
  const Transition other = Resend(change, kMarie, kDana, "k1", {}, kNow, kSettings);
  EXPECT_THAT(MailsOf(other), ElementsAre("VALIDATION dd4-ovh #2"));
  EXPECT_THAT(EventsOf(other),
              ElementsAre("RESEND_REQUESTED by aa1-ovh about dd4-ovh -> VALIDATING"));
}

TEST(Resending, OthersMayNot) {
  ContactChange change = Asked();
  const ContactChange before = change;
  const std::pair<AccountId, AccountId> kDenied[] = {
      {kDana, kMarie},     // The new contact, for the requester.
      {kThomas, kDana},    // An old contact, for a validator.
      {kThomas, kThomas},  // An account that is not a validator, for itself.
      {kEve, kDana},
      {kMarie, kThomas},  // The requester, for an account that is not a validator.
  };
  for (const auto& [actor, validator] : kDenied) {
    const Transition transition = Resend(change, actor, validator, "k1", {}, kNow, kSettings);
    EXPECT_THAT(transition.status, HasReason("CALLER_NOT_ALLOWED")) << actor << " " << validator;
    ExpectNothingHappened(transition, before, change);
  }
}

TEST(Resending, ToOneWhoHasAnsweredIsRefused) {
  ContactChange change = AcceptedByMarie();
  const ContactChange before = change;
  const Transition transition = Resend(change, kMarie, kMarie, "k1", {}, kNow, kSettings);
  EXPECT_THAT(transition.status, HasReason("ALREADY_VALIDATED"));
  ExpectNothingHappened(transition, before, change);
}

TEST(Resending, IsLimitedToOnceAMinuteAndTellsTheWait) {
  ContactChange change = Asked();
  ASSERT_THAT(Resend(change, kDana, kDana, "k1", {}, kNow, kSettings).status, HasReason(""));
  const ContactChange before = change;
  const Transition soon =
      Resend(change, kDana, kDana, "k1", {}, kNow + absl::Seconds(45), kSettings);
  EXPECT_THAT(soon.status, HasReason("RESEND_TOO_SOON"));
  EXPECT_EQ(RetryDelayOf(soon.status), absl::Seconds(15));
  ExpectNothingHappened(soon, before, change);
  EXPECT_THAT(Resend(change, kDana, kDana, "k1", {}, kNow + absl::Seconds(60), kSettings).status,
              HasReason(""));
  EXPECT_EQ(change.FindValidation(kDana)->generation, 3);
}

TEST(Resending, OfTheRequesterDoNotUseUpTheValidatorsOwn) {
  ContactChange change = Asked();
  absl::Time now = kNow;
  for (int i = 1; i <= 20; ++i) {
    ASSERT_THAT(Resend(change, kMarie, kDana, "k1", {}, now, kSettings).status, HasReason("")) << i;
    now += absl::Minutes(1);
  }
  EXPECT_THAT(Resend(change, kMarie, kDana, "k1", {}, now, kSettings).status,
              HasReason("RESEND_TOO_SOON"));
  // Neither the day's nor the minute's.
  EXPECT_THAT(Resend(change, kDana, kDana, "k1", {}, now, kSettings).status, HasReason(""));
  EXPECT_THAT(Resend(change, kDana, kDana, "k1", {}, now, kSettings).status,
              HasReason("RESEND_TOO_SOON"));
  EXPECT_EQ(change.FindValidation(kDana)->own_resends.in_day, 1);
  EXPECT_EQ(change.FindValidation(kDana)->other_resends.in_day, 20);
}

TEST(Resending, CountsAmongTheEmailsOfTheRequesterToTheValidator) {
  ContactChange change = Asked();
  const QuotaWindow full = {.start = kNow - absl::Hours(20), .uses = kSettings.max_mails_per_day};
  const Transition refused = Resend(change, kMarie, kDana, "k1", full, kNow, kSettings);
  EXPECT_THAT(refused.status, HasReason("RESEND_TOO_SOON"));
  EXPECT_EQ(RetryDelayOf(refused.status), absl::Hours(4));
  EXPECT_THAT(Resend(change, kDana, kDana, "k1", full, kNow, kSettings).status, HasReason(""));
}

TEST(Resending, IsLimitedForEachValidatorOnItsOwn) {
  ContactChange change = Asked();
  Resend(change, kMarie, kDana, "k1", {}, kNow, kSettings);
  EXPECT_THAT(Resend(change, kMarie, kMarie, "k1", {}, kNow, kSettings).status, HasReason(""));
}

TEST(Resending, IsLimitedToTwentyADayAndTellsTheWait) {
  ContactChange change = Asked();
  absl::Time now = kNow;
  for (int i = 1; i <= 20; ++i) {
    ASSERT_THAT(Resend(change, kDana, kDana, "k1", {}, now, kSettings).status, HasReason("")) << i;
    now += absl::Minutes(1);
  }
  const Transition refused = Resend(change, kDana, kDana, "k1", {}, now, kSettings);
  EXPECT_THAT(refused.status, HasReason("RESEND_TOO_SOON"));
  EXPECT_EQ(RetryDelayOf(refused.status), absl::Hours(24) - absl::Minutes(20));
  EXPECT_THAT(
      Resend(change, kDana, kDana, "k1", {}, kNow + absl::Hours(24) - absl::Seconds(1), kSettings)
          .status,
      HasReason("RESEND_TOO_SOON"));
  for (int i = 1; i <= 20; ++i) {  // The next day allows another twenty.
    ASSERT_THAT(
        Resend(change, kDana, kDana, "k1", {}, kNow + absl::Hours(24) + absl::Minutes(i), kSettings)
            .status,
        HasReason(""));
  }
}

TEST(Resending, BothLimitsAreSettings) {
  Settings settings;
  settings.resend_interval = absl::Seconds(10);
  settings.max_resends_per_day = 2;
  ContactChange change = Asked();
  EXPECT_THAT(Resend(change, kDana, kDana, "k1", {}, kNow, settings).status, HasReason(""));
  EXPECT_THAT(Resend(change, kDana, kDana, "k1", {}, kNow + absl::Seconds(9), settings).status,
              HasReason("RESEND_TOO_SOON"));
  EXPECT_THAT(Resend(change, kDana, kDana, "k1", {}, kNow + absl::Seconds(10), settings).status,
              HasReason(""));
  EXPECT_THAT(Resend(change, kDana, kDana, "k1", {}, kNow + absl::Hours(1), settings).status,
              HasReason("RESEND_TOO_SOON"));
}

// --- Deliveries ------------------------------------------------------------------------------

Transition Delivered(ContactChange& change, int64_t generation, EventType event) {
  OutboxMail mail;
  mail.kind = MailKind::kValidation;
  mail.recipient = kDana;
  mail.generation = generation;
  Transition transition;
  RecordDelivery(transition, change, mail, "d***@mail.example", event, "550 unknown", kNow);
  return transition;
}

TEST(Delivery, HandedOverValidationSetsSendTimeAndMaskedAddress) {
  ContactChange change = Asked();
  const Transition transition = Delivered(change, 1, EventType::kValidationSent);
  EXPECT_TRUE(transition.save);
  EXPECT_EQ(change.FindValidation(kDana)->email_send_time, kNow);
  EXPECT_EQ(change.FindValidation(kDana)->email_hint, "d***@mail.example");
  EXPECT_EQ(change.FindValidation(kMarie)->email_hint, "");
  EXPECT_THAT(EventsOf(transition), ElementsAre("VALIDATION_SENT about dd4-ovh -> VALIDATING"));
}

TEST(Delivery, OfAnEarlierEmailDoesNotStandForTheLatest) {
  ContactChange change = Asked();
  Resend(change, kDana, kDana, "k1", {}, kNow, kSettings);
  const Transition transition = Delivered(change, 1, EventType::kValidationSent);
  EXPECT_FALSE(change.FindValidation(kDana)->email_send_time.has_value());
  EXPECT_THAT(transition.events, SizeIs(1));
}

TEST(Delivery, GivenUpIsUndeliverableInTheHistory) {
  ContactChange change = Asked();
  const Transition transition = Delivered(change, 1, EventType::kValidationUndeliverable);
  EXPECT_FALSE(change.FindValidation(kDana)->email_send_time.has_value());
  EXPECT_EQ(change.FindValidation(kDana)->email_hint, "d***@mail.example");
  EXPECT_EQ(transition.events.back().detail, "550 unknown");
  EXPECT_THAT(EventsOf(transition),
              ElementsAre("VALIDATION_UNDELIVERABLE about dd4-ovh -> VALIDATING"));
  // One of an earlier e-mail leaves the address of the latest.
  Resend(change, kDana, kDana, "k1", {}, kNow, kSettings);
  change.FindValidation(kDana)->email_hint = "e***@mail.example";
  Delivered(change, 1, EventType::kValidationUndeliverable);
  EXPECT_EQ(change.FindValidation(kDana)->email_hint, "e***@mail.example");
}

TEST(SupersededToken, IsToldApartAndNeitherCountedNorRecorded) {
  ContactChange change = Asked();
  const ContactChange before = change;
  for (int i = 0; i < 20; ++i) {
    const Transition accept =
        Accept(change, kDana, TokenCheck::kSuperseded, Facts(), kNow, kSettings);
    EXPECT_THAT(accept.status, HasReason("TOKEN_INVALID"));
    EXPECT_EQ(testing::MetadataOf(accept.status, "superseded"), "true");
    ExpectNothingHappened(accept, before, change);
    const Transition refuse = Refuse(change, kDana, TokenCheck::kSuperseded, "no", kNow, kSettings);
    EXPECT_EQ(testing::MetadataOf(refuse.status, "superseded"), "true");
    ExpectNothingHappened(refuse, before, change);
  }
  EXPECT_EQ(testing::MetadataOf(AcceptWrongly(change, kDana).status, "superseded"), "");
  EXPECT_THAT(AcceptBy(change, kDana).status, HasReason(""));
}

TEST(SupersededToken, OfALockedAnswerIsTokenLocked) {
  ContactChange change = Asked();
  for (int i = 0; i < 10; ++i) AcceptWrongly(change, kDana);
  EXPECT_FALSE(AwaitsToken(change, kDana, kNow, kSettings));
  EXPECT_THAT(Accept(change, kDana, TokenCheck::kSuperseded, Facts(), kNow, kSettings).status,
              HasReason("TOKEN_LOCKED"));
}

TEST(AnswerAwaitsToken, OfAPendingValidatorOfAnOpenChangeAlone) {
  ContactChange change = Asked();
  EXPECT_TRUE(AwaitsToken(change, kDana, kNow, kSettings));
  EXPECT_FALSE(AwaitsToken(change, kEve, kNow, kSettings));
  EXPECT_FALSE(AwaitsToken(change, kDana, change.expire_time, kSettings));
  AcceptBy(change, kMarie);
  EXPECT_FALSE(AwaitsToken(change, kMarie, kNow, kSettings));
  RefuseBy(change, kDana);
  EXPECT_FALSE(AwaitsToken(change, kDana, kNow, kSettings));
}

TEST(TokenWithoutItsKey, IsUnavailableAndNeitherCountedNorRecorded) {
  ContactChange change = Asked();
  const ContactChange before = change;
  const Transition accept = Accept(change, kDana, TokenCheck::kNoKey, Facts(), kNow, kSettings);
  EXPECT_THAT(accept.status, HasReason("UNAVAILABLE"));
  ExpectNothingHappened(accept, before, change);
  const Transition refuse = Refuse(change, kDana, TokenCheck::kNoKey, "no", kNow, kSettings);
  EXPECT_THAT(refuse.status, HasReason("UNAVAILABLE"));
  ExpectNothingHappened(refuse, before, change);
}

}  // namespace
}  // namespace contacts
