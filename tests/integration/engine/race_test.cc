// Races, on three servers over one database: one outcome each.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/testing/race.h"
#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using enum Role;

constexpr int kThreads = 16;

// "REASON" or "OK", and how often.
std::map<std::string, int> Tally(const std::vector<absl::Status>& statuses) {
  std::map<std::string, int> tally;
  for (const absl::Status& status : statuses) {
    ++tally[status.ok() ? "OK" : errors::Reason(status)];
  }
  return tally;
}

using Counts = std::map<std::string, int>;

ContactChange AskTech(Servers& servers, int round) {
  const World::Asked asked = servers.world.Ask(kMarie, {Move(ServiceOf(round), kTech, kDana)});
  EXPECT_THAT(asked.status, HasReason(""));
  return asked.changes.at(0);
}

std::string Of(const Uuid& id) {
  return absl::StrCat(" WHERE change_id = x'", absl::BytesToHexString(id.bytes()), "'");
}

int64_t EventsOfType(Servers& servers, const Uuid& id, EventType type) {
  return servers.world.test_database.Count(absl::StrCat(
      "SELECT COUNT(*) FROM contact_change_event", Of(id), " AND type = ", static_cast<int>(type)));
}

TEST(Race, ForTheSameRoleHasOneWinner) {
  Servers servers;
  // Marie and Thomas may both move it, so that neither account's lock decides.
  for (int round = 0; round < kRounds; ++round) {
    std::vector<absl::Status> statuses(kThreads);
    AtOnce(kThreads, [&](int i) {
      statuses[static_cast<std::size_t>(i)] =
          servers.world
              .Ask(i % 2 == 0 ? kMarie : kThomas, {Move(ServiceOf(round), kTech, kDana)},
                   std::nullopt, false, servers.engine(i))
              .status;
    });
    EXPECT_EQ(Tally(statuses), (Counts{{"OK", 1}, {"CHANGE_ALREADY_PENDING", kThreads - 1}}));
  }
  EXPECT_EQ(servers.world.test_database.Count("SELECT COUNT(*) FROM contact_change"), kRounds);
  EXPECT_EQ(servers.world.test_database.Count("SELECT COUNT(*) FROM pending_role"), kRounds);
  EXPECT_EQ(servers.world.test_database.Count("SELECT COUNT(*) FROM contact_change_event"),
            kRounds);
  EXPECT_EQ(servers.world.test_database.Count("SELECT COUNT(*) FROM outbox"), 2 * kRounds);
}

TEST(Race, OfOverlappingBatchesLeavesNoHalves) {
  Servers servers;
  for (int round = 0; round < kRounds; ++round) {
    // Each asks for a pair of neighbouring roles. Two pairs may overlap.
    std::vector<absl::Status> statuses(6);
    AtOnce(6, [&](int i) {
      const Role first = kRoles[i % 3];
      const Role second = kRoles[(i + 1) % 3];
      statuses[static_cast<std::size_t>(i)] =
          servers.world
              .Ask(kMarie,
                   {Move(ServiceOf(round), first, kDana), Move(ServiceOf(round), second, kEve)},
                   std::nullopt, false, servers.engine(i))
              .status;
    });
    EXPECT_EQ(Tally(statuses), (Counts{{"OK", 1}, {"CHANGE_ALREADY_PENDING", 5}}));
  }
  EXPECT_EQ(servers.world.test_database.Count("SELECT COUNT(*) FROM contact_change"), 2 * kRounds);
  EXPECT_EQ(servers.world.test_database.Count("SELECT COUNT(*) FROM contact_change_item"),
            2 * kRounds);
  EXPECT_EQ(servers.world.test_database.Count("SELECT COUNT(*) FROM pending_role"), 2 * kRounds);
}

TEST(Race, OfOneTokenCountsOnce) {
  Servers servers;
  for (int round = 0; round < kRounds; ++round) {
    const ContactChange change = AskTech(servers, round);
    const std::string token = servers.world.Token(change.id, kDana);
    std::vector<absl::Status> statuses(kThreads);
    AtOnce(kThreads, [&](int i) {
      statuses[static_cast<std::size_t>(i)] =
          servers.world.Accept(kDana, change.id, token, std::nullopt, servers.engine(i)).status;
    });
    EXPECT_EQ(Tally(statuses), (Counts{{"OK", 1}, {"ALREADY_VALIDATED", kThreads - 1}}));
    EXPECT_EQ(EventsOfType(servers, change.id, EventType::kAccepted), 1);
  }
}

TEST(Race, OfTheTwoLastValidationsTakesEffectOnce) {
  Servers servers;
  for (int round = 0; round < kRounds; ++round) {
    const ContactChange change = AskTech(servers, round);
    const std::string maries = servers.world.Token(change.id, kMarie);
    const std::string danas = servers.world.Token(change.id, kDana);
    std::vector<World::Answered> answers(2);
    AtOnce(2, [&](int i) {
      answers[static_cast<std::size_t>(i)] =
          servers.world.Accept(i == 0 ? kMarie : kDana, change.id, i == 0 ? maries : danas,
                               std::nullopt, servers.engine(i));
    });
    EXPECT_THAT(answers[0].status, HasReason(""));
    EXPECT_THAT(answers[1].status, HasReason(""));
    // One of the two calls saw it done.
    EXPECT_EQ((answers[0].change.state == ChangeState::kDone) +
                  (answers[1].change.state == ChangeState::kDone),
              1);
    EXPECT_EQ(servers.world.Holder(ServiceOf(round), kTech), kDana);
    EXPECT_EQ(EventsOfType(servers, change.id, EventType::kAccepted), 2);
    EXPECT_EQ(EventsOfType(servers, change.id, EventType::kDone), 1);
  }
  EXPECT_EQ(servers.world.test_database.Count("SELECT COUNT(*) FROM pending_role"), 0);
  EXPECT_EQ(servers.world.test_database.Count(absl::StrCat(
                "SELECT COUNT(*) FROM outbox WHERE kind = ", static_cast<int>(MailKind::kDone))),
            2 * kRounds);
}

TEST(Race, OfCancelAndLastAcceptanceHasOneOutcome) {
  Servers servers;
  for (int round = 0; round < kRounds; ++round) {
    const ContactChange change = AskTech(servers, round);
    servers.world.Accept(kMarie, change);
    const std::string token = servers.world.Token(change.id, kDana);
    std::vector<absl::Status> statuses(2);
    AtOnce(2, [&](int i) {
      statuses[static_cast<std::size_t>(i)] =
          i == round % 2
              ? servers.world.Cancel(kMarie, change.id, servers.engine(i)).status
              : servers.world.Accept(kDana, change.id, token, std::nullopt, servers.engine(i))
                    .status;
    });
    EXPECT_EQ(Tally(statuses), (Counts{{"OK", 1}, {"CHANGE_CLOSED", 1}}));
    const bool done = servers.world.Get(kMarie, change.id)->state == ChangeState::kDone;
    EXPECT_EQ(servers.world.Holder(ServiceOf(round), kTech), done ? kDana : kThomas);
    EXPECT_EQ(EventsOfType(servers, change.id, EventType::kDone), done ? 1 : 0);
    EXPECT_EQ(EventsOfType(servers, change.id, EventType::kCancelled), done ? 0 : 1);
  }
}

TEST(Race, OfWithdrawalAndLastAcceptanceHasOneOutcome) {
  Servers servers;
  for (int round = 0; round < kRounds; ++round) {
    // Eve is admin of the first of its two services.
    const std::string eves = absl::StrCat("eve", round, ".example");
    servers.world.AddService(eves, kEve, kThomas, kBill);
    const ContactChange change =
        servers.world.Ask(kThomas, {Move(eves, kTech, kDana), Move(ServiceOf(round), kTech, kDana)})
            .changes.at(0);
    servers.world.Accept(kThomas, change);
    const std::string token = servers.world.Token(change.id, kDana);
    std::vector<absl::Status> statuses(2);
    AtOnce(2, [&](int i) {
      statuses[static_cast<std::size_t>(i)] =
          i == round % 2
              ? servers.world.Cancel(kEve, change.id, servers.engine(i)).status
              : servers.world.Accept(kDana, change.id, token, std::nullopt, servers.engine(i))
                    .status;
    });
    const absl::Status& withdrawal = statuses[static_cast<std::size_t>(round % 2)];
    EXPECT_TRUE(statuses[static_cast<std::size_t>(1 - round % 2)].ok());
    EXPECT_TRUE(withdrawal.ok() || errors::Reason(withdrawal) == "CHANGE_CLOSED") << withdrawal;
    // The acceptance takes effect on what is left.
    const ContactChange ended = *servers.world.Get(kDana, change.id);
    EXPECT_EQ(ended.state, ChangeState::kDone);
    EXPECT_EQ(ended.items.at(0).outcome,
              withdrawal.ok() ? ItemOutcome::kWithdrawn : ItemOutcome::kApplied);
    EXPECT_EQ(servers.world.Holder(eves, kTech), withdrawal.ok() ? kThomas : kDana);
    EXPECT_EQ(servers.world.Holder(ServiceOf(round), kTech), kDana);
    EXPECT_EQ(EventsOfType(servers, change.id, EventType::kItemsWithdrawn),
              withdrawal.ok() ? 1 : 0);
  }
}

TEST(Race, OfExpiryAndLastAcceptanceHasOneOutcome) {
  Servers servers;
  for (int round = 0; round < kRounds; ++round) {
    const ContactChange change = AskTech(servers, round);
    servers.world.Accept(kMarie, change);
    const std::string token = servers.world.Token(change.id, kDana);
    servers.world.clock.Advance(absl::Hours(24 * 7) - absl::Microseconds(1));
    absl::Status accepted;
    AtOnce(4, [&](int i) {
      if (i == 0) {
        accepted =
            servers.world.Accept(kDana, change.id, token, std::nullopt, servers.engine(i)).status;
      } else if (i == 1) {
        servers.world.clock.Advance(absl::Microseconds(1));
        EXPECT_TRUE(servers.engine(i)->maintenance.RunTimers(100).ok());
      } else {
        EXPECT_TRUE(servers.engine(i)->maintenance.RunTimers(100).ok());
      }
    });
    ASSERT_TRUE(servers.world.engine.maintenance.RunTimers(100).ok());
    const ChangeState state = servers.world.Get(kMarie, change.id)->state;
    if (accepted.ok()) {
      EXPECT_EQ(state, ChangeState::kDone);
    } else {
      EXPECT_THAT(accepted, HasReason("CHANGE_CLOSED"));
      EXPECT_EQ(state, ChangeState::kExpired);
    }
    EXPECT_EQ(servers.world.Holder(ServiceOf(round), kTech),
              state == ChangeState::kDone ? kDana : kThomas);
    EXPECT_EQ(EventsOfType(servers, change.id, EventType::kExpired) +
                  EventsOfType(servers, change.id, EventType::kDone),
              1);
  }
  EXPECT_EQ(servers.world.test_database.Count("SELECT COUNT(*) FROM pending_role"), 0);
}

TEST(Race, OfWrongGuessesNeverExceedsTheLimitByASingleCount) {
  Servers servers;
  for (int round = 0; round < kRounds; ++round) {
    const ContactChange change = AskTech(servers, round);
    std::vector<absl::Status> statuses(kThreads);
    AtOnce(kThreads, [&](int i) {
      statuses[static_cast<std::size_t>(i)] =
          servers.world
              .Accept(kDana, change.id, absl::StrCat("wrong", i), std::nullopt, servers.engine(i))
              .status;
    });
    EXPECT_EQ(Tally(statuses), (Counts{{"TOKEN_INVALID", 10}, {"TOKEN_LOCKED", kThreads - 10}}));
    EXPECT_EQ(servers.world.test_database.Count(
                  absl::StrCat("SELECT new_contact_wrong_tokens FROM contact_change WHERE id = x'",
                               absl::BytesToHexString(change.id.bytes()), "'")),
              10);
    EXPECT_EQ(EventsOfType(servers, change.id, EventType::kTokenRejected), 10);
    EXPECT_THAT(servers.world.Accept(kDana, change).status, HasReason("TOKEN_LOCKED"));
  }
}

TEST(Race, OfATokenAndAChangeOfTheAddressThatItWentToEndsAsIfOneCameFirst) {
  Servers servers;
  for (int round = 0; round < kRounds; ++round) {
    // The latest of Dana's addresses are looked at, so each is of another time.
    servers.world.clock.Advance(absl::Minutes(1));
    const ContactChange change = AskTech(servers, round);
    const std::string token = servers.world.Token(change.id, kDana);
    absl::Status accepted, addressed, late;
    AtOnce(2, [&](int i) {
      if (i == round % 2) {
        addressed = servers.world.SetEmail(kDana, absl::StrCat("dana", round, "@mail.example"),
                                           servers.engine(i));
        // Once the address was changed, the token in the old mailbox is void.
        late = servers.world.Refuse(kDana, change.id, token).status;
      } else {
        accepted =
            servers.world.Accept(kDana, change.id, token, std::nullopt, servers.engine(i)).status;
      }
    });
    EXPECT_THAT(addressed, HasReason(""));
    EXPECT_FALSE(late.ok());
    if (!accepted.ok()) {
      EXPECT_THAT(accepted, HasReason("TOKEN_INVALID"));
      EXPECT_EQ(MetadataOf(accepted, "superseded"), "true");
      EXPECT_EQ(MetadataOf(late, "superseded"), "true");
    }
    EXPECT_EQ(EventsOfType(servers, change.id, EventType::kTokenRejected), 0);
    servers.world.Cancel(kMarie, change.id);
  }
}

TEST(Race, OfOneRequestIdGivesEveryCallerTheSameBytes) {
  Servers servers;
  for (int round = 0; round < kRounds; ++round) {
    const Uuid request_id = Uuid::Version4();
    std::vector<World::Asked> asked(kThreads);
    AtOnce(kThreads, [&](int i) {
      asked[static_cast<std::size_t>(i)] = servers.world.Ask(
          kMarie, {Move(ServiceOf(round), kTech, kDana)}, request_id, false, servers.engine(i));
    });
    for (const World::Asked& one : asked) {
      EXPECT_THAT(one.status, HasReason(""));
      EXPECT_EQ(one.reply, asked[0].reply);
    }
  }
  EXPECT_EQ(servers.world.test_database.Count("SELECT COUNT(*) FROM contact_change"), kRounds);
  EXPECT_EQ(servers.world.test_database.Count("SELECT COUNT(*) FROM outbox"), 2 * kRounds);
}

TEST(Race, OfOneRequestIdOfALastAcceptanceGivesEveryCallerTheSameBytes) {
  Servers servers;
  for (int round = 0; round < kRounds; ++round) {
    const ContactChange change = AskTech(servers, round);
    servers.world.Accept(kMarie, change);
    const std::string token = servers.world.Token(change.id, kDana);
    const Uuid request_id = Uuid::Version4();
    std::vector<World::Answered> answers(kThreads);
    AtOnce(kThreads, [&](int i) {
      answers[static_cast<std::size_t>(i)] =
          servers.world.Accept(kDana, change.id, token, request_id, servers.engine(i));
    });
    for (const World::Answered& one : answers) {
      EXPECT_THAT(one.status, HasReason(""));
      EXPECT_EQ(one.reply, answers[0].reply);
    }
    EXPECT_EQ(EventsOfType(servers, change.id, EventType::kDone), 1);
  }
}

TEST(Race, OfReadsThatShareARoundTripGivesEachCallerWhatIsItsOwnToSee) {
  constexpr int kReads = 50;
  Servers servers;
  std::vector<Uuid> ids;
  for (int round = 0; round < kRounds; ++round) ids.push_back(AskTech(servers, round).id);
  servers.world.TakeMails();  // Now the validators have hints of where theirs went.
  const int64_t before = servers.world.database.round_trips();
  std::atomic<int> right = 0;
  AtOnce(kThreads, [&](int thread) {
    // Each change concerns Marie and Dana, and not Eve. The account Nobody does not exist.
    const std::string viewers[] = {kMarie, kDana, kEve, "zz9-ovh"};
    const std::string& viewer = viewers[thread % 4];
    std::latch answered(kReads);
    const Call call = servers.world.As(viewer);
    for (int i = 0; i < kReads; ++i) {
      const Uuid& id = ids[static_cast<std::size_t>(thread + i) % ids.size()];
      servers.world.engine.reading.GetContactChange(
          call, id, [&](absl::StatusOr<ContactChange> got) {
            if (viewer == kEve) {
              right += errors::Reason(got.status()) == "CONTACT_CHANGE_NOT_FOUND" ? 1 : 0;
            } else if (viewer == "zz9-ovh") {
              right += errors::Reason(got.status()) == "ACCOUNT_NOT_FOUND" ? 1 : 0;
            } else if (got.ok()) {
              // The hint of an address is shown only to its owner.
              right += got->id == id &&
                               got->validations[0].email_hint.empty() == (viewer != kMarie) &&
                               got->validations[1].email_hint.empty() == (viewer != kDana)
                           ? 1
                           : 0;
            }
            answered.count_down();
          });
    }
    answered.wait();
  });
  EXPECT_EQ(right, kThreads * kReads);
  // Alone: one round trip if the change concerns its caller, else two. How many share one depends
  // on how busy the machine is.
  EXPECT_LT(servers.world.database.round_trips() - before, kThreads * kReads * 7 / 4);
}

TEST(Race, ForTheLastOfTheQuotaHasOneWinner) {
  Settings settings;
  settings.max_pending_changes = 1;
  Servers servers(settings);
  for (int round = 0; round < kRounds; ++round) {
    std::vector<World::Asked> asked(kThreads);
    AtOnce(kThreads, [&](int i) {
      asked[static_cast<std::size_t>(i)] = servers.world.Ask(
          kMarie, {Move(ServiceOf(i), kTech, kDana)}, std::nullopt, false, servers.engine(i));
    });
    std::vector<absl::Status> statuses;
    for (const World::Asked& one : asked) {
      statuses.push_back(one.status);
      if (one.status.ok()) servers.world.Cancel(kMarie, one.changes.at(0).id);
    }
    EXPECT_EQ(Tally(statuses), (Counts{{"OK", 1}, {"QUOTA_EXCEEDED", kThreads - 1}}));
  }
}

TEST(Race, OfOverrideAndLastAcceptanceLeavesTheOperatorsHolder) {
  Servers servers;
  for (int round = 0; round < kRounds; ++round) {
    const ContactChange change = AskTech(servers, round);
    servers.world.Accept(kMarie, change);
    const std::string token = servers.world.Token(change.id, kDana);
    absl::Status accepted, overridden;
    AtOnce(2, [&](int i) {
      if (i == round % 2) {
        overridden =
            servers.engine(i)
                ->directory
                .OverrideContacts(World::AsOperator(),
                                  {{Move(ServiceOf(round), kTech, kEve)}, "support"},
                                  [](const std::vector<Service>&) { return std::string(); })
                .status();
      } else {
        accepted =
            servers.world.Accept(kDana, change.id, token, std::nullopt, servers.engine(i)).status;
      }
    });
    EXPECT_THAT(overridden, HasReason(""));
    // In either order, the override wins.
    EXPECT_EQ(servers.world.Holder(ServiceOf(round), kTech), kEve);
    const ChangeState state = servers.world.Get(kMarie, change.id)->state;
    if (accepted.ok()) {
      EXPECT_EQ(state, ChangeState::kDone);
    } else {
      EXPECT_THAT(accepted, HasReason("CHANGE_CLOSED"));
      EXPECT_EQ(state, ChangeState::kAborted);
    }
  }
  EXPECT_EQ(servers.world.test_database.Count("SELECT COUNT(*) FROM pending_role"), 0);
}

TEST(Race, OfDryRunsTellsOfNoMoreWrongAccountsThanTheLimit) {
  Settings settings;
  settings.max_wrong_accounts_per_day = 5;
  Servers servers(settings);
  for (int round = 0; round < 5; ++round) {
    std::vector<absl::Status> statuses(kThreads);
    AtOnce(kThreads, [&](int i) {
      statuses[static_cast<std::size_t>(i)] =
          servers.world
              .Ask(kMarie, {Move(ServiceOf(i), kTech, absl::StrCat("zz", i, "-ovh"))}, std::nullopt,
                   /*validate_only=*/i % 2 == 0, servers.engine(i))
              .status;
    });
    EXPECT_EQ(Tally(statuses),
              (Counts{{"ACCOUNT_NOT_FOUND", 5}, {"QUOTA_EXCEEDED", kThreads - 5}}));
    servers.world.clock.Advance(absl::Hours(24));
  }
}

// Asks, resends and cancellations at once, on three servers. Each would be one more e-mail to Dana.
TEST(Race, OfEverythingThatCausesEmailsCausesNoMoreThanTheLimit) {
  Settings settings;
  settings.max_mails_per_day = 12;
  Servers servers(settings);
  for (int round = 0; round < 4; ++round) {
    std::vector<Uuid> pending;
    for (int i = 0; i < 8; ++i) pending.push_back(AskTech(servers, i).id);
    servers.world.TakeMails();
    std::vector<Uuid> asked(kThreads);
    AtOnce(kThreads, [&](int i) {
      const auto at = static_cast<std::size_t>(i);
      if (i < 4) {
        servers.world.Cancel(kMarie, pending[at], servers.engine(i));
      } else if (i < 10) {
        servers.world.Resend(kMarie, pending[4 + at % 4], kDana, std::nullopt, servers.engine(i));
      } else {
        const World::Asked more = servers.world.Ask(kMarie, {Move(ServiceOf(i), kTech, kDana)},
                                                    std::nullopt, false, servers.engine(i));
        if (more.status.ok()) asked[at] = more.changes.at(0).id;
      }
    });
    EXPECT_EQ(servers.world.test_database.Count(
                  absl::StrCat("SELECT COUNT(*) FROM outbox WHERE recipient = '", kDana, "'")),
              12 - 8);
    for (const Database* database :
         {&servers.world.database, &servers.second.database, &servers.third.database}) {
      EXPECT_EQ(database->retries().conflict, 0) << "deadlocks";
    }
    // The next day begins without a change.
    pending.insert(pending.end(), asked.begin(), asked.end());
    for (const Uuid& id : pending) servers.world.Cancel(kMarie, id);
    servers.world.TakeMails();
    servers.world.clock.Advance(absl::Hours(25));
  }
}

}  // namespace
}  // namespace contacts
