// Relays of several servers deliver one outbox to one mail server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "contacts/v1/contact_service.grpc.pb.h"
#include "contacts/v1/directory_service.grpc.pb.h"
#include "core/mail/relay.h"
#include "core/mail/smtp.h"
#include "tests/testing/mail_server.h"
#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::Not;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using enum Role;

constexpr char kPassword[] = "correct horse";

// The parts of one server that deliver e-mails.
class Relay {
 public:
  Relay(const World& world, Outbox* outbox, const SmtpOptions& smtp, int64_t lanes)
      : transport_(smtp), relay_(outbox, &transport_, &renderer_, Options(world, smtp, lanes)) {
    relay_.Start();
  }

  void Stop() { relay_.Stop(); }
  RelayCounts counts() const { return relay_.counts(); }

 private:
  // Delays are short, and the world's clock follows the real one.
  static RelayOptions Options(const World& world, const SmtpOptions& smtp, int64_t lanes) {
    RelayOptions options;
    options.lanes = lanes;
    options.batch = 5;
    options.lease_reserve = 2 * smtp.timeout;
    options.lease = 5 * smtp.timeout;
    options.poll_interval = absl::Milliseconds(20);
    options.first_delay = absl::Milliseconds(50);
    options.longest_delay = absl::Milliseconds(500);
    options.clock = [start = absl::Now(), now = world.clock.Now()] {
      return now + (absl::Now() - start);
    };
    return options;
  }

  SmtpTransport transport_;
  const MailRenderer renderer_{
      {.from = "contacts@sender.example",
       .link_url = "https://c.example/{contact_change_id}/{token}/{answer}"}};
  MailRelay relay_;
};

// A change of s<number>.example's tech contact to a new account. The mail server treats that
// account's e-mails as `word` says, and accepts the requester's at once.
ContactChange AskFor(World& world, int number, const std::string& word) {
  const std::string account = absl::StrCat("zz", 1000 + number, "-ovh");
  world.AddAccount(account, absl::StrCat(word, "-", number, "@mail.example"));
  const World::Asked asked =
      world.Ask(kMarie, {Move(absl::StrCat("s", number, ".example"), kTech, account)});
  EXPECT_THAT(asked.status, HasReason(""));
  return asked.changes.at(0);
}

int64_t Owed(const World& world) {
  return world.test_database.Count("SELECT COUNT(*) FROM outbox");
}
void WaitUntilOwed(const World& world, int64_t count) {
  while (Owed(world) != count) absl::SleepFor(absl::Milliseconds(50));
}

// How often each e-mail arrived, by the id in its Message-ID.
std::map<std::string, int> Arrivals(const MailServer& server) {
  static const std::regex kMessageId(
      "\r\nMessage-Id: <([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-"
      "([0-9a-f]{4})-([0-9a-f]{12})@sender.example>\r\n",
      std::regex::icase);
  std::map<std::string, int> arrivals;
  for (const std::string& message : server.Taken()) {
    std::smatch match;
    const bool found = std::regex_search(message, match, kMessageId);
    EXPECT_TRUE(found) << message;
    if (found) ++arrivals[absl::AsciiStrToUpper(match.format("$1$2$3$4$5"))];
  }
  return arrivals;
}

TEST(MailFleet, AnAnswerOfTheMailServerIsInTheHistoryWithoutTheAddress) {
  for (const bool offered : {true, false}) {
    const MailServer server(offered ? std::vector<std::string>()
                                    : std::vector{std::string("--no-smtputf8")});
    World world(Settings(), 1);
    world.AddAccount("zz1-ovh", "accept.jos\u00e9@ex\u00e4mple.fr");
    const World::Asked asked = world.Ask(kMarie, {Move("s0.example", kTech, "zz1-ovh")});
    ASSERT_THAT(asked.status, HasReason(""));
    Relay relay(world, &world.outbox,
                {.host = "127.0.0.1", .port = server.port(), .tls = MailTls::kNone}, 1);
    WaitUntilOwed(world, 0);
    const std::string why = "the mail server does not offer SMTPUTF8, which the address needs";
    EXPECT_EQ(world.test_database.Query("SELECT CONCAT(type, ' ', detail) FROM contact_change_event"
                                        " WHERE account = 'zz1-ovh' AND type > 1"),
              std::vector<std::string>{offered ? "2 250 OK" : absl::StrCat("3 ", why)});
    EXPECT_EQ(world.Get("zz1-ovh", asked.changes.at(0).id)
                  ->FindValidation(AccountId("zz1-ovh"))
                  ->email_hint,
              "a***@ex\u00e4mple.fr");
    if (!offered) continue;
    EXPECT_THAT(server.Taken(),
                Contains(AllOf(HasSubstr("\r\nTo: accept.jos\u00e9@xn--exmple-cua.fr\r\n"),
                               HasSubstr("X-To: accept.jos\u00e9@xn--exmple-cua.fr\n"))));
  }
}

TEST(MailFleet, EveryEmailArrivesAtLeastOnceFromTwoRelaysAndABadMailServer) {
  const TemporaryDirectory directory;
  const std::string certificate = directory.path() + "/certificate.pem";
  MakeCertificate(certificate, "IP:127.0.0.1");
  const MailServer server({"--tls=starttls", "--certificate=" + certificate, "--user=contacts",
                           absl::StrCat("--password=", kPassword)});
  const SmtpOptions smtp = {.host = "127.0.0.1",
                            .port = server.port(),
                            .ca_file = certificate,
                            .user = "contacts",
                            .password = kPassword,
                            .timeout = absl::Seconds(2)};
  const std::vector<std::string> words = {"accept", "flaky", "once", "cut", "unknown", "full"};
  constexpr int kEach = 8;
  World world(Settings(), kEach * static_cast<int>(words.size()));
  World::Server other(world);
  std::map<std::string, std::vector<ContactChange>> changes;
  for (int i = 0; i < kEach * static_cast<int>(words.size()); ++i) {
    const std::string& word = words[i % words.size()];
    changes[word].push_back(AskFor(world, i, word));
  }
  // All e-mails but those to an address that never works.
  std::set<std::string> promised;
  for (const std::string& id : world.test_database.Query(
           "SELECT HEX(outbox.id) FROM outbox JOIN account ON account.id = recipient"
           " WHERE email NOT LIKE 'cut%' AND email NOT LIKE 'unknown%'"
           " AND email NOT LIKE 'full%'")) {
    promised.insert(id);
  }
  ASSERT_EQ(promised.size(), kEach * (words.size() + 3));

  auto first = std::make_unique<Relay>(world, &world.outbox, smtp, 2);
  Relay second(world, &other.outbox, smtp, 2);
  // One server is stopped in the middle and comes back.
  while (server.Taken().size() < promised.size() / 3) absl::SleepFor(absl::Milliseconds(5));
  first->Stop();
  int64_t delivered = first->counts().delivered;
  first = std::make_unique<Relay>(world, &world.outbox, smtp, 2);
  WaitUntilOwed(world, kEach);  // E-mails that are cut off each time are still tried.
  first->Stop();
  second.Stop();
  delivered += first->counts().delivered + second.counts().delivered;

  const std::map<std::string, int> arrivals = Arrivals(server);
  int again = 0;
  for (const std::string& id : promised) EXPECT_TRUE(arrivals.contains(id)) << id;
  for (const auto& [id, count] : arrivals) {
    EXPECT_TRUE(promised.contains(id)) << id;
    again += count - 1;
  }
  EXPECT_EQ(delivered, static_cast<int64_t>(promised.size()));
  std::printf(
      "%zu e-mails promised, %zu arrived, %d second deliveries, of which %d were made by a"
      " server that kept the message and hung up\n",
      promised.size(), arrivals.size(), again, 2 * kEach);
  // No more second deliveries than the mail server itself provoked.
  EXPECT_EQ(again, 2 * kEach);

  using enum EventType;
  for (const auto& [word, its] : changes) {
    for (const ContactChange& change : its) {
      const std::vector<EventType> history = world.History(change.id);
      EXPECT_THAT(history, Contains(kValidationSent)) << word;  // The requester's.
      const bool gives_up = word == "unknown" || word == "full";
      EXPECT_EQ(std::count(history.begin(), history.end(), kValidationUndeliverable), gives_up)
          << word;
      EXPECT_EQ(std::count(history.begin(), history.end(), kValidationSent),
                gives_up || word == "cut" ? 1 : 2)
          << word;
    }
  }
}

TEST(MailFleet, RecipientThatTheServerHangsForDoesNotHoldTheOthers) {
  const MailServer server;
  const SmtpOptions smtp = {.host = "127.0.0.1",
                            .port = server.port(),
                            .tls = MailTls::kNone,
                            .timeout = absl::Minutes(2)};
  World world(Settings(), 30);
  AskFor(world, 0, "stall");
  Relay relay(world, &world.outbox, smtp, 2);
  while (server.CountInLog("rcpt stall-0@mail.example") == 0) {
    absl::SleepFor(absl::Milliseconds(5));
  }
  for (int i = 1; i < 30; ++i) AskFor(world, i, "accept");
  // One e-mail may have been claimed together with the one that hangs, to wait behind it.
  while (server.Taken().size() < 58) absl::SleepFor(absl::Milliseconds(20));
  EXPECT_EQ(relay.counts().failed, 0);  // It still hangs.
  relay.Stop();
  // A delivery that the stop broke off does not count as a try.
  EXPECT_EQ(relay.counts().failed, 0);
  const auto arrived = static_cast<int64_t>(Arrivals(server).size());
  EXPECT_THAT(Owed(world), AllOf(Ge(60 - arrived), Le(61 - arrived)));
}

// A server with a short drain timeout and an e-mail to deliver to this address.
void OweTo(ServerProcess& process, const std::string& address) {
  process.Start();
  const auto channel = process.Channel();
  const auto stub = v1::DirectoryService::NewStub(channel);
  grpc::ClientContext created;
  created.AddMetadata("contacts-caller", "operator");
  v1::CreateAccountRequest account;
  account.mutable_account()->set_id("aa1-ovh");
  account.mutable_account()->set_email(address);
  v1::CreateAccountResponse ignored;
  ASSERT_TRUE(stub->CreateAccount(&created, account, &ignored).ok());
  grpc::ClientContext updated;
  updated.AddMetadata("contacts-caller", "operator");
  v1::UpdateAccountRequest update;
  update.mutable_account()->set_id("aa1-ovh");
  update.mutable_account()->set_email("accept@mail.example");
  update.mutable_update_mask()->add_paths("email");
  v1::UpdateAccountResponse ignored_too;
  ASSERT_TRUE(stub->UpdateAccount(&updated, update, &ignored_too).ok());
}
std::vector<std::string> FlagsOf(const MailServer& server) {
  return {absl::StrCat("--mail=smtp://127.0.0.1:", server.port()), "--mail_tls=none",
          "--drain_timeout=0s", "--mail_from=sender@sender.example"};
}

TEST(MailFleet, StopWaitsForADeliveryThatTheMailServerHasInFull) {
  const MailServer server;
  const TemporaryDirectory directory;
  const TestDatabase database;
  ServerProcess process(database.server_uri(), directory.path(), FlagsOf(server));
  OweTo(process, "slowdata@mail.example");
  while (server.CountInLog("data slowdata@mail.example") == 0) {
    absl::SleepFor(absl::Milliseconds(10));
  }
  EXPECT_EQ(process.Terminate(), 0);
  EXPECT_EQ(server.Taken().size(), 1U);
  EXPECT_EQ(database.Count("SELECT COUNT(*) FROM outbox"), 0);
}

TEST(MailFleet, StopGivesBackWhatTheMailServerDoesNotHave) {
  const MailServer server;
  const TemporaryDirectory directory;
  const TestDatabase database;
  ServerProcess process(database.server_uri(), directory.path(), FlagsOf(server));
  OweTo(process, "stall@mail.example");
  while (server.CountInLog("rcpt stall@mail.example") == 0) {
    absl::SleepFor(absl::Milliseconds(10));
  }
  EXPECT_EQ(process.Terminate(), 0);
  EXPECT_EQ(database.Count("SELECT COUNT(*) FROM outbox WHERE waits = 0 AND tries = 0"), 1);
}

TEST(MailFleet, ServerSendsAsItsFlagsSay) {
  const TemporaryDirectory directory;
  const std::string certificate = directory.path() + "/certificate.pem";
  MakeCertificate(certificate, "DNS:localhost");
  const MailServer server({"--tls=starttls", "--certificate=" + certificate, "--user=contacts",
                           absl::StrCat("--password=", kPassword)});
  {
    std::ofstream(directory.path() + "/password") << kPassword << '\n';
    std::filesystem::permissions(directory.path() + "/password",
                                 std::filesystem::perms::owner_read);
  }
  const TestDatabase database;
  ServerProcess process(
      database.server_uri(), directory.path(),
      {absl::StrCat("--mail=smtp://localhost:", server.port()), "--mail_ca_file=certificate.pem",
       "--mail_user=contacts", "--mail_password_file=password", "--mail_from=sender@sender.example",
       "--email_confirmation=0"});
  process.Start();
  const auto channel = process.Channel();
  {
    grpc::ClientContext context;
    context.AddMetadata("contacts-caller", "operator");
    v1::CreateAccountRequest request;
    request.mutable_account()->set_id("aa1-ovh");
    request.mutable_account()->set_email("accept-before@mail.example");
    request.mutable_account()->set_language_code("fr");
    v1::CreateAccountResponse response;
    ASSERT_TRUE(
        v1::DirectoryService::NewStub(channel)->CreateAccount(&context, request, &response).ok());
  }
  {
    grpc::ClientContext context;
    context.AddMetadata("contacts-account", "aa1-ovh");
    v1::UpdateProfileRequest request;
    request.mutable_account()->set_email("accept-after@mail.example");
    request.mutable_update_mask()->add_paths("email");
    v1::UpdateProfileResponse response;
    ASSERT_TRUE(
        v1::ContactService::NewStub(channel)->UpdateProfile(&context, request, &response).ok());
  }
  while (server.Taken().empty()) absl::SleepFor(absl::Milliseconds(20));
  EXPECT_EQ(process.Terminate(), 0);
  const std::string message = server.Taken().at(0);
  EXPECT_THAT(message,
              HasSubstr("X-From: sender@sender.example\nX-To: accept-before@mail.example"));
  EXPECT_THAT(message, HasSubstr("\r\nAuto-Submitted: auto-generated\r\n"));
  EXPECT_THAT(message, HasSubstr("\r\nContent-Type: multipart/alternative;"));
  EXPECT_THAT(message, Not(HasSubstr("\n\n")));
  EXPECT_EQ(server.CountInLog("login"), 1);
  for (const char* secret : {kPassword, "accept-before@mail.example"}) {
    EXPECT_THAT(ReadFile(directory.path() + "/log"), Not(HasSubstr(secret)));
  }
}

}  // namespace
}  // namespace contacts
