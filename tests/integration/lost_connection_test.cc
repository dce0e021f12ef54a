// Connections to the database that break, also in the middle of COMMIT.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/testing/proxy.h"
#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using ::testing::SizeIs;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using enum Role;

// Every call goes through the proxy.
struct BrokenWorld {
  explicit BrokenWorld(Proxy::Fault kind)
      : fault(kind), proxy(world.test_database.options().endpoints.at(0).port) {
    DatabaseOptions options = world.test_database.options();
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

// How the last request of a transaction ends; "READ COMMITTED" is not it.
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
  // Where the answer was lost, nothing tells that it had been counted: a guess may
  // count twice, never not at all.
  EXPECT_EQ(broken.world.test_database.Count("SELECT new_contact_wrong_tokens FROM contact_change"),
            broken.fault == Proxy::Fault::kLoseAnswer ? 2 : 1);
}

TEST(LostConnection, AReadIsMadeAgain) {
  BrokenWorld broken(Proxy::Fault::kLoseAnswer);
  ASSERT_TRUE(broken.engine->GetProfile(World::As(kMarie)).ok());
  // A statement's preparation carries its text.
  broken.proxy.Arm(broken.fault, "FROM service");
  EXPECT_TRUE(broken.engine->LookupService(World::AsOperator(), ServiceId("s0.example")).ok());
  EXPECT_EQ(broken.proxy.faults(), 1);
}

}  // namespace
}  // namespace contacts
