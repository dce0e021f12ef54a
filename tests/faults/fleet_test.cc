// Three servers over one database: races between their clients, and servers that
// are killed at any moment.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <regex>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/barrier.h"
#include "tests/testing/fleet.h"

namespace contacts {
namespace {

using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using v1::ContactService;

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
  // Servers under the thread sanitizer slow down with each call: whenever gRPC frees a call, the
  // sanitizer searches its list of supposed races in gRPC.
  const int rounds = std::getenv("TSAN_OPTIONS") == nullptr ? 100 : 20;
  Fleet fleet(1);
  std::vector<std::unique_ptr<ContactService::Stub>> stubs;
  for (int i = 0; i < 64; ++i) stubs.push_back(fleet.Stub(i));
  const auto stub = [&](int i) -> ContactService::Stub& {
    return *stubs[static_cast<std::size_t>(i)];
  };

  std::string holder = kFleetFirst;
  for (int round = 0; round < rounds && !::testing::Test::HasFailure(); ++round) {
    const std::string next = holder == kFleetFirst ? kFleetSecond : kFleetFirst;
    std::mutex mutex;
    std::string change;
    auto asked = Race([&](int i) {
      v1::ChangeContactsResponse response;
      const grpc::Status status =
          Fleet::Ask(stub(i), Fleet::ServiceName(0), next, NewRequestId(), response);
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
      return ReasonOf(fleet.Accept(stub(i), kFleetAdmin, change, "", response));
    });
    EXPECT_EQ(accepted["OK"], 1);
    EXPECT_EQ(accepted["ALREADY_VALIDATED"], 63) << ::testing::PrintToString(accepted);

    std::atomic<int> done = 0;
    auto last = Race([&](int i) {
      v1::AcceptContactChangeResponse response;
      const grpc::Status status = fleet.Accept(stub(i), next, change, "", response);
      if (status.ok()) done += response.contact_change().state() == v1::CONTACT_CHANGE_STATE_DONE;
      return ReasonOf(status);
    });
    EXPECT_EQ(last["OK"], 1);
    EXPECT_EQ(done, 1);
    EXPECT_EQ(last["CHANGE_CLOSED"], 63) << ::testing::PrintToString(last);
    holder = next;
    EXPECT_EQ(fleet.database().Query("SELECT tech FROM service").at(0), holder);
  }
  EXPECT_EQ(fleet.database().Count("SELECT COUNT(*) FROM contact_change WHERE state = 2"), rounds);
  EXPECT_EQ(fleet.database().Count("SELECT COUNT(*) FROM contact_change_event WHERE type = 8"),
            rounds);
  EXPECT_EQ(fleet.database().Count("SELECT COUNT(*) FROM pending_role"), 0);
  fleet.WaitForMails();
  fleet.ExpectNoTokenAnywhere();
}

// Acknowledged state, as one client knows it.
struct Acknowledged {
  std::set<std::string> asked;
  std::set<std::string> done;
  std::string holder = kFleetFirst;
};

// Moves the tech role of one service back and forth until `stop` is set. Tries each call again
// with its request id until it is answered.
void Work(Fleet& fleet, int index, const std::atomic<bool>& stop, Acknowledged& acknowledged) {
  std::vector<std::unique_ptr<ContactService::Stub>> stubs;
  for (int i = 0; i < Fleet::kServers; ++i) stubs.push_back(fleet.Stub(i));
  std::size_t at = static_cast<std::size_t>(index);
  const auto until_answered = [&](const std::function<grpc::Status(ContactService::Stub&)>& call) {
    for (int i = 0; i < 400; ++i) {
      const grpc::Status status = call(*stubs[at++ % Fleet::kServers]);
      if (!MayTryAgain(status)) return ReasonOf(status);
      absl::SleepFor(absl::Milliseconds(25));
    }
    return std::string("no answer");
  };
  while (!stop) {
    const std::string next = acknowledged.holder == kFleetFirst ? kFleetSecond : kFleetFirst;
    const std::string ask_id = NewRequestId();
    v1::ChangeContactsResponse response;
    ASSERT_EQ(until_answered([&](ContactService::Stub& stub) {
                response.Clear();
                return Fleet::Ask(stub, Fleet::ServiceName(index), next, ask_id, response);
              }),
              "OK");
    ASSERT_EQ(response.contact_changes_size(), 1);
    const std::string change = response.contact_changes(0).id();
    acknowledged.asked.insert(change);
    for (const std::string& validator : {std::string(kFleetAdmin), next}) {
      const std::string accept_id = NewRequestId();
      v1::AcceptContactChangeResponse accepted;
      ASSERT_EQ(until_answered([&](ContactService::Stub& stub) {
                  accepted.Clear();
                  return fleet.Accept(stub, validator, change, accept_id, accepted);
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
  // No change is lost, and none was made twice under another id.
  EXPECT_EQ(count("SELECT COUNT(*) FROM contact_change"), done);
  EXPECT_EQ(count("SELECT COUNT(*) FROM contact_change WHERE state = 2"), done);
  EXPECT_EQ(count("SELECT COUNT(*) FROM contact_change_event WHERE type = 8"), done);
  EXPECT_EQ(count("SELECT COUNT(*) FROM contact_change_event WHERE type = 4"), 2 * done);

  // Rows that a killed server had claimed are free again when its lease ends. The test does not
  // wait for that.
  fleet.database().Execute("UPDATE outbox SET next_try_time = 0");
  fleet.WaitForMails();
  std::set<std::string> done_mails;
  std::size_t deliveries = 0;
  const std::regex told("Subject: (Contact change for [^:]+: done|Your contact roles on )");
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
