// Asking: all or nothing, one pending change for a role, quotas.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/mysql/connection.h"
#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using enum Role;

constexpr char kS0[] = "s0.example";
constexpr char kS1[] = "s1.example";
constexpr char kS2[] = "s2.example";

int64_t Changes(const World& world) {
  return world.test_database.Count("SELECT COUNT(*) FROM contact_change");
}

TEST(Asking, GroupsByNewContactWithOneEmailForEachValidator) {
  World world;
  const World::Asked asked =
      world.Ask(kMarie, {Move(kS0, kTech, kDana), Move(kS1, kTech, kDana),
                         Move(kS1, kBilling, kEve), Move(kS2, kTech, kMarie)});
  ASSERT_THAT(asked.status, HasReason(""));
  ASSERT_THAT(asked.changes, SizeIs(3));
  EXPECT_EQ(asked.changes[0].new_contact, AccountId(kDana));
  EXPECT_THAT(asked.changes[0].items, SizeIs(2));
  EXPECT_EQ(asked.changes[1].new_contact, AccountId(kEve));
  EXPECT_EQ(asked.changes[2].new_contact, AccountId(kMarie));
  EXPECT_EQ(asked.changes[0].batch_id, asked.changes[2].batch_id);
  EXPECT_THAT(world.TakeMails(),
              ElementsAre("VALIDATION aa1-ovh", "VALIDATION aa1-ovh", "VALIDATION aa1-ovh",
                          "VALIDATION dd4-ovh", "VALIDATION ee5-ovh"));
}

TEST(Asking, CreatesAllOfItOrNothingAndListsEveryWrongAssignment) {
  World world;
  world.AddService("foreign.example", kEve, kEve, kEve);
  const std::string before = world.test_database.Dump();
  const World::Asked asked =
      world.Ask(kMarie, {Move(kS0, kTech, kDana), Move("foreign.example", kTech, kDana),
                         Move(kS1, kTech, "zz9-ovh"), Move(kS2, kTech, kDana)});
  EXPECT_THAT(asked.status, HasReason("SERVICE_NOT_FOUND"));
  EXPECT_THAT(ViolationsOf(asked.status),
              ElementsAre("assignments[1].service SERVICE_NOT_FOUND",
                          "assignments[2].new_contact ACCOUNT_NOT_FOUND"));
  world.test_database.Execute(
      "DELETE FROM daily_use WHERE kind = 2");  // The count of wrong accounts.
  EXPECT_EQ(world.test_database.Dump(), before);
}

std::string PendingNamedTo(World& world, const char* account, const Assignment& assignment) {
  const absl::Status status = world.Ask(account, {assignment}).status;
  EXPECT_THAT(status, HasReason("CHANGE_ALREADY_PENDING"));
  const auto info = DetailOf<google::rpc::ErrorInfo>(status);
  EXPECT_EQ(info.metadata().at("role"), "TECH");
  const auto named = info.metadata().find("contact_change_id");
  return named == info.metadata().end() ? "" : named->second;
}

TEST(Asking, NamesThePendingChangeToThoseWhomItConcerns) {
  World world;
  const std::string by_admin = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0).id.text();
  const std::string by_tech = world.Ask(kThomas, {Move(kS1, kTech, kDana)}).changes.at(0).id.text();
  EXPECT_EQ(PendingNamedTo(world, kMarie, Move(kS0, kTech, kEve)), by_admin);
  EXPECT_EQ(PendingNamedTo(world, kMarie, Move(kS1, kTech, kEve)), by_tech);
  EXPECT_EQ(PendingNamedTo(world, kThomas, Move(kS1, kTech, kEve)), by_tech);
  EXPECT_EQ(PendingNamedTo(world, kThomas, Move(kS0, kTech, kEve)), "");
}

TEST(Asking, NewContactWithoutEmailIsNotFound) {
  World world;
  world.AddAccount("ff6-ovh", "");
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, "ff6-ovh")}).status,
              HasReason("ACCOUNT_NOT_FOUND"));
}

TEST(Asking, UnknownActingAccountIsNotFound) {
  World world;
  EXPECT_THAT(world.Ask("zz9-ovh", {Move(kS0, kTech, kDana)}).status,
              HasReason("ACCOUNT_NOT_FOUND"));
}

TEST(Asking, RefusesWhereABillingContactIsOverdue) {
  World world;
  ASSERT_TRUE(world.SetStanding(kBill, BillingStanding::kOverdue).ok());
  const World::Asked old_overdue = world.Ask(kMarie, {Move(kS0, kBilling, kDana)});
  EXPECT_THAT(old_overdue.status, HasReason("BILLING_OVERDUE"));
  EXPECT_THAT(OverdueOf(old_overdue.status), ElementsAre(kBill));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kBill)}).status, HasReason(""));

  ASSERT_TRUE(world.SetStanding(kBill, BillingStanding::kUpToDate).ok());
  ASSERT_TRUE(world.SetStanding(kDana, BillingStanding::kOverdue).ok());
  EXPECT_THAT(OverdueOf(world.Ask(kMarie, {Move(kS0, kBilling, kDana)}).status),
              ElementsAre(kDana));
}

TEST(ValidateOnly, ShowsWhatWouldBeCreatedAndWritesNothing) {
  World world;
  const std::string before = world.test_database.Dump();
  const World::Asked asked =
      world.Ask(kMarie, {Move(kS0, kTech, kDana), Move(kS1, kTech, kEve)}, Uuid::Version4(),
                /*validate_only=*/true);
  ASSERT_THAT(asked.status, HasReason(""));
  ASSERT_THAT(asked.changes, SizeIs(2));
  EXPECT_TRUE(asked.changes[0].id.is_nil());
  EXPECT_EQ(asked.changes[0].items.at(0).old_contact, AccountId(kThomas));
  EXPECT_EQ(world.test_database.Dump(), before);
}

TEST(ValidateOnly, LooksPastAChangeThatHasExpiredAndLeavesItToTheSweep) {
  World world;
  world.Ask(kMarie, {Move(kS0, kTech, kDana)});
  world.clock.Advance(world.settings.change_lifetime);
  const std::string before = world.test_database.Dump();
  const World::Asked asked =
      world.Ask(kMarie, {Move(kS0, kTech, kEve)}, Uuid::Version4(), /*validate_only=*/true);
  EXPECT_THAT(asked.status, HasReason(""));
  EXPECT_THAT(asked.changes, SizeIs(1));
  EXPECT_EQ(world.test_database.Dump(), before);
}

// Another transaction locks the rows that the dry run reads.
TEST(ValidateOnly, WaitsForNobody) {
  World world;
  std::atomic<int64_t> round_trips = 0;
  Sockets sockets;
  Connection other(world.test_database.options(), world.test_database.options().endpoints.at(0),
                   MemberKind::kAlone, /*autocommit=*/false, &sockets, &round_trips);
  other.Execute("UPDATE service SET version = version + 1");
  other.Execute("UPDATE account SET version = version + 1");
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}, Uuid::Version4(), true).status,
              HasReason(""));
  other.Execute("ROLLBACK");
}

TEST(ValidateOnly, RunsEveryCheck) {
  Settings settings;
  settings.max_pending_changes = 1;
  World world(settings);
  ASSERT_TRUE(world.SetStanding(kBill, BillingStanding::kOverdue).ok());
  const auto reason = [&](const std::string& who, const std::vector<Assignment>& assignments) {
    return errors::Reason(world.Ask(who, assignments, std::nullopt, true).status);
  };
  EXPECT_EQ(reason(kEve, {Move(kS0, kTech, kDana)}), "SERVICE_NOT_FOUND");
  EXPECT_EQ(reason(kThomas, {Move(kS0, kAdmin, kDana)}), "ROLE_NOT_ALLOWED");
  EXPECT_EQ(reason(kMarie, {Move(kS0, kTech, "zz9-ovh")}), "ACCOUNT_NOT_FOUND");
  EXPECT_EQ(reason(kMarie, {Move(kS0, kTech, kThomas)}), "CONTACT_UNCHANGED");
  EXPECT_EQ(reason(kMarie, {Move(kS0, kBilling, kDana)}), "BILLING_OVERDUE");
  EXPECT_EQ(reason(kMarie, {Move(kS0, kTech, kDana), Move(kS1, kTech, kEve)}), "QUOTA_EXCEEDED");
  world.Ask(kMarie, {Move(kS0, kTech, kDana)});
  EXPECT_EQ(reason(kThomas, {Move(kS0, kTech, kDana)}), "CHANGE_ALREADY_PENDING");
}

// --- Nobody's mailbox is a weapon --------------------------------------------------

Settings FewMails(int64_t limit) {
  Settings settings;
  settings.max_mails_per_day = limit;
  return settings;
}

// E-mails to Dana that were owed; none stays.
int64_t MailsToDana(World& world) {
  int64_t count = 0;
  for (const std::string& mail : world.TakeMails()) {
    if (absl::StrContains(mail, kDana)) ++count;
  }
  return count;
}

TEST(MailQuota, AskingAndCancellingInTurnsCausesNoMoreEmailsToOneAccountThanTheLimit) {
  World world(FewMails(7));
  int64_t mails = 0;
  int rounds = 0;
  World::Asked asked;
  for (;; ++rounds) {
    asked = world.Ask(kMarie, {Move(kS0, kTech, kDana)});
    if (!asked.status.ok()) break;
    mails += MailsToDana(world);
    world.clock.Advance(absl::Minutes(10));
    ASSERT_THAT(world.Cancel(kMarie, asked.changes[0].id).status, HasReason(""));
    mails += MailsToDana(world);
  }
  EXPECT_EQ(mails, 7);
  EXPECT_EQ(rounds, 4);
  EXPECT_THAT(asked.status, HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(RetryDelayOf(asked.status), absl::Hours(24) - absl::Minutes(40));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}, std::nullopt, true).status,
              HasReason("QUOTA_EXCEEDED"))
      << "a dry run shows what the ask would get";
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kEve)}).status, HasReason(""))
      << "another recipient";
  EXPECT_THAT(world.Ask(kThomas, {Move(kS1, kTech, kDana)}).status, HasReason(""))
      << "another requester";
  world.clock.Advance(absl::Hours(24) - absl::Minutes(40));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS2, kTech, kDana)}).status, HasReason("")) << "a new day";
}

TEST(MailQuota, NoticesOfChangesWithoutEffectAreNotSentBeyondTheLimit) {
  World world(FewMails(3));
  std::vector<ContactChange> asked;
  for (const char* service : {kS0, kS1, kS2}) {
    asked.push_back(world.Ask(kMarie, {Move(service, kTech, kDana)}).changes.at(0));
  }
  EXPECT_EQ(MailsToDana(world), 3);
  ASSERT_THAT(world.Cancel(kMarie, asked[0].id).status, HasReason(""));
  ASSERT_THAT(world.Refuse(kMarie, asked[1].id, world.Token(asked[1].id, kMarie)).status,
              HasReason(""));
  EXPECT_EQ(MailsToDana(world), 0);
  // A day later the reminder and the end of the third are told again.
  world.clock.Advance(absl::Hours(24) * 5);
  ASSERT_EQ(*world.engine.maintenance.RunTimers(10), 1);
  EXPECT_EQ(MailsToDana(world), 1);
}

TEST(MailQuota, WhatTookEffectIsAlwaysTold) {
  World world(FewMails(1));
  const ContactChange change = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  EXPECT_EQ(MailsToDana(world), 1);
  world.Accept(kDana, change);
  ASSERT_EQ(world.Accept(kMarie, change).change.state, ChangeState::kDone);
  EXPECT_THAT(world.TakeMails(), ElementsAre("DONE aa1-ovh", "DONE dd4-ovh", "ROLES_LOST bb2-ovh"));
  // Each of them counted.
  EXPECT_THAT(world.Ask(kMarie, {Move(kS1, kTech, kThomas), Move(kS2, kTech, kMarie)}).status,
              HasReason("CONTACT_UNCHANGED"));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kThomas)}).status, HasReason("QUOTA_EXCEEDED"));
}

TEST(MailQuota, NoRoleIsTakenFromAnAccountThatWasToldOfTooManySuch) {
  World world(FewMails(1));
  const ContactChange change = world.Ask(kMarie, {Move(kS0, kTech, kMarie)}).changes.at(0);
  ASSERT_EQ(world.Accept(kMarie, change).change.state, ChangeState::kDone);
  EXPECT_THAT(world.TakeMails(), ElementsAre("DONE aa1-ovh", "ROLES_LOST bb2-ovh"));
  const absl::Status refused = world.Ask(kMarie, {Move(kS1, kTech, kDana)}).status;
  EXPECT_THAT(refused, HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(RetryDelayOf(refused), absl::Hours(24));
  EXPECT_THAT(world.Ask(kThomas, {Move(kS1, kTech, kDana)}).status, HasReason(""))
      << "the old contact asks for itself";
}

TEST(MailQuota, ResendsCountAndThoseOfTheValidatorItselfDoNot) {
  World world(FewMails(3));
  const ContactChange change = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  const auto resend = [&](const char* account) {
    world.clock.Advance(absl::Minutes(1));
    return world.Resend(account, change.id, kDana).status;
  };
  EXPECT_THAT(resend(kMarie), HasReason(""));
  EXPECT_THAT(resend(kMarie), HasReason(""));
  const absl::Status refused = resend(kMarie);
  EXPECT_THAT(refused, HasReason("RESEND_TOO_SOON"));
  EXPECT_EQ(RetryDelayOf(refused), absl::Hours(24) - absl::Minutes(3));
  EXPECT_THAT(resend(kDana), HasReason(""));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS1, kTech, kDana)}).status, HasReason("QUOTA_EXCEEDED"));
}

TEST(MailQuota, AReplayDoesNotCount) {
  World world(FewMails(2));
  const Uuid id = Uuid::Version4();
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}, id).status, HasReason(""));
  }
  EXPECT_THAT(world.Ask(kMarie, {Move(kS1, kTech, kDana)}).status, HasReason(""));
  EXPECT_EQ(world.test_database.Count("SELECT uses FROM daily_use WHERE kind = 3"), 2);
  EXPECT_EQ(world.test_database.Count("SELECT uses FROM daily_use WHERE kind = 1"), 2) << "items";
}

TEST(WrongAccounts, DryRunsListNeitherWhoIsACustomerNorWhoOwes) {
  Settings settings;
  settings.max_wrong_accounts_per_day = 3;
  World world(settings);
  ASSERT_TRUE(world.SetStanding(kEve, BillingStanding::kOverdue).ok());
  const auto reason = [&](const char* account, const std::vector<Assignment>& assignments,
                          bool dry_run) {
    return errors::Reason(world.Ask(account, assignments, std::nullopt, dry_run).status);
  };
  EXPECT_EQ(reason(kMarie, {Move(kS0, kTech, "zz1-ovh")}, true), "ACCOUNT_NOT_FOUND");
  EXPECT_EQ(reason(kMarie, {Move(kS0, kTech, "zz2-ovh")}, false), "ACCOUNT_NOT_FOUND");
  EXPECT_EQ(reason(kMarie, {Move(kS0, kTech, kDana)}, true), "") << "costs nothing";
  world.clock.Advance(absl::Hours(1));
  EXPECT_EQ(reason(kMarie, {Move(kS0, kBilling, kEve)}, true), "BILLING_OVERDUE");
  // Used up: no answer tells more, whether or not an account exists.
  for (const char* named : {"zz3-ovh", kDana, kEve}) {
    for (const Role role : {kTech, kBilling}) {
      const absl::Status dry =
          world.Ask(kMarie, {Move(kS0, role, named)}, std::nullopt, true).status;
      EXPECT_THAT(dry, HasReason("QUOTA_EXCEEDED")) << named;
      EXPECT_EQ(RetryDelayOf(dry), absl::Hours(23));
      EXPECT_EQ(reason(kMarie, {Move(kS0, role, named), Move("gone.example", kTech, kDana)}, false),
                "QUOTA_EXCEEDED")
          << named;
    }
  }
  EXPECT_EQ(reason(kMarie, {Move(kS0, kTech, "zz3-ovh")}, false), "QUOTA_EXCEEDED");
  EXPECT_EQ(reason(kMarie, {Move(kS0, kTech, kDana)}, false), "") << "an ask without any mistake";
  EXPECT_EQ(reason(kThomas, {Move(kS1, kTech, "zz3-ovh")}, true), "ACCOUNT_NOT_FOUND")
      << "another account has its own";
  world.clock.Advance(absl::Hours(23));
  EXPECT_EQ(reason(kMarie, {Move(kS1, kTech, "zz3-ovh")}, true), "ACCOUNT_NOT_FOUND");
}

TEST(WrongAccounts, AnotherQuotaThatIsUsedUpDoesNotTellEither) {
  Settings settings;
  settings.max_wrong_accounts_per_day = 1;
  settings.max_asks_per_minute = 1;
  World world(settings);
  ASSERT_THAT(world.Ask(kMarie, {Move(kS0, kTech, "zz1-ovh")}).status,
              HasReason("ACCOUNT_NOT_FOUND"));
  ASSERT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}).status, HasReason(""));
  const absl::Status wrong = world.Ask(kMarie, {Move(kS1, kTech, "zz2-ovh")}).status;
  const absl::Status right = world.Ask(kMarie, {Move(kS1, kTech, kDana)}).status;
  EXPECT_THAT(wrong, HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(wrong, right);
}

TEST(WrongAccounts, EachOfABulkAskCounts) {
  Settings settings;
  settings.max_wrong_accounts_per_day = 3;
  World world(settings);
  const auto dry_run = [&](const std::vector<std::string>& named) {
    std::vector<Assignment> assignments;
    for (std::size_t i = 0; i < named.size(); ++i) {
      assignments.push_back(
          Move(absl::StrCat("s", i / 2, ".example"), i % 2 == 0 ? kTech : kAdmin, named[i]));
    }
    return errors::Reason(world.Ask(kMarie, assignments, std::nullopt, true).status);
  };
  EXPECT_EQ(dry_run({"zz1-ovh", "zz2-ovh", "zz3-ovh", "zz4-ovh"}), "QUOTA_EXCEEDED");
  EXPECT_EQ(dry_run({"zz1-ovh", "zz1-ovh", "zz2-ovh", kDana}), "ACCOUNT_NOT_FOUND") << "two";
  EXPECT_EQ(dry_run({kDana}), "QUOTA_EXCEEDED") << "one for the first, two for the second";
}

TEST(ItemQuota, HoldsForARequesterAndEndsWithTheDay) {
  Settings settings;
  settings.max_items_per_day = 3;
  World world(settings);
  ASSERT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana), Move(kS0, kBilling, kDana)}).status,
              HasReason(""));
  world.clock.Advance(absl::Hours(20));
  const absl::Status refused =
      world.Ask(kMarie, {Move(kS1, kTech, kDana), Move(kS1, kBilling, kEve)}).status;
  EXPECT_THAT(refused, HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(RetryDelayOf(refused), absl::Hours(4));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS1, kTech, kDana)}).status, HasReason(""));
  EXPECT_THAT(world.Ask(kBill, {Move(kS2, kBilling, kDana)}).status, HasReason(""))
      << "another requester has its own";
  world.clock.Advance(absl::Hours(4));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS2, kTech, kDana)}).status, HasReason(""));
}

TEST(AskQuota, HoldsForARequesterOverAllServersAndEndsWithTheMinute) {
  Settings settings;
  settings.max_asks_per_minute = 2;
  World world(settings);
  ASSERT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}).status, HasReason(""));
  // Refused asks and dry runs are not counted.
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}).status,
              HasReason("CHANGE_ALREADY_PENDING"));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS1, kTech, kDana)}, std::nullopt, true).status,
              HasReason(""));
  world.clock.Advance(absl::Seconds(50));
  ASSERT_THAT(world.Ask(kMarie, {Move(kS1, kTech, kDana)}).status, HasReason(""));
  const absl::Status refused = world.Ask(kMarie, {Move(kS2, kTech, kDana)}).status;
  EXPECT_THAT(refused, HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(RetryDelayOf(refused), absl::Seconds(10));
  EXPECT_THAT(world.Ask(kBill, {Move(kS2, kBilling, kEve)}).status, HasReason(""))
      << "another requester has its own";
  world.clock.Advance(absl::Seconds(10));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS2, kTech, kDana)}).status, HasReason(""));
}

TEST(PendingQuota, CountsPendingChangesOfTheRequesterAndIsASetting) {
  Settings settings;
  settings.max_pending_changes = 3;
  World world(settings);
  const World::Asked first = world.Ask(kMarie, {Move(kS0, kTech, kDana), Move(kS1, kTech, kEve)});
  ASSERT_THAT(first.status, HasReason(""));
  // Two more would be four; all or nothing.
  EXPECT_THAT(world.Ask(kMarie, {Move(kS2, kTech, kDana), Move(kS2, kBilling, kEve)}).status,
              HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(Changes(world), 2);
  EXPECT_THAT(world.Ask(kMarie, {Move(kS2, kTech, kDana)}).status, HasReason(""));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS2, kBilling, kEve)}).status, HasReason("QUOTA_EXCEEDED"));
  // Another requester has its own quota.
  EXPECT_THAT(world.Ask(kBill, {Move(kS2, kBilling, kEve)}).status, HasReason(""));
  // A closed change no longer counts.
  ASSERT_THAT(world.Cancel(kMarie, first.changes[0].id).status, HasReason(""));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}).status, HasReason(""));
}

TEST(PendingQuota, ExpiredChangesDoNotCountBeforeTheSweepEither) {
  Settings settings;
  settings.max_pending_changes = 1;
  World world(settings);
  ASSERT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}).status, HasReason(""));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS1, kTech, kDana)}).status, HasReason("QUOTA_EXCEEDED"));
  world.clock.Advance(settings.change_lifetime);
  EXPECT_THAT(world.Ask(kMarie, {Move(kS1, kTech, kDana)}).status, HasReason(""));
}

TEST(OnePending, SecondChangeOfARoleIsRefusedWhoeverAsks) {
  World world;
  ASSERT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}).status, HasReason(""));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kEve)}).status,
              HasReason("CHANGE_ALREADY_PENDING"));
  EXPECT_THAT(world.Ask(kThomas, {Move(kS0, kTech, kEve)}).status,
              HasReason("CHANGE_ALREADY_PENDING"));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kBilling, kEve), Move(kS1, kTech, kEve)}).status,
              HasReason(""));
}

TEST(OnePending, ClosedChangeFreesItsRolesHoweverItClosed) {
  World world;
  const auto ask = [&] {
    const World::Asked asked = world.Ask(kMarie, {Move(kS0, kTech, kDana)});
    EXPECT_THAT(asked.status, HasReason(""));
    return asked.changes.at(0);
  };
  const ContactChange refused = ask();
  ASSERT_THAT(world.Refuse(kDana, refused.id, world.Token(refused.id, kDana)).status,
              HasReason(""));
  const ContactChange cancelled = ask();
  ASSERT_THAT(world.Cancel(kMarie, cancelled.id).status, HasReason(""));
  const ContactChange expired = ask();
  world.clock.Advance(absl::Hours(24 * 7));
  ASSERT_EQ(*world.engine.maintenance.RunTimers(10), 1);
  const ContactChange aborted = ask();
  ASSERT_TRUE(world.Override({Move(kS0, kTech, kThomas)}).ok());
  const ContactChange done = ask();
  world.Accept(kMarie, done);
  ASSERT_EQ(world.Accept(kDana, done).change.state, ChangeState::kDone);
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kEve)}).status, HasReason(""));
  EXPECT_EQ(world.Get(kMarie, refused.id)->state, ChangeState::kRefused);
  EXPECT_EQ(world.Get(kMarie, cancelled.id)->state, ChangeState::kCancelled);
  EXPECT_EQ(world.Get(kMarie, expired.id)->state, ChangeState::kExpired);
  EXPECT_EQ(world.Get(kMarie, aborted.id)->state, ChangeState::kAborted);
}

TEST(OnePending, ExpiredChangeInTheWayIsMarkedOnTheFly) {
  World world;
  const ContactChange old = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  world.TakeMails();
  world.clock.Advance(absl::Hours(24 * 7) - absl::Microseconds(1));
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kEve)}).status,
              HasReason("CHANGE_ALREADY_PENDING"));
  world.clock.Advance(absl::Microseconds(1));
  const World::Asked again = world.Ask(kMarie, {Move(kS0, kTech, kEve)}, Uuid::Version4());
  EXPECT_THAT(again.status, HasReason(""));
  EXPECT_EQ(world.History(old.id).back(), EventType::kExpired);
  EXPECT_THAT(world.TakeMails(), ElementsAre("VALIDATION aa1-ovh", "VALIDATION ee5-ovh",
                                             "EXPIRED aa1-ovh", "EXPIRED dd4-ovh"));
  EXPECT_EQ(*world.engine.maintenance.RunTimers(10), 0);
}

}  // namespace
}  // namespace contacts
