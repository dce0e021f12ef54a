// SIGTERM under load, seen by callers that try nothing again: each call is answered, refused with
// a reason, or ends in a way that tells that its outcome is not known.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/testing/fleet.h"

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

}  // namespace
}  // namespace contacts
