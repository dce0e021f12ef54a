// The contact change's state machine: every state and command.

#include "tests/unit/core/workflow/change_cases.h"

namespace contacts {
namespace {

using namespace change_cases;  // NOLINT(google-build-using-namespace): the test vocabulary.

// --- VALIDATING and each command -------------------------------------------------

TEST(Validating, StartsWithOneEmailForEachValidator) {
  ContactChange change = Asked();
  change.event_count = 0;
  const Transition transition = Request(change, kNow);
  EXPECT_TRUE(transition.save);
  EXPECT_THAT(EventsOf(transition),
              ElementsAre("REQUESTED by aa1-ovh about dd4-ovh -> VALIDATING"));
  EXPECT_THAT(MailsOf(transition), ElementsAre("VALIDATION aa1-ovh #1", "VALIDATION dd4-ovh #1"));
  EXPECT_EQ(transition.events[0].ordinal, 1);
}

TEST(Validating, TakeoverStartsWithOneEmail) {
  ContactChange change = Asked(kTech, kMarie);
  EXPECT_THAT(MailsOf(Request(change, kNow)), ElementsAre("VALIDATION aa1-ovh #1"));
}

TEST(Validating, AcceptWithRightTokenIsRecordedAndTellsNobody) {
  ContactChange change = Asked();
  const Transition transition = AcceptBy(change, kDana);
  EXPECT_THAT(transition.status, HasReason(""));
  EXPECT_EQ(change.state, ChangeState::kValidating);
  EXPECT_EQ(change.FindValidation(kDana)->state, ValidationState::kAccepted);
  EXPECT_EQ(change.FindValidation(kDana)->decide_time, kNow);
  EXPECT_EQ(change.FindValidation(kMarie)->state, ValidationState::kPending);
  EXPECT_THAT(EventsOf(transition), ElementsAre("ACCEPTED by dd4-ovh about dd4-ovh -> VALIDATING"));
  EXPECT_THAT(MailsOf(transition), IsEmpty());
  EXPECT_THAT(OutcomesOf(change), ElementsAre(ItemOutcome::kPending, ItemOutcome::kPending));
}

TEST(Validating, AcceptWithWrongTokenIsCountedAndRecordedThoughItFails) {
  ContactChange change = Asked();
  const Transition transition = AcceptWrongly(change, kDana);
  EXPECT_THAT(transition.status, HasReason("TOKEN_INVALID"));
  EXPECT_TRUE(transition.save);
  EXPECT_EQ(change.FindValidation(kDana)->wrong_tokens, 1);
  EXPECT_EQ(change.FindValidation(kMarie)->wrong_tokens, 0);
  EXPECT_EQ(change.FindValidation(kDana)->state, ValidationState::kPending);
  EXPECT_THAT(EventsOf(transition),
              ElementsAre("TOKEN_REJECTED by dd4-ovh about dd4-ovh -> VALIDATING"));
  EXPECT_THAT(MailsOf(transition), IsEmpty());
}

TEST(Validating, RefuseWithRightTokenClosesAtOnce) {
  ContactChange change = Asked();
  const Transition transition = RefuseBy(change, kDana, "not mine");
  EXPECT_THAT(transition.status, HasReason(""));
  EXPECT_EQ(change.state, ChangeState::kRefused);
  EXPECT_EQ(change.close_time, kNow);
  EXPECT_EQ(change.FindValidation(kDana)->state, ValidationState::kRefused);
  EXPECT_EQ(change.FindValidation(kDana)->decide_time, kNow);
  EXPECT_EQ(change.FindValidation(kDana)->refuse_reason, "not mine");
  EXPECT_THAT(OutcomesOf(change), ElementsAre(ItemOutcome::kNotApplied, ItemOutcome::kNotApplied));
  EXPECT_THAT(EventsOf(transition), ElementsAre("REFUSED by dd4-ovh about dd4-ovh -> REFUSED"));
  EXPECT_THAT(MailsOf(transition), ElementsAre("REFUSED aa1-ovh"));
}

TEST(Validating, RefuseByRequesterTellsTheNewContactAlone) {
  ContactChange change = Asked();
  EXPECT_THAT(MailsOf(RefuseBy(change, kMarie)), ElementsAre("REFUSED dd4-ovh"));
  EXPECT_EQ(change.state, ChangeState::kRefused);
}

TEST(Validating, RefuseAfterTheOtherAcceptedClosesToo) {
  ContactChange change = AcceptedByMarie();
  RefuseBy(change, kDana);
  EXPECT_EQ(change.state, ChangeState::kRefused);
  EXPECT_EQ(change.FindValidation(kMarie)->state, ValidationState::kAccepted);
}

TEST(Validating, RefuseOfATakeoverTellsNobody) {
  ContactChange change = Asked(kTech, kMarie);
  EXPECT_THAT(MailsOf(RefuseBy(change, kMarie)), IsEmpty());
  EXPECT_EQ(change.state, ChangeState::kRefused);
}

TEST(Validating, RefuseWithWrongTokenIsCountedAndRecordedThoughItFails) {
  ContactChange change = Asked();
  const Transition transition = Refuse(change, kDana, TokenCheck::kWrong, "no", kNow, kSettings);
  EXPECT_THAT(transition.status, HasReason("TOKEN_INVALID"));
  EXPECT_TRUE(transition.save);
  EXPECT_EQ(change.state, ChangeState::kValidating);
  EXPECT_EQ(change.FindValidation(kDana)->wrong_tokens, 1);
  EXPECT_EQ(change.FindValidation(kDana)->refuse_reason, "");
  EXPECT_THAT(EventsOf(transition),
              ElementsAre("TOKEN_REJECTED by dd4-ovh about dd4-ovh -> VALIDATING"));
}

TEST(Validating, ResendRaisesTheGenerationAndOwesAnEmail) {
  ContactChange change = Asked();
  const Transition transition = Resend(change, kDana, kDana, "k2", {}, kNow, kSettings);
  EXPECT_THAT(transition.status, HasReason(""));
  EXPECT_EQ(change.state, ChangeState::kValidating);
  EXPECT_EQ(change.FindValidation(kDana)->generation, 2);
  EXPECT_EQ(change.FindValidation(kDana)->token_key_id, "k2");
  EXPECT_EQ(change.FindValidation(kMarie)->generation, 1);
  EXPECT_EQ(change.FindValidation(kMarie)->token_key_id, "k1");
  EXPECT_THAT(EventsOf(transition),
              ElementsAre("RESEND_REQUESTED by dd4-ovh about dd4-ovh -> VALIDATING"));
  EXPECT_THAT(MailsOf(transition), ElementsAre("VALIDATION dd4-ovh #2"));
}

TEST(Validating, CancelByRequesterTellsTheNewContactAlone) {
  ContactChange change = Asked();
  const Transition transition = Cancel(change, kMarie, {kMarie, kMarie}, kNow);
  EXPECT_THAT(transition.status, HasReason(""));
  EXPECT_EQ(change.state, ChangeState::kCancelled);
  EXPECT_EQ(change.close_time, kNow);
  EXPECT_THAT(OutcomesOf(change), ElementsAre(ItemOutcome::kNotApplied, ItemOutcome::kNotApplied));
  EXPECT_THAT(EventsOf(transition), ElementsAre("CANCELLED by aa1-ovh -> CANCELLED"));
  EXPECT_THAT(MailsOf(transition), ElementsAre("CANCELLED dd4-ovh"));
}

TEST(Validating, PassTimeDoesNothingBeforeAnythingIsDue) {
  ContactChange change = Asked();
  const ContactChange before = change;
  ExpectNothingHappened(ExpireOrRemind(change, kNow + absl::Hours(119)), before, change);
}

TEST(Validating, TakeOutOfEveryItemAborts) {
  ContactChange change = Asked();
  const Transition transition =
      RemoveItems(change, Every, ItemOutcome::kSkippedContactChanged, kNow);
  EXPECT_THAT(transition.status, HasReason(""));
  EXPECT_EQ(change.state, ChangeState::kAborted);
  EXPECT_EQ(change.close_time, kNow);
  EXPECT_THAT(OutcomesOf(change), ElementsAre(ItemOutcome::kSkippedContactChanged,
                                              ItemOutcome::kSkippedContactChanged));
  EXPECT_THAT(EventsOf(transition), ElementsAre("ABORTED by staff -> ABORTED"));
  EXPECT_THAT(MailsOf(transition), ElementsAre("ABORTED aa1-ovh", "ABORTED dd4-ovh"));
}

// --- Every other state and each command ------------------------------------------

struct Closed {
  const char* name;  // The state that callers see.
  const char* title;
  ContactChange change;
  absl::Time now = kNow;
};

Closed Done() {
  ContactChange change = AcceptedByMarie();
  AcceptBy(change, kDana);
  return {"DONE", "Done", change};
}
Closed Refused() {
  ContactChange change = Asked();
  RefuseBy(change, kMarie);
  return {"REFUSED", "Refused", change};
}
Closed Cancelled() {
  ContactChange change = Asked();
  Cancel(change, kMarie, {kMarie, kMarie}, kNow);
  return {"CANCELLED", "Cancelled", change};
}
Closed ExpiredAndMarked() {
  ContactChange change = Asked();
  ExpireOrRemind(change, change.expire_time);
  return {"EXPIRED", "ExpiredAndMarked", change, change.expire_time};
}
Closed ExpiredByTimeOnly() {
  const ContactChange change = Asked();
  return {"EXPIRED", "ExpiredByTimeOnly", change, change.expire_time};
}
Closed Aborted() {
  ContactChange change = Asked();
  RemoveItems(change, Every, ItemOutcome::kSkippedServiceRemoved, kNow);
  return {"ABORTED", "Aborted", change};
}

std::ostream& operator<<(std::ostream& out, const Closed& closed) { return out << closed.title; }

class ClosedChange : public ::testing::TestWithParam<Closed> {
 protected:
  void ExpectClosed(const Transition& transition) {
    EXPECT_THAT(transition.status, HasReason("CHANGE_CLOSED"));
    EXPECT_EQ(testing::DetailOf<google::rpc::ErrorInfo>(transition.status).metadata().at("state"),
              GetParam().name);
    ExpectNothingHappened(transition, GetParam().change, change_);
  }

  ContactChange change_ = GetParam().change;
  const absl::Time now_ = GetParam().now;
};

INSTANTIATE_TEST_SUITE_P(State, ClosedChange,
                         ::testing::Values(Done(), Refused(), Cancelled(), ExpiredAndMarked(),
                                           ExpiredByTimeOnly(), Aborted()),
                         [](const auto& state) { return std::string(state.param.title); });

TEST_P(ClosedChange, TakesNoAcceptanceWithRightToken) {
  for (const AccountId& account : {kMarie, kDana}) {
    ExpectClosed(Accept(change_, account, TokenCheck::kRight, Facts(), now_, kSettings));
  }
}

TEST_P(ClosedChange, TakesNoAcceptanceWithWrongTokenAndDoesNotCountIt) {
  ExpectClosed(Accept(change_, kDana, TokenCheck::kWrong, Facts(), now_, kSettings));
}

TEST_P(ClosedChange, TakesNoRefusalWithRightToken) {
  for (const AccountId& account : {kMarie, kDana}) {
    ExpectClosed(Refuse(change_, account, TokenCheck::kRight, "late", now_, kSettings));
  }
}

TEST_P(ClosedChange, TakesNoRefusalWithWrongTokenAndDoesNotCountIt) {
  ExpectClosed(Refuse(change_, kDana, TokenCheck::kWrong, "late", now_, kSettings));
}

TEST_P(ClosedChange, IsClosedForThoseWhoAreNoValidatorsToo) {
  ExpectClosed(Accept(change_, kThomas, TokenCheck::kWrong, Facts(), now_, kSettings));
}

TEST_P(ClosedChange, SendsNothingAgain) {
  ExpectClosed(Resend(change_, kDana, kDana, "k1", {}, now_, kSettings));
  ExpectClosed(Resend(change_, kMarie, kDana, "k1", {}, now_, kSettings));
}

TEST_P(ClosedChange, IsNotCancelled) {
  ExpectClosed(Cancel(change_, kMarie, {kEve, kEve}, now_));
  ExpectClosed(Cancel(change_, kEve, {kEve, kEve}, now_));
}

TEST_P(ClosedChange, LosesNoItems) {
  ExpectNothingHappened(RemoveItems(change_, Every, ItemOutcome::kSkippedContactChanged, now_),
                        GetParam().change, change_);
}

TEST_P(ClosedChange, IsMarkedOnceByTimeIfAtAll) {
  const Transition transition = ExpireOrRemind(change_, now_);
  if (GetParam().title == std::string("ExpiredByTimeOnly")) {
    EXPECT_TRUE(transition.save);
    EXPECT_THAT(EventsOf(transition), ElementsAre("EXPIRED -> EXPIRED"));
    EXPECT_THAT(MailsOf(transition), ElementsAre("EXPIRED aa1-ovh", "EXPIRED dd4-ovh"));
  } else {
    ExpectNothingHappened(transition, GetParam().change, change_);
  }
  const ContactChange before = change_;
  ExpectNothingHappened(ExpireOrRemind(change_, now_ + absl::Hours(1000)), before, change_);
}

TEST_P(ClosedChange, IsShownInItsState) {
  EXPECT_STREQ(Name(StateAt(change_, now_)), GetParam().name);
  const ContactChange shown = Presented(change_, now_);
  EXPECT_STREQ(Name(shown.state), GetParam().name);
  EXPECT_TRUE(shown.close_time.has_value());
  for (const ChangeItem& item : shown.items) EXPECT_NE(item.outcome, ItemOutcome::kPending);
}

// --- The order of the checks -------------------------------------------------------

TEST(ChecksOrder, ClosedComesBeforeAlreadyAnswered) {
  ContactChange change = AcceptedByMarie();
  Cancel(change, kMarie, {kMarie, kMarie}, kNow);
  EXPECT_THAT(AcceptBy(change, kMarie).status, HasReason("CHANGE_CLOSED"));
}

TEST(ChecksOrder, ClosedComesBeforeLocked) {
  ContactChange change = Asked();
  for (int i = 0; i < 10; ++i) AcceptWrongly(change, kDana);
  Cancel(change, kMarie, {kMarie, kMarie}, kNow);
  EXPECT_THAT(AcceptBy(change, kDana).status, HasReason("CHANGE_CLOSED"));
}

TEST(ChecksOrder, AlreadyAnsweredComesBeforeLocked) {
  ContactChange change = AcceptedByMarie();
  change.FindValidation(kMarie)->wrong_tokens = 10;
  EXPECT_THAT(AcceptBy(change, kMarie).status, HasReason("ALREADY_VALIDATED"));
}

TEST(ChecksOrder, AlreadyAnsweredComesBeforeTheTokenAndCountsNothing) {
  for (const TokenCheck token : {TokenCheck::kWrong, TokenCheck::kRight, TokenCheck::kNoKey}) {
    ContactChange change = AcceptedByMarie();
    const ContactChange before = change;
    const Transition accept = Accept(change, kMarie, token, Facts(), kNow, kSettings);
    EXPECT_THAT(accept.status, HasReason("ALREADY_VALIDATED"));
    ExpectNothingHappened(accept, before, change);
    const Transition refuse = Refuse(change, kMarie, token, "no", kNow, kSettings);
    EXPECT_THAT(refuse.status, HasReason("ALREADY_VALIDATED"));
    ExpectNothingHappened(refuse, before, change);
  }
}

TEST(ChecksOrder, LockedComesBeforeTheTokenAndCountsNothing) {
  for (const TokenCheck token : {TokenCheck::kWrong, TokenCheck::kRight, TokenCheck::kNoKey}) {
    ContactChange change = Asked();
    change.FindValidation(kDana)->wrong_tokens = 10;
    const ContactChange before = change;
    const Transition accept = Accept(change, kDana, token, Facts(), kNow, kSettings);
    EXPECT_THAT(accept.status, HasReason("TOKEN_LOCKED"));
    ExpectNothingHappened(accept, before, change);
    const Transition refuse = Refuse(change, kDana, token, "no", kNow, kSettings);
    EXPECT_THAT(refuse.status, HasReason("TOKEN_LOCKED"));
    ExpectNothingHappened(refuse, before, change);
  }
}

TEST(ChecksOrder, TokenComesBeforeBillingOverdue) {
  ContactChange change = AcceptedByMarie(kBilling);
  EffectFacts facts = Facts();
  facts.overdue.insert(kBill);
  EXPECT_THAT(Accept(change, kDana, TokenCheck::kWrong, facts, kNow, kSettings).status,
              HasReason("TOKEN_INVALID"));
}

TEST(ChecksOrder, OneWhoIsNoValidatorGetsTokenInvalidAndNothingIsCounted) {
  for (const TokenCheck token : {TokenCheck::kWrong, TokenCheck::kRight, TokenCheck::kNoKey}) {
    ContactChange change = Asked();
    const ContactChange before = change;
    const Transition accept = Accept(change, kThomas, token, Facts(), kNow, kSettings);
    EXPECT_THAT(accept.status, HasReason("TOKEN_INVALID"));
    ExpectNothingHappened(accept, before, change);
    const Transition refuse = Refuse(change, kThomas, token, "no", kNow, kSettings);
    EXPECT_THAT(refuse.status, HasReason("TOKEN_INVALID"));
    ExpectNothingHappened(refuse, before, change);
  }
}

}  // namespace
}  // namespace contacts
