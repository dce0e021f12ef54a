// The end of an account: what is erased, and what an account made again sees.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/race.h"
#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using enum Role;

constexpr char kS0[] = "s0.example";
constexpr char kS1[] = "s1.example";

absl::Status DeleteAccount(World& world, const std::string& id, Engine* through = nullptr) {
  return (through ? *through : world.engine)
      .directory
      .DeleteAccount(World::AsOperator(), AccountId(id), [](const AccountId&) { return "done"; })
      .status();
}

TEST(DeletedAccount, IsInUseWhileItHoldsARoleAndUpToTwentyServicesAreNamed) {
  World world(Settings(), 30);
  const std::string before = world.test_database.Dump();
  const absl::Status in_use = DeleteAccount(world, kThomas);
  EXPECT_THAT(in_use, HasReason("ACCOUNT_IN_USE"));
  const auto failure = DetailOf<google::rpc::PreconditionFailure>(in_use);
  EXPECT_EQ(failure.violations_size(), 20);
  EXPECT_EQ(failure.violations(0).subject(), "s0.example");
  EXPECT_EQ(world.test_database.Dump(), before);
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(world.Override({Move(absl::StrCat("s", i, ".example"), kTech, kEve)}).ok());
  }
  EXPECT_THAT(DeleteAccount(world, kThomas), HasReason(""));
  EXPECT_THAT(DeleteAccount(world, kThomas), HasReason("ACCOUNT_NOT_FOUND"));
}

TEST(DeletedAccount, ItsPendingChangesAreAbortedAndToldToTheOtherParty) {
  World world;
  world.AddAccount("ff6-ovh", "ff6-ovh@mail.example");
  const Uuid to_dana = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0).id;
  const Uuid by_thomas = world.Ask(kThomas, {Move(kS1, kTech, "ff6-ovh")}).changes.at(0).id;
  const Uuid other = world.Ask(kMarie, {Move("s2.example", kTech, kEve)}).changes.at(0).id;
  world.TakeMails();
  ASSERT_THAT(DeleteAccount(world, kDana), HasReason(""));
  EXPECT_EQ(world.Get(kMarie, to_dana)->state, ChangeState::kAborted);
  EXPECT_EQ(world.History(to_dana).back(), EventType::kAborted);
  EXPECT_THAT(world.TakeMails(), ElementsAre("ABORTED aa1-ovh"));
  for (const char* service : {kS0, kS1, "s2.example"}) {
    ASSERT_TRUE(world.Override({Move(service, kTech, kBill)}).ok());
  }
  // The override took the only item out of the requester's change before.
  EXPECT_EQ(world.Get(kMarie, by_thomas)->state, ChangeState::kAborted);
  ASSERT_THAT(DeleteAccount(world, kThomas), HasReason(""));
  EXPECT_EQ(world.Get(kMarie, other)->state, ChangeState::kAborted);
  // Its roles are free again.
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kEve)}).status, HasReason(""));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS1, kTech, kDana)}).status, HasReason("ACCOUNT_NOT_FOUND"));
}

TEST(DeletedAccount, AsRequesterOfAPendingChangeTheNewContactIsTold) {
  World world;
  const Uuid id = world.Ask(kThomas, {Move(kS0, kTech, kDana)}).changes.at(0).id;
  world.test_database.Execute("UPDATE service SET tech = 'ee5-ovh'");  // Not told to the change.
  world.TakeMails();
  ASSERT_THAT(DeleteAccount(world, kThomas), HasReason(""));
  EXPECT_EQ(world.Get(kDana, id)->state, ChangeState::kAborted);
  EXPECT_THAT(world.TakeMails(), ElementsAre("ABORTED dd4-ovh"));
  EXPECT_EQ(world.test_database.Count("SELECT COUNT(*) FROM pending_role"), 0);
}

// Replies with all that a profile's replies have.
std::string AllOf(const Account& account) {
  return absl::StrCat(account.id.text(), " ", account.email, " ", account.language, " ",
                      account.pending.address);
}

TEST(DeletedAccount, ItsAddressAndLanguageAreFoundNowhereInADumpAndItsIdInHistoriesAlone) {
  constexpr char kGina[] = "gg7-ovh";
  World world;
  Account gina;
  gina.id = AccountId(kGina);
  gina.email = "canary1@gina.example";
  gina.language = "gsw-CH";
  ASSERT_TRUE(world.engine.directory.CreateAccount(World::AsOperator(), gina, AllOf).ok());
  const auto update = [&](const Call& call, const std::string& email) {
    EXPECT_TRUE(
        world.engine.profiles.UpdateAccount(call, {.id = gina.id, .email = email}, AllOf).ok());
  };
  // Tokens and hints of a change that is done, a role that is lost, addresses of every kind.
  const ContactChange done = world.Ask(kMarie, {Move(kS0, kTech, kGina)}).changes.at(0);
  world.TakeMails();
  ASSERT_THAT(world.Accept(kMarie, done).status, HasReason(""));
  ASSERT_THAT(world.Accept(kGina, done.id, world.Token(done.id, kGina), Uuid::Version4()).status,
              HasReason(""));
  ASSERT_TRUE(world.Override({Move(kS0, kTech, kEve)}).ok());
  update(World::AsOperator(), "canary2@gina.example");
  update(World::As(kGina), "canary3@gina.example");
  ASSERT_THAT(world.Ask(kMarie, {Move(kS1, kTech, kGina)}).status, HasReason(""));
  const std::string before = world.test_database.Dump();
  for (const char* kept : {"canary1", "canary2", "canary3", "gina.example", "gsw-CH"}) {
    ASSERT_THAT(before, ::testing::HasSubstr(kept));
  }

  ASSERT_THAT(DeleteAccount(world, kGina), HasReason(""));
  const std::string after = world.test_database.Dump();
  // Not even masked, as c***@gina.example.
  for (const char* erased : {"canary", "gina.example", "gsw-CH"}) {
    EXPECT_THAT(after, ::testing::Not(::testing::HasSubstr(erased))) << erased;
  }
  EXPECT_THAT(after, ::testing::HasSubstr(kGina));
  for (const char* rows : {"account WHERE id", "outbox WHERE recipient", "reply WHERE actor",
                           "earlier_address WHERE account_id", "address_window WHERE account_id",
                           "ask_window WHERE account_id"}) {
    EXPECT_EQ(
        world.test_database.Count(absl::StrCat("SELECT COUNT(*) FROM ", rows, " = 'gg7-ovh'")), 0)
        << rows;
  }
  // Changes of the deleted account are still shown to the other accounts that they concern.
  EXPECT_EQ(world.Get(kMarie, done.id)->new_contact, AccountId(kGina));
}

TEST(DeletedAccount, ItsMaskedAddressIsInNoReplyThatIsKeptForTheSupportDesk) {
  World world;
  Account gina;
  gina.id = AccountId("gg7-ovh");
  gina.email = "canary@gina.example";
  ASSERT_TRUE(world.engine.directory.CreateAccount(World::AsOperator(), gina, AllOf).ok());
  const Uuid id = world.Ask(kMarie, {Move(kS0, kTech, "gg7-ovh")}).changes.at(0).id;
  world.TakeMails();
  world.clock.Advance(absl::Minutes(10));
  const auto hints = [](const ContactChange& change) {
    std::string all;
    for (const Validation& validation : change.validations) {
      absl::StrAppend(&all, validation.email_hint, " ");
    }
    return all;
  };
  Support& support = world.engine.support;
  const auto resent =
      support.ResendValidationFor(World::AsOperator(), id, AccountId("gg7-ovh"), hints);
  ASSERT_TRUE(resent.ok()) << resent.status();
  EXPECT_THAT(*resent, ::testing::HasSubstr("c***@gina.example"));
  const auto of_other =
      support.ResendValidationFor(World::AsOperator(), id, AccountId(kMarie), hints);
  ASSERT_TRUE(of_other.ok()) << of_other.status();
  const auto aborted =
      support.AbortContactChange(World::AsOperator(Uuid::Version4()), id, "why", hints);
  ASSERT_TRUE(aborted.ok()) << aborted.status();
  ASSERT_THAT(world.test_database.Dump(), ::testing::HasSubstr("gina.example"));
  ASSERT_THAT(DeleteAccount(world, "gg7-ovh"), HasReason(""));
  EXPECT_THAT(world.test_database.Dump(), ::testing::Not(::testing::HasSubstr("gina.example")));
}

TEST(DeletedAccount, IsInNoListOfChangesAndNoCountOfEmails) {
  World world;
  const ContactChange change = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  ASSERT_THAT(world.Refuse(kDana, change.id, world.Token(change.id, kDana)).status, HasReason(""));
  const auto rows = [&] {
    return world.test_database.Count(
        "SELECT (SELECT COUNT(*) FROM involvement WHERE account_id = 'dd4-ovh')"
        " + (SELECT COUNT(*) FROM daily_use WHERE 'dd4-ovh' IN (account_id, other))");
  };
  EXPECT_GT(rows(), 0);
  ASSERT_THAT(DeleteAccount(world, kDana), HasReason(""));
  EXPECT_EQ(rows(), 0);
}

TEST(DeletedAccount, OneMadeLaterUnderItsIdIsAnotherOneAndSeesNothingOfWhatCameBefore) {
  World world;
  const ContactChange to_thomas = world.Ask(kMarie, {Move(kS0, kBilling, kThomas)}).changes.at(0);
  ASSERT_THAT(world.Accept(kMarie, to_thomas).status, HasReason(""));
  ASSERT_THAT(world.Accept(kThomas, to_thomas).status, HasReason(""));
  const Uuid from_thomas = world.AskAndAccept(kMarie, {Move(kS0, kTech, kEve)}).change.id;
  const Uuid by_thomas = world.AskAndAccept(kThomas, {Move(kS1, kTech, kEve)}).change.id;
  ASSERT_TRUE(world.Override({Move(kS0, kBilling, kBill), Move("s2.example", kTech, kEve)}).ok());
  const std::vector<Uuid> changes = {to_thomas.id, from_thomas, by_thomas};
  for (const Uuid& id : changes) ASSERT_TRUE(world.Get(kThomas, id).ok());

  ASSERT_THAT(DeleteAccount(world, kThomas), HasReason(""));
  for (const Uuid& id : changes) {
    EXPECT_THAT(world.Get(kThomas, id).status(), HasReason("ACCOUNT_NOT_FOUND"));
  }
  EXPECT_THAT(world.engine.profiles.GetProfile(World::As(kThomas)).status(),
              HasReason("ACCOUNT_NOT_FOUND"));
  world.TakeMails();
  world.AddAccount(kThomas, "another@mail.example");
  const auto events = [&](const Uuid& id) {
    return world.engine.reading.ListContactChangeEvents(World::As(kThomas), id, {}).status();
  };
  for (const Uuid& id : changes) {
    EXPECT_THAT(world.Get(kThomas, id).status(), HasReason("CONTACT_CHANGE_NOT_FOUND"));
    EXPECT_THAT(events(id), HasReason("CONTACT_CHANGE_NOT_FOUND"));
    EXPECT_THAT(world.Accept(kThomas, id, "ABC").status, HasReason("CONTACT_CHANGE_NOT_FOUND"));
  }
  for (const Involvement involvement : {Involvement::kAny, Involvement::kRequester,
                                        Involvement::kNewContact, Involvement::kOldContact}) {
    const auto listed = world.engine.reading.ListContactChanges(
        World::As(kThomas), {.states = {}, .involvement = involvement, .service = std::nullopt},
        {});
    ASSERT_TRUE(listed.ok());
    EXPECT_THAT(listed->rows, IsEmpty());
  }
  EXPECT_THAT(world.TakeMails(), IsEmpty());
  // Its own changes are its own. As admin of a service it sees those on the service, as any admin.
  const Uuid own = world.Ask(kMarie, {Move(kS0, kTech, kThomas)}).changes.at(0).id;
  EXPECT_TRUE(world.Get(kThomas, own).ok());
  ASSERT_TRUE(world.Override({Move(kS1, kAdmin, kThomas)}).ok());
  EXPECT_TRUE(world.Get(kThomas, by_thomas).ok());
  const auto asked = world.engine.reading.ListContactChanges(
      World::As(kThomas),
      {.states = {}, .involvement = Involvement::kRequester, .service = std::nullopt}, {});
  EXPECT_THAT(asked->rows, IsEmpty());
}

TEST(DeletedAccount, CostsFourRoundTripsAndTwoMoreWithPendingChangesHoweverMany) {
  World world(Settings(), 20);
  const auto trips = [&](const std::string& account) {
    const int64_t before = world.database.round_trips();
    EXPECT_THAT(DeleteAccount(world, account), HasReason(""));
    return world.database.round_trips() - before;
  };
  world.AddAccount("ff6-ovh", "f@mail.example");
  trips("ff6-ovh");  // The statements are prepared.
  EXPECT_EQ(trips(kEve), 4);
  for (int i = 0; i < 20; ++i)
    world.Ask(kMarie, {Move(absl::StrCat("s", i, ".example"), kTech, kDana)});
  EXPECT_EQ(trips(kDana), 6);
}

// --- Races --------------------------------------------------------------------------------------

TEST(Race, OfDeleteAccountAndAnAskThatNamesItLeavesNoChangeThatAwaitsAMissingAccount) {
  Servers servers;
  for (int round = 0; round < kRounds; ++round) {
    const std::string account = absl::StrCat("nn", round, "-ovh");
    servers.world.AddAccount(account, account + "@mail.example");
    absl::Status deleted;
    World::Asked asked;
    AtOnce(2, [&](int i) {
      if (i == round % 2) {
        deleted = DeleteAccount(servers.world, account, servers.engine(i));
      } else {
        asked = servers.world.Ask(kMarie, {Move(ServiceOf(round), kTech, account)}, std::nullopt,
                                  false, servers.engine(i));
      }
    });
    EXPECT_THAT(deleted, HasReason(""));
    if (asked.status.ok()) {
      EXPECT_EQ(servers.world.Get(kMarie, asked.changes.at(0).id)->state, ChangeState::kAborted);
    } else {
      EXPECT_THAT(asked.status, HasReason("ACCOUNT_NOT_FOUND"));
    }
  }
  EXPECT_EQ(servers.world.test_database.Count("SELECT COUNT(*) FROM pending_role"), 0);
  EXPECT_EQ(
      servers.world.test_database.Count("SELECT COUNT(*) FROM contact_change WHERE state = 1"), 0);
}

TEST(Race, OfDeleteAccountAndTheAcceptanceThatGivesItARoleHasOneWinner) {
  Servers servers;
  for (int round = 0; round < kRounds; ++round) {
    const std::string account = absl::StrCat("nn", round, "-ovh");
    servers.world.AddAccount(account, account + "@mail.example");
    const ContactChange change =
        servers.world.Ask(kMarie, {Move(ServiceOf(round), kTech, account)}).changes.at(0);
    servers.world.Accept(kMarie, change);
    const std::string token = servers.world.Token(change.id, account);
    absl::Status deleted, accepted;
    AtOnce(2, [&](int i) {
      if (i == round % 2) {
        deleted = DeleteAccount(servers.world, account, servers.engine(i));
      } else {
        accepted =
            servers.world.Accept(account, change.id, token, std::nullopt, servers.engine(i)).status;
      }
    });
    const std::string holder = servers.world.Holder(ServiceOf(round), kTech);
    if (accepted.ok()) {
      EXPECT_THAT(deleted, HasReason("ACCOUNT_IN_USE"));
      EXPECT_EQ(holder, account);
    } else {
      EXPECT_THAT(deleted, HasReason(""));
      EXPECT_THAT(accepted, HasReason("ACCOUNT_NOT_FOUND"));
      EXPECT_EQ(holder, kThomas);
      EXPECT_EQ(servers.world.Get(kMarie, change.id)->state, ChangeState::kAborted);
    }
  }
}

TEST(Race, OfDeleteAccountAndAnOverrideOrAServiceThatNamesItLeavesNoRoleWithAMissingAccount) {
  Servers servers;
  for (int round = 0; round < kRounds; ++round) {
    const std::string account = absl::StrCat("nn", round, "-ovh");
    servers.world.AddAccount(account, account + "@mail.example");
    absl::Status deleted, overridden, imported;
    AtOnce(3, [&](int i) {
      if (i == round % 3) {
        deleted = DeleteAccount(servers.world, account, servers.engine(i));
      } else if (i == (round + 1) % 3) {
        overridden = servers.engine(i)
                         ->directory
                         .OverrideContacts(World::AsOperator(),
                                           {{Move(ServiceOf(round), kTech, account)}, "support"},
                                           [](const std::vector<Service>&) { return "done"; })
                         .status();
      } else {
        Service service;
        service.id = ServiceId(absl::StrCat("new", round, ".example"));
        service.kind = "domain";
        service.admin = service.tech = service.billing = AccountId(account);
        imported =
            servers.engine(i)->bulk.ImportBatch(World::AsOperator().limits, {service}).status();
      }
    });
    EXPECT_THAT(imported, HasReason(""));
    EXPECT_EQ(deleted.ok() && overridden.ok(), false);
  }
  EXPECT_EQ(servers.world.test_database.Count(
                "SELECT COUNT(*) FROM service s WHERE NOT EXISTS (SELECT 1 FROM account a WHERE"
                " a.id = s.admin) OR NOT EXISTS (SELECT 1 FROM account a WHERE a.id = s.tech)"),
            0);
}

}  // namespace
}  // namespace contacts
