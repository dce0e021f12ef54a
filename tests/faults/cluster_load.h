#ifndef CONTACTS_TESTS_FAULTS_CLUSTER_LOAD_H_
#define CONTACTS_TESTS_FAULTS_CLUSTER_LOAD_H_

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "tests/testing/fleet.h"
#include "tests/testing/watch_stream.h"

namespace contacts::testing {

// Callers of a fleet on a cluster, and a journal of their answers. Writers ask for changes and
// accept them, each on its own service. Readers read changes that are known to be done. Watchers
// follow all events. All of them use another server for every call, and try again with the same
// request id until they are answered. Meanwhile the health of each server is polled.
class ClusterLoad {
 public:
  static constexpr int kWriters = 6;

  // `restarts`: whether the test restarts servers. Then connections may be refused for a while.
  explicit ClusterLoad(Fleet& fleet, bool restarts = false);
  ~ClusterLoad();

  // Waits until each writer and each reader got an answer to a call that began after `since`.
  // Returns the time from `since` to the last of these answers, or InfiniteDuration() after
  // `limit`.
  absl::Duration AnsweredSince(absl::Time since, absl::Duration limit) const;
  // When the first call was answered after `since`; InfiniteFuture() if none was yet.
  absl::Time FirstAnswerAfter(absl::Time since) const;
  // Until `until`, does again and again what a server does that starts now: checks that its first
  // read finds the change that was done last.
  void ReadAsNewServers(absl::Time until);
  // Ends the load. Checks that nothing acknowledged is lost, doubled or was read stale, that
  // watchers saw each event, that each e-mail exists, and that health said SERVING while calls
  // got through, and only then. Health may be late by a few seconds and by `unnoticed`. Prints the
  // journal.
  void StopAndCheck(const std::string& title, absl::Duration unnoticed = absl::ZeroDuration());

 private:
  struct Caller {
    std::atomic<int64_t> answered = 0;  // When the last answered call began, in microseconds.
    absl::Time told = absl::InfiniteFuture();  // When it was answered.
    absl::Duration longest;                    // Between two answers.
    std::set<std::string> done;
    std::string holder = kFleetFirst;
  };
  // The health of one server, compared with the answers that callers got from it.
  struct Server {
    std::atomic<int64_t> began = 0;  // The last answered call, in microseconds.
    std::atomic<int64_t> ended = 0;
    absl::Duration serving_in_vain;  // The longest time that SERVING lasted without an answer.
    absl::Duration serving_unsaid;   // The longest time that answers came under NOT_SERVING.
  };
  struct Watcher {
    std::mutex mutex;
    WatchStream* stream = nullptr;
    std::set<std::string> seen;
    int repeated = 0;
    int streams = 0;
  };

  void Write(int index);
  void Read(int index);
  void Watch(Watcher& watcher, int index);
  void PollHealth(int index);
  grpc::Status UntilAnswered(int index, const std::string& method,
                             const std::function<grpc::Status(v1::ContactService::Stub&)>& call);
  void Count(const std::string& method, const grpc::Status& status, absl::Duration took);
  void CheckDatabase();
  void CheckWatchers();
  void CheckMails();
  void CheckHealth(absl::Duration unnoticed);

  Fleet& fleet_;
  const bool restarts_;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> stop_watchers_ = false;
  std::vector<Caller> callers_;
  std::vector<Server> servers_;
  std::vector<Watcher> watchers_;
  std::vector<std::thread> threads_;
  std::vector<std::thread> watching_;
  mutable std::mutex mutex_;
  std::map<std::string, int> outcomes_;  // "METHOD STATUS" and how often.
  std::vector<absl::Time> answers_;      // When each call was answered.
  std::vector<std::string> known_done_;
  absl::Duration slowest_;
  int64_t reads_ = 0;
  int64_t stale_ = 0;
};

}  // namespace contacts::testing

#endif  // CONTACTS_TESTS_FAULTS_CLUSTER_LOAD_H_
