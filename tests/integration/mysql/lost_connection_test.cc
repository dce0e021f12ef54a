// Connections to the database that break, also in the middle of COMMIT.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "core/mysql/connection.h"
#include "tests/testing/proxy.h"
#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using ::testing::SizeIs;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the
                                    // test vocabulary.
using enum Role;

// Every call goes through the proxy.
struct BrokenWorld {
  explicit BrokenWorld(Proxy::Fault kind)
      : fault(kind), proxy(world.test_database.options().endpoints.at(0).port) {
    DatabaseOptions options = world.test_database.options();
    options.tls = DatabaseTls::kDisabled;  // The proxy looks for statements.
    options.endpoints = {{.host = "127.0.0.1", .port = proxy.port()}};
    database.emplace(options);
    engine.emplace(&*database, world.keys, world.settings, [this] { return world.clock.Now(); });
  }

  int64_t Count(const std::string& table) {
    return world.test_database.Count(absl::StrCat("SELECT COUNT(*) FROM ", table));
  }

  const Proxy::Fault fault;
  World world;
  Proxy proxy;
  std::optional<Database> database;
  std::optional<Engine> engine;
};

// The last request of a transaction ends with this. "READ COMMITTED" does not.
constexpr char kCommit[] = ";COMMIT";

class LostAtCommit : public ::testing::TestWithParam<Proxy::Fault> {};

INSTANTIATE_TEST_SUITE_P(Either, LostAtCommit,
                         ::testing::Values(Proxy::Fault::kLoseRequest, Proxy::Fault::kLoseAnswer),
                         [](const auto& fault) {
                           return fault.param == Proxy::Fault::kLoseAnswer ? "AfterItWasCommitted"
                                                                           : "BeforeItWasCommitted";
                         });

TEST_P(LostAtCommit, AnAskIsCommittedOnceAndAnswered) {
  for (const bool with_request_id : {false, true}) {
    BrokenWorld broken(GetParam());
    broken.proxy.Arm(broken.fault, kCommit);
    const World::Asked asked = broken.world.Ask(
        kMarie, {Move("s0.example", kTech, kDana)},
        with_request_id ? std::optional(Uuid::Version4()) : std::nullopt, false, &*broken.engine);
    ASSERT_EQ(broken.proxy.faults(), 1);
    EXPECT_THAT(asked.status, HasReason(""));
    EXPECT_EQ(broken.Count("contact_change"), 1);
    EXPECT_EQ(broken.Count("contact_change_event"), 1);
    EXPECT_EQ(broken.Count("outbox"), 2);
  }
}

TEST_P(LostAtCommit, ALastAcceptanceTakesEffectOnceAndIsAnswered) {
  BrokenWorld broken(GetParam());
  const ContactChange change =
      broken.world.Ask(kMarie, {Move("s0.example", kTech, kDana)}).changes.at(0);
  broken.world.Accept(kMarie, change);
  const std::string token = broken.world.Token(change.id, kDana);
  broken.world.TakeMails();
  broken.proxy.Arm(broken.fault, kCommit);
  const World::Answered answered =
      broken.world.Accept(kDana, change.id, token, std::nullopt, &*broken.engine);
  ASSERT_EQ(broken.proxy.faults(), 1);
  EXPECT_THAT(answered.status, HasReason(""));
  EXPECT_EQ(answered.change.state, ChangeState::kDone);
  EXPECT_EQ(broken.world.Holder("s0.example", kTech), kDana);
  EXPECT_THAT(broken.world.TakeMails(), SizeIs(3));
}

TEST_P(LostAtCommit, AWrongTokenIsCountedAndRefused) {
  BrokenWorld broken(GetParam());
  const ContactChange change =
      broken.world.Ask(kMarie, {Move("s0.example", kTech, kDana)}).changes.at(0);
  broken.proxy.Arm(broken.fault, kCommit);
  EXPECT_THAT(broken.world.Accept(kDana, change.id, "wrong", std::nullopt, &*broken.engine).status,
              HasReason("TOKEN_INVALID"));
  ASSERT_EQ(broken.proxy.faults(), 1);
  // If the answer is lost, the server does not know that the wrong token was counted. It may count
  // twice, but is never left out.
  EXPECT_EQ(broken.world.test_database.Count("SELECT new_contact_wrong_tokens FROM contact_change"),
            broken.fault == Proxy::Fault::kLoseAnswer ? 2 : 1);
}

TEST(LostConnection, AnAnswerThatIsStillBeingCommittedIsWaitedForAndGiven) {
  BrokenWorld broken(Proxy::Fault::kHangUp);
  const ContactChange change =
      broken.world.Ask(kMarie, {Move("s0.example", kTech, kDana)}).changes.at(0);
  const std::string token = broken.world.Token(change.id, kDana);
  // Every transaction that adds an event waits for this one.
  std::atomic<int64_t> round_trips = 0;
  Sockets sockets;
  Connection blocker(broken.world.test_database.options(),
                     broken.world.test_database.options().endpoints.at(0), MemberKind::kAlone,
                     /*autocommit=*/false, &sockets, &round_trips);
  blocker.Execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
  blocker.Execute("COMMIT");
  blocker.Query("SELECT ordinal FROM feed_queue FOR UPDATE", {});
  std::thread releaser([&] {
    while (broken.proxy.faults() == 0) absl::SleepFor(absl::Milliseconds(10));
    // Long enough for the second run to wait for the locks of the first.
    absl::SleepFor(absl::Milliseconds(500));
    blocker.Execute("ROLLBACK");
  });
  broken.proxy.Arm(broken.fault, kCommit);
  // Without a request id of its own.
  const World::Answered answered =
      broken.world.Accept(kDana, change.id, token, std::nullopt, &*broken.engine);
  releaser.join();
  EXPECT_THAT(answered.status, HasReason(""));
  EXPECT_EQ(broken.world.test_database.Count(
                "SELECT COUNT(*) FROM contact_change WHERE new_contact_state = 2"),
            1);
}

TEST(LostConnection, WorkThatIsCancelledInAnyMomentEndsAndLeavesNothingHalfDone) {
  World world;
  Database database(world.test_database.options());
  std::vector<std::string> rows;
  for (int i = 0; i < 3000; ++i) rows.push_back(absl::StrCat("('row", i, "',", i, ",1)"));
  const std::string values = absl::StrJoin(rows, ",");
  int done = 0;
  for (int i = 0; i < 60; ++i) {
    const auto cancelled = std::make_shared<std::atomic<bool>>(false);
    std::thread canceller([&] {
      absl::SleepFor(absl::Milliseconds(2 * i));
      *cancelled = true;
    });
    const absl::Time start = absl::Now();
    const absl::Status status = database.Write(
        {.deadline = absl::Now() + absl::Minutes(1), .cancelled = {cancelled}},
        [&](Session& session) {
          for (int part = 0; part < 4; ++part) {
            session.Queue("DELETE FROM ask_window");
            session.Queue(absl::StrCat(
                "INSERT INTO ask_window (account_id, start_time, asks) VALUES ", values));
          }
          return absl::OkStatus();
        });
    canceller.join();
    EXPECT_LT(absl::Now() - start, absl::Seconds(20)) << "waited for an answer that never came";
    EXPECT_TRUE(status.ok() || absl::IsCancelled(status)) << status;
    done += status.ok() ? 1 : 0;
    const int64_t kept = world.test_database.Count("SELECT COUNT(*) FROM ask_window");
    EXPECT_TRUE(kept == 0 || kept == 3000) << kept;
  }
  EXPECT_LT(done, 60) << "none was cancelled in time";
}

// A world in which reads of changes get stuck: one call's, and the shared read of the two calls
// that were queued while it ran.
struct StuckReads {
  using Flag = std::shared_ptr<std::atomic<bool>>;

  StuckReads() {
    locker.Execute("LOCK TABLES contact_change WRITE");
    reader = std::thread([this] {
      world.engine.reading.GetContactChange(World::As(kMarie), id, [](const auto& /*either*/) {});
    });
    AwaitReads(1);
    for (Waiting& one : waiting) {
      one.call = World::As(kMarie);
      one.call.limits.cancelled = {one.cancelled};
      world.engine.reading.GetContactChange(
          one.call, id, [&one](const auto& got) { one.answer.set_value(got.status()); });
    }
    AwaitReads(2);  // That read is held up, so another thread reads for the queued calls.
  }
  ~StuckReads() {
    locker.Execute("UNLOCK TABLES");
    reader.join();
  }
  void AwaitReads(int64_t count) const {
    while (world.database.connections(Database::Kind::kRead).used < count) {
      absl::SleepFor(absl::Milliseconds(1));
    }
  }

  World world;
  const Uuid id = world.Ask(kMarie, {Move("s0.example", kTech, kDana)}).changes.at(0).id;
  std::atomic<int64_t> round_trips = 0;
  Sockets sockets;
  Connection locker{world.test_database.options(),
                    world.test_database.options().endpoints.at(0),
                    MemberKind::kAlone,
                    /*autocommit=*/true,
                    &sockets,
                    &round_trips};
  std::thread reader;
  struct Waiting {
    const Flag cancelled = std::make_shared<std::atomic<bool>>(false);
    Call call;
    std::promise<absl::Status> answer;
  };
  std::array<Waiting, 2> waiting;
};

TEST(LostConnection, ASharedReadGoesOnForThoseWhoStillWait) {
  StuckReads stuck;
  auto answer = stuck.waiting[1].answer.get_future();
  *stuck.waiting[0].cancelled = true;
  EXPECT_EQ(answer.wait_for(std::chrono::milliseconds(500)), std::future_status::timeout);
  stuck.locker.Execute("UNLOCK TABLES");
  EXPECT_EQ(answer.get(), absl::OkStatus());
}

TEST(LostConnection, ASharedReadEndsWithTheLastWhoWaits) {
  StuckReads stuck;
  for (auto& one : stuck.waiting) *one.cancelled = true;
  for (auto& one : stuck.waiting) {
    EXPECT_TRUE(absl::IsCancelled(one.answer.get_future().get()));
  }
}

TEST(LostConnection, AReadIsMadeAgain) {
  BrokenWorld broken(Proxy::Fault::kLoseAnswer);
  ASSERT_TRUE(broken.engine->profiles.GetProfile(World::As(kMarie)).ok());
  // Preparing a statement sends its text.
  broken.proxy.Arm(broken.fault, "FROM service");
  EXPECT_TRUE(
      broken.engine->directory.LookupService(World::AsOperator(), ServiceId("s0.example")).ok());
  EXPECT_EQ(broken.proxy.faults(), 1);
}

}  // namespace
}  // namespace contacts
