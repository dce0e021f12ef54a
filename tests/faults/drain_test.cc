// SIGTERM under load, seen by callers that try nothing again: each call is answered, refused with
// a reason, or ends in a way that tells that its outcome is not known.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/mysql/database.h"
#include "core/mysql/session.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/testing/fleet.h"
#include "tests/testing/http.h"

namespace contacts {
namespace {

using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.

// The answers that callers got about the accounts that they created.
struct Journal {
  std::mutex mutex;
  std::set<std::string> created;
  std::set<std::string> refused;  // With a reason of the server's.
  std::set<std::string> unknown;  // UNAVAILABLE, made by the caller's own gRPC.
  std::map<std::string, int> failures;
};

// Creates one account after the other until the connection ends.
void Create(v1::DirectoryService::Stub& stub, const std::string& prefix, Journal& journal,
            std::atomic<int>& answered) {
  for (int n = 100'000;; ++n) {
    const std::string id = absl::StrCat(prefix, n, "-ovh");
    v1::CreateAccountRequest request;
    request.mutable_account()->set_id(id);
    request.mutable_account()->set_email("somebody@mail.example");
    v1::CreateAccountResponse response;
    grpc::ClientContext context;
    context.AddMetadata("contacts-caller", "operator");
    const grpc::Status status = stub.CreateAccount(&context, request, &response);
    ++answered;
    const std::lock_guard lock(journal.mutex);
    if (status.ok()) {
      journal.created.insert(id);
      continue;
    }
    const std::string reason = ReasonOf(status);
    ++journal.failures[absl::StrCat(reason, ": ", status.error_message())];
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
    if (reason != "UNAVAILABLE") {
      journal.unknown.insert(id);
      return;
    }
    EXPECT_TRUE(HasRetryInfo(status));
    journal.refused.insert(id);
  }
}

TEST(Drain, SigtermUnderLoadAnswersOrRefusesEachCallAndCancelsNone) {
  constexpr int kRounds = 8;
  constexpr int kChannels = 8;
  constexpr int kCallers = 64;
  Fleet fleet(0, {}, /*servers=*/1);
  Journal journal;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::unique_ptr<v1::DirectoryService::Stub>> stubs;
    for (int i = 0; i < kChannels; ++i) {
      stubs.push_back(v1::DirectoryService::NewStub(fleet.server(0).Channel()));
    }
    std::atomic<int> answered = 0;
    std::vector<std::thread> callers;
    for (int i = 0; i < kCallers; ++i) {
      callers.emplace_back([&, i] {
        Create(*stubs[static_cast<std::size_t>(i % kChannels)],
               absl::StrCat("zz", round + 1, i + 100), journal, answered);
      });
    }
    while (answered < 4 * kCallers) absl::SleepFor(absl::Milliseconds(5));
    EXPECT_EQ(fleet.server(0).Terminate(), 0);
    for (std::thread& caller : callers) caller.join();
    fleet.server(0).Start();
  }
  for (const auto& [failure, count] : journal.failures) {
    std::printf("%7d %s\n", count, failure.c_str());
  }
  const auto ids = fleet.database().Query("SELECT id FROM account WHERE id LIKE 'zz%'");
  const std::set<std::string> there(ids.begin(), ids.end());
  std::size_t outcome_lost = 0;
  for (const std::string& id : journal.created) EXPECT_TRUE(there.contains(id)) << id << " is lost";
  for (const std::string& id : journal.refused) {
    EXPECT_FALSE(there.contains(id)) << id << " was refused, and is there";
  }
  for (const std::string& id : journal.unknown) outcome_lost += there.contains(id) ? 1 : 0;
  std::printf("%zu created, %zu refused, %zu unknown, of which %zu are there\n",
              journal.created.size(), journal.refused.size(), journal.unknown.size(), outcome_lost);
  EXPECT_EQ(there.size(), journal.created.size() + outcome_lost);
  // Some calls were there in time to be refused.
  EXPECT_GT(journal.refused.size(), 0U);
}

// A liveness probe that failed would have the server killed in the middle of its calls.
TEST(Drain, LivenessStaysServingDuringADrainAndReadinessDoesNot) {
  const int port = FreePort();
  Fleet fleet(1, {"--drain_timeout=30s", absl::StrCat("--metrics=127.0.0.1:", port)},
              /*servers=*/1);
  const auto health = grpc::health::v1::Health::NewStub(fleet.server(0).Channel());
  const auto watch = [&](grpc::ClientContext& context, const std::string& name) {
    grpc::health::v1::HealthCheckRequest request;
    request.set_service(name);
    return health->Watch(&context, request);
  };
  grpc::ClientContext contexts[2];
  const auto readiness = watch(contexts[0], "");
  const auto liveness = watch(contexts[1], "liveness");
  grpc::health::v1::HealthCheckResponse response;
  for (const auto* stream : {&readiness, &liveness}) {
    ASSERT_TRUE((*stream)->Read(&response));
    EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  }

  // A call that goes on until the database gives a row back.
  const auto stub = fleet.Stub(0);
  std::thread caller;
  std::thread stop;
  Database other(fleet.database().options());
  const absl::Status locked = other.Write({}, [&](Session& session) {
    session.Query("SELECT id FROM account WHERE id = 'aa1-ovh' FOR UPDATE", {});
    caller = std::thread([&] {
      v1::UpdateProfileRequest request;
      request.mutable_account()->set_language_code("en");
      request.mutable_update_mask()->add_paths("language_code");
      v1::UpdateProfileResponse updated;
      EXPECT_EQ(ReasonOf(stub->UpdateProfile(ActingAs(kFleetAdmin).get(), request, &updated)),
                "OK");
    });
    const auto started = [&] {
      for (const std::string& line : Scrape(port)) {
        if (absl::StartsWith(line, "grpc_server_started_total{grpc_method=\"UpdateProfile\"")) {
          return absl::EndsWith(line, " 1");
        }
      }
      return false;
    };
    while (!started()) absl::SleepFor(absl::Milliseconds(5));
    stop = std::thread([&] { EXPECT_EQ(fleet.server(0).Terminate(), 0); });
    EXPECT_TRUE(readiness->Read(&response));
    EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::NOT_SERVING);
    for (const auto& [name, status] :
         {std::pair("liveness", grpc::health::v1::HealthCheckResponse::SERVING),
          std::pair("", grpc::health::v1::HealthCheckResponse::NOT_SERVING)}) {
      grpc::ClientContext context;
      grpc::health::v1::HealthCheckRequest request;
      request.set_service(name);
      EXPECT_TRUE(health->Check(&context, request, &response).ok());
      EXPECT_EQ(response.status(), status) << name;
    }
    return absl::CancelledError("only the lock was wanted");
  });
  EXPECT_TRUE(absl::IsCancelled(locked)) << locked;
  caller.join();
  stop.join();
  EXPECT_FALSE(liveness->Read(&response)) << "it said anything but SERVING";
}

}  // namespace
}  // namespace contacts
