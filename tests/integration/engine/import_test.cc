// The effect of a batch of an import on the directory.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

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
constexpr char kNew[] = "new.example";

AccountRecord Person(const std::string& id, const std::string& email) {
  return {.id = AccountId(id), .email = email};
}

// The contacts are those that World gives its services by default.
Service Held(const std::string& id, const std::string& admin = kMarie,
             const std::string& tech = kThomas, const std::string& billing = kBill) {
  Service service;
  service.id = ServiceId(id);
  service.kind = "domain";
  service.admin = AccountId(admin);
  service.tech = AccountId(tech);
  service.billing = AccountId(billing);
  return service;
}

// "POSITION REASON" of each rejection.
std::vector<std::string> Import(World& world, const std::vector<ImportRecord>& records,
                                Engine* through = nullptr) {
  const auto rejected =
      (through ? *through : world.engine)
          .bulk.ImportBatch({.deadline = absl::Now() + absl::Seconds(60)}, records);
  EXPECT_TRUE(rejected.ok()) << rejected.status();
  std::vector<std::string> lines;
  if (!rejected.ok()) return lines;
  for (const ImportRejection& one : *rejected) {
    lines.push_back(absl::StrCat(one.position, " ", errors::Reason(one.why)));
  }
  return lines;
}

Service Found(World& world, const std::string& id) {
  return world.engine.directory.LookupService(World::AsOperator(), ServiceId(id)).value();
}

Account FoundAccount(World& world, const std::string& id) {
  return world.engine.profiles.GetAccount(World::AsOperator(), AccountId(id)).value();
}

TEST(Import, CreatesAccountsAndTheServicesThatNameThem) {
  World world;
  Service service = Held(kNew, "ff6-ovh", kThomas, "ff6-ovh");
  service.owner.emplace().address_lines = {"1 rue d'Ulm", "", "Bât. B"};
  EXPECT_THAT(Import(world, {Person("ff6-ovh", "f@mail.example"), service}), IsEmpty());
  const Account account = FoundAccount(world, "ff6-ovh");
  EXPECT_EQ(account.email, "f@mail.example");
  EXPECT_EQ(account.language, "en");
  EXPECT_EQ(account.standing, BillingStanding::kUpToDate);
  EXPECT_EQ(account.version, 1);
  EXPECT_EQ(account.create_time, world.clock.Now());
  const Service found = Found(world, kNew);
  EXPECT_EQ(found.admin, AccountId("ff6-ovh"));
  EXPECT_EQ(found.tech, AccountId(kThomas));
  EXPECT_EQ(found.version, 1);
  EXPECT_THAT(found.owner->address_lines, ElementsAre("1 rue d'Ulm", "Bât. B"));
  EXPECT_THAT(world.TakeMails(), IsEmpty());
}

TEST(Import, WritesNothingForWhatStandsAlready) {
  World world;
  Service with_owner = Held(kS1);
  with_owner.owner.emplace().name = "Marie Curie";
  const std::vector<ImportRecord> records = {Person(kDana, "dd4-ovh@mail.example"), Held(kS0),
                                             with_owner};
  const std::string before = world.test_database.Dump();
  world.clock.Advance(absl::Hours(1));
  EXPECT_THAT(Import(world, records), IsEmpty());
  EXPECT_EQ(world.test_database.Dump(), before);
}

TEST(Import, UpdatesWhatIsGivenAndKeepsWhatIsLeftOut) {
  World world;
  ASSERT_TRUE(world.SetStanding(kDana, BillingStanding::kOverdue).ok());
  const Account before = FoundAccount(world, kDana);
  world.clock.Advance(absl::Hours(1));
  AccountRecord dana = Person(kDana, before.email);
  dana.language = "fr";
  Service service = Held(kS0);
  service.kind = "hosting";
  EXPECT_THAT(Import(world, {dana, service}), IsEmpty());
  const Account after = FoundAccount(world, kDana);
  EXPECT_EQ(after.language, "fr");
  EXPECT_EQ(after.standing, BillingStanding::kOverdue);
  EXPECT_EQ(after.version, before.version + 1);
  EXPECT_EQ(after.create_time, before.create_time);
  EXPECT_EQ(after.update_time, world.clock.Now());
  const Service found = Found(world, kS0);
  EXPECT_EQ(found.kind, "hosting");
  EXPECT_EQ(found.owner->name, "Marie Curie");
  EXPECT_EQ(found.version, 2);

  service.owner.emplace().city = "Paris";
  EXPECT_THAT(Import(world, {service}), IsEmpty());
  EXPECT_EQ(Found(world, kS0).owner->city, "Paris");
  EXPECT_EQ(Found(world, kS0).owner->name, "");
}

TEST(Import, OfAnotherEmailTellsTheOldAddress) {
  World world;
  EXPECT_THAT(Import(world, {Person(kDana, "dana@new.example"), Person("ff6-ovh", "f@x.example")}),
              IsEmpty());
  const auto mails = world.outbox.Claim(10, absl::Minutes(1), world.clock.Now());
  ASSERT_TRUE(mails.ok());
  ASSERT_THAT(*mails, SizeIs(1));
  EXPECT_EQ((*mails)[0].mail.kind, MailKind::kProfileChanged);
  EXPECT_EQ((*mails)[0].mail.recipient, AccountId(kDana));
  EXPECT_EQ((*mails)[0].mail.address, "dd4-ovh@mail.example");
}

TEST(Import, RejectsAServiceWhoseContactsAreUnknownOrComeLater) {
  World world;
  EXPECT_THAT(Import(world, {Held("a.example", "ff6-ovh"), Person("ff6-ovh", "f@x.example"),
                             Held("b.example", "ff6-ovh"), Held(kS0, kMarie, kMarie, "zz9-ovh")}),
              ElementsAre("0 ACCOUNT_NOT_FOUND", "3 ACCOUNT_NOT_FOUND"));
  EXPECT_EQ(world.Holder("a.example", kAdmin), "");
  EXPECT_EQ(world.Holder("b.example", kAdmin), "ff6-ovh");
  // Nothing of a rejected record is written.
  EXPECT_EQ(world.Holder(kS0, kTech), kThomas);
}

TEST(Import, NeverMovesARoleThatAPendingChangeIsAbout) {
  World world;
  const ContactChange change = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  Service moved = Held(kS0, kMarie, kEve);
  moved.kind = "hosting";
  EXPECT_THAT(Import(world, {moved, Held(kS1, kMarie, kEve)}),
              ElementsAre("0 CHANGE_ALREADY_PENDING"));
  EXPECT_EQ(world.Holder(kS0, kTech), kThomas);
  EXPECT_EQ(Found(world, kS0).kind, "domain");
  EXPECT_EQ(world.Holder(kS1, kTech), kEve);
  // The other roles and fields may change.
  Service others = Held(kS0, kEve, kThomas, kDana);
  others.kind = "hosting";
  EXPECT_THAT(Import(world, {others}), IsEmpty());
  EXPECT_EQ(world.Holder(kS0, kBilling), kDana);
  EXPECT_EQ(Found(world, kS0).kind, "hosting");
  // The change is as it was, and once it is closed the role is free.
  EXPECT_EQ(world.Get(kDana, change.id)->state, ChangeState::kValidating);
  ASSERT_THAT(world.Cancel(kMarie, change.id).status, HasReason(""));
  EXPECT_THAT(Import(world, {moved}), IsEmpty());
  EXPECT_EQ(world.Holder(kS0, kTech), kEve);
}

TEST(Import, MovesARoleWhoseChangeIsPastItsDeadlineThoughNotMarkedYet) {
  World world;
  world.Ask(kMarie, {Move(kS0, kTech, kDana)});
  world.clock.Advance(world.settings.change_lifetime);
  EXPECT_THAT(Import(world, {Held(kS0, kMarie, kEve)}), IsEmpty());
  EXPECT_EQ(world.Holder(kS0, kTech), kEve);
}

TEST(Import, OfAnotherAdminShowsItTheChangesOfTheService) {
  World world;
  const Uuid past = world.AskAndAccept(kMarie, {Move(kS0, kTech, kDana)}).change.id;
  const Uuid pending = world.Ask(kMarie, {Move(kS0, kTech, kBill)}).changes.at(0).id;
  const auto listed = [&] {
    std::vector<Uuid> ids;
    const auto page = world.engine.reading.ListContactChanges(World::As(kEve), {}, {});
    EXPECT_TRUE(page.ok()) << page.status();
    for (const ContactChange& change : page->rows) ids.push_back(change.id);
    return ids;
  };
  EXPECT_THAT(listed(), IsEmpty());
  EXPECT_THAT(Import(world, {Held(kS0, kEve, kDana)}), IsEmpty());
  EXPECT_THAT(listed(), ::testing::UnorderedElementsAre(pending, past));
}

TEST(Import, TakesARecordThatComesTwiceAsIfOneAfterTheOther) {
  World world;
  world.Ask(kMarie, {Move(kS1, kTech, kDana)});
  EXPECT_THAT(
      Import(world, {Person("ff6-ovh", "first@x.example"), Held(kNew, "ff6-ovh"),
                     Person("ff6-ovh", "last@x.example"), Held(kNew, kEve), Held(kNew, "zz9-ovh"),
                     Held(kS0, kEve), Held(kS0), Held(kS1, kEve, kEve), Held(kS1, kDana)}),
      ElementsAre("4 ACCOUNT_NOT_FOUND", "7 CHANGE_ALREADY_PENDING"));
  EXPECT_EQ(FoundAccount(world, "ff6-ovh").email, "last@x.example");
  EXPECT_EQ(world.Holder(kNew, kAdmin), kEve);
  EXPECT_EQ(world.Holder(kS0, kAdmin), kMarie);
  EXPECT_EQ(world.Holder(kS1, kAdmin), kDana);
  EXPECT_EQ(world.test_database.Query("SELECT address FROM outbox WHERE kind = 9"),
            std::vector<std::string>{"first@x.example"});
}

TEST(Import, IsReadBackByAnExport) {
  World world(Settings(), 7);
  for (const int64_t size : {1, 2, 5, 100}) {
    std::vector<std::string> ids;
    PageRequest page{.size = size, .after = ""};
    do {
      const auto read = world.engine.bulk.ExportDirectory(World::AsOperator(), page);
      ASSERT_TRUE(read.ok()) << read.status();
      for (const Account& account : read->accounts) ids.push_back(account.id.text());
      for (const Service& service : read->services) {
        EXPECT_EQ(service.owner->name, "Marie Curie");
        ids.push_back(service.id.text());
      }
      page.after = read->next;
    } while (!page.after.empty());
    EXPECT_THAT(ids,
                ElementsAre(kMarie, kThomas, kBill, kDana, kEve, "s0.example", "s1.example",
                            "s2.example", "s3.example", "s4.example", "s5.example", "s6.example"));
  }
}

TEST(Import, OfAThousandRecordsMakesNoMoreRoundTripsThanOfOne) {
  World world(Settings(), 1000);
  const auto batch = [](int from, int count) {
    std::vector<ImportRecord> records;
    for (int i = from; i < from + count; ++i) {
      // Half of them new, half of them changed.
      records.emplace_back(Person(absl::StrCat("mm", i, "-ovh"), "m@x.example"));
      records.emplace_back(
          Held(absl::StrCat("s", i * 2, ".example"), kEve, absl::StrCat("mm", i, "-ovh")));
    }
    return records;
  };
  Import(world, batch(0, 1));
  const auto trips = [&](const std::vector<ImportRecord>& records) {
    const int64_t before = world.database.round_trips();
    EXPECT_THAT(Import(world, records), IsEmpty());
    return world.database.round_trips() - before;
  };
  EXPECT_EQ(trips(batch(1, 1)), 4);
  EXPECT_EQ(trips(batch(2, 500)), 4);
  EXPECT_EQ(trips(batch(2, 500)), 4);
}

// --- Races ----------------------------------------------------------------------

TEST(Import, RacingWithAsksNeverMovesARoleFromUnderAPendingChange) {
  constexpr int kRounds = 30;
  World world(Settings(), kRounds);
  World::Server second(world);
  int rejected = 0;
  for (int round = 0; round < kRounds; ++round) {
    const std::string service = absl::StrCat("s", round, ".example");
    std::vector<std::string> outcome;
    World::Asked asked;
    std::thread asking([&] { asked = world.Ask(kMarie, {Move(service, kTech, kDana)}); });
    if (round % 2 == 0) absl::SleepFor(absl::Milliseconds(round / 3));
    outcome = Import(world, {Held(service, kMarie, kEve)}, &second.engine);
    asking.join();
    ASSERT_THAT(asked.status, HasReason(""));
    const ContactChange change = asked.changes.at(0);
    // Either the import came first and the change is about its contact, or the import was rejected.
    EXPECT_EQ(change.items[0].old_contact, AccountId(world.Holder(service, kTech)));
    EXPECT_EQ(outcome.empty(), world.Holder(service, kTech) == kEve);
    rejected += outcome.empty() ? 0 : 1;
  }
  EXPECT_GT(rejected, 0);
  EXPECT_LT(rejected, kRounds);
}

TEST(Import, RacingWithEverythingElseLosesNoServiceAndFindsNoDefect) {
  constexpr int kServices = 12;
  World world(Settings(), kServices);
  World::Server second(world);
  const absl::Time end = absl::Now() + absl::Seconds(3);
  std::vector<std::thread> threads;
  const auto until_end = [&](const std::function<void(int)>& body) {
    threads.emplace_back([&, body] {
      for (int i = 0; absl::Now() < end && !::testing::Test::HasFailure(); ++i) body(i);
    });
  };
  const auto name = [](int i) { return absl::StrCat("s", i % kServices, ".example"); };
  const auto no_defect = [](const absl::Status& status) {
    EXPECT_TRUE(status.ok() || !errors::Reason(status).empty()) << status;
    EXPECT_NE(errors::Reason(status), "UNAVAILABLE") << status;
  };
  for (Engine* engine : {&world.engine, &second.engine}) {
    until_end([&, engine](int i) {
      std::vector<ImportRecord> records = {Person(kDana, absl::StrCat("d", i, "@x.example"))};
      // In random order, like files.
      for (int k = 0; k < kServices; ++k) {
        records.emplace_back(Held(name(k * 5 + i), kMarie, (i + k) % 2 == 0 ? kThomas : kEve));
      }
      Import(world, records, engine);
    });
  }
  until_end([&](int i) {
    const World::Asked asked =
        world.Ask(kMarie, {Move(name(i), kBilling, kDana), Move(name(i + 3), kBilling, kDana)});
    no_defect(asked.status);
    if (!asked.status.ok()) return;
    no_defect(world.Accept(kMarie, asked.changes[0]).status);
    no_defect(world.Accept(kDana, asked.changes[0]).status);
  });
  until_end([&](int i) { no_defect(world.Override({Move(name(i), kTech, kBill)})); });
  until_end([&](int i) { no_defect(world.DeleteService(name(i))); });
  for (std::thread& thread : threads) thread.join();
  // No other import runs during the last one, so the directory has its values.
  std::vector<ImportRecord> all;
  for (int k = 0; k < kServices; ++k) all.emplace_back(Held(name(k)));
  const auto pending = world.engine.reading.ListContactChanges(
      World::As(kMarie), {.states = {ChangeState::kValidating}}, {.size = 1000});
  ASSERT_TRUE(pending.ok()) << pending.status();
  for (const ContactChange& change : pending->rows) world.Cancel(kMarie, change.id);
  EXPECT_THAT(Import(world, all), IsEmpty());
  EXPECT_EQ(world.test_database.Count("SELECT COUNT(*) FROM service"), kServices);
  EXPECT_EQ(world.test_database.Count("SELECT COUNT(*) FROM pending_role"), 0);
}

TEST(Import, OfTheSameFileTwiceAtOnceEndsAsOfOnce) {
  World world(Settings(), 0);
  World::Server second(world);
  const auto run = [&](Engine* engine) {
    for (int batch = 0; batch < 10; ++batch) {
      std::vector<ImportRecord> records;
      for (int i = 0; i < 50; ++i) {
        const std::string id = absl::StrCat("mm", batch * 50 + i, "-ovh");
        records.emplace_back(Person(id, id + "@x.example"));
        records.emplace_back(Held(absl::StrCat(id, ".example"), id, id, id));
      }
      EXPECT_THAT(Import(world, records, engine), IsEmpty());
    }
  };
  std::thread other([&] { run(&second.engine); });
  run(&world.engine);
  other.join();
  EXPECT_EQ(world.test_database.Count("SELECT COUNT(*) FROM service WHERE version = 1"), 500);
  EXPECT_EQ(world.test_database.Count("SELECT COUNT(*) FROM account WHERE version = 1"), 505);
}

}  // namespace
}  // namespace contacts
