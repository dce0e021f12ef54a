// Three servers over one database: races between their clients, and servers that
// are killed at any moment.

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <regex>
#include <set>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/barrier.h"
#include "contacts/v1/contact_service.grpc.pb.h"
#include "contacts/v1/directory_service.grpc.pb.h"
#include "core/domain/token.h"
#include "tests/testing/server_process.h"
#include "tests/testing/test_database.h"

namespace contacts {
namespace {

using testing::ReadFile;
using testing::ServerProcess;
using v1::ContactService;

constexpr char kAdmin[] = "aa1-ovh";
constexpr char kFirst[] = "bb2-ovh";
constexpr char kSecond[] = "cc3-ovh";
constexpr int kServers = 3;

std::string ReasonOf(const grpc::Status& status) {
  if (status.ok()) return "OK";
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (details.ParseFromString(status.error_details())) {
    for (const auto& any : details.details()) {
      if (any.UnpackTo(&info)) return info.reason();
    }
  }
  return absl::StrCat("status ", static_cast<int>(status.error_code()));
}

// A server that is being killed, or a connection that it took along.
bool MayTryAgain(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE ||
         status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED ||
         status.error_code() == grpc::StatusCode::CANCELLED;
}

class Fleet {
 public:
  explicit Fleet(int services) {
    for (int i = 0; i < kServers; ++i) {
      servers_.push_back(std::make_unique<ServerProcess>(database_.uri(), directory_.path()));
      servers_.back()->Start();
    }
    v1::DirectoryService::Stub stub(servers_[0]->Channel());
    for (const char* id : {kAdmin, kFirst, kSecond}) {
      v1::CreateAccountRequest request;
      request.mutable_account()->set_id(id);
      request.mutable_account()->set_email(absl::StrCat(id, "@mail.example"));
      v1::CreateAccountResponse response;
      grpc::ClientContext context;
      context.AddMetadata("contacts-caller", "operator");
      EXPECT_EQ(ReasonOf(stub.CreateAccount(&context, request, &response)), "OK");
    }
    for (int i = 0; i < services; ++i) {
      v1::CreateServiceRequest request;
      v1::Service& service = *request.mutable_service();
      service.set_id(ServiceName(i));
      service.set_kind("domain");
      service.set_admin(kAdmin);
      service.set_tech(kFirst);
      service.set_billing(kAdmin);
      v1::CreateServiceResponse response;
      grpc::ClientContext context;
      context.AddMetadata("contacts-caller", "operator");
      EXPECT_EQ(ReasonOf(stub.CreateService(&context, request, &response)), "OK");
    }
    keys_.emplace(*TokenKeys::Parse(ReadFile(directory_.path() + "/contacts-token-keys")));
  }

  // What a sanitizer found in a server stands in its log.
  ~Fleet() {
    servers_.clear();
    const std::string text = log();
    const std::size_t report = text.find("Sanitizer");
    EXPECT_EQ(report, std::string::npos) << text.substr(std::min(report, text.size()), 8000);
  }
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  static std::string ServiceName(int i) { return absl::StrCat("s", i, ".example"); }

  ServerProcess& server(int i) { return *servers_[static_cast<std::size_t>(i % kServers)]; }
  std::unique_ptr<ContactService::Stub> Stub(int i) {
    return ContactService::NewStub(server(i).Channel());
  }
  std::string Token(const std::string& change, const std::string& account) const {
    return *keys_->Derive(keys_->active_id(), *Uuid::Parse(change), AccountId(account), 1);
  }
  const testing::TestDatabase& database() const { return database_; }
  std::string mail_directory() const { return directory_.path() + "/mail"; }
  std::string log() const { return ReadFile(directory_.path() + "/log"); }

  // Waits until no e-mail is owed any more.
  void WaitForMails() const {
    const absl::Time deadline = absl::Now() + absl::Minutes(4);
    while (database_.Count("SELECT COUNT(*) FROM outbox") > 0 && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(200));
    }
    EXPECT_EQ(database_.Count("SELECT COUNT(*) FROM outbox"), 0);
  }

  // No token that was ever derived stands in the database or the logs.
  void ExpectNoTokenAnywhere() const {
    const std::string dump = database_.Dump();
    const std::string text = log();
    EXPECT_FALSE(text.empty());
    for (const std::string& hex : database_.Query("SELECT LOWER(HEX(id)) FROM contact_change")) {
      const Uuid id = Uuid::FromBytes(absl::HexStringToBytes(hex));
      for (const char* account : {kAdmin, kFirst, kSecond}) {
        const std::string token = Token(id.text(), account);
        EXPECT_FALSE(absl::StrContains(dump, token));
        EXPECT_FALSE(absl::StrContains(text, token));
      }
    }
  }

 private:
  testing::TestDatabase database_;
  testing::TemporaryDirectory directory_;
  std::vector<std::unique_ptr<ServerProcess>> servers_;
  std::optional<TokenKeys> keys_;
};

std::unique_ptr<grpc::ClientContext> As(const std::string& account) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->AddMetadata("contacts-account", account);
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  return context;
}

grpc::Status Ask(ContactService::Stub& stub, const std::string& service, const std::string& to,
                 const std::string& request_id, v1::ChangeContactsResponse& response) {
  v1::ChangeContactsRequest request;
  request.set_request_id(request_id);
  v1::ContactAssignment& assignment = *request.add_assignments();
  assignment.set_service(service);
  assignment.set_role(v1::CONTACT_ROLE_TECH);
  assignment.set_new_contact(to);
  return stub.ChangeContacts(As(kAdmin).get(), request, &response);
}

grpc::Status Accept(ContactService::Stub& stub, const Fleet& fleet, const std::string& account,
                    const std::string& change, const std::string& request_id,
                    v1::AcceptContactChangeResponse& response) {
  v1::AcceptContactChangeRequest request;
  request.set_contact_change_id(change);
  request.set_token(fleet.Token(change, account));
  request.set_request_id(request_id);
  return stub.AcceptContactChange(As(account).get(), request, &response);
}

std::string NewRequestId() { return Uuid::Version4().text(); }

// Runs `body(i)` on 64 threads that start together; counts what each returned.
std::map<std::string, int> Race(const std::function<std::string(int)>& body) {
  constexpr int kClients = 64;
  std::mutex mutex;
  std::map<std::string, int> outcomes;
  std::vector<std::thread> clients;
  auto* barrier = new absl::Barrier(kClients);
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      if (barrier->Block()) delete barrier;
      const std::string outcome = body(i);
      const std::lock_guard lock(mutex);
      ++outcomes[outcome];
    });
  }
  for (std::thread& client : clients) client.join();
  return outcomes;
}

TEST(Fleet, SixtyFourClientsRaceForTheSameRoleTokenAndLastValidationOneWins) {
  constexpr int kRounds = 100;
  Fleet fleet(1);
  std::vector<std::unique_ptr<ContactService::Stub>> stubs;
  for (int i = 0; i < 64; ++i) stubs.push_back(fleet.Stub(i));
  const auto stub = [&](int i) -> ContactService::Stub& {
    return *stubs[static_cast<std::size_t>(i)];
  };

  std::string holder = kFirst;
  for (int round = 0; round < kRounds && !::testing::Test::HasFailure(); ++round) {
    const std::string next = holder == kFirst ? kSecond : kFirst;
    std::mutex mutex;
    std::string change;
    auto asked = Race([&](int i) {
      v1::ChangeContactsResponse response;
      const grpc::Status status =
          Ask(stub(i), Fleet::ServiceName(0), next, NewRequestId(), response);
      if (status.ok()) {
        const std::lock_guard lock(mutex);
        change = response.contact_changes(0).id();
      }
      return ReasonOf(status);
    });
    EXPECT_EQ(asked["OK"], 1);
    EXPECT_EQ(asked["CHANGE_ALREADY_PENDING"], 63) << ::testing::PrintToString(asked);

    auto accepted = Race([&](int i) {
      v1::AcceptContactChangeResponse response;
      return ReasonOf(Accept(stub(i), fleet, kAdmin, change, "", response));
    });
    EXPECT_EQ(accepted["OK"], 1);
    EXPECT_EQ(accepted["ALREADY_VALIDATED"], 63) << ::testing::PrintToString(accepted);

    std::atomic<int> done = 0;
    auto last = Race([&](int i) {
      v1::AcceptContactChangeResponse response;
      const grpc::Status status = Accept(stub(i), fleet, next, change, "", response);
      if (status.ok()) done += response.contact_change().state() == v1::CONTACT_CHANGE_STATE_DONE;
      return ReasonOf(status);
    });
    EXPECT_EQ(last["OK"], 1);
    EXPECT_EQ(done, 1);
    EXPECT_EQ(last["CHANGE_CLOSED"], 63) << ::testing::PrintToString(last);
    holder = next;
    EXPECT_EQ(fleet.database().Query("SELECT tech FROM service").at(0), holder);
  }
  EXPECT_EQ(fleet.database().Count("SELECT COUNT(*) FROM contact_change WHERE state = 2"), kRounds);
  EXPECT_EQ(fleet.database().Count("SELECT COUNT(*) FROM contact_change_event WHERE type = 8"),
            kRounds);
  EXPECT_EQ(fleet.database().Count("SELECT COUNT(*) FROM pending_role"), 0);
  fleet.WaitForMails();
  fleet.ExpectNoTokenAnywhere();
}

// What one client knows to be acknowledged.
struct Acknowledged {
  std::set<std::string> asked;
  std::set<std::string> done;
  std::string holder = kFirst;
};

// Moves the tech role of one service to and fro until told to stop, trying each
// call again with its own request id until it is answered.
void Work(Fleet& fleet, int index, const std::atomic<bool>& stop, Acknowledged& acknowledged) {
  std::vector<std::unique_ptr<ContactService::Stub>> stubs;
  for (int i = 0; i < kServers; ++i) stubs.push_back(fleet.Stub(i));
  std::size_t at = static_cast<std::size_t>(index);
  const auto until_answered = [&](const std::function<grpc::Status(ContactService::Stub&)>& call) {
    for (int i = 0; i < 400; ++i) {
      const grpc::Status status = call(*stubs[at++ % kServers]);
      if (!MayTryAgain(status)) return ReasonOf(status);
      absl::SleepFor(absl::Milliseconds(25));
    }
    return std::string("no answer");
  };
  while (!stop) {
    const std::string next = acknowledged.holder == kFirst ? kSecond : kFirst;
    const std::string ask_id = NewRequestId();
    v1::ChangeContactsResponse response;
    ASSERT_EQ(until_answered([&](ContactService::Stub& stub) {
                response.Clear();
                return Ask(stub, Fleet::ServiceName(index), next, ask_id, response);
              }),
              "OK");
    ASSERT_EQ(response.contact_changes_size(), 1);
    const std::string change = response.contact_changes(0).id();
    acknowledged.asked.insert(change);
    for (const std::string& validator : {std::string(kAdmin), next}) {
      const std::string accept_id = NewRequestId();
      v1::AcceptContactChangeResponse accepted;
      ASSERT_EQ(until_answered([&](ContactService::Stub& stub) {
                  accepted.Clear();
                  return Accept(stub, fleet, validator, change, accept_id, accepted);
                }),
                "OK");
      if (validator == next) {
        ASSERT_EQ(accepted.contact_change().state(), v1::CONTACT_CHANGE_STATE_DONE);
      }
    }
    acknowledged.done.insert(change);
    acknowledged.holder = next;
  }
}

TEST(Fleet, KillingServersFiftyTimesUnderLoadLosesNoAcknowledgedChangeAndNoPromisedMail) {
  constexpr int kKills = 50;
  constexpr int kWorkers = 8;
  Fleet fleet(kWorkers);
  std::atomic<bool> stop = false;
  std::vector<Acknowledged> acknowledged(kWorkers);
  std::vector<std::thread> workers;
  for (int i = 0; i < kWorkers; ++i) {
    workers.emplace_back(
        [&, i] { Work(fleet, i, stop, acknowledged[static_cast<std::size_t>(i)]); });
  }
  std::mt19937 random(20261123);
  for (int i = 0; i < kKills; ++i) {
    absl::SleepFor(absl::Milliseconds(std::uniform_int_distribution<int>(20, 250)(random)));
    fleet.server(i).Kill();
    fleet.server(i).Start();
  }
  stop = true;
  for (std::thread& worker : workers) worker.join();
  if (::testing::Test::HasFatalFailure()) return;

  std::size_t done = 0;
  for (int i = 0; i < kWorkers; ++i) {
    const Acknowledged& known = acknowledged[static_cast<std::size_t>(i)];
    done += known.done.size();
    EXPECT_EQ(fleet.database().Query(absl::StrCat("SELECT tech FROM service WHERE id = '",
                                                  Fleet::ServiceName(i), "'")),
              std::vector<std::string>{known.holder});
  }
  const auto count = [&](const std::string& sql) {
    return static_cast<std::size_t>(fleet.database().Count(sql));
  };
  EXPECT_GT(done, 0U);
  // Nothing is lost, and nothing happened twice under another id.
  EXPECT_EQ(count("SELECT COUNT(*) FROM contact_change"), done);
  EXPECT_EQ(count("SELECT COUNT(*) FROM contact_change WHERE state = 2"), done);
  EXPECT_EQ(count("SELECT COUNT(*) FROM contact_change_event WHERE type = 8"), done);
  EXPECT_EQ(count("SELECT COUNT(*) FROM contact_change_event WHERE type = 4"), 2 * done);

  // Rows that a killed server had claimed come free when its lease ends; the
  // test does not wait for that.
  fleet.database().Execute("UPDATE outbox SET next_try_time = 0");
  fleet.WaitForMails();
  std::set<std::string> done_mails;
  std::size_t deliveries = 0;
  const std::regex told("Subject: (Contact change for \\S+: done|Your contact roles on )");
  const std::regex id_line("[Mm]essage-[Ii][Dd]: (\\S+)");
  for (const std::string& mail : testing::ReadMaildir(fleet.mail_directory())) {
    if (!std::regex_search(mail, told)) continue;
    ++deliveries;
    std::smatch match;
    ASSERT_TRUE(std::regex_search(mail, match, id_line)) << mail;
    done_mails.insert(match[1]);
  }
  EXPECT_EQ(done_mails.size(), 3 * done);
  std::printf("%zu changes done under %d kills; %zu e-mails delivered a second time\n", done,
              kKills, deliveries - done_mails.size());
  fleet.ExpectNoTokenAnywhere();
}

TEST(Fleet, SigtermAnswersCallsUnderWayAndEndsWithStatusZero) {
  Fleet fleet(1);
  EXPECT_EQ(fleet.server(0).Terminate(), 0);
  fleet.server(0).Start();
}

}  // namespace
}  // namespace contacts
