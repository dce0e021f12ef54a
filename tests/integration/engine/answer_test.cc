// Answers and their effect.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using enum Role;

constexpr char kS0[] = "s0.example";
constexpr char kS1[] = "s1.example";
constexpr char kWrong[] = "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA-A";
using enum EventType;

ContactChange AskTech(World& world) {
  const World::Asked asked = world.Ask(kMarie, {Move(kS0, kTech, kDana)});
  EXPECT_THAT(asked.status, HasReason(""));
  return asked.changes.at(0);
}

// --- Wrong tokens -------------------------------------------------------------

TEST(WrongToken, IsCountedAndRecordedThoughTheCallFails) {
  World world;
  const ContactChange change = AskTech(world);
  EXPECT_THAT(world.Accept(kDana, change.id, kWrong).status, HasReason("TOKEN_INVALID"));
  EXPECT_THAT(world.Refuse(kDana, change.id, kWrong).status, HasReason("TOKEN_INVALID"));
  EXPECT_EQ(world.test_database.Count("SELECT new_contact_wrong_tokens FROM contact_change"), 2);
  EXPECT_EQ(world.test_database.Count("SELECT requester_wrong_tokens FROM contact_change"), 0);
  EXPECT_THAT(world.History(change.id), ElementsAre(kRequested, kTokenRejected, kTokenRejected));
}

TEST(WrongToken, LocksAfterTenUntilAResend) {
  World world;
  const ContactChange change = AskTech(world);
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(world.Accept(kDana, change.id, kWrong).status, HasReason("TOKEN_INVALID"));
  }
  EXPECT_THAT(world.Accept(kDana, change).status, HasReason("TOKEN_LOCKED"));
  EXPECT_EQ(world.test_database.Count("SELECT new_contact_wrong_tokens FROM contact_change"), 10);
  ASSERT_THAT(world.Resend(kMarie, change.id, kDana).status, HasReason(""));
  EXPECT_THAT(world.Accept(kDana, change).status, HasReason(""));
}

TEST(WrongToken, OfOneWhoIsNoValidatorIsNotCounted) {
  World world;
  const ContactChange change =
      world.Ask(kThomas, {Move(kS0, kTech, kDana)}).changes.at(0);  // Marie is only admin.
  const std::string before = world.test_database.Dump();
  EXPECT_THAT(world.Accept(kMarie, change.id, kWrong).status, HasReason("TOKEN_INVALID"));
  EXPECT_THAT(world.Accept(kMarie, change.id, world.Token(change.id, kDana)).status,
              HasReason("TOKEN_INVALID"));
  EXPECT_EQ(world.test_database.Dump(), before);
}

// --- Tokens of earlier e-mails and of addresses before ------------------------------------------

// The token of an earlier e-mail or address: TOKEN_INVALID, superseded, with nothing written.
void ExpectSuperseded(World& world, const std::string& account, const Uuid& id,
                      const std::string& token) {
  const std::string before = world.test_database.Dump();
  for (const absl::Status& status :
       {world.Accept(account, id, token).status, world.Refuse(account, id, token).status}) {
    EXPECT_THAT(status, HasReason("TOKEN_INVALID"));
    EXPECT_EQ(MetadataOf(status, "superseded"), "true");
  }
  EXPECT_EQ(world.test_database.Dump(), before);
}

TEST(SupersededToken, OfAnEarlierEmailIsNeitherCountedNorRecorded) {
  World world;
  const ContactChange change = AskTech(world);
  std::vector<std::string> sent;
  for (int i = 0; i < 3; ++i) {
    sent.push_back(world.Token(change.id, kDana));
    ASSERT_THAT(world.Resend(kDana, change.id).status, HasReason(""));
    world.clock.Advance(absl::Minutes(1));
  }
  for (const std::string& token : sent) ExpectSuperseded(world, kDana, change.id, token);
  const absl::Status wrong = world.Accept(kDana, change.id, kWrong).status;
  EXPECT_EQ(MetadataOf(wrong, "superseded"), "");
  // Only the validator's own earlier tokens.
  EXPECT_EQ(MetadataOf(world.Accept(kMarie, change.id, sent[0]).status, "superseded"), "");
  EXPECT_THAT(world.Accept(kDana, change).status, HasReason(""));
}

TEST(SupersededToken, OfAnAddressThatTheProfileNoLongerHasHoldsNothing) {
  World world;
  const ContactChange change = AskTech(world);
  const std::string first = world.Token(change.id, kDana);
  ASSERT_THAT(world.SetEmail(kDana, "second@mail.example"), HasReason(""));
  const std::string second = world.Token(change.id, kDana);
  EXPECT_NE(first, second);
  ExpectSuperseded(world, kDana, change.id, first);
  // By an import too.
  ASSERT_TRUE(
      world.engine.bulk
          .ImportBatch(World::AsOperator().limits,
                       {AccountRecord{.id = AccountId(kDana), .email = "third@mail.example"}})
          .ok());
  ExpectSuperseded(world, kDana, change.id, first);
  ExpectSuperseded(world, kDana, change.id, second);
  // The cure: an e-mail to the present address.
  ASSERT_THAT(world.Resend(kMarie, change.id, kDana).status, HasReason(""));
  ExpectSuperseded(world, kDana, change.id, first);
  EXPECT_THAT(world.Accept(kDana, change).status, HasReason(""));
}

TEST(SupersededToken, NotBoundToItsAddressServesUntilTheAddressInUseIsReplaced) {
  World world;
  TokenKeys keys = world.keys;
  keys.UnbindNewTokens();
  Engine engine(&world.database, keys, world.settings, [&] { return world.clock.Now(); });
  const ContactChange change =
      world.Ask(kMarie, {Move(kS0, kTech, kDana)}, std::nullopt, false, &engine).changes.at(0);
  const std::string maries = world.Token(change.id, kMarie);
  const std::string danas = world.Token(change.id, kDana);
  world.clock.Advance(absl::Seconds(1));
  // Asked for and withdrawn: the address in use stays.
  for (const std::string& email : {std::string("other@mail.example"), world.EmailOf(kMarie)}) {
    ASSERT_TRUE(engine.profiles
                    .UpdateAccount(World::As(kMarie), {.id = AccountId(kMarie), .email = email},
                                   [](const Account&) { return std::string("updated"); })
                    .ok());
  }
  EXPECT_THAT(world.Accept(kMarie, change.id, maries).status, HasReason(""));
  ASSERT_THAT(world.SetEmail(kDana, "second@mail.example"), HasReason(""));
  ExpectSuperseded(world, kDana, change.id, danas);
}

TEST(SupersededToken, ServesAgainOnceTheProfileHasItsAddressAgain) {
  World world;
  const ContactChange change = AskTech(world);
  const std::string token = world.Token(change.id, kDana);
  const std::string address = world.EmailOf(kDana);
  ASSERT_THAT(world.SetEmail(kDana, "second@mail.example"), HasReason(""));
  ASSERT_THAT(world.SetEmail(kDana, address), HasReason(""));
  EXPECT_THAT(world.Accept(kDana, change.id, token).status, HasReason(""));
}

TEST(SupersededToken, AddressesOfBeforeAreForgottenOnceNoChangeCanBeThatOld) {
  World world;
  ASSERT_THAT(world.SetEmail(kDana, "second@mail.example"), HasReason(""));
  world.TakeMails();
  EXPECT_THAT(world.test_database.Dump(), ::testing::Not(::testing::HasSubstr("dd4-ovh@mail")));
  const auto kept = [&] {
    return world.test_database.Count("SELECT COUNT(*) FROM earlier_address");
  };
  EXPECT_EQ(kept(), 1);
  world.clock.Advance(kLongestChangeLifetime);
  ASSERT_TRUE(world.engine.maintenance.PurgeRequests(1000).ok());
  EXPECT_EQ(kept(), 1);
  world.clock.Advance(absl::Microseconds(1));
  ASSERT_TRUE(world.engine.maintenance.PurgeRequests(1000).ok());
  EXPECT_EQ(kept(), 0);
}

// A server of a time before has asked: its key name says that the token is not bound.
TEST(TokenOfAServerOfATimeBefore, ServesUntilTheAddressChangesAndIsThenSuperseded) {
  World world;
  const ContactChange change = AskTech(world);
  world.test_database.Execute(
      "UPDATE contact_change SET requester_token_key_id = REPLACE(requester_token_key_id,"
      " '/address', ''), new_contact_token_key_id = REPLACE(new_contact_token_key_id, '/address',"
      " '')");
  const std::string token = world.Token(change.id, kDana);
  ASSERT_THAT(world.SetEmail(kMarie, "marie@new.example"), HasReason(""));
  ExpectSuperseded(world, kMarie, change.id, world.Token(change.id, kMarie));
  EXPECT_THAT(world.Accept(kDana, change.id, kWrong).status, HasReason("TOKEN_INVALID"));
  EXPECT_THAT(world.Accept(kDana, change.id, token).status, HasReason(""));
  ASSERT_THAT(world.Resend(kMarie, change.id).status, HasReason(""));
  EXPECT_THAT(world.Accept(kMarie, change).status, HasReason(""));
}

// --- Other errors of answers ----------------------------------------------------

TEST(Answer, GivenTwiceIsAlreadyValidated) {
  World world;
  const ContactChange change = AskTech(world);
  ASSERT_THAT(world.Accept(kMarie, change).status, HasReason(""));
  EXPECT_THAT(world.Accept(kMarie, change).status, HasReason("ALREADY_VALIDATED"));
  EXPECT_THAT(world.Refuse(kMarie, change.id, world.Token(change.id, kMarie)).status,
              HasReason("ALREADY_VALIDATED"));
}

TEST(Answer, ToAChangePastItsDeadlineIsRefusedBeforeAnySweep) {
  World world;
  const ContactChange change = AskTech(world);
  ASSERT_THAT(world.Accept(kMarie, change).status, HasReason(""));
  world.clock.Advance(absl::Hours(24 * 7));
  EXPECT_THAT(world.Accept(kDana, change).status, HasReason("CHANGE_CLOSED"));
  EXPECT_THAT(world.Refuse(kDana, change.id, world.Token(change.id, kDana)).status,
              HasReason("CHANGE_CLOSED"));
  EXPECT_THAT(world.Resend(kMarie, change.id, kDana).status, HasReason("CHANGE_CLOSED"));
  EXPECT_THAT(world.Cancel(kMarie, change.id).status, HasReason("CHANGE_CLOSED"));
  EXPECT_EQ(world.Get(kMarie, change.id)->state, ChangeState::kExpired);
  EXPECT_EQ(world.Holder(kS0, kTech), kThomas);
}

TEST(Answer, ToAClosedChangeChangesNothing) {
  World world;
  const ContactChange change = AskTech(world);
  ASSERT_THAT(world.Cancel(kMarie, change.id).status, HasReason(""));
  const std::string before = world.test_database.Dump();
  EXPECT_THAT(world.Accept(kDana, change).status, HasReason("CHANGE_CLOSED"));
  EXPECT_THAT(world.Accept(kDana, change.id, kWrong).status, HasReason("CHANGE_CLOSED"));
  EXPECT_EQ(world.test_database.Dump(), before);
}

// --- Resending ------------------------------------------------------------------

TEST(Resending, MakesTheTokenBeforeStopWorking) {
  World world;
  const ContactChange change = AskTech(world);
  const std::string before = world.Token(change.id, kDana);
  ASSERT_THAT(world.Resend(kDana, change.id).status, HasReason(""));
  EXPECT_NE(world.Token(change.id, kDana), before);
  EXPECT_THAT(world.Accept(kDana, change.id, before).status, HasReason("TOKEN_INVALID"));
  EXPECT_THAT(world.Accept(kDana, change).status, HasReason(""));
  EXPECT_THAT(world.History(change.id), ElementsAre(kRequested, kResendRequested, kAccepted));
}

TEST(Resending, GoesToTheAddressOfTheProfileByThen) {
  World world;
  const ContactChange change = AskTech(world);
  world.TakeMails();
  ASSERT_THAT(world.SetEmail(kDana, "dana@new.example"), HasReason(""));
  ASSERT_THAT(world.Resend(kMarie, change.id, kDana).status, HasReason(""));
  const auto claimed = world.outbox.Claim(10, absl::Minutes(1), world.clock.Now());
  ASSERT_TRUE(claimed.ok());
  ASSERT_THAT(*claimed, SizeIs(2));  // With the notice of the changed profile.
  const bool first = (*claimed)[0].mail.kind == MailKind::kValidation;
  const MailFacts& facts = (*claimed)[first ? 0 : 1];
  EXPECT_EQ(facts.recipient.email, "dana@new.example");
  EXPECT_EQ(facts.token, world.Token(change.id, kDana));
  ASSERT_TRUE(world.outbox.Sent(*claimed, world.Clock()).ok());
  EXPECT_EQ(world.Get(kDana, change.id)->FindValidation(AccountId(kDana))->email_hint,
            "d***@new.example");
}

TEST(Resending, IsLimitedOnceAMinute) {
  World world;
  const ContactChange change = AskTech(world);
  world.clock.Advance(absl::Minutes(5));
  ASSERT_THAT(world.Resend(kDana, change.id).status, HasReason(""));
  const absl::Status soon = world.Resend(kDana, change.id).status;
  EXPECT_THAT(soon, HasReason("RESEND_TOO_SOON"));
  EXPECT_EQ(RetryDelayOf(soon), absl::Minutes(1));
  world.clock.Advance(absl::Minutes(1));
  EXPECT_THAT(world.Resend(kDana, change.id).status, HasReason(""));
}

TEST(Resending, ToOthersIsForTheRequesterAlone) {
  World world;
  const ContactChange change = AskTech(world);
  EXPECT_THAT(world.Resend(kDana, change.id, kMarie).status, HasReason("CALLER_NOT_ALLOWED"));
  EXPECT_THAT(world.Resend(kMarie, change.id, kThomas).status, HasReason("CALLER_NOT_ALLOWED"));
  EXPECT_THAT(world.Resend(kMarie, change.id, kDana).status, HasReason(""));
}

TEST(GoodStanding, IsAskedOfEveryOldAndNewContactIfTheSettingSaysSo) {
  Settings settings;
  settings.standing_for_every_role = true;
  World world(settings);
  const auto overdue = [&](const char* account, bool is) {
    ASSERT_TRUE(
        world.SetStanding(account, is ? BillingStanding::kOverdue : BillingStanding::kUpToDate)
            .ok());
  };
  for (const char* account : {kThomas, kDana}) {
    overdue(account, true);
    EXPECT_THAT(world.Ask(kMarie, {Move("s1.example", kTech, kDana)}).status,
                HasReason("BILLING_OVERDUE"));
    overdue(account, false);
  }
  const ContactChange change = AskTech(world);
  world.Accept(kMarie, change);
  for (const char* account : {kThomas, kDana}) {
    overdue(account, true);
    EXPECT_THAT(world.Accept(kDana, change).status, HasReason("BILLING_OVERDUE"));
    overdue(account, false);
  }
  EXPECT_EQ(world.Accept(kDana, change).change.state, ChangeState::kDone);
}

// --- Cancelling -------------------------------------------------------------------

TEST(Cancelling, OfAllIsForTheRequesterAndOfTheItemsOnItsServicesForAnAdmin) {
  World world;
  world.AddService("eve.example", kEve, kThomas, kBill);
  const auto ask = [&](const std::vector<Assignment>& assignments) {
    return world.Ask(kThomas, assignments).changes.at(0).id;
  };
  const Uuid both = ask({Move(kS0, kTech, kDana), Move("eve.example", kTech, kDana)});
  EXPECT_THAT(world.Cancel(kDana, both).status, HasReason("ROLE_NOT_ALLOWED"));
  EXPECT_THAT(world.Cancel(kBill, both).status, HasReason("CONTACT_CHANGE_NOT_FOUND"));
  EXPECT_THAT(world.Cancel(kThomas, both).status, HasReason(""));
  const Uuid own = ask({Move(kS0, kTech, kDana), Move(kS1, kTech, kDana)});
  world.TakeMails();
  EXPECT_EQ(world.Cancel(kMarie, own).change.state, ChangeState::kCancelled);
  EXPECT_THAT(world.TakeMails(), ElementsAre("CANCELLED bb2-ovh", "CANCELLED dd4-ovh"));
}

TEST(Withdrawal, ByTheAdminOfSomeServicesFreesTheirRolesAndTheChangeGoesOn) {
  World world;
  world.AddService("eve.example", kEve, kThomas, kBill);
  const ContactChange change =
      world.Ask(kThomas, {Move("eve.example", kTech, kDana), Move(kS0, kTech, kDana)})
          .changes.at(0);
  world.Accept(kThomas, change);
  world.TakeMails();
  const World::Answered withdrawn = world.Cancel(kEve, change.id);
  EXPECT_THAT(withdrawn.status, HasReason(""));
  EXPECT_EQ(withdrawn.change.state, ChangeState::kValidating);
  EXPECT_EQ(withdrawn.change.items.at(0).outcome, ItemOutcome::kWithdrawn);
  EXPECT_EQ(withdrawn.change.items.at(0).withdrawn_by, AccountId(kEve));
  EXPECT_EQ(withdrawn.change.items.at(1).outcome, ItemOutcome::kPending);
  EXPECT_EQ(world.Get(kDana, change.id)->items.at(0).outcome, ItemOutcome::kWithdrawn);
  const auto events =
      world.engine.reading.ListContactChangeEvents(World::As(kEve), change.id, {.size = 100});
  EXPECT_EQ(events->rows.back().type, EventType::kItemsWithdrawn);
  EXPECT_EQ(events->rows.back().actor, AccountId(kEve));
  EXPECT_THAT(world.TakeMails(), ElementsAre("ITEMS_WITHDRAWN bb2-ovh", "ITEMS_WITHDRAWN dd4-ovh"));
  // Its role is free for another change.
  EXPECT_THAT(world.Ask(kEve, {Move("eve.example", kTech, kEve)}).status, HasReason(""));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kMarie)}).status,
              HasReason("CHANGE_ALREADY_PENDING"));
  // She no longer has a pending item in it, and the answers given so far stand.
  EXPECT_THAT(world.Cancel(kEve, change.id).status, HasReason("ROLE_NOT_ALLOWED"));
  EXPECT_EQ(world.Accept(kDana, change).change.state, ChangeState::kDone);
  EXPECT_EQ(world.Holder(kS0, kTech), kDana);
  EXPECT_EQ(world.Holder("eve.example", kTech), kThomas);
  EXPECT_THAT(world.Cancel(kEve, change.id).status, HasReason("CHANGE_CLOSED"));
}

TEST(Withdrawal, OfTheLastPendingItemCancelsTheChangeAlsoAfterOthersWereTakenOut) {
  World world;
  world.AddService("eve.example", kEve, kThomas, kBill);
  world.AddService("bill.example", kBill, kThomas, kBill);
  const Uuid change = world
                          .Ask(kThomas, {Move(kS0, kTech, kDana), Move("eve.example", kTech, kDana),
                                         Move("bill.example", kTech, kDana)})
                          .changes.at(0)
                          .id;
  ASSERT_TRUE(world.DeleteService("eve.example").ok());
  EXPECT_EQ(world.Cancel(kBill, change).change.state, ChangeState::kValidating);
  world.TakeMails();
  const ContactChange closed = world.Cancel(kMarie, change).change;
  EXPECT_EQ(closed.state, ChangeState::kCancelled);
  EXPECT_EQ(closed.items.at(0).withdrawn_by, AccountId(kBill));
  EXPECT_EQ(closed.items.at(1).outcome, ItemOutcome::kSkippedServiceRemoved);
  EXPECT_EQ(closed.items.at(2).withdrawn_by, AccountId(kMarie));
  EXPECT_THAT(world.TakeMails(), ElementsAre("CANCELLED bb2-ovh", "CANCELLED dd4-ovh"));
  EXPECT_EQ(world.test_database.Count("SELECT COUNT(*) FROM pending_role"), 0);
}

// The items that an e-mail to a new admin lists: "service role new-contact requester".
std::vector<std::string> PendingTold(World& world, const char* recipient, MailKind kind) {
  std::vector<std::string> lines;
  const auto mails = world.outbox.Claim(100, absl::Minutes(1), world.clock.Now());
  for (const MailFacts& facts : *mails) {
    if (facts.mail.kind != kind || facts.recipient.id.text() != recipient) continue;
    for (const PendingItem& item : facts.pending) {
      lines.push_back(absl::StrCat(item.role.service.text(), " ", Name(item.role.role), " ",
                                   item.new_contact.text(), " ", item.requester.text()));
    }
  }
  return lines;
}

TEST(NewAdmin, IsToldWhatIsStillPendingOnTheServicesItGot) {
  World world;
  // The seller's trap: the admin role for a buyer, other roles of the same service for a puppet.
  const World::Asked batch = world.Ask(
      kMarie, {Move(kS0, kAdmin, kEve), Move(kS0, kTech, kDana), Move(kS1, kTech, kDana)});
  world.Ask(kBill, {Move(kS0, kBilling, kDana)});
  world.TakeMails();
  for (const char* account : {kMarie, kEve}) world.Accept(account, batch.changes.at(0));
  EXPECT_THAT(PendingTold(world, kEve, MailKind::kDone),
              ElementsAre("s0.example tech dd4-ovh aa1-ovh", "s0.example billing dd4-ovh cc3-ovh"));
  // She may withdraw it.
  EXPECT_THAT(world.Cancel(kEve, batch.changes.at(1).id).status, HasReason(""));
  EXPECT_EQ(world.Get(kEve, batch.changes.at(1).id)->state, ChangeState::kValidating);
  // So is an admin by an override. A change that it asked for itself is not listed.
  world.TakeMails();
  ASSERT_TRUE(world.Override({Move(kS0, kAdmin, kThomas)}).ok());
  EXPECT_THAT(PendingTold(world, kThomas, MailKind::kOverride),
              ElementsAre("s0.example billing dd4-ovh cc3-ovh"));
  ASSERT_TRUE(world.Override({Move(kS0, kAdmin, kBill)}).ok());
  EXPECT_THAT(PendingTold(world, kBill, MailKind::kOverride), IsEmpty());
}

// --- Taking effect ------------------------------------------------------------------

TEST(Effect, AuthorityLostMeanwhileIsSkippedAndTheRestApplied) {
  World world;
  const ContactChange change =
      world.Ask(kMarie, {Move(kS0, kTech, kDana), Move(kS1, kTech, kDana)}).changes.at(0);
  ASSERT_TRUE(world.Override({Move(kS0, kAdmin, kEve)}).ok());
  world.TakeMails();
  world.Accept(kMarie, change);
  const World::Answered last = world.Accept(kDana, change);
  ASSERT_THAT(last.status, HasReason(""));
  EXPECT_EQ(last.change.state, ChangeState::kDone);
  EXPECT_EQ(last.change.items[0].outcome, ItemOutcome::kSkippedAuthorityLost);
  EXPECT_EQ(last.change.items[1].outcome, ItemOutcome::kApplied);
  EXPECT_EQ(world.Holder(kS0, kTech), kThomas);
  EXPECT_EQ(world.Holder(kS1, kTech), kDana);
  EXPECT_THAT(world.TakeMails(), ElementsAre("DONE aa1-ovh", "DONE dd4-ovh", "ROLES_LOST bb2-ovh"));
}

TEST(Effect, WithNothingAppliedIsAborted) {
  World world;
  const ContactChange change = AskTech(world);
  ASSERT_TRUE(world.Override({Move(kS0, kAdmin, kEve)}).ok());
  world.TakeMails();
  world.Accept(kMarie, change);
  const World::Answered last = world.Accept(kDana, change);
  EXPECT_THAT(last.status, HasReason(""));
  EXPECT_EQ(last.change.state, ChangeState::kAborted);
  EXPECT_EQ(world.Holder(kS0, kTech), kThomas);
  EXPECT_THAT(world.TakeMails(), ElementsAre("ABORTED aa1-ovh"));
  EXPECT_EQ(world.History(change.id).back(), kAborted);
}

TEST(Effect, SkippedWhereServiceOrHolderChangedWithoutTheChangeBeingTold) {
  // Directory operations withdraw items themselves. Only a direct edit of the database reaches
  // the checks at effect in these two cases.
  World world;
  const ContactChange change = world
                                   .Ask(kMarie, {Move(kS0, kTech, kDana), Move(kS1, kTech, kDana),
                                                 Move("s2.example", kTech, kDana)})
                                   .changes.at(0);
  world.test_database.Execute("DELETE FROM service WHERE id = 's0.example'");
  world.test_database.Execute("UPDATE service SET tech = 'ee5-ovh' WHERE id = 's1.example'");
  world.Accept(kMarie, change);
  const World::Answered last = world.Accept(kDana, change);
  ASSERT_THAT(last.status, HasReason(""));
  EXPECT_EQ(last.change.state, ChangeState::kDone);
  EXPECT_EQ(last.change.items[0].outcome, ItemOutcome::kSkippedServiceRemoved);
  EXPECT_EQ(last.change.items[1].outcome, ItemOutcome::kSkippedContactChanged);
  EXPECT_EQ(last.change.items[2].outcome, ItemOutcome::kApplied);
  EXPECT_EQ(world.Holder(kS1, kTech), kEve);
  const absl::StatusOr<ContactChange> kept = world.Get(kDana, change.id);
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(kept->items[0].outcome, ItemOutcome::kSkippedServiceRemoved);
  EXPECT_EQ(kept->items[1].outcome, ItemOutcome::kSkippedContactChanged);
}

TEST(Effect, NewAdminTechAndBillingOfOneCallAllTakeEffectInWhicheverOrder) {
  std::vector<int> order = {0, 1, 2};
  World world(Settings(), 6);
  int number = 0;
  do {
    const std::string service = absl::StrCat("s", number++, ".example");
    // Three changes of one batch: each new contact is another account.
    const World::Asked asked =
        world.Ask(kMarie, {Move(service, kAdmin, kDana), Move(service, kTech, kEve),
                           Move(service, kBilling, kThomas)});
    ASSERT_THAT(asked.status, HasReason(""));
    ASSERT_THAT(asked.changes, SizeIs(3));
    for (int i : order) {
      const ContactChange& change = asked.changes[static_cast<std::size_t>(i)];
      ASSERT_THAT(world.Accept(kMarie, change).status, HasReason(""));
      const World::Answered last = world.Accept(change.new_contact.text(), change);
      ASSERT_THAT(last.status, HasReason(""));
      EXPECT_EQ(last.change.state, ChangeState::kDone);
    }
    EXPECT_EQ(world.Holder(service, kAdmin), kDana);
    EXPECT_EQ(world.Holder(service, kTech), kEve);
    EXPECT_EQ(world.Holder(service, kBilling), kThomas);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Effect, SiblingWhoseAdminHasMovedOnLosesItsAuthority) {
  World world;
  const World::Asked asked = world.Ask(kMarie, {Move(kS0, kAdmin, kDana), Move(kS0, kTech, kEve)});
  ASSERT_THAT(asked.changes, SizeIs(2));
  world.Accept(kMarie, asked.changes[0]);
  ASSERT_EQ(world.Accept(kDana, asked.changes[0]).change.state, ChangeState::kDone);
  ASSERT_TRUE(world.Override({Move(kS0, kAdmin, kBill)}).ok());
  world.Accept(kMarie, asked.changes[1]);
  const World::Answered last = world.Accept(kEve, asked.changes[1]);
  EXPECT_EQ(last.change.state, ChangeState::kAborted);
  EXPECT_EQ(last.change.items[0].outcome, ItemOutcome::kSkippedAuthorityLost);
  EXPECT_EQ(world.Holder(kS0, kTech), kThomas);
}

TEST(Effect, AuthorityOfABatchEndsForGoodOnceItsAdminRoleMovedAgainEvenBack) {
  for (const bool by_account : {false, true}) {
    World world;
    const World::Asked batch =
        world.Ask(kMarie, {Move(kS0, kAdmin, kEve), Move(kS0, kTech, kDana)});
    for (const char* account : {kMarie, kEve}) world.Accept(account, batch.changes.at(0));
    world.Accept(kMarie, batch.changes.at(1));
    if (by_account) {
      // To the requester: she is admin again.
      ASSERT_EQ(world.AskAndAccept(kEve, {Move(kS0, kAdmin, kMarie)}).change.state,
                ChangeState::kDone);
    } else {
      ASSERT_TRUE(world.Override({Move(kS0, kAdmin, kThomas)}).ok());
      ASSERT_TRUE(world.Override({Move(kS0, kAdmin, kEve)}).ok());
    }
    const ContactChange ended = world.Accept(kDana, batch.changes.at(1)).change;
    EXPECT_EQ(ended.state, ChangeState::kAborted);
    EXPECT_EQ(ended.items.at(0).outcome, ItemOutcome::kSkippedAuthorityLost);
    EXPECT_EQ(world.Holder(kS0, kTech), kThomas);
  }
}

TEST(Effect, SellerWhoIsAdminAndTechKeepsAuthorityOverTheTechRoleByThatRole) {
  World world;
  world.AddService("both.example", kMarie, kMarie, kBill);
  const World::Asked batch =
      world.Ask(kMarie, {Move("both.example", kAdmin, kEve), Move("both.example", kTech, kDana),
                         Move("both.example", kBilling, kThomas)});
  for (const char* account : {kMarie, kEve}) world.Accept(account, batch.changes.at(0));
  ASSERT_TRUE(world.Override({Move("both.example", kAdmin, kBill)}).ok());
  for (std::size_t i : {1, 2}) world.Accept(kMarie, batch.changes.at(i));
  EXPECT_EQ(world.Accept(kDana, batch.changes.at(1)).change.state, ChangeState::kDone);
  EXPECT_EQ(world.Holder("both.example", kTech), kDana);
  EXPECT_EQ(world.Accept(kThomas, batch.changes.at(2)).change.items.at(0).outcome,
            ItemOutcome::kSkippedAuthorityLost);
}

TEST(Effect, ChangeOfAnotherBatchTakesAuthorityAway) {
  World world;
  const ContactChange tech = world.Ask(kMarie, {Move(kS0, kTech, kEve)}).changes.at(0);
  ASSERT_EQ(world.AskAndAccept(kMarie, {Move(kS0, kAdmin, kDana)}).change.state,
            ChangeState::kDone);
  world.Accept(kMarie, tech);
  EXPECT_EQ(world.Accept(kEve, tech).change.items[0].outcome, ItemOutcome::kSkippedAuthorityLost);
}

TEST(Effect, AllRolesToOneColleagueInOneChange) {
  World world;
  const World::Answered last =
      world.AskAndAccept(kMarie, {Move(kS0, kAdmin, kDana), Move(kS0, kTech, kDana),
                                  Move(kS0, kBilling, kDana), Move(kS1, kTech, kDana)});
  EXPECT_EQ(last.change.state, ChangeState::kDone);
  for (Role role : kRoles) EXPECT_EQ(world.Holder(kS0, role), kDana);
  EXPECT_EQ(world.Holder(kS1, kTech), kDana);
  EXPECT_EQ(world.Holder(kS1, kAdmin), kMarie);
}

// --- Billing standing at the last acceptance -------------------------------------------

TEST(BillingAtEffect, OverdueFailsTheLastAcceptanceRecordsNothingAndTheTokenStaysGood) {
  World world;
  const ContactChange change = world.Ask(kMarie, {Move(kS0, kBilling, kDana)}).changes.at(0);
  ASSERT_THAT(world.Accept(kMarie, change).status, HasReason(""));
  const Uuid request_id = Uuid::Version4();
  const std::string token = world.Token(change.id, kDana);
  for (const char* overdue : {kDana, kBill}) {
    ASSERT_TRUE(world.SetStanding(overdue, BillingStanding::kOverdue).ok());
    const std::string before = world.test_database.Dump();
    const World::Answered failed = world.Accept(kDana, change.id, token, request_id);
    EXPECT_THAT(failed.status, HasReason("BILLING_OVERDUE"));
    EXPECT_THAT(OverdueOf(failed.status), ElementsAre(overdue));
    EXPECT_EQ(world.test_database.Dump(), before);
    ASSERT_TRUE(world.SetStanding(overdue, BillingStanding::kUpToDate).ok());
  }
  const World::Answered paid = world.Accept(kDana, change.id, token, request_id);
  EXPECT_THAT(paid.status, HasReason(""));
  EXPECT_EQ(paid.change.state, ChangeState::kDone);
  EXPECT_EQ(world.Holder(kS0, kBilling), kDana);
}

TEST(BillingAtEffect, ItemTakenOutDoesNotCount) {
  World world;
  const ContactChange change =
      world.Ask(kMarie, {Move(kS0, kBilling, kDana), Move(kS1, kTech, kDana)}).changes.at(0);
  ASSERT_TRUE(world.Override({Move(kS0, kBilling, kEve)}).ok());
  ASSERT_TRUE(world.SetStanding(kDana, BillingStanding::kOverdue).ok());
  world.Accept(kMarie, change);
  EXPECT_EQ(world.Accept(kDana, change).change.state, ChangeState::kDone);
}

TEST(TokenWithoutItsKey, IsUnavailableThereAndGoodOnAServerThatHasTheKey) {
  World world;
  const ContactChange change = AskTech(world);
  const std::string token = world.Token(change.id, kDana);
  Engine other(&world.database, *TokenKeys::Parse(TokenKeys::Generate()), world.settings,
               [&] { return world.clock.Now(); });
  const std::string before = world.test_database.Dump();
  EXPECT_THAT(world.Accept(kDana, change.id, token, std::nullopt, &other).status,
              HasReason("UNAVAILABLE"));
  EXPECT_THAT(world.Accept(kDana, change.id, kWrong, std::nullopt, &other).status,
              HasReason("UNAVAILABLE"));
  EXPECT_EQ(other.answering.answers_without_key(), 2);
  EXPECT_EQ(world.test_database.Dump(), before);
  EXPECT_THAT(world.Accept(kDana, change.id, token).status, HasReason(""));
  EXPECT_EQ(world.engine.answering.answers_without_key(), 0);
}

}  // namespace
}  // namespace contacts
