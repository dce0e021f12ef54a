// Operations of operators and accounts on the directory, and their effect on changes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "core/domain/etag.h"
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

constexpr char kS0[] = "s0.example";
constexpr char kS1[] = "s1.example";

// --- Overrides ------------------------------------------------------------------

TEST(Override, MovesTheRoleAtOnceTellsOldAndNewContactsAndKeepsTheReason) {
  World world;
  ASSERT_TRUE(world.Override({Move(kS0, kTech, kEve), Move(kS1, kTech, kEve)}, "court order").ok());
  EXPECT_EQ(world.Holder(kS0, kTech), kEve);
  EXPECT_EQ(world.Holder(kS1, kTech), kEve);
  EXPECT_THAT(world.test_database.Query("SELECT reason FROM contact_override"),
              ElementsAre("court order"));
  EXPECT_THAT(world.test_database.Query("SELECT CONCAT(service_id, ' ', old_contact, ' ',"
                                        " new_contact) FROM contact_override_item"),
              UnorderedElementsAre("s0.example bb2-ovh ee5-ovh", "s1.example bb2-ovh ee5-ovh"));
  const auto mails = world.outbox.Claim(10, absl::Minutes(1), world.clock.Now());
  ASSERT_TRUE(mails.ok());
  std::vector<std::string> told;
  for (const MailFacts& facts : *mails) {
    EXPECT_EQ(facts.mail.kind, MailKind::kOverride);
    ASSERT_TRUE(facts.override_record.has_value());
    EXPECT_EQ(facts.override_record->reason, "court order");
    EXPECT_THAT(facts.override_record->items, SizeIs(2));
    told.push_back(facts.recipient.id.text());
  }
  EXPECT_THAT(told, UnorderedElementsAre(kThomas, kEve));
}

TEST(Override, TakesItsItemsOutOfPendingChangesAndNoOthers) {
  World world;
  const ContactChange change =
      world
          .Ask(kMarie,
               {Move(kS0, kTech, kDana), Move(kS0, kBilling, kDana), Move(kS1, kTech, kDana)})
          .changes.at(0);
  world.TakeMails();
  ASSERT_TRUE(world.Override({Move(kS0, kTech, kEve)}).ok());
  EXPECT_THAT(world.TakeMails(), ElementsAre("OVERRIDE bb2-ovh", "OVERRIDE ee5-ovh"));
  const ContactChange left = *world.Get(kMarie, change.id);
  EXPECT_EQ(left.state, ChangeState::kValidating);
  EXPECT_EQ(left.items[0].outcome, ItemOutcome::kSkippedContactChanged);
  EXPECT_EQ(left.items[1].outcome, ItemOutcome::kPending);
  EXPECT_EQ(left.items[2].outcome, ItemOutcome::kPending);
  // The role is free, the others are not.
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}).status, HasReason(""));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kBilling, kEve)}).status,
              HasReason("CHANGE_ALREADY_PENDING"));
  // The remaining items take effect.
  world.Accept(kMarie, change);
  EXPECT_EQ(world.Accept(kDana, change).change.state, ChangeState::kDone);
  EXPECT_EQ(world.Holder(kS0, kTech), kEve);
  EXPECT_EQ(world.Holder(kS0, kBilling), kDana);
  EXPECT_EQ(world.Holder(kS1, kTech), kDana);
}

TEST(Override, OfTheLastItemAbortsTheChangeAndTellsBothParties) {
  World world;
  const ContactChange change = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  world.Accept(kMarie, change);
  world.TakeMails();
  ASSERT_TRUE(world.Override({Move(kS0, kTech, kEve)}).ok());
  EXPECT_EQ(world.Get(kMarie, change.id)->state, ChangeState::kAborted);
  EXPECT_EQ(world.History(change.id).back(), EventType::kAborted);
  EXPECT_THAT(world.TakeMails(), ElementsAre("ABORTED aa1-ovh", "ABORTED dd4-ovh",
                                             "OVERRIDE bb2-ovh", "OVERRIDE ee5-ovh"));
  EXPECT_THAT(world.Accept(kDana, change).status, HasReason("CHANGE_CLOSED"));
}

TEST(Override, OfManyChangesAtOnceTakesOutOfEach) {
  World world;
  const World::Asked asked = world.Ask(
      kMarie, {Move(kS0, kTech, kDana), Move(kS0, kBilling, kEve), Move(kS1, kTech, kBill)});
  ASSERT_THAT(asked.changes, SizeIs(3));
  ASSERT_TRUE(
      world
          .Override({Move(kS0, kTech, kBill), Move(kS0, kBilling, kThomas), Move(kS1, kTech, kEve)})
          .ok());
  for (const ContactChange& change : asked.changes) {
    EXPECT_EQ(world.Get(kMarie, change.id)->state, ChangeState::kAborted);
  }
}

TEST(Override, WithAWrongAssignmentDoesNothingAndListsEveryWrongOne) {
  World world;
  world.Ask(kMarie, {Move(kS0, kTech, kDana)});
  const std::string before = world.test_database.Dump();
  const absl::Status status = world.Override(
      {Move(kS0, kTech, kEve), Move(kS1, kTech, "zz9-ovh"), Move("gone.example", kTech, kEve)});
  EXPECT_THAT(status, HasReason("ACCOUNT_NOT_FOUND"));
  EXPECT_THAT(ViolationsOf(status), ElementsAre("assignments[1].new_contact ACCOUNT_NOT_FOUND",
                                                "assignments[2].service SERVICE_NOT_FOUND"));
  EXPECT_EQ(world.test_database.Dump(), before);
}

// --- Removed services -------------------------------------------------------------

TEST(RemovedService, TakesItsItemsOutOfPendingChangesAndNoOthers) {
  World world;
  const ContactChange change =
      world
          .Ask(kMarie,
               {Move(kS0, kTech, kDana), Move(kS0, kBilling, kDana), Move(kS1, kTech, kDana)})
          .changes.at(0);
  world.TakeMails();
  ASSERT_TRUE(world.DeleteService(kS0).ok());
  const ContactChange left = *world.Get(kMarie, change.id);
  EXPECT_EQ(left.state, ChangeState::kValidating);
  EXPECT_EQ(left.items[0].outcome, ItemOutcome::kSkippedServiceRemoved);
  EXPECT_EQ(left.items[1].outcome, ItemOutcome::kSkippedServiceRemoved);
  EXPECT_EQ(left.items[2].outcome, ItemOutcome::kPending);
  EXPECT_THAT(world.TakeMails(), IsEmpty());
  world.Accept(kMarie, change);
  EXPECT_EQ(world.Accept(kDana, change).change.state, ChangeState::kDone);
  EXPECT_EQ(world.Holder(kS1, kTech), kDana);
}

TEST(RemovedService, OfTheLastItemAbortsTheChangeAndTellsBothParties) {
  World world;
  const ContactChange change = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  world.TakeMails();
  ASSERT_TRUE(world.DeleteService(kS0).ok());
  EXPECT_EQ(world.Get(kMarie, change.id)->state, ChangeState::kAborted);
  EXPECT_THAT(world.TakeMails(), ElementsAre("ABORTED aa1-ovh", "ABORTED dd4-ovh"));
  EXPECT_THAT(world.DeleteService(kS0), HasReason("SERVICE_NOT_FOUND"));
  // The same id may come back, with its roles free.
  world.AddService(kS0);
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}).status, HasReason(""));
}

TEST(RemovedService, LeavesClosedChangesAsTheyAre) {
  World world;
  const World::Answered done = world.AskAndAccept(kMarie, {Move(kS0, kTech, kDana)});
  const auto history = world.History(done.change.id);
  ASSERT_TRUE(world.DeleteService(kS0).ok());
  const ContactChange kept = *world.Get(kMarie, done.change.id);
  EXPECT_EQ(kept.state, ChangeState::kDone);
  EXPECT_EQ(kept.items[0].outcome, ItemOutcome::kApplied);
  EXPECT_EQ(world.History(done.change.id), history);
}

// --- Profiles -----------------------------------------------------------------------

absl::StatusOr<std::string> Update(World& world, const ProfileUpdate& update) {
  return world.engine.profiles.UpdateAccount(
      World::As(update.id.text()), update,
      [](const Account& account) { return Etag(account.version); });
}

// Settings of a provider whose front end confirms addresses.
Settings WithoutConfirmation() {
  Settings settings;
  settings.email_confirmation = absl::ZeroDuration();
  return settings;
}

TEST(Profile, ChangedEmailIsToldToTheOldAddress) {
  World world(WithoutConfirmation());
  ASSERT_TRUE(Update(world, {.id = AccountId(kDana), .email = "dana@new.example"}).ok());
  const auto mails = world.outbox.Claim(10, absl::Minutes(1), world.clock.Now());
  ASSERT_TRUE(mails.ok());
  ASSERT_THAT(*mails, SizeIs(1));
  EXPECT_EQ((*mails)[0].mail.kind, MailKind::kProfileChanged);
  EXPECT_EQ((*mails)[0].mail.recipient, AccountId(kDana));
  EXPECT_EQ((*mails)[0].mail.address, "dd4-ovh@mail.example");
}

TEST(Profile, NothingIsToldWhereTheEmailStaysTheSame) {
  World world;
  ASSERT_TRUE(Update(world, {.id = AccountId(kDana), .language = "fr"}).ok());
  ASSERT_TRUE(Update(world, {.id = AccountId(kDana), .email = "dd4-ovh@mail.example"}).ok());
  EXPECT_THAT(world.TakeMails(), IsEmpty());
  EXPECT_EQ(world.engine.profiles.GetProfile(World::As(kDana))->language, "fr");
}

TEST(Profile, OwnAddressMayChangeSoManyTimesADay) {
  Settings settings = WithoutConfirmation();
  settings.max_addresses_per_day = 2;
  World world(settings);
  const auto move_to = [&](const std::string& address) {
    return Update(world, {.id = AccountId(kDana), .email = address}).status();
  };
  ASSERT_TRUE(move_to("one@new.example").ok());
  ASSERT_TRUE(move_to("one@new.example").ok());  // The same address: not counted.
  ASSERT_TRUE(move_to("two@new.example").ok());
  EXPECT_THAT(move_to("three@new.example"), HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(world.engine.profiles.GetProfile(World::As(kDana))->email, "two@new.example");
  EXPECT_THAT(world.TakeMails(), SizeIs(2));
  // The language, other accounts and operators are not limited.
  EXPECT_TRUE(Update(world, {.id = AccountId(kDana), .language = "fr"}).ok());
  EXPECT_TRUE(Update(world, {.id = AccountId(kEve), .email = "eve@new.example"}).ok());
  EXPECT_TRUE(world.engine.profiles
                  .UpdateAccount(World::AsOperator(),
                                 {.id = AccountId(kDana), .email = "four@new.example"},
                                 [](const Account&) { return std::string(); })
                  .ok());
  world.clock.Advance(absl::Hours(24));
  EXPECT_TRUE(move_to("five@new.example").ok());
}

TEST(Profile, StaleEtagIsRefusedAndNothingChanges) {
  World world;
  const absl::StatusOr<std::string> first =
      Update(world, {.id = AccountId(kDana), .language = "fr", .etag = Etag(1)});
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_THAT(Update(world, {.id = AccountId(kDana), .email = "late@new.example", .etag = Etag(1)})
                  .status(),
              HasReason("ETAG_MISMATCH"));
  EXPECT_EQ(world.engine.profiles.GetProfile(World::As(kDana))->email, "dd4-ovh@mail.example");
  EXPECT_THAT(world.TakeMails(), IsEmpty());
  EXPECT_TRUE(Update(world, {.id = AccountId(kDana), .language = "en", .etag = *first}).ok());
}

TEST(Directory, AccountAndServiceOfOneIdExistOnce) {
  World world;
  Account account;
  account.id = AccountId(kDana);
  EXPECT_THAT(
      world.engine.directory
          .CreateAccount(World::AsOperator(), account, [](const Account&) { return std::string(); })
          .status(),
      HasReason("ALREADY_EXISTS"));
  const auto create = [&](const char* id, const char* tech) {
    Service service;
    service.id = ServiceId(id);
    service.admin = service.billing = AccountId(kMarie);
    service.tech = AccountId(tech);
    return world.engine.directory
        .CreateService(World::AsOperator(), service, [](const Service&) { return std::string(); })
        .status();
  };
  EXPECT_THAT(create(kS0, kThomas), HasReason("ALREADY_EXISTS"));
  EXPECT_THAT(create("new.example", "zz9-ovh"), HasReason("ACCOUNT_NOT_FOUND"));
  EXPECT_THAT(create("new.example", kThomas), HasReason(""));
}

// --- Owners ---------------------------------------------------------------------------

absl::Status SetOwner(World& world, const char* account, const std::string& service,
                      const std::string& etag = "") {
  OwnerUpdate update;
  update.service = ServiceId(service);
  update.owner.name = "Irène Joliot";
  update.owner.city = "Paris";
  update.owner.address_lines = {"1 rue d'Ulm", "Bât. B"};
  update.fields = {"city", "address_lines"};
  update.etag = etag;
  return world.engine.profiles
      .UpdateServiceOwner(World::As(account), update, [](const Service&) { return std::string(); })
      .status();
}

TEST(Owner, IsChangedByTheAdminAloneAndOnlyInTheFieldsNamed) {
  World world;
  EXPECT_THAT(SetOwner(world, kThomas, kS0), HasReason("ROLE_NOT_ALLOWED"));
  EXPECT_THAT(SetOwner(world, kBill, kS0), HasReason("ROLE_NOT_ALLOWED"));
  EXPECT_THAT(SetOwner(world, kEve, kS0), HasReason("SERVICE_NOT_FOUND"));
  EXPECT_THAT(SetOwner(world, kMarie, "gone.example"), HasReason("SERVICE_NOT_FOUND"));
  EXPECT_EQ(world.engine.reading.GetService(World::As(kMarie), ServiceId(kS0))->service.owner->city,
            "");
  ASSERT_THAT(SetOwner(world, kMarie, kS0), HasReason(""));
  const Owner owner =
      *world.engine.reading.GetService(World::As(kMarie), ServiceId(kS0))->service.owner;
  EXPECT_EQ(owner.name, "Marie Curie");
  EXPECT_EQ(owner.city, "Paris");
  EXPECT_THAT(owner.address_lines, ElementsAre("1 rue d'Ulm", "Bât. B"));
}

TEST(Owner, StaleEtagIsRefused) {
  World world;
  ASSERT_THAT(SetOwner(world, kMarie, kS0, Etag(1)), HasReason(""));
  EXPECT_THAT(SetOwner(world, kMarie, kS0, Etag(1)), HasReason("ETAG_MISMATCH"));
}

TEST(Service, EtagMovesWithEachRoleThatIsMoved) {
  World world;
  const std::string before =
      Etag(world.engine.directory.LookupService(World::AsOperator(), ServiceId(kS0))->version);
  world.AskAndAccept(kMarie, {Move(kS0, kTech, kDana)});
  EXPECT_THAT(SetOwner(world, kMarie, kS0, before), HasReason("ETAG_MISMATCH"));
}

TEST(MissingService, IsNotToldToAnOperatorAsOneOnWhichAnAccountHoldsNoRole) {
  World world;
  const std::vector<Assignment> moves = {Move("gone.example", kTech, kEve)};
  for (const absl::Status& status :
       {world.engine.directory.LookupService(World::AsOperator(), ServiceId("gone.example"))
            .status(),
        world.DeleteService("gone.example"), world.Override(moves)}) {
    EXPECT_THAT(status, HasReason("SERVICE_NOT_FOUND"));
    EXPECT_THAT(std::string(status.message()), ::testing::Not(::testing::HasSubstr("acting")));
  }
  EXPECT_THAT(std::string(world.Ask(kMarie, moves).status.message()),
              ::testing::HasSubstr("acting account"));
}

}  // namespace
}  // namespace contacts
