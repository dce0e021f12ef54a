// WatchContactChanges while servers are killed and watchers move from one to another.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/escaping.h"
#include "tests/testing/fleet.h"
#include "tests/testing/watch_stream.h"

namespace contacts {
namespace {

using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using v1::ContactService;

// Watches until it has seen every event of the database, on connections to random servers that
// break at random. Checks that no stream goes backwards.
struct WatcherOnTheMove {
  std::string who;
  std::set<std::string> seen;
  int streams = 0;
  // Of each stream, the events of each change in the order in which they came.
  std::vector<std::map<std::string, std::vector<std::string>>> orders;

  void Run(Fleet& fleet, unsigned seed, const std::string& first_token,
           const std::function<bool(const std::set<std::string>&)>& complete) {
    std::mt19937 random(seed);
    const auto up_to = [&](int n) { return std::uniform_int_distribution<int>(0, n)(random); };
    std::string token = first_token;
    while (!complete(seen)) {
      WatchStream stream(fleet.server(up_to(2)).Channel(), who, token);
      ++streams;
      std::map<std::string, std::vector<std::string>> order;
      int left = up_to(200);
      while (left >= 0 && !complete(seen)) {
        const auto next = stream.Next();
        if (!next) {
          absl::SleepFor(absl::Milliseconds(20));
          break;
        }
        token = next->resume_token();
        if (!next->has_event()) continue;
        --left;
        seen.insert(next->event().id());
        order[next->event().contact_change_id()].push_back(next->event().id());
      }
      stream.Cancel();
      orders.push_back(std::move(order));
    }
  }
};

TEST(Watch, LosesNoEventOf32WritersWhileWatchersMoveAndServersAreKilled) {
  constexpr int kWriters = 32;
  constexpr int kRounds = 12;
  Fleet fleet(kWriters);
  std::string first_token;
  {
    WatchStream stream(fleet.server(0).Channel(), kObserver);
    first_token = stream.Begin();
    stream.Cancel();
  }
  std::atomic<int64_t> total = -1;  // Known once the writers are done.
  const auto complete = [&](const std::set<std::string>& seen) {
    return total >= 0 && static_cast<int64_t>(seen.size()) >= total;
  };
  std::vector<WatcherOnTheMove> watchers(6);
  std::vector<std::thread> watching;
  for (std::size_t i = 0; i < watchers.size(); ++i) {
    watchers[i].who = i % 2 == 0 ? kObserver : kFleetAdmin;
    watching.emplace_back(
        [&, i] { watchers[i].Run(fleet, static_cast<unsigned>(i), first_token, complete); });
  }
  std::atomic<int> writing = kWriters;
  std::vector<std::thread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] {
      const auto done = absl::MakeCleanup([&] { --writing; });
      std::vector<std::unique_ptr<ContactService::Stub>> stubs;
      for (int s = 0; s < Fleet::kServers; ++s) stubs.push_back(fleet.Stub(s));
      int at = i;
      const auto until_answered =
          [&](const std::function<grpc::Status(ContactService::Stub&)>& call) {
            for (int tries = 0; tries < 400; ++tries) {
              const grpc::Status status = call(*stubs[static_cast<std::size_t>(at++ % 3)]);
              if (!MayTryAgain(status)) return ReasonOf(status);
              absl::SleepFor(absl::Milliseconds(25));
            }
            return std::string("no answer");
          };
      for (int round = 0; round < kRounds; ++round) {
        const std::string ask_id = NewRequestId();
        v1::ChangeContactsResponse asked;
        ASSERT_EQ(until_answered([&](ContactService::Stub& stub) {
                    asked.Clear();
                    return Fleet::Ask(stub, Fleet::ServiceName(i), kFleetSecond, ask_id, asked);
                  }),
                  "OK");
        v1::CancelContactChangeRequest request;
        request.set_contact_change_id(asked.contact_changes(0).id());
        request.set_request_id(NewRequestId());
        v1::CancelContactChangeResponse cancelled;
        ASSERT_EQ(until_answered([&](ContactService::Stub& stub) {
                    return stub.CancelContactChange(ActingAs(kFleetAdmin).get(), request,
                                                    &cancelled);
                  }),
                  "OK");
      }
    });
  }
  // On this thread: a server dies with the thread that started it.
  for (int i = 0; writing > 0; ++i) {
    absl::SleepFor(absl::Milliseconds(700));
    fleet.server(i).Kill();
    fleet.server(i).Start();
  }
  for (std::thread& writer : writers) writer.join();
  fleet.database().Execute("UPDATE outbox SET next_try_time = 0");
  fleet.WaitForMails();
  std::map<std::string, int64_t> ordinal_of;
  for (const std::string& row : fleet.database().Query(
           "SELECT CONCAT(LOWER(HEX(id)), ' ', ordinal) FROM contact_change_event")) {
    const Uuid id = Uuid::FromBytes(absl::HexStringToBytes(row.substr(0, 32)));
    ordinal_of[id.text()] = std::stoll(row.substr(33));
  }
  total = static_cast<int64_t>(ordinal_of.size());
  AskFor(fleet, 0, kFleetSecond);  // Wakes watchers that have seen everything.
  for (std::thread& thread : watching) thread.join();

  int streams = 0;
  for (const WatcherOnTheMove& watcher : watchers) {
    streams += watcher.streams;
    for (const auto& [id, ordinal] : ordinal_of) EXPECT_TRUE(watcher.seen.contains(id));
    for (const auto& order : watcher.orders) {
      for (const auto& [change, events] : order) {
        int64_t last = 0;
        for (const std::string& id : events) {
          const auto found = ordinal_of.find(id);
          if (found == ordinal_of.end()) continue;
          EXPECT_GT(found->second, last) << "the events of one change went backwards";
          last = found->second;
        }
      }
    }
  }
  std::printf("%lld events, seen by %zu watchers in %d streams\n", static_cast<long long>(total),
              watchers.size(), streams);
}

}  // namespace
}  // namespace contacts
