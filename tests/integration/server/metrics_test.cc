// The metrics and the log of a server.

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "core/mysql/database.h"
#include "core/mysql/session.h"
#include "tests/testing/fleet.h"
#include "tests/testing/http.h"

namespace contacts {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::StartsWith;
using Json = nlohmann::json;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.

// One server with metrics.
class Metered : public Fleet {
 public:
  explicit Metered(int services = 1, const std::vector<std::string>& flags = {})
      : Metered(FreePort(), services, flags) {}

  std::vector<std::string> Metrics() const { return Scrape(port_); }
  std::unique_ptr<v1::ContactService::Stub> Stub() { return Fleet::Stub(0); }

  // Asks for a change, and returns its id.
  std::string AskFor(int service) {
    v1::ChangeContactsResponse response;
    EXPECT_EQ(ReasonOf(Ask(*Stub(), ServiceName(service), kFleetSecond, NewRequestId(), response)),
              "OK");
    return response.contact_changes(0).id();
  }
  std::string AcceptAs(const std::string& account, const std::string& change) {
    v1::AcceptContactChangeResponse response;
    return ReasonOf(Accept(*Stub(), account, change, NewRequestId(), response));
  }

  // The log's lines of calls. Waits until each of `methods` has a line.
  std::vector<Json> Calls(const std::vector<std::string>& methods) const {
    const auto all_there = [&](const std::string& text) {
      return std::all_of(methods.begin(), methods.end(), [&](const std::string& method) {
        return absl::StrContains(text, absl::StrCat("Service/", method, "\""));
      });
    };
    std::string text = log();
    for (int i = 0; i < 200 && !all_there(text); ++i) {
      absl::SleepFor(absl::Milliseconds(50));
      text = log();
    }
    std::vector<Json> calls;
    for (const auto line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
      EXPECT_TRUE(json.is_object()) << line;
      if (json.contains("method")) calls.push_back(std::move(json));
    }
    return calls;
  }
  int metrics_port() const { return port_; }

 private:
  Metered(int port, int services, std::vector<std::string> flags)
      : Fleet(services, WithMetrics(port, std::move(flags)), 1), port_(port) {}
  static std::vector<std::string> WithMetrics(int port, std::vector<std::string> flags) {
    flags.push_back(absl::StrCat("--metrics=127.0.0.1:", port));
    return flags;
  }
  const int port_;
};

TEST(Metrics, TellOfCallsQueueDatabaseAndMails) {
  Metered server(0);
  const auto stub = server.Stub();
  v1::GetProfileResponse response;
  EXPECT_EQ(ReasonOf(stub->GetProfile(ActingAs("zz9-ovh").get(), {}, &response)),
            "ACCOUNT_NOT_FOUND");

  const std::vector<std::string> lines = server.Metrics();
  EXPECT_THAT(lines, Contains("grpc_server_handled_total{grpc_code=\"NOT_FOUND\","
                              "grpc_method=\"GetProfile\","
                              "grpc_service=\"contacts.v1.ContactService\","
                              "grpc_type=\"unary\",reason=\"ACCOUNT_NOT_FOUND\"} 1"));
  const std::string method =
      "{grpc_method=\"GetProfile\",grpc_service=\"contacts.v1.ContactService\","
      "grpc_type=\"unary\"";
  for (const char* bucket : {"0.001", "10", "+Inf"}) {
    EXPECT_THAT(lines, Contains(StartsWith(absl::StrCat("grpc_server_handling_seconds_bucket",
                                                        method, ",le=\"", bucket, "\"} "))));
  }
  EXPECT_THAT(lines, Contains(absl::StrCat("grpc_server_started_total", method, "} 1")));
  EXPECT_THAT(lines, Contains(absl::StrCat("grpc_server_handling_seconds_count", method, "} 1")));
  // The three accounts were created through the queue too.
  EXPECT_THAT(lines, Contains("contacts_queue_wait_seconds_count 4"));
  EXPECT_THAT(lines, IsSupersetOf({"contacts_queue_length 0", "contacts_serving 1",
                                   "contacts_mails_total{outcome=\"delivered\"} 0",
                                   "contacts_outbox_mails 0", "contacts_outbox_oldest_seconds 0",
                                   "contacts_database_retries_total{cause=\"conflict\"} 0",
                                   "contacts_database_failovers_total 0",
                                   "contacts_database_writable_members 1",
                                   "contacts_build_info{version=\"1.0.0\"} 1"}));
  EXPECT_THAT(lines,
              Contains(StartsWith("contacts_database_transaction_seconds_count{kind=\"write\"} ")));
  // No label has a value that a caller chose.
  EXPECT_THAT(lines, Not(Contains(HasSubstr("zz9"))));
  EXPECT_EQ(server.server(0).Terminate(), 0);
}

TEST(Metrics, TellWhyCallsAreRejected) {
  Metered server(0, {"--max_watchers=1"});
  grpc::ClientContext contexts[2];
  std::vector<std::unique_ptr<grpc::ClientReader<v1::WatchContactChangesResponse>>> streams;
  const auto stub = server.Stub();
  v1::WatchContactChangesResponse response;
  for (grpc::ClientContext& context : contexts) {
    context.AddMetadata("contacts-account", kFleetAdmin);
    streams.push_back(stub->WatchContactChanges(&context, {}));
    EXPECT_EQ(streams.back()->Read(&response), streams.size() == 1);
  }
  EXPECT_EQ(ReasonOf(streams.back()->Finish()), "UNAVAILABLE");
  contexts[0].TryCancel();
  EXPECT_THAT(server.Metrics(), IsSupersetOf({"contacts_calls_rejected_total{cause=\"watchers\"} 1",
                                              "contacts_calls_rejected_total{cause=\"queue\"} 0",
                                              "contacts_unread_answers_cancelled_total 0"}));
}

// Such as by a change of the schema: the database answers pings, and no call.
TEST(Metrics, AndHealthTellThatAllCallsAreStuck) {
  Metered server(0, {"--workers=2"});
  const auto serving = [&](const char* value) {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    const auto told = Contains(absl::StrCat("contacts_serving ", value));
    while (!::testing::Value(server.Metrics(), told) && absl::Now() < deadline) {
      absl::SleepFor(absl::Milliseconds(50));
    }
    EXPECT_THAT(server.Metrics(), told);
  };
  std::vector<std::thread> callers;
  Database other(server.database().options());
  const absl::Status locked = other.Write({}, [&](Session& session) {
    session.Query("SELECT id FROM account FOR UPDATE", {});
    // Two calls have the two threads, one waits.
    for (const char* account : {kFleetAdmin, kFleetFirst, kFleetSecond}) {
      callers.emplace_back([&, account] {
        v1::UpdateProfileRequest request;
        request.mutable_account()->set_language_code("en");
        request.mutable_update_mask()->add_paths("language_code");
        v1::UpdateProfileResponse response;
        EXPECT_EQ(
            ReasonOf(server.Stub()->UpdateProfile(ActingAs(account).get(), request, &response)),
            "OK");
      });
    }
    serving("0");
    return absl::CancelledError("only the locks were wanted");
  });
  EXPECT_TRUE(absl::IsCancelled(locked)) << locked;
  for (std::thread& caller : callers) caller.join();
  serving("1");
}

TEST(Metrics, AreAnsweredToHeadWithoutABody) {
  const Metered server(0);
  const std::string answer = HttpHead(server.metrics_port(), "/metrics");
  EXPECT_THAT(answer, ::testing::StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, ::testing::ContainsRegex("Content-Length: [1-9]"));
  EXPECT_THAT(answer, ::testing::EndsWith("\r\n\r\n"));
}

TEST(Metrics, AMethodThatDoesNotExistMakesNoSeries) {
  Metered server(0);
  const std::size_t before = server.Metrics().size();
  grpc::GenericStub stub(server.server(0).Channel());
  for (const char* method : {"/contacts.v1.ContactService/Nonsense", "/nonsense.Service/Get"}) {
    const auto context = ActingAs(kFleetAdmin);
    grpc::CompletionQueue queue;
    const auto call = stub.PrepareUnaryCall(context.get(), method, grpc::ByteBuffer(), &queue);
    call->StartCall();
    grpc::ByteBuffer response;
    grpc::Status status;
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  }
  const std::vector<std::string> after = server.Metrics();
  EXPECT_EQ(after.size(), before);
  EXPECT_THAT(after, Not(Contains(HasSubstr("onsense"))));
}

TEST(Metrics, CountChangesByTheStateTheyEnter) {
  Metered server(5);
  const auto stub = server.Stub();

  const std::string done = server.AskFor(0);
  EXPECT_EQ(server.AcceptAs(kFleetAdmin, done), "OK");
  EXPECT_EQ(server.AcceptAs(kFleetSecond, done), "OK");
  EXPECT_EQ(server.AcceptAs(kFleetSecond, done), "CHANGE_CLOSED");

  v1::RefuseContactChangeRequest refusal;
  refusal.set_contact_change_id(server.AskFor(1));
  refusal.set_token(server.Token(refusal.contact_change_id(), kFleetSecond));
  v1::RefuseContactChangeResponse refused;
  EXPECT_EQ(ReasonOf(stub->RefuseContactChange(ActingAs(kFleetSecond).get(), refusal, &refused)),
            "OK");

  v1::CancelContactChangeRequest cancellation;
  cancellation.set_contact_change_id(server.AskFor(2));
  v1::CancelContactChangeResponse cancelled;
  EXPECT_EQ(
      ReasonOf(stub->CancelContactChange(ActingAs(kFleetAdmin).get(), cancellation, &cancelled)),
      "OK");

  server.AskFor(3);
  v1::DeleteServiceRequest deletion;
  deletion.set_service(Fleet::ServiceName(3));
  v1::DeleteServiceResponse deleted;
  grpc::ClientContext context;
  context.AddMetadata("contacts-caller", "operator");
  v1::DirectoryService::Stub directory(server.server(0).Channel());
  EXPECT_EQ(ReasonOf(directory.DeleteService(&context, deletion, &deleted)), "OK");

  const std::string open = server.AskFor(4);
  EXPECT_EQ(server.AcceptAs(kFleetFirst, open), "CONTACT_CHANGE_NOT_FOUND");
  v1::AcceptContactChangeRequest guess;
  guess.set_contact_change_id(open);
  guess.set_token("AAAAA-AAAAA-AAAAA-AAAAA-AAAAAA");
  v1::AcceptContactChangeResponse guessed;
  EXPECT_EQ(ReasonOf(stub->AcceptContactChange(ActingAs(kFleetSecond).get(), guess, &guessed)),
            "TOKEN_INVALID");
  v1::ChangeContactsResponse none;
  EXPECT_EQ(ReasonOf(Fleet::Ask(*stub, Fleet::ServiceName(4), kFleetSecond, NewRequestId(), none)),
            "CHANGE_ALREADY_PENDING");

  EXPECT_THAT(server.Metrics(), IsSupersetOf({"contacts_changes_total{state=\"validating\"} 5",
                                              "contacts_changes_total{state=\"done\"} 1",
                                              "contacts_changes_total{state=\"refused\"} 1",
                                              "contacts_changes_total{state=\"cancelled\"} 1",
                                              "contacts_changes_total{state=\"expired\"} 0",
                                              "contacts_changes_total{state=\"aborted\"} 1"}));
}

// The table of metrics in server/README.md, "name" to "type".
std::map<std::string, std::string> Documented() {
  const char* source = std::getenv("CONTACTS_TEST_SOURCE_DIR");
  std::map<std::string, std::string> documented;
  for (const auto line :
       absl::StrSplit(ReadFile(absl::StrCat(source, "/server/README.md")), '\n')) {
    std::string names;
    std::string type;
    if (!RE2::PartialMatch(std::string(line), R"(^\| (`[a-z_`, ]+`) \| (counter|gauge|histogram) )",
                           &names, &type)) {
      continue;
    }
    for (const auto name : absl::StrSplit(names, absl::ByAnyChar("`, "), absl::SkipEmpty())) {
      documented[std::string(name)] = type;
    }
  }
  return documented;
}

TEST(Metrics, AreThoseOfTheReadme) {
  Metered server;
  std::map<std::string, std::string> exported;
  for (const std::string& line : server.Metrics()) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (!absl::StartsWith(line, "# TYPE ")) continue;
    exported[words.at(2)] = words.at(3);
  }
  EXPECT_EQ(exported, Documented());
}

double Sum(const Json& call, const std::vector<std::string>& fields) {
  double sum = 0;
  for (const std::string& field : fields) sum += call.at(field).get<double>();
  return sum;
}

TEST(Log, ASlowCallSaysWhereItsTimeWent) {
  // Every call is a slow call.
  Metered server(1, {"--slow_call=1us"});
  const std::string change = server.AskFor(0);
  EXPECT_EQ(server.AcceptAs(kFleetAdmin, change), "OK");
  bool accepted = false;
  for (const Json& call : server.Calls({"AcceptContactChange"})) {
    SCOPED_TRACE(call.dump());
    EXPECT_EQ(call.at("message"), "slow call");
    EXPECT_EQ(call.at("level"), "warning");
    EXPECT_NEAR(
        Sum(call, {"queue_ms", "connection_wait_ms", "database_ms", "backoff_ms", "rest_ms"}),
        call.at("latency_ms").get<double>(), 0.01);
    EXPECT_GT(call.at("queue_ms"), 0);
    EXPECT_GT(call.at("database_ms"), 0);
    EXPECT_GT(call.at("rest_ms"), 0);
    EXPECT_EQ(call.at("retries"), 0);
    if (call.at("method") != "contacts.v1.ContactService/AcceptContactChange") continue;
    accepted = true;
    // The change, its items, the writes.
    EXPECT_EQ(call.at("round_trips"), 3);
  }
  EXPECT_TRUE(accepted);
}

TEST(Log, NoCallIsSlowWhereThatIsSwitchedOff) {
  Metered server(1, {"--slow_call=0"});
  server.AskFor(0);
  for (const Json& call : server.Calls({"ChangeContacts"})) {
    EXPECT_EQ(call.at("message"), "call");
    EXPECT_EQ(call.at("level"), "info");
    EXPECT_FALSE(call.contains("database_ms"));
  }
}

TEST(Log, ACallsLineHasWhatAnOperatorNeedsAndNothingElse) {
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  {
    Metered server;
    const auto stub = server.Stub();
    const auto context = ActingAs(kFleetAdmin);
    context->AddMetadata("x-request-id", "order 7");
    context->AddMetadata("traceparent", trace);
    v1::GetServiceRequest request;
    request.set_service("gone.example");
    v1::GetServiceResponse response;
    EXPECT_EQ(ReasonOf(stub->GetService(context.get(), request, &response)), "SERVICE_NOT_FOUND");
    v1::UpdateProfileRequest update;
    update.mutable_account()->set_email("new@mail.example");
    update.mutable_update_mask()->add_paths("email");
    v1::UpdateProfileResponse updated;
    EXPECT_EQ(ReasonOf(stub->UpdateProfile(ActingAs(kFleetFirst).get(), update, &updated)), "OK");
    const std::string change = server.AskFor(0);
    server.WaitForMails();
    EXPECT_EQ(server.AcceptAs(kFleetAdmin, change), "OK");

    const std::vector<Json> calls =
        server.Calls({"GetService", "UpdateProfile", "AcceptContactChange"});
    for (const Json& call : calls) {
      SCOPED_TRACE(call.dump());
      for (const char* field : {"time", "level", "method", "status", "latency_ms", "peer"}) {
        EXPECT_TRUE(call.contains(field)) << field;
      }
      for (const auto& [field, value] : call.items()) {
        EXPECT_THAT((std::vector<std::string>{"time", "level", "message", "method", "status",
                                              "reason", "account", "caller", "latency_ms", "peer",
                                              "x-request-id", "traceparent"}),
                    Contains(field));
      }
      if (call.at("method") == "contacts.v1.DirectoryService/CreateAccount") {
        EXPECT_EQ(call.at("caller"), "operator");
      }
      if (call.at("method") != "contacts.v1.ContactService/GetService") continue;
      EXPECT_EQ(call.at("status"), "NOT_FOUND");
      EXPECT_EQ(call.at("reason"), "SERVICE_NOT_FOUND");
      EXPECT_EQ(call.at("account"), kFleetAdmin);
      EXPECT_EQ(call.at("x-request-id"), "order 7");
      EXPECT_EQ(call.at("traceparent"), trace);
      EXPECT_THAT(call.at("peer").get<std::string>(), StartsWith("ipv4:127.0.0.1:"));
    }
    EXPECT_THAT(server.log(),
                AllOf(HasSubstr("delivered to a***@mail.example"), Not(HasSubstr("1-ovh@")),
                      Not(HasSubstr("2-ovh@")), Not(HasSubstr("3-ovh@")), Not(HasSubstr("new@"))));
    server.ExpectNoTokenAnywhere();
  }
}

}  // namespace
}  // namespace contacts
