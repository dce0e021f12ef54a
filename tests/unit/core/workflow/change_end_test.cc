// How a contact change ends otherwise: cancelled, expired, its items withdrawn.

#include "tests/unit/core/workflow/change_cases.h"

namespace contacts {
namespace {

using namespace change_cases;  // NOLINT(google-build-using-namespace): the test vocabulary.

// --- Cancelling --------------------------------------------------------------------------

TEST(Cancelling, AdminOfEveryServiceMayAndBothPartiesAreTold) {
  ContactChange change = Asked();
  const Transition transition = Cancel(change, kEve, /*is_admin_of_all=*/true, kNow);
  EXPECT_THAT(transition.status, HasReason(""));
  EXPECT_EQ(change.state, ChangeState::kCancelled);
  EXPECT_THAT(EventsOf(transition), ElementsAre("CANCELLED by ee5-ovh -> CANCELLED"));
  EXPECT_THAT(MailsOf(transition), ElementsAre("CANCELLED aa1-ovh", "CANCELLED dd4-ovh"));
}

TEST(Cancelling, RequesterWhoIsNoLongerAdminMay) {
  ContactChange change = Asked();
  EXPECT_THAT(Cancel(change, kMarie, /*is_admin_of_all=*/false, kNow).status, HasReason(""));
}

TEST(Cancelling, OthersMayNot) {
  for (const AccountId& actor : {kDana, kThomas, kEve}) {
    ContactChange change = Asked();
    const ContactChange before = change;
    const Transition transition = Cancel(change, actor, /*is_admin_of_all=*/false, kNow);
    EXPECT_THAT(transition.status, HasReason("ROLE_NOT_ALLOWED")) << actor;
    ExpectNothingHappened(transition, before, change);
  }
}

TEST(AdminOfAll, IsAdminOnEveryServiceThatIsStillInTheChange) {
  ContactChange change;
  change.items = {{.service = ServiceId("a.example")},
                  {.service = ServiceId("b.example")},
                  {.service = ServiceId("c.example")}};
  EXPECT_TRUE(IsAdminOfAll(change, {kMarie, kMarie, kMarie}, kMarie));
  EXPECT_FALSE(IsAdminOfAll(change, {kMarie, kMarie, kMarie}, kEve));
  for (std::size_t i = 0; i < 3; ++i) {
    std::vector<AccountId> admins = {kMarie, kMarie, kMarie};
    admins[i] = kEve;
    change.items[i].outcome = ItemOutcome::kPending;
    EXPECT_FALSE(IsAdminOfAll(change, admins, kMarie)) << i;
    change.items[i].outcome = ItemOutcome::kSkippedContactChanged;
    EXPECT_TRUE(IsAdminOfAll(change, admins, kMarie)) << i;
    change.items[i].outcome = ItemOutcome::kPending;
  }
}

TEST(AdminOfAll, CountsEveryItemOfAClosedChange) {
  ContactChange change;
  change.items = {
      {.service = ServiceId("a.example"), .outcome = ItemOutcome::kApplied},
      {.service = ServiceId("b.example"), .outcome = ItemOutcome::kSkippedContactChanged}};
  change.state = ChangeState::kDone;
  EXPECT_TRUE(IsAdminOfAll(change, {kMarie, kMarie}, kMarie));
  EXPECT_FALSE(IsAdminOfAll(change, {kMarie, kEve}, kMarie));
}

// --- Time ----------------------------------------------------------------------------------

TEST(Time, ReminderGoesOnceToEachPendingValidatorWithTheSameToken) {
  ContactChange change = Asked();
  Resend(change, kDana, kDana, "k1", {}, kNow, kSettings);
  const absl::Time due = change.expire_time - absl::Hours(48);
  const Transition transition = ExpireOrRemind(change, due);
  EXPECT_TRUE(transition.save);
  EXPECT_THAT(MailsOf(transition), ElementsAre("REMINDER aa1-ovh #1", "REMINDER dd4-ovh #2"));
  EXPECT_THAT(EventsOf(transition), IsEmpty());
  EXPECT_EQ(change.state, ChangeState::kValidating);
  const ContactChange before = change;
  ExpectNothingHappened(ExpireOrRemind(change, due + absl::Hours(1)), before, change);
}

TEST(Time, ReminderDoesNotGoToOneWhoHasAnswered) {
  ContactChange change = AcceptedByMarie();
  EXPECT_THAT(MailsOf(ExpireOrRemind(change, change.expire_time - absl::Hours(48))),
              ElementsAre("REMINDER dd4-ovh #1"));
}

TEST(Time, ReminderIsNotSentBeforeItIsDue) {
  ContactChange change = Asked();
  const ContactChange before = change;
  ExpectNothingHappened(
      ExpireOrRemind(change, change.expire_time - absl::Hours(48) - absl::Microseconds(1)), before,
      change);
}

TEST(Time, ReminderMissedUntilTheEndIsNotSentAnyMore) {
  ContactChange change = Asked();
  EXPECT_THAT(MailsOf(ExpireOrRemind(change, change.expire_time)),
              ElementsAre("EXPIRED aa1-ovh", "EXPIRED dd4-ovh"));
}

TEST(Time, AcceptsUntilTheVeryLastMoment) {
  ContactChange change = AcceptedByMarie();
  const absl::Time last = change.expire_time - absl::Microseconds(1);
  EXPECT_EQ(StateAt(change, last), ChangeState::kValidating);
  EXPECT_THAT(AcceptBy(change, kDana, Facts(), last).status, HasReason(""));
}

TEST(Time, ExpiryClosesAsOfTheMomentItExpiredAndTellsBothParties) {
  ContactChange change = AcceptedByMarie();
  const absl::Time swept = change.expire_time + absl::Hours(3);
  const Transition transition = ExpireOrRemind(change, swept);
  EXPECT_EQ(change.state, ChangeState::kExpired);
  EXPECT_EQ(change.close_time, change.expire_time);
  EXPECT_THAT(OutcomesOf(change), ElementsAre(ItemOutcome::kNotApplied, ItemOutcome::kNotApplied));
  EXPECT_THAT(EventsOf(transition), ElementsAre("EXPIRED -> EXPIRED"));
  EXPECT_THAT(MailsOf(transition), ElementsAre("EXPIRED aa1-ovh", "EXPIRED dd4-ovh"));
}

TEST(Time, ExpiryOfATakeoverTellsTheRequesterOnce) {
  ContactChange change = Asked(kTech, kMarie);
  EXPECT_THAT(MailsOf(ExpireOrRemind(change, change.expire_time)), ElementsAre("EXPIRED aa1-ovh"));
}

TEST(Time, ReadsShowAnUnmarkedExpiredChangeAsAMarkedOne) {
  const ContactChange change = Asked();
  ContactChange marked = change;
  ExpireOrRemind(marked, change.expire_time);
  const ContactChange shown = Presented(change, change.expire_time + absl::Hours(1));
  EXPECT_EQ(shown.state, marked.state);
  EXPECT_EQ(shown.close_time, marked.close_time);
  EXPECT_EQ(OutcomesOf(shown), OutcomesOf(marked));
  EXPECT_EQ(Printed(Presented(change, change.expire_time - absl::Microseconds(1))),
            Printed(change));
}

// --- Withdrawing items -----------------------------------------------------------------------

TEST(TakingOut, OneItemOfTwoLeavesTheChangeValidatingAndTellsNobody) {
  ContactChange change = AcceptedByMarie();
  const Transition transition =
      RemoveItems(change, OnS0, ItemOutcome::kSkippedServiceRemoved, kNow);
  EXPECT_TRUE(transition.save);
  EXPECT_EQ(change.state, ChangeState::kValidating);
  EXPECT_EQ(change.FindValidation(kMarie)->state, ValidationState::kAccepted);
  EXPECT_THAT(OutcomesOf(change),
              ElementsAre(ItemOutcome::kSkippedServiceRemoved, ItemOutcome::kPending));
  EXPECT_THAT(EventsOf(transition), IsEmpty());
  EXPECT_THAT(MailsOf(transition), IsEmpty());
}

TEST(TakingOut, TheLastItemAbortsAndEachKeepsItsOutcome) {
  ContactChange change = Asked();
  RemoveItems(change, OnS0, ItemOutcome::kSkippedServiceRemoved, kNow);
  RemoveItems(change, Every, ItemOutcome::kSkippedContactChanged, kNow);
  EXPECT_EQ(change.state, ChangeState::kAborted);
  EXPECT_THAT(OutcomesOf(change), ElementsAre(ItemOutcome::kSkippedServiceRemoved,
                                              ItemOutcome::kSkippedContactChanged));
}

TEST(TakingOut, NothingThatIsConcernedDoesNothing) {
  ContactChange change = Asked();
  const ContactChange before = change;
  ExpectNothingHappened(RemoveItems(
                            change, [](const ChangeItem&) { return false; },
                            ItemOutcome::kSkippedContactChanged, kNow),
                        before, change);
}

}  // namespace
}  // namespace contacts
