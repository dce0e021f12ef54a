// The line of the outbox: its order, and the cost of a claim.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "core/mail/relay.h"
#include "core/mysql/store/outbox.h"
#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using enum Role;

constexpr absl::Duration kLease = absl::Minutes(5);

std::vector<MailFacts> Claim(World& world, int64_t limit) {
  auto claimed = world.outbox.Claim(limit, kLease, world.clock.Now());
  EXPECT_TRUE(claimed.ok()) << claimed.status();
  return claimed.value_or(std::vector<MailFacts>());
}

std::vector<std::string> Causes(const std::vector<MailFacts>& mails) {
  std::vector<std::string> causes;
  for (const MailFacts& facts : mails) causes.push_back(facts.mail.cause);
  return causes;
}

// `count` notices to Dana that `cause` causes, in transactions of at most 250.
void Cause(World& world, const std::string& cause, int count) {
  while (count > 0) {
    std::vector<OutboxMail> mails;
    for (; count > 0 && mails.size() < 250; --count) {
      mails.push_back({.id = Uuid::Version7(world.clock.Now()),
                       .kind = MailKind::kProfileChanged,
                       .recipient = AccountId(kDana),
                       .address = "old@mail.example",
                       .cause = cause,
                       .create_time = world.clock.Now()});
    }
    ASSERT_TRUE(world.database
                    .Write({},
                           [&](Session& session) {
                             store::InsertMails(session, mails, 1);
                             return absl::OkStatus();
                           })
                    .ok());
  }
}

int64_t Validations(const World& world) {
  return world.test_database.Count("SELECT COUNT(*) FROM outbox WHERE kind IN (1, 2)");
}

TEST(OutboxLine, ThousandsOfEmailsOfOneKeepNobodyElseWaiting) {
  World world;
  Cause(world, kMarie, 3000);
  Cause(world, kEve, 1);
  EXPECT_THAT(Causes(Claim(world, 4)), Contains(kEve));
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(world.outbox.Sent(Claim(world, 20), world.Clock()).ok());
  }
  Cause(world, kThomas, 2);
  Cause(world, "operator", 1);
  const std::vector<std::string> next = Causes(Claim(world, 8));
  EXPECT_THAT(next, Contains(kThomas).Times(2));
  EXPECT_THAT(next, Contains("operator"));
  EXPECT_THAT(Causes(Claim(world, 100)), Each(kMarie));
}

TEST(OutboxLine, EmailsTriedAgainKeepNobodyElseWaiting) {
  World world;
  Cause(world, kMarie, 200);
  for (const MailFacts& facts : Claim(world, 200)) {
    ASSERT_TRUE(world.outbox.Retry(facts.mail, world.clock.Now() + absl::Seconds(1)).ok());
  }
  world.clock.Advance(absl::Seconds(1));
  EXPECT_THAT(Claim(world, 10), SizeIs(10));
  Cause(world, kEve, 1);
  EXPECT_THAT(Causes(Claim(world, 4)), Contains(kEve));
}

TEST(OutboxLine, TokensComeBeforeNotices) {
  World world;
  Cause(world, kMarie, 300);
  ASSERT_THAT(world.Ask(kMarie, {Move("s0.example", kTech, kDana)}).status, HasReason(""));
  for (const MailFacts& facts : Claim(world, 2)) EXPECT_TRUE(facts.mail.IsValidation());
  EXPECT_FALSE(Claim(world, 1).at(0).mail.IsValidation());
}

TEST(OutboxLine, EmailsThatAreGivenBackKeepTheirPlaceAndTheirTries) {
  World world;
  Cause(world, kMarie, 20);
  const std::vector<MailFacts> first = Claim(world, 5);
  std::vector<OutboxMail> back;
  for (const MailFacts& facts : first) {
    back.push_back(facts.mail);
    --back.back().tries;
  }
  ASSERT_TRUE(world.outbox.Release(back, world.clock.Now()).ok());
  const std::vector<MailFacts> again = Claim(world, 5);
  ASSERT_THAT(again, SizeIs(5));
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(again[i].mail.id, first[i].mail.id);
    EXPECT_EQ(again[i].mail.tries, 1);
  }
}

TEST(OutboxLine, UnwantedEmailsDoNotMakeAClaimLookEmpty) {
  World world(Settings(), 20);
  for (int i = 0; i < 20; ++i) {
    world.Ask(kMarie, {Move(absl::StrCat("s", i, ".example"), kTech, kDana)});
  }
  Cause(world, kEve, 1);
  world.clock.Advance(absl::Hours(24 * 8));  // Past their deadline.
  EXPECT_THAT(Causes(Claim(world, 5)), Contains(kEve));
  EXPECT_EQ(Validations(world), 0);
}

TEST(OutboxLine, ClosedChangeTakesItsValidationEmailsOutAtOnce) {
  World world;
  const auto ask = [&] {
    const auto asked = world.Ask(kMarie, {Move("s0.example", kTech, kDana)});
    EXPECT_EQ(Validations(world), 2);
    return asked.changes.at(0);
  };
  ContactChange change = ask();
  world.Cancel(kMarie, change.id);
  EXPECT_EQ(Validations(world), 0);
  change = ask();
  world.Refuse(kDana, change.id, world.Token(change.id, kDana));
  EXPECT_EQ(Validations(world), 0);
  ask();
  EXPECT_TRUE(world.Override({Move("s0.example", kTech, kEve)}).ok());
  EXPECT_EQ(Validations(world), 0);
  ask();
  world.clock.Advance(absl::Hours(24 * 8));
  EXPECT_TRUE(world.engine.maintenance.RunTimers(100).ok());
  EXPECT_EQ(Validations(world), 0);
  change = ask();
  world.Accept(kMarie, change);
  world.Accept(kDana, change);
  EXPECT_EQ(Validations(world), 0);
}

TEST(OutboxLine, ReadsInProportionToWhatIsClaimedHoweverMuchIsOwed) {
  World world;
  // 50,000 in line and 50,000 that wait; of each, 1,000 causes.
  world.test_database.Execute(
      "INSERT INTO outbox WITH RECURSIVE n AS (SELECT 0 AS i UNION ALL SELECT i + 1 FROM n"
      " WHERE i < 999) SELECT UNHEX(LPAD(HEX(a.i * 1000 + b.i), 32, '0')), 9, REPEAT(X'00', 16),"
      " 'dd4-ovh', 'old@mail.example', 0, 1, 0, IF(a.i < 50, 1, 1790000000000000 + b.i), '',"
      " a.i >= 50, 1, IF(a.i < 50, a.i, 0), CONCAT('zz', b.i, '-ovh'), '' FROM n a, n b"
      " WHERE a.i < 100");
  world.test_database.Execute("ANALYZE TABLE outbox");
  DatabaseOptions options = world.test_database.options();
  options.max_connections = 1;  // So that the counters belong to the connection that did the work.
  Database database(options);
  int64_t before = 0;
  const auto count = [&](int64_t wanted) {
    EXPECT_TRUE(database
                    .Write({},
                           [&](Session& session) {
                             const int64_t now = RowsRead(session);
                             EXPECT_LE(now - before, wanted);
                             before = now;
                             return absl::OkStatus();
                           })
                    .ok());
  };
  count(INT64_MAX);
  const auto write = [&](const auto& body) { EXPECT_TRUE(database.Write({}, body).ok()); };
  write([&](Session& session) {
    const absl::Time now = world.clock.Now();
    std::set<Uuid> ids;
    EXPECT_LE(store::QueueWaitingMails(session, now + absl::Microseconds(10), 20), 20);
    for (const OutboxMail& mail : store::LockDueMails(session, now, 5, std::nullopt)) {
      ids.insert(mail.id);
    }
    EXPECT_THAT(ids, SizeIs(5));
    store::ClaimMails(session, ids, "claim", now, now + kLease);
    return absl::OkStatus();
  });
  count(600);
  write([&](Session& session) {
    store::InsertMails(session, {{.id = Uuid::Version4(), .cause = kEve}}, 1);
    return absl::OkStatus();
  });
  count(100);
  write([&](Session& session) {
    EXPECT_THAT(store::LockDueMails(session, world.clock.Now(), 5, Uuid::Version7(absl::Now())),
                SizeIs(5));
    store::DeleteValidationMails(session, Uuid::Version4());
    return absl::OkStatus();
  });
  count(100);
}

TEST(OutboxLine, ServersOfTheVersionBeforeGoOnWithTheirEmails) {
  World world;
  const auto insert = [&](const char* id) {
    world.test_database.Execute(absl::StrCat(
        "INSERT INTO outbox (id, kind, subject, recipient, address, generation, create_time,"
        " tries, next_try_time, claim) VALUES (UNHEX(LPAD('",
        id, "', 32, '0')), 9, REPEAT(X'00', 16), 'dd4-ovh', 'old@mail.example', 0, 1, 0, 1, '')"));
  };
  insert("1");
  insert("2");
  // Like a claim, which lasts a minute, and a retry.
  const int64_t now = absl::ToUnixMicros(world.clock.Now());
  world.test_database.Execute(
      absl::StrCat("UPDATE outbox SET claim = 'other', next_try_time = ", now + 60'000'000,
                   " WHERE id = UNHEX(LPAD('1', 32, 0))"));
  const std::vector<MailFacts> claimed = Claim(world, 5);
  ASSERT_THAT(claimed, SizeIs(1));
  ASSERT_TRUE(world.outbox.Retry(claimed[0].mail, world.clock.Now() + absl::Minutes(1)).ok());
  EXPECT_THAT(Claim(world, 5), IsEmpty());
  // An e-mail that one relay put back is due for the other.
  world.clock.Advance(absl::Minutes(1));
  EXPECT_EQ(world.test_database.Count(absl::StrCat(
                "SELECT COUNT(*) FROM outbox WHERE next_try_time <= ", now + 60'000'000)),
            2);
  EXPECT_THAT(Claim(world, 5), SizeIs(1));
  EXPECT_THAT(Claim(world, 5), SizeIs(1));
}

TEST(OutboxLine, MigrationMayRunTwice) {
  const TestDatabase test;
  test.Execute("DELETE FROM schema_version");
  Database database(test.options());
  const absl::Status migrated = database.Migrate();
  EXPECT_TRUE(migrated.ok()) << migrated;
}

// A mail server that can be switched off.
class Switched : public MailTransport {
 public:
  DeliveryResult Deliver(const std::string&, const std::string& to, const std::string&) override {
    ++tries;
    if (up && refused.contains(to)) return {DeliveryResult::Kind::kUnclear, "550 no"};
    return up ? DeliveryResult() : DeliveryResult{DeliveryResult::Kind::kServerTrouble, "down"};
  }
  bool up = false;
  std::set<std::string> refused;  // Addresses that are refused without a reason.
  int tries = 0;
};

class Outage : public ::testing::Test {
 protected:
  MailRelay Relay(Outbox* outbox) {
    return MailRelay(outbox, &server_, &renderer_, {.batch = 5, .random = [] { return 0.5; }});
  }
  int64_t Owed() const { return world_.test_database.Count("SELECT COUNT(*) FROM outbox"); }
  // For `time`, both relays look at the outbox each half minute.
  void Pass(MailRelay& first, MailRelay& second, absl::Duration time) {
    for (const absl::Time end = world_.clock.Now() + time; world_.clock.Now() < end;) {
      for (MailRelay* relay : {&first, &second}) {
        EXPECT_TRUE(relay->RunOnce(world_.clock.Now()).ok());
      }
      world_.clock.Advance(absl::Seconds(30));
    }
  }

  World world_{Settings(), 20};
  World::Server other_{world_};
  Switched server_;
  const MailRenderer renderer_{{.from = "contacts@mail.example",
                                .link_url = "https://x/{contact_change_id}{token}{answer}"}};
};

TEST_F(Outage, BacklogIsDueWithinAMinuteOfTheMailServersReturn) {
  MailRelay first = Relay(&world_.outbox);
  MailRelay second = Relay(&other_.outbox);
  for (int i = 0; i < 20; ++i) {
    world_.Ask(kMarie, {Move(absl::StrCat("s", i, ".example"), kTech, kDana)});
  }
  Pass(first, second, absl::Hours(3));
  EXPECT_EQ(Owed(), 40);
  EXPECT_LE(server_.tries, 2 * (2 * 60 * 3 + 10));
  server_.up = true;
  world_.clock.Advance(absl::Seconds(30));
  // No time passes from here on.
  for (MailRelay* relay : {&first, &second}) {
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(relay->RunOnce(world_.clock.Now()).ok());
  }
  EXPECT_LE(Owed(), 4);  // The e-mails that tried the server last.
  Pass(first, second, absl::Minutes(1));
  EXPECT_EQ(Owed(), 0);
}

TEST_F(Outage, RecipientsRefusedWithoutAReasonKeepNobodyElseWaiting) {
  MailRelay first = Relay(&world_.outbox);
  MailRelay second = Relay(&other_.outbox);
  server_.up = true;
  for (int i = 0; i < 20; ++i) {
    const std::string id = absl::StrCat("zz", i, "-ovh");
    const std::string address = absl::StrCat("refused", i, "@mail.example");
    world_.AddAccount(id, address);
    server_.refused.insert(address);
    // The requester's own e-mail is not in the way.
    const auto asked = world_.Ask(kMarie, {Move(absl::StrCat("s", i, ".example"), kTech, id)});
    world_.Accept(kMarie, asked.changes.at(0));
  }
  world_.test_database.Execute("DELETE FROM outbox WHERE recipient NOT LIKE 'zz%'");
  Pass(first, second, absl::Minutes(5));
  world_.Ask(kBill, {Move("s0.example", kBilling, kDana)});
  Pass(first, second, absl::Minutes(2));
  EXPECT_EQ(
      world_.test_database.Count("SELECT COUNT(*) FROM outbox WHERE recipient NOT LIKE 'zz%'"), 0);
}

TEST_F(Outage, EmailsAreGivenUpAtTheirTimeThoughFewAreTried) {
  MailRelay first = Relay(&world_.outbox);
  MailRelay second = Relay(&other_.outbox);
  const ContactChange change = world_.Ask(kMarie, {Move("s0.example", kTech, kDana)}).changes.at(0);
  for (int i = 1; i < 20; ++i) {
    world_.Ask(kMarie, {Move(absl::StrCat("s", i, ".example"), kTech, kDana)});
  }
  Pass(first, second, absl::Minutes(5));
  world_.clock.Advance(absl::Hours(47));
  Pass(first, second, absl::Minutes(5));
  EXPECT_EQ(Owed(), 40);
  world_.clock.Advance(absl::Hours(1));
  Pass(first, second, absl::Minutes(5));
  EXPECT_EQ(Owed(), 0);
  EXPECT_THAT(world_.History(change.id), Contains(EventType::kValidationUndeliverable).Times(2));
}

// They claim what is due, of any kind, and would send an empty e-mail of a kind that is new.
TEST(OutboxLine, ServersOfSchemaVersion6SeeNoDueEmailOfAKindThatTheyDoNotKnow) {
  World world;
  world.AddService("eve.example", kEve, kThomas, kBill);
  const Uuid id =
      world.Ask(kThomas, {Move("s0.example", kTech, kDana), Move("eve.example", kTech, kDana)})
          .changes.at(0)
          .id;
  world.TakeMails();
  ASSERT_THAT(world.Cancel(kEve, id).status, HasReason(""));
  const auto due = [&] {
    return world.test_database.Count(
        absl::StrCat("SELECT COUNT(*) FROM outbox WHERE next_try_time <= ",
                     absl::ToUnixMicros(world.clock.Now() + absl::Hours(24 * 365))));
  };
  EXPECT_EQ(due(), 0);
  const std::vector<MailFacts> mails = Claim(world, 10);
  ASSERT_THAT(mails, SizeIs(2));
  for (const MailFacts& facts : mails) EXPECT_EQ(facts.mail.kind, MailKind::kItemsWithdrawn);
  EXPECT_EQ(due(), 0);
  EXPECT_THAT(Claim(world, 10), IsEmpty());  // They are leased.
  const absl::Time next = world.clock.Now() + absl::Seconds(90);
  ASSERT_TRUE(world.outbox.Retry(mails[0].mail, next).ok());
  ASSERT_TRUE(world.outbox.Release({mails[1].mail}, next).ok());
  EXPECT_EQ(due(), 0);
  world.clock.Advance(absl::Seconds(89));
  EXPECT_THAT(Claim(world, 10), IsEmpty());
  // A claim may leave e-mails that joined the line in it to the next claim.
  const auto claimed = [&] {
    std::size_t count = 0;
    while (const std::size_t more = Claim(world, 10).size()) count += more;
    return count;
  };
  world.clock.Advance(absl::Seconds(1));
  EXPECT_EQ(claimed(), 2U);
  world.clock.Advance(kLease);
  EXPECT_EQ(claimed(), 2U);
  EXPECT_EQ(due(), 0);
}

}  // namespace
}  // namespace contacts
