// The contact change's state machine: every state and command, with the state
// and the effects that follow.

#include "core/workflow/change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/reasons.h"

namespace contacts {
namespace {

using ::testing::ElementsAre;
using testing::HasReason;
using ::testing::IsEmpty;
using testing::OverdueOf;
using testing::RetryDelayOf;
using ::testing::SizeIs;
using enum Role;

const AccountId kMarie("aa1-ovh");   // Requester; admin of both services.
const AccountId kThomas("bb2-ovh");  // Tech of both services.
const AccountId kBill("cc3-ovh");    // Billing of both services.
const AccountId kDana("dd4-ovh");    // New contact.
const AccountId kEve("ee5-ovh");     // Somebody else.
const ServiceId kS0("s0.example");
const ServiceId kS1("s1.example");
const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);
const Settings kSettings;

// --- What tests look at ----------------------------------------------------------

const char* EventName(EventType type) {
  switch (type) {
    case EventType::kRequested: return "REQUESTED";
    case EventType::kValidationSent: return "VALIDATION_SENT";
    case EventType::kValidationUndeliverable: return "VALIDATION_UNDELIVERABLE";
    case EventType::kAccepted: return "ACCEPTED";
    case EventType::kRefused: return "REFUSED";
    case EventType::kTokenRejected: return "TOKEN_REJECTED";
    case EventType::kResendRequested: return "RESEND_REQUESTED";
    case EventType::kDone: return "DONE";
    case EventType::kCancelled: return "CANCELLED";
    case EventType::kExpired: return "EXPIRED";
    case EventType::kAborted: return "ABORTED";
  }
  return "";
}

// "TYPE by ACTOR about ACCOUNT -> STATE" of each event.
std::vector<std::string> EventsOf(const Transition& transition) {
  std::vector<std::string> lines;
  for (const ChangeEvent& event : transition.events) {
    std::string line = EventName(event.type);
    if (!event.actor.empty()) absl::StrAppend(&line, " by ", event.actor.text());
    if (!event.account.empty()) absl::StrAppend(&line, " about ", event.account.text());
    lines.push_back(absl::StrCat(line, " -> ", Name(event.state)));
  }
  return lines;
}

const char* MailName(MailKind kind) {
  switch (kind) {
    case MailKind::kValidation: return "VALIDATION";
    case MailKind::kReminder: return "REMINDER";
    case MailKind::kDone: return "DONE";
    case MailKind::kRolesLost: return "ROLES_LOST";
    case MailKind::kRefused: return "REFUSED";
    case MailKind::kCancelled: return "CANCELLED";
    case MailKind::kExpired: return "EXPIRED";
    case MailKind::kAborted: return "ABORTED";
    case MailKind::kProfileChanged: return "PROFILE_CHANGED";
    case MailKind::kOverride: return "OVERRIDE";
  }
  return "";
}

// "KIND RECIPIENT" of each e-mail, with the generation of those that have one.
std::vector<std::string> MailsOf(const Transition& transition) {
  std::vector<std::string> lines;
  for (const OutboxMail& mail : transition.mails) {
    std::string line = absl::StrCat(MailName(mail.kind), " ", mail.recipient.text());
    if (mail.generation != 0) absl::StrAppend(&line, " #", mail.generation);
    lines.push_back(line);
  }
  return lines;
}

std::string Text(const std::optional<absl::Time>& time) {
  return time ? absl::StrCat(absl::ToUnixMicros(*time)) : "-";
}

// All of a change, to tell whether anything of it moved.
std::string Text(const ContactChange& change) {
  std::string text =
      absl::StrCat(Name(change.state), " ", Text(change.close_time), " ", Text(change.remind_time),
                   " ", Text(change.expire_time), " ", change.event_count, "\n");
  for (const ChangeItem& item : change.items) {
    absl::StrAppend(&text, item.service.text(), " ", Name(item.role), " ", item.old_contact.text(),
                    " ", static_cast<int>(item.outcome), "\n");
  }
  for (const Validation& v : change.validations) {
    absl::StrAppend(&text, v.account.text(), " ", static_cast<int>(v.state), " ",
                    Text(v.decide_time), " ", v.refuse_reason, " ", v.generation, " ",
                    v.token_key_id, " ", v.wrong_tokens, " ", v.resends_in_day, " ", v.email_hint,
                    " ", Text(v.email_send_time), "\n");
  }
  return text;
}

std::vector<ItemOutcome> OutcomesOf(const ContactChange& change) {
  std::vector<ItemOutcome> outcomes;
  for (const ChangeItem& item : change.items) outcomes.push_back(item.outcome);
  return outcomes;
}

void ExpectNothingHappened(const Transition& transition, const ContactChange& before,
                           const ContactChange& after) {
  EXPECT_FALSE(transition.save);
  EXPECT_THAT(EventsOf(transition), IsEmpty());
  EXPECT_THAT(MailsOf(transition), IsEmpty());
  EXPECT_EQ(Text(after), Text(before));
}

// --- What tests start from -------------------------------------------------------

Service MakeService(const ServiceId& id) {
  Service service;
  service.id = id;
  service.admin = kMarie;
  service.tech = kThomas;
  service.billing = kBill;
  return service;
}

EffectFacts Facts() {
  EffectFacts facts;
  facts.services.emplace(kS0, MakeService(kS0));
  facts.services.emplace(kS1, MakeService(kS1));
  return facts;
}

// Marie asks that Dana become `role` of s0 and of s1.
ContactChange Asked(Role role = kTech, const AccountId& new_contact = kDana) {
  AskFacts facts;
  facts.requester = kMarie;
  facts.services = Facts().services;
  ContactChange change = PlanChanges({{kS0, role, new_contact}, {kS1, role, new_contact}}, facts,
                                     "k1", kNow, kSettings)
                             .front();
  change.id = *Uuid::Parse("01890a5d-ac96-774b-bcce-b302099a8057");
  Request(change, kNow);
  return change;
}

Transition AcceptBy(ContactChange& change, const AccountId& account,
                    const EffectFacts& facts = Facts(), absl::Time now = kNow) {
  return Accept(change, account, /*token_matches=*/true, facts, now, kSettings);
}

Transition AcceptWrongly(ContactChange& change, const AccountId& account,
                         const Settings& settings = kSettings) {
  return Accept(change, account, /*token_matches=*/false, Facts(), kNow, settings);
}

Transition RefuseBy(ContactChange& change, const AccountId& account,
                    const std::string& reason = "not mine") {
  return Refuse(change, account, /*token_matches=*/true, reason, kNow, kSettings);
}

bool Every(const ChangeItem&) { return true; }
bool OnS0(const ChangeItem& item) { return item.service == kS0; }

// Dana may give the last acceptance.
ContactChange AcceptedByMarie(Role role = kTech) {
  ContactChange change = Asked(role);
  AcceptBy(change, kMarie);
  return change;
}

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
  const Transition transition =
      Refuse(change, kDana, /*token_matches=*/false, "no", kNow, kSettings);
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
  const Transition transition = Resend(change, kDana, kDana, "k2", kNow, kSettings);
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
  const Transition transition = Cancel(change, kMarie, /*is_admin_of_all=*/true, kNow);
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
  ExpectNothingHappened(PassTime(change, kNow + absl::Hours(119)), before, change);
}

TEST(Validating, TakeOutOfEveryItemAborts) {
  ContactChange change = Asked();
  const Transition transition = TakeOut(change, Every, ItemOutcome::kSkippedContactChanged, kNow);
  EXPECT_THAT(transition.status, HasReason(""));
  EXPECT_EQ(change.state, ChangeState::kAborted);
  EXPECT_EQ(change.close_time, kNow);
  EXPECT_THAT(OutcomesOf(change), ElementsAre(ItemOutcome::kSkippedContactChanged,
                                              ItemOutcome::kSkippedContactChanged));
  EXPECT_THAT(EventsOf(transition), ElementsAre("ABORTED -> ABORTED"));
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
  Cancel(change, kMarie, true, kNow);
  return {"CANCELLED", "Cancelled", change};
}
Closed ExpiredAndMarked() {
  ContactChange change = Asked();
  PassTime(change, change.expire_time);
  return {"EXPIRED", "ExpiredAndMarked", change, change.expire_time};
}
Closed ExpiredByTimeOnly() {
  const ContactChange change = Asked();
  return {"EXPIRED", "ExpiredByTimeOnly", change, change.expire_time};
}
Closed Aborted() {
  ContactChange change = Asked();
  TakeOut(change, Every, ItemOutcome::kSkippedServiceRemoved, kNow);
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
    ExpectClosed(Accept(change_, account, true, Facts(), now_, kSettings));
  }
}

TEST_P(ClosedChange, TakesNoAcceptanceWithWrongTokenAndDoesNotCountIt) {
  ExpectClosed(Accept(change_, kDana, false, Facts(), now_, kSettings));
}

TEST_P(ClosedChange, TakesNoRefusalWithRightToken) {
  for (const AccountId& account : {kMarie, kDana}) {
    ExpectClosed(Refuse(change_, account, true, "late", now_, kSettings));
  }
}

TEST_P(ClosedChange, TakesNoRefusalWithWrongTokenAndDoesNotCountIt) {
  ExpectClosed(Refuse(change_, kDana, false, "late", now_, kSettings));
}

TEST_P(ClosedChange, IsClosedForThoseWhoAreNoValidatorsToo) {
  ExpectClosed(Accept(change_, kThomas, false, Facts(), now_, kSettings));
}

TEST_P(ClosedChange, SendsNothingAgain) {
  ExpectClosed(Resend(change_, kDana, kDana, "k1", now_, kSettings));
  ExpectClosed(Resend(change_, kMarie, kDana, "k1", now_, kSettings));
}

TEST_P(ClosedChange, IsNotCancelled) {
  ExpectClosed(Cancel(change_, kMarie, true, now_));
  ExpectClosed(Cancel(change_, kEve, true, now_));
}

TEST_P(ClosedChange, LosesNoItems) {
  ExpectNothingHappened(TakeOut(change_, Every, ItemOutcome::kSkippedContactChanged, now_),
                        GetParam().change, change_);
}

TEST_P(ClosedChange, IsMarkedOnceByTimeIfAtAll) {
  const Transition transition = PassTime(change_, now_);
  if (GetParam().title == std::string("ExpiredByTimeOnly")) {
    EXPECT_TRUE(transition.save);
    EXPECT_THAT(EventsOf(transition), ElementsAre("EXPIRED -> EXPIRED"));
    EXPECT_THAT(MailsOf(transition), ElementsAre("EXPIRED aa1-ovh", "EXPIRED dd4-ovh"));
  } else {
    ExpectNothingHappened(transition, GetParam().change, change_);
  }
  const ContactChange before = change_;
  ExpectNothingHappened(PassTime(change_, now_ + absl::Hours(1000)), before, change_);
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
  Cancel(change, kMarie, true, kNow);
  EXPECT_THAT(AcceptBy(change, kMarie).status, HasReason("CHANGE_CLOSED"));
}

TEST(ChecksOrder, ClosedComesBeforeLocked) {
  ContactChange change = Asked();
  for (int i = 0; i < 10; ++i) AcceptWrongly(change, kDana);
  Cancel(change, kMarie, true, kNow);
  EXPECT_THAT(AcceptBy(change, kDana).status, HasReason("CHANGE_CLOSED"));
}

TEST(ChecksOrder, AlreadyAnsweredComesBeforeLocked) {
  ContactChange change = AcceptedByMarie();
  change.FindValidation(kMarie)->wrong_tokens = 10;
  EXPECT_THAT(AcceptBy(change, kMarie).status, HasReason("ALREADY_VALIDATED"));
}

TEST(ChecksOrder, AlreadyAnsweredComesBeforeTheTokenAndCountsNothing) {
  for (const bool token_matches : {true, false}) {
    ContactChange change = AcceptedByMarie();
    const ContactChange before = change;
    const Transition accept = Accept(change, kMarie, token_matches, Facts(), kNow, kSettings);
    EXPECT_THAT(accept.status, HasReason("ALREADY_VALIDATED"));
    ExpectNothingHappened(accept, before, change);
    const Transition refuse = Refuse(change, kMarie, token_matches, "no", kNow, kSettings);
    EXPECT_THAT(refuse.status, HasReason("ALREADY_VALIDATED"));
    ExpectNothingHappened(refuse, before, change);
  }
}

TEST(ChecksOrder, LockedComesBeforeTheTokenAndCountsNothing) {
  for (const bool token_matches : {true, false}) {
    ContactChange change = Asked();
    change.FindValidation(kDana)->wrong_tokens = 10;
    const ContactChange before = change;
    const Transition accept = Accept(change, kDana, token_matches, Facts(), kNow, kSettings);
    EXPECT_THAT(accept.status, HasReason("TOKEN_LOCKED"));
    ExpectNothingHappened(accept, before, change);
    const Transition refuse = Refuse(change, kDana, token_matches, "no", kNow, kSettings);
    EXPECT_THAT(refuse.status, HasReason("TOKEN_LOCKED"));
    ExpectNothingHappened(refuse, before, change);
  }
}

TEST(ChecksOrder, TokenComesBeforeBillingOverdue) {
  ContactChange change = AcceptedByMarie(kBilling);
  EffectFacts facts = Facts();
  facts.overdue.insert(kBill);
  EXPECT_THAT(Accept(change, kDana, false, facts, kNow, kSettings).status,
              HasReason("TOKEN_INVALID"));
}

TEST(ChecksOrder, OneWhoIsNoValidatorGetsTokenInvalidAndNothingIsCounted) {
  for (const bool token_matches : {true, false}) {
    ContactChange change = Asked();
    const ContactChange before = change;
    const Transition accept = Accept(change, kThomas, token_matches, Facts(), kNow, kSettings);
    EXPECT_THAT(accept.status, HasReason("TOKEN_INVALID"));
    ExpectNothingHappened(accept, before, change);
    const Transition refuse = Refuse(change, kThomas, token_matches, "no", kNow, kSettings);
    EXPECT_THAT(refuse.status, HasReason("TOKEN_INVALID"));
    ExpectNothingHappened(refuse, before, change);
  }
}

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

  EXPECT_THAT(Resend(change, kDana, kDana, "k1", kNow, kSettings).status, HasReason(""));
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
    Refuse(change, kDana, false, "", kNow, kSettings);
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
  const Transition own = Resend(change, kMarie, kMarie, "k1", kNow, kSettings);
  EXPECT_THAT(MailsOf(own), ElementsAre("VALIDATION aa1-ovh #2"));
  const Transition other = Resend(change, kMarie, kDana, "k1", kNow, kSettings);
  EXPECT_THAT(MailsOf(other), ElementsAre("VALIDATION dd4-ovh #2"));
  EXPECT_THAT(EventsOf(other),
              ElementsAre("RESEND_REQUESTED by aa1-ovh about dd4-ovh -> VALIDATING"));
}

TEST(Resending, OthersMayNot) {
  ContactChange change = Asked();
  const ContactChange before = change;
  const std::pair<AccountId, AccountId> kDenied[] = {
      {kDana, kMarie},                        // The new contact, for the requester.
      {kThomas, kDana},                       // An old contact, for a validator.
      {kThomas, kThomas},                     // One who is no validator, for itself.
      {kEve, kDana},      {kMarie, kThomas},  // The requester, for one who is no validator.
  };
  for (const auto& [actor, validator] : kDenied) {
    const Transition transition = Resend(change, actor, validator, "k1", kNow, kSettings);
    EXPECT_THAT(transition.status, HasReason("CALLER_NOT_ALLOWED")) << actor << " " << validator;
    ExpectNothingHappened(transition, before, change);
  }
}

TEST(Resending, ToOneWhoHasAnsweredIsRefused) {
  ContactChange change = AcceptedByMarie();
  const ContactChange before = change;
  const Transition transition = Resend(change, kMarie, kMarie, "k1", kNow, kSettings);
  EXPECT_THAT(transition.status, HasReason("ALREADY_VALIDATED"));
  ExpectNothingHappened(transition, before, change);
}

TEST(Resending, IsLimitedToOnceAMinuteAndTellsTheWait) {
  ContactChange change = Asked();
  ASSERT_THAT(Resend(change, kDana, kDana, "k1", kNow, kSettings).status, HasReason(""));
  const ContactChange before = change;
  const Transition soon = Resend(change, kDana, kDana, "k1", kNow + absl::Seconds(45), kSettings);
  EXPECT_THAT(soon.status, HasReason("RESEND_TOO_SOON"));
  EXPECT_EQ(RetryDelayOf(soon.status), absl::Seconds(15));
  ExpectNothingHappened(soon, before, change);
  EXPECT_THAT(Resend(change, kDana, kDana, "k1", kNow + absl::Seconds(60), kSettings).status,
              HasReason(""));
  EXPECT_EQ(change.FindValidation(kDana)->generation, 3);
}

TEST(Resending, MinuteCountsWhoeverAskedForIt) {
  ContactChange change = Asked();
  Resend(change, kMarie, kDana, "k1", kNow, kSettings);
  EXPECT_THAT(Resend(change, kDana, kDana, "k1", kNow + absl::Seconds(1), kSettings).status,
              HasReason("RESEND_TOO_SOON"));
}

TEST(Resending, IsLimitedForEachValidatorOnItsOwn) {
  ContactChange change = Asked();
  Resend(change, kMarie, kDana, "k1", kNow, kSettings);
  EXPECT_THAT(Resend(change, kMarie, kMarie, "k1", kNow, kSettings).status, HasReason(""));
}

TEST(Resending, IsLimitedToTwentyADayAndTellsTheWait) {
  ContactChange change = Asked();
  absl::Time now = kNow;
  for (int i = 1; i <= 20; ++i) {
    ASSERT_THAT(Resend(change, kDana, kDana, "k1", now, kSettings).status, HasReason("")) << i;
    now += absl::Minutes(1);
  }
  const Transition refused = Resend(change, kDana, kDana, "k1", now, kSettings);
  EXPECT_THAT(refused.status, HasReason("RESEND_TOO_SOON"));
  EXPECT_EQ(RetryDelayOf(refused.status), absl::Hours(24) - absl::Minutes(20));
  EXPECT_THAT(
      Resend(change, kDana, kDana, "k1", kNow + absl::Hours(24) - absl::Seconds(1), kSettings)
          .status,
      HasReason("RESEND_TOO_SOON"));
  for (int i = 1; i <= 20; ++i) {  // The next day has twenty of its own.
    ASSERT_THAT(
        Resend(change, kDana, kDana, "k1", kNow + absl::Hours(24) + absl::Minutes(i), kSettings)
            .status,
        HasReason(""));
  }
}

TEST(Resending, BothLimitsAreSettings) {
  Settings settings;
  settings.resend_interval = absl::Seconds(10);
  settings.max_resends_per_day = 2;
  ContactChange change = Asked();
  EXPECT_THAT(Resend(change, kDana, kDana, "k1", kNow, settings).status, HasReason(""));
  EXPECT_THAT(Resend(change, kDana, kDana, "k1", kNow + absl::Seconds(9), settings).status,
              HasReason("RESEND_TOO_SOON"));
  EXPECT_THAT(Resend(change, kDana, kDana, "k1", kNow + absl::Seconds(10), settings).status,
              HasReason(""));
  EXPECT_THAT(Resend(change, kDana, kDana, "k1", kNow + absl::Hours(1), settings).status,
              HasReason("RESEND_TOO_SOON"));
}

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
  TakeOut(change, OnS0, ItemOutcome::kSkippedContactChanged, kNow);
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

TEST(Batch, GiftOnOneServiceKeepsNoAuthorityOnAnother) {
  ContactChange change = AcceptedByMarie();
  EffectFacts facts = AdminGivenToEve();
  facts.services.at(kS1).admin = kEve;  // Not by the batch.
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
  TakeOut(taken_out, OnS0, ItemOutcome::kSkippedContactChanged, kNow);
  EXPECT_THAT(AcceptBy(taken_out, kDana, facts).status, HasReason(""));
  EXPECT_EQ(taken_out.state, ChangeState::kDone);
}

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

// --- Time ----------------------------------------------------------------------------------

TEST(Time, ReminderGoesOnceToEachPendingValidatorWithTheSameToken) {
  ContactChange change = Asked();
  Resend(change, kDana, kDana, "k1", kNow, kSettings);
  const absl::Time due = change.expire_time - absl::Hours(48);
  const Transition transition = PassTime(change, due);
  EXPECT_TRUE(transition.save);
  EXPECT_THAT(MailsOf(transition), ElementsAre("REMINDER aa1-ovh #1", "REMINDER dd4-ovh #2"));
  EXPECT_THAT(EventsOf(transition), IsEmpty());
  EXPECT_EQ(change.state, ChangeState::kValidating);
  const ContactChange before = change;
  ExpectNothingHappened(PassTime(change, due + absl::Hours(1)), before, change);
}

TEST(Time, ReminderDoesNotGoToOneWhoHasAnswered) {
  ContactChange change = AcceptedByMarie();
  EXPECT_THAT(MailsOf(PassTime(change, change.expire_time - absl::Hours(48))),
              ElementsAre("REMINDER dd4-ovh #1"));
}

TEST(Time, ReminderIsNotSentBeforeItIsDue) {
  ContactChange change = Asked();
  const ContactChange before = change;
  ExpectNothingHappened(
      PassTime(change, change.expire_time - absl::Hours(48) - absl::Microseconds(1)), before,
      change);
}

TEST(Time, ReminderMissedUntilTheEndIsNotSentAnyMore) {
  ContactChange change = Asked();
  EXPECT_THAT(MailsOf(PassTime(change, change.expire_time)),
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
  const Transition transition = PassTime(change, swept);
  EXPECT_EQ(change.state, ChangeState::kExpired);
  EXPECT_EQ(change.close_time, change.expire_time);
  EXPECT_THAT(OutcomesOf(change), ElementsAre(ItemOutcome::kNotApplied, ItemOutcome::kNotApplied));
  EXPECT_THAT(EventsOf(transition), ElementsAre("EXPIRED -> EXPIRED"));
  EXPECT_THAT(MailsOf(transition), ElementsAre("EXPIRED aa1-ovh", "EXPIRED dd4-ovh"));
}

TEST(Time, ExpiryOfATakeoverTellsTheRequesterOnce) {
  ContactChange change = Asked(kTech, kMarie);
  EXPECT_THAT(MailsOf(PassTime(change, change.expire_time)), ElementsAre("EXPIRED aa1-ovh"));
}

TEST(Time, ReadsShowAnUnmarkedExpiredChangeAsAMarkedOne) {
  const ContactChange change = Asked();
  ContactChange marked = change;
  PassTime(marked, change.expire_time);
  const ContactChange shown = Presented(change, change.expire_time + absl::Hours(1));
  EXPECT_EQ(shown.state, marked.state);
  EXPECT_EQ(shown.close_time, marked.close_time);
  EXPECT_EQ(OutcomesOf(shown), OutcomesOf(marked));
  EXPECT_EQ(Text(Presented(change, change.expire_time - absl::Microseconds(1))), Text(change));
}

// --- Taking items out ------------------------------------------------------------------------

TEST(TakingOut, OneItemOfTwoLeavesTheChangeValidatingAndTellsNobody) {
  ContactChange change = AcceptedByMarie();
  const Transition transition = TakeOut(change, OnS0, ItemOutcome::kSkippedServiceRemoved, kNow);
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
  TakeOut(change, OnS0, ItemOutcome::kSkippedServiceRemoved, kNow);
  TakeOut(change, Every, ItemOutcome::kSkippedContactChanged, kNow);
  EXPECT_EQ(change.state, ChangeState::kAborted);
  EXPECT_THAT(OutcomesOf(change), ElementsAre(ItemOutcome::kSkippedServiceRemoved,
                                              ItemOutcome::kSkippedContactChanged));
}

TEST(TakingOut, NothingThatIsConcernedDoesNothing) {
  ContactChange change = Asked();
  const ContactChange before = change;
  ExpectNothingHappened(TakeOut(
                            change, [](const ChangeItem&) { return false; },
                            ItemOutcome::kSkippedContactChanged, kNow),
                        before, change);
}

// --- Deliveries ------------------------------------------------------------------------------

Transition Delivered(ContactChange& change, int64_t generation, EventType event) {
  OutboxMail mail;
  mail.kind = MailKind::kValidation;
  mail.recipient = kDana;
  mail.generation = generation;
  Transition transition;
  RecordDelivery(transition, change, mail, event, "d***@mail.example", kNow);
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
  Resend(change, kDana, kDana, "k1", kNow, kSettings);
  const Transition transition = Delivered(change, 1, EventType::kValidationSent);
  EXPECT_FALSE(change.FindValidation(kDana)->email_send_time.has_value());
  EXPECT_THAT(transition.events, SizeIs(1));
}

TEST(Delivery, GivenUpIsUndeliverableInTheHistory) {
  ContactChange change = Asked();
  const Transition transition = Delivered(change, 1, EventType::kValidationUndeliverable);
  EXPECT_FALSE(change.FindValidation(kDana)->email_send_time.has_value());
  EXPECT_THAT(EventsOf(transition),
              ElementsAre("VALIDATION_UNDELIVERABLE about dd4-ovh -> VALIDATING"));
}

}  // namespace
}  // namespace contacts
