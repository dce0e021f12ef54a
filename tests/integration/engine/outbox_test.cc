// The outbox: one server at a time works on an e-mail, and only while the e-mail is still wanted.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using enum Role;

using ::testing::UnorderedElementsAre;
using enum EventType;

constexpr char kS0[] = "s0.example";
constexpr absl::Duration kLease = absl::Minutes(5);

ContactChange AskTech(World& world) {
  const World::Asked asked = world.Ask(kMarie, {Move(kS0, kTech, kDana)});
  EXPECT_THAT(asked.status, HasReason(""));
  return asked.changes.at(0);
}

std::vector<MailFacts> Claim(World& world, Outbox& outbox, int64_t limit = 100) {
  auto claimed = outbox.Claim(limit, kLease, world.clock.Now());
  EXPECT_TRUE(claimed.ok()) << claimed.status();
  return claimed.value_or(std::vector<MailFacts>());
}
std::vector<MailFacts> Claim(World& world) { return Claim(world, world.outbox); }

std::vector<std::string> Recipients(const std::vector<MailFacts>& mails) {
  std::vector<std::string> accounts;
  for (const MailFacts& facts : mails) accounts.push_back(facts.mail.recipient.text());
  return accounts;
}

int64_t Owed(const World& world) {
  return world.test_database.Count("SELECT COUNT(*) FROM outbox");
}

TEST(Outbox, CarriesWhatTheTextIsMadeOfWithTheTokenDerivedOnTheWay) {
  World world;
  const ContactChange change = AskTech(world);
  const std::vector<MailFacts> mails = Claim(world);
  ASSERT_THAT(Recipients(mails), UnorderedElementsAre(kMarie, kDana));
  for (const MailFacts& facts : mails) {
    EXPECT_EQ(facts.mail.kind, MailKind::kValidation);
    EXPECT_EQ(facts.token, world.Token(change.id, facts.mail.recipient.text()));
    EXPECT_EQ(facts.recipient.email, facts.mail.recipient.text() + "@mail.example");
    ASSERT_TRUE(facts.change.has_value());
    EXPECT_EQ(facts.change->items.at(0).service, ServiceId(kS0));
    EXPECT_FALSE(facts.mail.id.is_nil());
  }
  EXPECT_NE(mails[0].mail.id, mails[1].mail.id);
}

TEST(Outbox, ClaimedEmailIsNotGivenToAnotherServerWhileItsLeaseLasts) {
  World world;
  World::Server other(world);
  AskTech(world);
  EXPECT_THAT(Claim(world), SizeIs(2));
  EXPECT_THAT(Claim(world, other.outbox), IsEmpty());
  world.clock.Advance(kLease - absl::Microseconds(1));
  EXPECT_THAT(Claim(world, other.outbox), IsEmpty());
}

TEST(Outbox, ServersThatClaimAtOnceNeverBothGetAnEmail) {
  World world(Settings(), 40);
  World::Server other(world);
  for (int i = 0; i < 40; ++i) {
    const std::string service = absl::StrCat("s", i, ".example");
    ASSERT_THAT(world.Ask(kMarie, {Move(service, kTech, i % 2 == 0 ? kDana : kEve)}).status,
                HasReason(""));
  }
  std::mutex mutex;
  std::multiset<Uuid> claimed;
  const auto empty = [&](Outbox& outbox) {
    for (int misses = 0; misses < 3;) {
      const std::vector<MailFacts> mails = Claim(world, outbox, 3);
      misses = mails.empty() ? misses + 1 : 0;
      const std::lock_guard lock(mutex);
      for (const MailFacts& facts : mails) claimed.insert(facts.mail.id);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] { empty(i % 2 == 0 ? world.outbox : other.outbox); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(claimed.size(), 80U);
  EXPECT_EQ(std::set<Uuid>(claimed.begin(), claimed.end()).size(), 80U);
}

TEST(Outbox, LeaseThatEndedHandsTheEmailToAnotherServerAndTheLateOneRecordsNothing) {
  World world;
  World::Server other(world);
  const ContactChange change = AskTech(world);
  const std::vector<MailFacts> late = Claim(world);
  world.clock.Advance(kLease);
  const std::vector<MailFacts> mails = Claim(world, other.outbox);
  ASSERT_THAT(mails, SizeIs(2));
  EXPECT_EQ(mails[0].mail.tries, 2);

  ASSERT_TRUE(world.outbox.Sent(late, world.Clock()).ok());
  ASSERT_TRUE(world.outbox.Retry(late[0].mail, world.clock.Now()).ok());
  ASSERT_TRUE(world.outbox.GiveUp(late[1], world.Clock()).ok());
  EXPECT_EQ(Owed(world), 2);
  EXPECT_THAT(world.History(change.id), ElementsAre(kRequested));
  EXPECT_THAT(Claim(world), IsEmpty());  // Retry gave nothing back.

  ASSERT_TRUE(other.outbox.Sent(mails, world.Clock()).ok());
  EXPECT_EQ(Owed(world), 0);
  EXPECT_THAT(world.History(change.id), ElementsAre(kRequested, kValidationSent, kValidationSent));
}

TEST(Outbox, SecondDeliveryCarriesTheSameId) {
  World world;
  AskTech(world);
  const std::vector<MailFacts> first = Claim(world, world.outbox, 1);
  world.clock.Advance(kLease);
  std::set<Uuid> ids;
  for (int i = 0; i < 2; ++i) {
    for (const MailFacts& facts : Claim(world)) ids.insert(facts.mail.id);
  }
  EXPECT_TRUE(ids.contains(first.at(0).mail.id));
}

TEST(Outbox, SentEmailIsGoneAndIsInTheHistory) {
  World world;
  const ContactChange change = AskTech(world);
  world.clock.Advance(absl::Seconds(30));
  ASSERT_TRUE(world.outbox.Sent(Claim(world), world.Clock()).ok());
  EXPECT_EQ(Owed(world), 0);
  EXPECT_THAT(world.History(change.id), ElementsAre(kRequested, kValidationSent, kValidationSent));
  EXPECT_EQ(world.Get(kDana, change.id)->FindValidation(AccountId(kDana))->email_send_time,
            world.clock.Now());
}

TEST(Outbox, RetriedEmailComesBackAtItsTime) {
  World world;
  AskTech(world);
  const std::vector<MailFacts> mails = Claim(world, world.outbox, 1);
  ASSERT_THAT(mails, SizeIs(1));
  EXPECT_EQ(mails[0].mail.tries, 1);
  ASSERT_TRUE(world.outbox.Retry(mails[0].mail, world.clock.Now() + absl::Seconds(90)).ok());
  EXPECT_THAT(Claim(world), SizeIs(1));  // The other one.
  world.clock.Advance(absl::Seconds(89));
  EXPECT_THAT(Claim(world), IsEmpty());
  world.clock.Advance(absl::Seconds(1));
  const std::vector<MailFacts> again = Claim(world);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].mail.id, mails[0].mail.id);
  EXPECT_EQ(again[0].mail.tries, 2);
}

TEST(Outbox, ValidationGivenUpIsUndeliverableInTheHistory) {
  World world;
  const ContactChange change = AskTech(world);
  for (const MailFacts& facts : Claim(world)) {
    if (facts.mail.recipient != AccountId(kDana)) continue;
    ASSERT_TRUE(world.outbox.GiveUp(facts, world.Clock()).ok());
  }
  EXPECT_EQ(Owed(world), 1);
  EXPECT_THAT(world.History(change.id), ElementsAre(kRequested, kValidationUndeliverable));
  EXPECT_EQ(world.test_database.Query("SELECT account FROM contact_change_event"
                                      " WHERE ordinal = 2"),
            std::vector<std::string>{kDana});
}

TEST(Outbox, EmailOfAValidatorWhoHasAnsweredIsDropped) {
  World world;
  const ContactChange change = AskTech(world);
  world.Accept(kDana, change);
  EXPECT_THAT(Recipients(Claim(world)), ElementsAre(kMarie));
  EXPECT_EQ(Owed(world), 1);
}

TEST(Outbox, ValidationEmailsOfAClosedChangeAreDropped) {
  World world;
  const ContactChange change = AskTech(world);
  world.Cancel(kMarie, change.id);
  const std::vector<MailFacts> mails = Claim(world);
  ASSERT_THAT(mails, SizeIs(1));
  EXPECT_EQ(mails[0].mail.kind, MailKind::kCancelled);
  EXPECT_EQ(Owed(world), 1);
}

TEST(Outbox, ValidationEmailsOfAChangePastItsDeadlineAreDropped) {
  World world;
  AskTech(world);
  world.clock.Advance(absl::Hours(24 * 7));
  EXPECT_THAT(Claim(world), IsEmpty());
  EXPECT_EQ(Owed(world), 0);
}

TEST(Outbox, EmailWithATokenThatAResendReplacedIsDropped) {
  World world;
  const ContactChange change = AskTech(world);
  world.Resend(kDana, change.id);
  const std::vector<MailFacts> mails = Claim(world);
  ASSERT_THAT(Recipients(mails), UnorderedElementsAre(kMarie, kDana));
  for (const MailFacts& facts : mails) {
    EXPECT_EQ(facts.mail.generation, facts.mail.recipient == AccountId(kDana) ? 2 : 1);
  }
}

TEST(Outbox, HistoryOfAClosedChangeIsNotExtended) {
  World world;
  const ContactChange change = AskTech(world);
  const std::vector<MailFacts> mails = Claim(world);
  ASSERT_THAT(mails, SizeIs(2));
  world.Cancel(kMarie, change.id);
  ASSERT_TRUE(world.outbox.Sent({mails[0]}, world.Clock()).ok());
  ASSERT_TRUE(world.outbox.GiveUp(mails[1], world.Clock()).ok());
  EXPECT_THAT(world.History(change.id), ElementsAre(kRequested, kCancelled));
  EXPECT_EQ(Owed(world), 1);  // The notice of the cancellation.
}

TEST(Outbox, DeliveryDoesNotUndoAnAnswerGivenMeanwhile) {
  World world;
  const ContactChange change = AskTech(world);
  const std::vector<MailFacts> mails = Claim(world);
  world.Accept(kDana, change);
  ASSERT_TRUE(world.outbox.Sent(mails, world.Clock()).ok());
  EXPECT_EQ(world.Get(kDana, change.id)->FindValidation(AccountId(kDana))->state,
            ValidationState::kAccepted);
  EXPECT_THAT(world.History(change.id),
              ElementsAre(kRequested, kAccepted, kValidationSent, kValidationSent));
}

TEST(Outbox, NothingIsOwedForACallThatFails) {
  World world;
  AskTech(world);
  const int64_t before = Owed(world);
  world.Ask(kMarie, {Move(kS0, kTech, kEve), Move("s1.example", kTech, kEve)});
  EXPECT_EQ(Owed(world), before);
}

TEST(Outbox, TokenOfAnEarlierKeyIsDerivedWithThatKeyAfterARotation) {
  World world;
  const ContactChange change = AskTech(world);
  const std::string danas = world.Token(change.id, kDana);

  const TokenKeys rotated = *TokenKeys::Parse(absl::StrCat(TokenKeys::Generate(), world.key_file));
  Outbox outbox(&world.database, rotated, world.settings);
  for (const MailFacts& facts : Claim(world, outbox)) {
    EXPECT_EQ(facts.token, world.Token(change.id, facts.mail.recipient.text()));
  }
  Engine engine(&world.database, rotated, world.settings, [&] { return world.clock.Now(); });
  EXPECT_THAT(world.Accept(kDana, change.id, danas, std::nullopt, &engine).status, HasReason(""));
}

TEST(Outbox, EmailWhoseKeyIsGoneHasNoTokenAndIsKept) {
  World world;
  AskTech(world);
  const TokenKeys replaced = *TokenKeys::Parse(TokenKeys::Generate());
  Outbox outbox(&world.database, replaced, world.settings);
  const std::vector<MailFacts> mails = Claim(world, outbox);
  ASSERT_THAT(mails, SizeIs(2));
  EXPECT_EQ(mails[0].token, "");
  EXPECT_EQ(Owed(world), 2);
}

TEST(Outbox, TextThatHasTheSeparatorOfColumnsStopsNothing) {
  World world;
  const ContactChange change = world.Ask(kMarie, {Move("s0.example", kTech, kDana)}).changes.at(0);
  ASSERT_TRUE(world.Override({Move("s1.example", kTech, kEve)}).ok());
  for (const char* columns :
       {"account email language",
        "service kind owner_name owner_organisation owner_email"
        " owner_phone owner_address_lines owner_city owner_postal_code owner_country_code",
        "contact_change requester_refuse_reason requester_email_hint new_contact_refuse_reason"
        " new_contact_email_hint",
        "contact_override reason", "outbox address"}) {
    const std::vector<std::string> words = absl::StrSplit(columns, ' ');
    for (std::size_t i = 1; i < words.size(); ++i) {
      world.test_database.Execute(absl::StrCat("UPDATE ", words[0], " SET ", words[i], " = CONCAT(",
                                               words[i], ", 'a', CHAR(31 USING ascii), 'b')"));
    }
  }
  EXPECT_TRUE(world.Get(kMarie, change.id).ok());
  EXPECT_TRUE(world.engine.bulk.ExportDirectory(World::AsOperator(), {}).ok());
  EXPECT_EQ(world.engine.directory.LookupService(World::AsOperator(), ServiceId("s0.example"))
                ->owner->city,
            "a b");
  EXPECT_THAT(world.TakeMails(), SizeIs(4));
  // World derives the token from the stored address, servers from the address as they read it.
  world.test_database.Execute(
      "UPDATE account SET email = REPLACE(email, CHAR(31 USING ascii), ' ')");
  EXPECT_THAT(world.Accept(kMarie, change).status, HasReason(""));
}

}  // namespace
}  // namespace contacts
