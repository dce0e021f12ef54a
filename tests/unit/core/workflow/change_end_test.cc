// How a contact change ends otherwise: cancelled, expired, its items withdrawn.

#include "tests/unit/core/workflow/change_cases.h"

namespace contacts {
namespace {

using namespace change_cases;  // NOLINT(google-build-using-namespace): the test vocabulary.

// --- Cancelling --------------------------------------------------------------------------

// The present admins of the two services of Asked().
const std::vector<AccountId> kMaries = {kMarie, kMarie};
const std::vector<AccountId> kEvesFirst = {kEve, kMarie};
const std::vector<AccountId> kEves = {kEve, kEve};

TEST(Cancelling, RequesterMayCancelAllOfItAlsoWhenNoLongerAdmin) {
  for (const std::vector<AccountId>& admins : {kMaries, kEvesFirst, kEves}) {
    ContactChange change = Asked();
    const Transition transition = Cancel(change, kMarie, admins, kNow);
    EXPECT_THAT(transition.status, HasReason(""));
    EXPECT_EQ(change.state, ChangeState::kCancelled);
    EXPECT_THAT(OutcomesOf(change),
                ElementsAre(ItemOutcome::kNotApplied, ItemOutcome::kNotApplied));
    EXPECT_THAT(EventsOf(transition), ElementsAre("CANCELLED by aa1-ovh -> CANCELLED"));
  }
}

TEST(Cancelling, OthersMayNot) {
  for (const AccountId& actor : {kDana, kThomas, kEve}) {
    ContactChange change = Asked();
    const ContactChange before = change;
    const Transition transition = Cancel(change, actor, kMaries, kNow);
    EXPECT_THAT(transition.status, HasReason("ROLE_NOT_ALLOWED")) << actor;
    ExpectNothingHappened(transition, before, change);
  }
}

TEST(Withdrawal, ByTheAdminOfSomeOfTheServicesTakesTheItemsOnThemOut) {
  ContactChange change = AcceptedByMarie();
  const Transition transition = Cancel(change, kEve, kEvesFirst, kNow);
  EXPECT_THAT(transition.status, HasReason(""));
  EXPECT_TRUE(transition.items_changed);
  EXPECT_EQ(change.state, ChangeState::kValidating);
  EXPECT_THAT(OutcomesOf(change), ElementsAre(ItemOutcome::kWithdrawn, ItemOutcome::kPending));
  EXPECT_EQ(change.items[0].withdrawn_by, kEve);
  EXPECT_THAT(EventsOf(transition), ElementsAre("ITEMS_WITHDRAWN by ee5-ovh -> VALIDATING"));
  EXPECT_THAT(MailsOf(transition),
              ElementsAre("ITEMS_WITHDRAWN aa1-ovh", "ITEMS_WITHDRAWN dd4-ovh"));
}

TEST(Withdrawal, LeavesTheAnswersGivenSoFarAndTheChangeGoesOnWithWhatIsLeft) {
  ContactChange change = AcceptedByMarie();
  Cancel(change, kEve, kEvesFirst, kNow);
  EXPECT_EQ(change.FindValidation(kMarie)->state, ValidationState::kAccepted);
  AcceptBy(change, kDana);
  EXPECT_EQ(change.state, ChangeState::kDone);
  EXPECT_THAT(OutcomesOf(change), ElementsAre(ItemOutcome::kWithdrawn, ItemOutcome::kApplied));
}

TEST(Withdrawal, OfTheLastPendingItemCancelsTheChange) {
  ContactChange change = Asked();
  Cancel(change, kEve, kEvesFirst, kNow);
  const Transition transition = Cancel(change, kBill, {kEve, kBill}, kNow);
  EXPECT_EQ(change.state, ChangeState::kCancelled);
  EXPECT_THAT(OutcomesOf(change), ElementsAre(ItemOutcome::kWithdrawn, ItemOutcome::kWithdrawn));
  EXPECT_THAT(EventsOf(transition), ElementsAre("ITEMS_WITHDRAWN by cc3-ovh -> VALIDATING",
                                                "CANCELLED by cc3-ovh -> CANCELLED"));
  EXPECT_THAT(MailsOf(transition), ElementsAre("CANCELLED aa1-ovh", "CANCELLED dd4-ovh"));
}

TEST(Withdrawal, TellsNotTheOneWhoActed) {
  ContactChange change = Asked();
  // The new contact is admin of a service by now.
  EXPECT_THAT(MailsOf(Cancel(change, kDana, {kDana, kMarie}, kNow)),
              ElementsAre("ITEMS_WITHDRAWN aa1-ovh"));
}

TEST(Withdrawal, NeedsAPendingItemOnOnesService) {
  ContactChange change = Asked();
  Cancel(change, kEve, kEvesFirst, kNow);
  const ContactChange before = change;
  const Transition again = Cancel(change, kEve, kEvesFirst, kNow);
  EXPECT_THAT(again.status, HasReason("ROLE_NOT_ALLOWED"));
  ExpectNothingHappened(again, before, change);
}

TEST(Withdrawal, FromAClosedChangeIsToldSo) {
  ContactChange change = Asked();
  Cancel(change, kMarie, kMaries, kNow);
  EXPECT_THAT(Cancel(change, kEve, kEvesFirst, kNow).status, HasReason("CHANGE_CLOSED"));
  EXPECT_THAT(Cancel(change, kDana, kEvesFirst, kNow).status, HasReason("ROLE_NOT_ALLOWED"));
  ContactChange expired = Asked();
  EXPECT_THAT(Cancel(expired, kEve, kEvesFirst, expired.expire_time).status,
              HasReason("CHANGE_CLOSED"));
}

// --- The support desk --------------------------------------------------------------------

TEST(SupportDesk, AbortsAPendingChangeWithAReasonThatBothPartiesAreTold) {
  ContactChange change = AcceptedByMarie();
  const Transition transition = Abort(change, "claire", "disputed", kNow);
  EXPECT_THAT(transition.status, HasReason(""));
  EXPECT_EQ(change.state, ChangeState::kAborted);
  EXPECT_EQ(change.abort_reason, "disputed");
  EXPECT_THAT(OutcomesOf(change), ElementsAre(ItemOutcome::kNotApplied, ItemOutcome::kNotApplied));
  EXPECT_THAT(EventsOf(transition), ElementsAre("ABORTED by staff claire -> ABORTED"));
  EXPECT_THAT(MailsOf(transition), ElementsAre("ABORTED aa1-ovh", "ABORTED dd4-ovh"));
  EXPECT_THAT(Abort(change, "claire", "again", kNow).status, HasReason("CHANGE_CLOSED"));
  EXPECT_EQ(change.abort_reason, "disputed");
}

TEST(SupportDesk, ResendsForEitherValidatorWithinTheLimits) {
  ContactChange change = Asked();
  const Transition transition = ResendFor(change, kDana, "claire", "k2", kNow, kSettings);
  EXPECT_THAT(EventsOf(transition),
              ElementsAre("RESEND_REQUESTED by staff claire about dd4-ovh -> VALIDATING"));
  EXPECT_THAT(MailsOf(transition), ElementsAre("VALIDATION dd4-ovh #2"));
  EXPECT_EQ(change.FindValidation(kDana)->token_key_id, "k2");
  EXPECT_THAT(ResendFor(change, kDana, "claire", "k2", kNow, kSettings).status,
              HasReason("RESEND_TOO_SOON"));
  EXPECT_THAT(ResendFor(change, kMarie, "claire", "k2", kNow, kSettings).status, HasReason(""));
  EXPECT_THAT(ResendFor(change, kEve, "claire", "k2", kNow, kSettings).status,
              HasReason("CALLER_NOT_ALLOWED"));
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

// --- An account that is deleted --------------------------------------------------------------

TEST(DeletedAccount, AbortsItsOpenChangeAndTellsTheOtherPartyAlone) {
  for (const auto& [account, told] : {std::pair(kMarie, kDana), std::pair(kDana, kMarie)}) {
    ContactChange change = Asked();
    const Transition transition = AbortForDeletedAccount(change, account, "crm", kNow);
    EXPECT_TRUE(transition.save);
    EXPECT_EQ(change.state, ChangeState::kAborted);
    EXPECT_THAT(OutcomesOf(change),
                ElementsAre(ItemOutcome::kNotApplied, ItemOutcome::kNotApplied));
    EXPECT_THAT(EventsOf(transition), ElementsAre(absl::StrCat("ABORTED by staff crm about ",
                                                               account.text(), " -> ABORTED")));
    EXPECT_TRUE(transition.events[0].by_staff);
    EXPECT_EQ(transition.events[0].staff, "crm");
    EXPECT_THAT(MailsOf(transition), ElementsAre(absl::StrCat("ABORTED ", told.text())));
  }
}

TEST(DeletedAccount, LeavesAClosedChangeAndExpiresOnePastItsDeadline) {
  ContactChange closed = AcceptedByMarie();
  AcceptBy(closed, kDana);
  const ContactChange before = closed;
  ExpectNothingHappened(AbortForDeletedAccount(closed, kDana, "crm", kNow), before, closed);
  ContactChange late = Asked();
  AbortForDeletedAccount(late, kDana, "crm", late.expire_time);
  EXPECT_EQ(late.state, ChangeState::kExpired);
}

}  // namespace
}  // namespace contacts
