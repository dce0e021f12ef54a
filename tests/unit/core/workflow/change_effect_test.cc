// How a contact change takes effect: items, batches, billing standing.

#include "tests/unit/core/workflow/change_cases.h"

namespace contacts {
namespace {

using namespace change_cases;  // NOLINT(google-build-using-namespace): the test vocabulary.

// --- Taking effect -----------------------------------------------------------------

TEST(Effect, LastAcceptanceAppliesEveryItemAndTellsAllThree) {
  ContactChange change = AcceptedByMarie();
  const Transition transition = AcceptBy(change, kDana);
  EXPECT_THAT(transition.status, HasReason(""));
  EXPECT_EQ(change.state, ChangeState::kDone);
  EXPECT_EQ(change.close_time, kNow);
  EXPECT_FALSE(change.remind_time.has_value());
  EXPECT_THAT(OutcomesOf(change), ElementsAre(ItemOutcome::kApplied, ItemOutcome::kApplied));
  EXPECT_THAT(EventsOf(transition), ElementsAre("ACCEPTED by dd4-ovh about dd4-ovh -> VALIDATING",
                                                "DONE by dd4-ovh about dd4-ovh -> DONE"));
  EXPECT_THAT(MailsOf(transition),
              ElementsAre("DONE aa1-ovh", "DONE dd4-ovh", "ROLES_LOST bb2-ovh"));
}

TEST(Effect, ComesWithTheLastAcceptanceInWhicheverOrder) {
  ContactChange change = Asked();
  AcceptBy(change, kDana);
  AcceptBy(change, kMarie);
  EXPECT_EQ(change.state, ChangeState::kDone);
}

TEST(Effect, TakeoverNeedsTheRequestersAcceptanceAlone) {
  ContactChange change = Asked(kTech, kMarie);
  EXPECT_TRUE(WouldComplete(change, kMarie));
  const Transition transition = AcceptBy(change, kMarie);
  EXPECT_EQ(change.state, ChangeState::kDone);
  EXPECT_THAT(MailsOf(transition), ElementsAre("DONE aa1-ovh", "ROLES_LOST bb2-ovh"));
}

TEST(Effect, WouldCompleteTellsWhoGivesTheLastAcceptance) {
  ContactChange change = Asked();
  EXPECT_FALSE(WouldComplete(change, kMarie));
  EXPECT_FALSE(WouldComplete(change, kDana));
  EXPECT_FALSE(WouldComplete(change, kThomas));
  AcceptBy(change, kMarie);
  EXPECT_TRUE(WouldComplete(change, kDana));
  EXPECT_FALSE(WouldComplete(change, kMarie));
  EXPECT_FALSE(WouldComplete(change, kThomas));
}

TEST(Effect, EachOldContactIsToldOnce) {
  ContactChange change = AcceptedByMarie();
  change.items[1].old_contact = kEve;
  EffectFacts facts = Facts();
  facts.services.at(kS1).tech = kEve;
  EXPECT_THAT(
      MailsOf(AcceptBy(change, kDana, facts)),
      ElementsAre("DONE aa1-ovh", "DONE dd4-ovh", "ROLES_LOST bb2-ovh", "ROLES_LOST ee5-ovh"));
}

TEST(Effect, RequesterWhoGaveItsOwnRoleAwayIsToldThatItHoldsItNoMore) {
  ContactChange change = AcceptedByMarie(kAdmin);
  EXPECT_THAT(MailsOf(AcceptBy(change, kDana)),
              ElementsAre("DONE aa1-ovh", "DONE dd4-ovh", "ROLES_LOST aa1-ovh"));
}

TEST(Effect, RemovedServiceIsSkipped) {
  ContactChange change = AcceptedByMarie();
  EffectFacts facts = Facts();
  facts.services.erase(kS0);
  AcceptBy(change, kDana, facts);
  EXPECT_EQ(change.state, ChangeState::kDone);
  EXPECT_THAT(OutcomesOf(change),
              ElementsAre(ItemOutcome::kSkippedServiceRemoved, ItemOutcome::kApplied));
}

TEST(Effect, RoleThatAnotherHoldsByNowIsSkippedAndItsOldContactIsNotTold) {
  ContactChange change = AcceptedByMarie();
  change.items[0].old_contact = kBill;
  const Transition transition = AcceptBy(change, kDana);
  EXPECT_EQ(change.state, ChangeState::kDone);
  EXPECT_THAT(OutcomesOf(change),
              ElementsAre(ItemOutcome::kSkippedContactChanged, ItemOutcome::kApplied));
  EXPECT_THAT(MailsOf(transition),
              ElementsAre("DONE aa1-ovh", "DONE dd4-ovh", "ROLES_LOST bb2-ovh"));
}

TEST(Effect, RequesterWhoLostItsAuthorityIsSkipped) {
  ContactChange change = AcceptedByMarie();
  EffectFacts facts = Facts();
  facts.services.at(kS1).admin = kEve;
  AcceptBy(change, kDana, facts);
  EXPECT_EQ(change.state, ChangeState::kDone);
  EXPECT_THAT(OutcomesOf(change),
              ElementsAre(ItemOutcome::kApplied, ItemOutcome::kSkippedAuthorityLost));
}

TEST(Effect, AnotherRoleThatDoesNotAllowItGivesNoAuthority) {
  ContactChange change = AcceptedByMarie();
  EffectFacts facts = Facts();
  facts.services.at(kS0).admin = kEve;
  facts.services.at(kS0).billing = kMarie;
  AcceptBy(change, kDana, facts);
  EXPECT_EQ(change.items[0].outcome, ItemOutcome::kSkippedAuthorityLost);
}

TEST(Effect, AuthorityMayComeFromAnotherRoleByThen) {
  // The tech contact asked to move its own role, and has become admin since.
  ContactChange change = Asked();
  change.requester = kThomas;
  change.validations[0].account = kThomas;
  AcceptBy(change, kThomas);
  EffectFacts facts = Facts();
  facts.services.at(kS0).admin = kThomas;
  AcceptBy(change, kDana, facts);
  EXPECT_THAT(OutcomesOf(change), ElementsAre(ItemOutcome::kApplied, ItemOutcome::kApplied));
}

TEST(Effect, RemovedServiceComesBeforeChangedContactAndThatBeforeLostAuthority) {
  ContactChange change = AcceptedByMarie();
  change.items[0].old_contact = kBill;
  change.items[1].old_contact = kBill;
  EffectFacts facts = Facts();
  facts.services.erase(kS0);
  facts.services.at(kS1).admin = kEve;
  AcceptBy(change, kDana, facts);
  EXPECT_THAT(OutcomesOf(change), ElementsAre(ItemOutcome::kSkippedServiceRemoved,
                                              ItemOutcome::kSkippedContactChanged));
}

TEST(Effect, WithNoItemAppliedTheChangeIsAbortedAndTheOneWhoActedIsNotTold) {
  ContactChange change = AcceptedByMarie();
  EffectFacts facts = Facts();
  facts.services.clear();
  const Transition transition = AcceptBy(change, kDana, facts);
  EXPECT_THAT(transition.status, HasReason(""));
  EXPECT_EQ(change.state, ChangeState::kAborted);
  EXPECT_EQ(change.close_time, kNow);
  EXPECT_THAT(EventsOf(transition), ElementsAre("ACCEPTED by dd4-ovh about dd4-ovh -> VALIDATING",
                                                "ABORTED by dd4-ovh about dd4-ovh -> ABORTED"));
  EXPECT_THAT(MailsOf(transition), ElementsAre("ABORTED aa1-ovh"));
}

TEST(Effect, ItemsTakenOutBeforeKeepTheirOutcome) {
  ContactChange change = AcceptedByMarie();
  RemoveItems(change, OnS0, ItemOutcome::kSkippedContactChanged, kNow);
  AcceptBy(change, kDana);
  EXPECT_EQ(change.state, ChangeState::kDone);
  EXPECT_THAT(OutcomesOf(change),
              ElementsAre(ItemOutcome::kSkippedContactChanged, ItemOutcome::kApplied));
}

// --- Changes of one batch ------------------------------------------------------------

// Marie gave the admin role of s0 to Eve by another change of the same batch.
EffectFacts AdminGivenToEve() {
  EffectFacts facts = Facts();
  facts.services.at(kS0).admin = kEve;
  facts.given_by_batch = {{{kS0, kAdmin}, kEve}};
  return facts;
}

TEST(Batch, SiblingsDoNotTakeAuthorityFromEachOther) {
  ContactChange change = AcceptedByMarie();
  AcceptBy(change, kDana, AdminGivenToEve());
  EXPECT_THAT(OutcomesOf(change), ElementsAre(ItemOutcome::kApplied, ItemOutcome::kApplied));
}

TEST(Batch, SiblingWhoseGiftHasMovedOnKeepsNoAuthority) {
  ContactChange change = AcceptedByMarie();
  EffectFacts facts = AdminGivenToEve();
  facts.services.at(kS0).admin = kBill;
  AcceptBy(change, kDana, facts);
  EXPECT_THAT(OutcomesOf(change),
              ElementsAre(ItemOutcome::kSkippedAuthorityLost, ItemOutcome::kApplied));
}

TEST(Batch, AuthorityEndsForGoodOnceTheGivenRoleMovedAgainEvenBack) {
  // Back to the taker, and back to the requester: the batch's move is not the latest.
  for (const AccountId& holder : {kEve, kMarie}) {
    ContactChange change = AcceptedByMarie();
    EffectFacts facts = AdminGivenToEve();
    facts.services.at(kS0).admin = holder;
    facts.given_by_batch[0].moved_again = true;
    AcceptBy(change, kDana, facts);
    EXPECT_THAT(OutcomesOf(change),
                ElementsAre(ItemOutcome::kSkippedAuthorityLost, ItemOutcome::kApplied))
        << holder;
  }
}

TEST(Batch, AuthorityByTheRoleItselfStandsWhereTheAdminRoleMovedAgain) {
  ContactChange change = AcceptedByMarie();
  change.items[0].old_contact = kMarie;
  EffectFacts facts = AdminGivenToEve();
  facts.services.at(kS0).tech = kMarie;
  facts.given_by_batch[0].moved_again = true;
  AcceptBy(change, kDana, facts);
  EXPECT_THAT(OutcomesOf(change), ElementsAre(ItemOutcome::kApplied, ItemOutcome::kApplied));
}

TEST(Batch, GiftOnOneServiceKeepsNoAuthorityOnAnother) {
  ContactChange change = AcceptedByMarie();
  EffectFacts facts = AdminGivenToEve();
  facts.services.at(kS1).admin = kEve;  // Not moved by the batch.
  AcceptBy(change, kDana, facts);
  EXPECT_THAT(OutcomesOf(change),
              ElementsAre(ItemOutcome::kApplied, ItemOutcome::kSkippedAuthorityLost));
}

TEST(Batch, GiftOfAnotherRoleKeepsNoAuthority) {
  ContactChange change = AcceptedByMarie();
  EffectFacts facts = Facts();
  facts.services.at(kS0).admin = kEve;
  facts.services.at(kS0).billing = kEve;
  facts.given_by_batch = {{{kS0, kBilling}, kEve}};
  AcceptBy(change, kDana, facts);
  EXPECT_EQ(change.items[0].outcome, ItemOutcome::kSkippedAuthorityLost);
}

// --- Billing standing ------------------------------------------------------------------

TEST(BillingAtEffect, OverdueOldContactFailsTheLastAcceptanceAndNothingIsRecorded) {
  ContactChange change = AcceptedByMarie(kBilling);
  const ContactChange before = change;
  EffectFacts facts = Facts();
  facts.overdue.insert(kBill);
  const Transition transition = AcceptBy(change, kDana, facts);
  EXPECT_THAT(transition.status, HasReason("BILLING_OVERDUE"));
  EXPECT_THAT(OverdueOf(transition.status), ElementsAre("cc3-ovh"));
  ExpectNothingHappened(transition, before, change);
  // Paid: the same token is good.
  EXPECT_THAT(AcceptBy(change, kDana).status, HasReason(""));
  EXPECT_EQ(change.state, ChangeState::kDone);
}

TEST(BillingAtEffect, OverdueNewContactFailsTheLastAcceptance) {
  ContactChange change = AcceptedByMarie(kBilling);
  EffectFacts facts = Facts();
  facts.overdue.insert(kDana);
  EXPECT_THAT(AcceptBy(change, kDana, facts).status, HasReason("BILLING_OVERDUE"));
}

TEST(BillingAtEffect, DoesNotCountForAnAcceptanceThatIsNotTheLast) {
  ContactChange change = Asked(kBilling);
  EffectFacts facts = Facts();
  facts.overdue = {kBill, kDana};
  EXPECT_THAT(AcceptBy(change, kDana, facts).status, HasReason(""));
  EXPECT_EQ(change.FindValidation(kDana)->state, ValidationState::kAccepted);
}

TEST(BillingAtEffect, DoesNotCountForARefusal) {
  ContactChange change = AcceptedByMarie(kBilling);
  EXPECT_THAT(RefuseBy(change, kDana).status, HasReason(""));
}

TEST(BillingAtEffect, DoesNotCountForOtherRolesNorForTheRequester) {
  EffectFacts facts = Facts();
  facts.overdue = {kMarie, kThomas, kDana};
  ContactChange tech = AcceptedByMarie(kTech);
  EXPECT_THAT(AcceptBy(tech, kDana, facts).status, HasReason(""));
  facts.overdue = {kMarie};
  ContactChange billing = AcceptedByMarie(kBilling);
  EXPECT_THAT(AcceptBy(billing, kDana, facts).status, HasReason(""));
}

TEST(BillingAtEffect, CountsForEveryRoleIfTheSettingSaysSo) {
  Settings every;
  every.standing_for_every_role = true;
  for (const AccountId& overdue : {kThomas, kDana}) {
    ContactChange change = Asked();
    Accept(change, kMarie, TokenCheck::kRight, Facts(), kNow, every);
    const ContactChange before = change;
    EffectFacts facts = Facts();
    facts.overdue.insert(overdue);
    const Transition failed = Accept(change, kDana, TokenCheck::kRight, facts, kNow, every);
    EXPECT_THAT(failed.status, HasReason("BILLING_OVERDUE"));
    EXPECT_THAT(OverdueOf(failed.status), ElementsAre(overdue.text()));
    ExpectNothingHappened(failed, before, change);
    EXPECT_THAT(Accept(change, kDana, TokenCheck::kRight, facts, kNow, kSettings).status,
                HasReason(""));
  }
}

TEST(BillingAtEffect, CountsOnlyItemsStillToBeApplied) {
  EffectFacts facts = Facts();
  facts.overdue.insert(kBill);
  facts.services.at(kS0).billing = kEve;
  facts.services.at(kS1).billing = kEve;
  ContactChange skipped = AcceptedByMarie(kBilling);
  EXPECT_THAT(AcceptBy(skipped, kDana, facts).status, HasReason(""));
  EXPECT_EQ(skipped.state, ChangeState::kAborted);

  ContactChange taken_out = AcceptedByMarie(kBilling);
  taken_out.items[1].old_contact = kEve;
  RemoveItems(taken_out, OnS0, ItemOutcome::kSkippedContactChanged, kNow);
  EXPECT_THAT(AcceptBy(taken_out, kDana, facts).status, HasReason(""));
  EXPECT_EQ(taken_out.state, ChangeState::kDone);
}

}  // namespace
}  // namespace contacts
