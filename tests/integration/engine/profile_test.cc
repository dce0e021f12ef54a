// A profile's address is confirmed before it is used.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <latch>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/domain/etag.h"
#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using enum Role;

constexpr char kS0[] = "s0.example";
constexpr char kOld[] = "dd4-ovh@mail.example";  // Dana's.
constexpr char kNew[] = "dana@new.example";
constexpr char kWrong[] = "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA-A";

absl::Status Update(World& world, const ProfileUpdate& update, Engine* through = nullptr) {
  return (through ? *through : world.engine)
      .profiles
      .UpdateAccount(World::As(update.id.text()), update,
                     [](const Account& account) { return Etag(account.version); })
      .status();
}

absl::Status AskFor(World& world, const std::string& email, Engine* through = nullptr) {
  return Update(world, {.id = AccountId(kDana), .email = email}, through);
}

absl::Status Confirm(World& world, const std::string& token, const std::string& account = kDana,
                     Engine* through = nullptr) {
  return (through ? *through : world.engine)
      .profiles
      .ConfirmEmail(World::As(account), token, [](const Account& made) { return made.email; })
      .status();
}

Account Profile(World& world, const std::string& account = kDana) {
  return world.engine.profiles.GetProfile(World::As(account)).value();
}

// Takes the e-mails owed, and returns the token of the confirmation among them.
std::string TakeToken(World& world) {
  const auto claimed = world.outbox.Claim(100, absl::Minutes(1), world.clock.Now());
  EXPECT_TRUE(claimed.ok()) << claimed.status();
  EXPECT_TRUE(world.outbox.Sent(*claimed, world.Clock()).ok());
  for (const MailFacts& facts : *claimed) {
    if (facts.mail.kind == MailKind::kConfirmEmail) return facts.token;
  }
  return "";
}

TEST(PendingEmail, IsNotInUseBeforeItIsConfirmedByTheTokenThatWentToIt) {
  World world;
  ASSERT_THAT(AskFor(world, kNew), HasReason(""));
  EXPECT_EQ(Profile(world).email, kOld);
  EXPECT_EQ(Profile(world).pending.address, kNew);
  EXPECT_EQ(Profile(world).pending.expire_time, world.clock.Now() + absl::Hours(24));
  EXPECT_EQ(
      world.engine.profiles.GetAccount(World::AsOperator(), AccountId(kDana))->pending.address,
      kNew);
  const auto claimed = world.outbox.Claim(10, absl::Minutes(1), world.clock.Now());
  ASSERT_TRUE(claimed.ok());
  ASSERT_THAT(*claimed, SizeIs(2));
  // The token before the notice.
  EXPECT_EQ((*claimed)[0].mail.kind, MailKind::kConfirmEmail);
  EXPECT_EQ((*claimed)[0].mail.address, kNew);
  EXPECT_EQ((*claimed)[1].mail.kind, MailKind::kEmailAsked);
  EXPECT_EQ((*claimed)[1].mail.address, kOld);
  EXPECT_EQ((*claimed)[1].mail.masked_address, "d***@new.example");
  EXPECT_EQ((*claimed)[1].token, "");
  ASSERT_TRUE(world.outbox.Sent(*claimed, world.Clock()).ok());

  // Until then every e-mail goes to the address before.
  ASSERT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}).status, HasReason(""));
  const auto asked = world.outbox.Claim(10, absl::Minutes(1), world.clock.Now());
  for (const MailFacts& facts : *asked) {
    if (facts.mail.recipient != AccountId(kDana)) continue;
    EXPECT_EQ(facts.recipient.email, kOld);
  }
  ASSERT_TRUE(world.outbox.Sent(*asked, world.Clock()).ok());

  ASSERT_THAT(Confirm(world, (*claimed)[0].token), HasReason(""));
  EXPECT_EQ(Profile(world).email, kNew);
  EXPECT_EQ(Profile(world).pending.address, "");
  EXPECT_THAT(world.TakeMails(), ElementsAre("PROFILE_CHANGED dd4-ovh"));
  EXPECT_THAT(Confirm(world, (*claimed)[0].token), HasReason("NO_PENDING_EMAIL"));
}

TEST(PendingEmail, TokenIsNeverStoredAndServesItsAccountAlone) {
  World world;
  ASSERT_THAT(AskFor(world, kNew), HasReason(""));
  ASSERT_THAT(Update(world, {.id = AccountId(kEve), .email = kNew}), HasReason(""));
  const auto claimed = world.outbox.Claim(10, absl::Minutes(1), world.clock.Now());
  std::vector<std::string> tokens;
  for (const MailFacts& facts : *claimed) {
    if (facts.mail.HasToken()) tokens.push_back(facts.token);
  }
  ASSERT_THAT(tokens, SizeIs(2));
  for (const std::string& token : tokens) {
    EXPECT_THAT(world.test_database.Dump(), Not(HasSubstr(token)));
  }
  EXPECT_NE(tokens[0], tokens[1]);
  const bool first = (*claimed)[0].mail.recipient == AccountId(kDana);
  EXPECT_THAT(Confirm(world, tokens[first ? 1 : 0]), HasReason("TOKEN_INVALID"));
  EXPECT_EQ(
      world.test_database.Count("SELECT pending_wrong_tokens FROM account WHERE id = 'dd4-ovh'"),
      1);
  EXPECT_THAT(Confirm(world, tokens[first ? 0 : 1]), HasReason(""));
}

TEST(PendingEmail, WrongTokensAreCountedThoughTheCallFailsAndLockUntilTheAddressIsAskedForAgain) {
  World world;
  ASSERT_THAT(AskFor(world, kNew), HasReason(""));
  const std::string token = TakeToken(world);
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(Confirm(world, kWrong), HasReason("TOKEN_INVALID"));
  }
  EXPECT_THAT(Confirm(world, token), HasReason("TOKEN_LOCKED"));
  ASSERT_THAT(AskFor(world, kNew), HasReason(""));
  const absl::Status earlier = Confirm(world, token);
  EXPECT_THAT(earlier, HasReason("TOKEN_INVALID"));
  EXPECT_EQ(MetadataOf(earlier, "superseded"), "true");
  EXPECT_THAT(Confirm(world, TakeToken(world)), HasReason(""));
}

TEST(PendingEmail, TokenOfAnEarlierEmailOrAddressIsSupersededAndNotCounted) {
  World world;
  ASSERT_THAT(AskFor(world, "first@new.example"), HasReason(""));
  std::vector<std::string> tokens = {TakeToken(world)};
  ASSERT_THAT(AskFor(world, "second@new.example"), HasReason(""));
  tokens.push_back(TakeToken(world));
  ASSERT_THAT(AskFor(world, kOld), HasReason(""));  // Withdrawn.
  EXPECT_EQ(Profile(world).pending.address, "");
  EXPECT_THAT(Confirm(world, tokens[1]), HasReason("NO_PENDING_EMAIL"));
  ASSERT_THAT(AskFor(world, "second@new.example"), HasReason(""));
  const std::string before = world.test_database.Dump();
  for (const std::string& token : tokens) {
    EXPECT_EQ(MetadataOf(Confirm(world, token), "superseded"), "true");
  }
  EXPECT_EQ(world.test_database.Dump(), before);
  EXPECT_THAT(Confirm(world, TakeToken(world)), HasReason(""));
  EXPECT_EQ(Profile(world).email, "second@new.example");
}

TEST(PendingEmail, ReplacedOneIsOwedNoEmailAnyMore) {
  World world;
  ASSERT_THAT(AskFor(world, "first@new.example"), HasReason(""));
  ASSERT_THAT(AskFor(world, "second@new.example"), HasReason(""));
  EXPECT_THAT(world.TakeMails(),
              ElementsAre("CONFIRM_EMAIL dd4-ovh", "EMAIL_ASKED dd4-ovh", "EMAIL_ASKED dd4-ovh"));
}

TEST(PendingEmail, ExpiresAfterADayOrTheTimeThatIsSet) {
  for (const absl::Duration lifetime : {absl::Hours(24), absl::Hours(1)}) {
    Settings settings;
    settings.email_confirmation = lifetime;
    World world(settings);
    ASSERT_THAT(AskFor(world, kNew), HasReason(""));
    const std::string token = TakeToken(world);
    world.clock.Advance(lifetime);
    EXPECT_EQ(Profile(world).pending.address, "");
    EXPECT_THAT(Confirm(world, token), HasReason("NO_PENDING_EMAIL"));
    EXPECT_THAT(Confirm(world, kWrong), HasReason("NO_PENDING_EMAIL"));
    EXPECT_EQ(Profile(world).email, kOld);
  }
}

TEST(PendingEmail, OperatorsAndImportsPutAnAddressInUseAtOnceAndReplaceIt) {
  World world;
  const auto import = [&](const std::string& email) {
    return world.engine.bulk
        .ImportBatch(World::AsOperator().limits,
                     {AccountRecord{.id = AccountId(kDana), .email = email}})
        .status();
  };
  ASSERT_THAT(AskFor(world, kNew), HasReason(""));
  const std::string token = TakeToken(world);
  // A record with the present address changes nothing.
  ASSERT_TRUE(import(kOld).ok());
  EXPECT_EQ(Profile(world).pending.address, kNew);
  ASSERT_TRUE(import("imported@new.example").ok());
  EXPECT_EQ(Profile(world).email, "imported@new.example");
  EXPECT_THAT(Confirm(world, token), HasReason("NO_PENDING_EMAIL"));
  ASSERT_THAT(AskFor(world, kNew), HasReason(""));
  ASSERT_THAT(world.SetEmail(kDana, "checked@new.example"), HasReason(""));
  EXPECT_EQ(Profile(world).email, "checked@new.example");
  EXPECT_EQ(Profile(world).pending.address, "");
  EXPECT_THAT(world.TakeMails(), ElementsAre("PROFILE_CHANGED dd4-ovh", "PROFILE_CHANGED dd4-ovh",
                                             "EMAIL_ASKED dd4-ovh"));
}

TEST(PendingEmail, IsExportedToOperators) {
  World world;
  ASSERT_THAT(AskFor(world, kNew), HasReason(""));
  const auto page = world.engine.bulk.ExportDirectory(World::AsOperator(), {});
  ASSERT_TRUE(page.ok());
  const auto dana = std::find_if(page->accounts.begin(), page->accounts.end(),
                                 [](const Account& a) { return a.id == AccountId(kDana); });
  ASSERT_NE(dana, page->accounts.end());
  EXPECT_EQ(dana->pending.address, kNew);
}

TEST(PendingEmail, AsksCountAgainstTheAddressesOfADay) {
  Settings settings;
  settings.max_addresses_per_day = 2;
  World world(settings);
  ASSERT_THAT(AskFor(world, kNew), HasReason(""));
  ASSERT_THAT(AskFor(world, kNew), HasReason(""));
  EXPECT_THAT(AskFor(world, kNew), HasReason("QUOTA_EXCEEDED"));
  EXPECT_THAT(AskFor(world, kOld), HasReason(""));  // Sends nothing.
  EXPECT_THAT(Confirm(world, kWrong), HasReason("NO_PENDING_EMAIL"));
}

TEST(PendingEmail, EmailsToAnUnconfirmedAddressCountInTheDailyLimitOfTheAccount) {
  Settings settings;
  settings.max_mails_per_day = 2;
  World world(settings);
  ASSERT_THAT(AskFor(world, kNew), HasReason(""));
  ASSERT_THAT(AskFor(world, kNew), HasReason(""));
  const std::string before = world.test_database.Dump();
  const absl::Status third = AskFor(world, kNew);
  EXPECT_THAT(third, HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(RetryDelayOf(third), absl::Hours(24));
  EXPECT_EQ(world.test_database.Dump(), before);
  world.clock.Advance(absl::Hours(24));
  EXPECT_THAT(AskFor(world, kNew), HasReason(""));
}

TEST(PendingEmail, OfAMissingAccountIsAccountNotFound) {
  World world;
  EXPECT_THAT(Confirm(world, kWrong, "zz9-ovh"), HasReason("ACCOUNT_NOT_FOUND"));
}

TEST(PendingEmail, TokenWhoseKeyIsMissingIsUnavailableAndCountedAsSuch) {
  World world;
  ASSERT_THAT(AskFor(world, kNew), HasReason(""));
  Engine other(&world.database, *TokenKeys::Parse(TokenKeys::Generate()), {},
               [&] { return world.clock.Now(); });
  EXPECT_THAT(Confirm(world, TakeToken(world), kDana, &other), HasReason("UNAVAILABLE"));
  EXPECT_EQ(other.profiles.confirmations_without_key(), 1);
}

TEST(ConfirmEmailCosts, AreTwoRoundTripsAndForAWrongTokenThree) {
  World world;
  ASSERT_THAT(AskFor(world, kNew), HasReason(""));
  const std::string token = TakeToken(world);
  const auto trips = [&](const std::string& typed) {
    const int64_t before = world.database.round_trips();
    Confirm(world, typed).IgnoreError();
    return world.database.round_trips() - before;
  };
  trips(kWrong);  // The statements are prepared.
  EXPECT_EQ(trips(kWrong), 3);
  EXPECT_EQ(trips(token), 2);
  EXPECT_EQ(Profile(world).email, kNew);
}

// Two threads at the same time.
void Both(const std::function<void()>& one, const std::function<void()>& other) {
  std::latch start(2);
  std::thread thread([&] {
    start.arrive_and_wait();
    one();
  });
  start.arrive_and_wait();
  other();
  thread.join();
}

TEST(ConfirmEmailRace, BesideAnotherUpdateProfileEndsAsIfOneCameFirst) {
  World world;
  World::Server second(world);
  for (int round = 0; round < 20; ++round) {
    const std::string asked = absl::StrCat("asked", round, "@new.example");
    const std::string other = absl::StrCat("other", round, "@new.example");
    ASSERT_THAT(AskFor(world, asked), HasReason(""));
    const std::string token = TakeToken(world);
    const std::string before = Profile(world).email;
    absl::Status confirmed, updated;
    Both([&] { confirmed = Confirm(world, token); },
         [&] { updated = AskFor(world, other, &second.engine); });
    EXPECT_THAT(updated, HasReason(""));
    EXPECT_EQ(Profile(world).pending.address, other);
    if (confirmed.ok()) {
      EXPECT_EQ(Profile(world).email, asked);
    } else {
      EXPECT_THAT(confirmed, HasReason("TOKEN_INVALID"));
      EXPECT_EQ(MetadataOf(confirmed, "superseded"), "true");
      EXPECT_EQ(Profile(world).email, before);
    }
    TakeToken(world);
    world.clock.Advance(absl::Hours(24));
  }
}

TEST(ConfirmEmailRace, OfParallelWrongTokensCountsEachOnce) {
  World world;
  World::Server second(world);
  ASSERT_THAT(AskFor(world, kNew), HasReason(""));
  std::latch start(16);
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      Confirm(world, kWrong, kDana, i % 2 ? &second.engine : nullptr).IgnoreError();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(
      world.test_database.Count("SELECT pending_wrong_tokens FROM account WHERE id = 'dd4-ovh'"),
      10);
}

}  // namespace
}  // namespace contacts
