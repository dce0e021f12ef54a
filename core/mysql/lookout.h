#ifndef CONTACTS_CORE_MYSQL_LOOKOUT_H_
#define CONTACTS_CORE_MYSQL_LOOKOUT_H_

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/mysql/clock.h"
#include "core/mysql/database.h"
#include "core/mysql/probe.h"
#include "core/mysql/sockets.h"

namespace contacts {

// Decides which member of the cluster is used. For each member, a thread with a connection of its
// own asks once a second what the member is, and ten times a second while no member can be used.
// Thread safe.
class Lookout {
 public:
  // The arguments must outlive this object. Threads start at the first Await.
  Lookout(const DatabaseOptions* options, DatabaseClock* clock, Sockets* sockets);
  ~Lookout();
  Lookout(const Lookout&) = delete;
  Lookout& operator=(const Lookout&) = delete;

  struct Choice {
    DatabaseOptions::Endpoint member;
    MemberKind kind = MemberKind::kAlone;
    // Grows when another member is chosen, and when the member in use stops being usable.
    // Connections of an earlier epoch are not used again.
    int64_t epoch = 0;
  };
  // The member in use, which has said within the last 3 s that it may be used. Waits until `until`
  // for one; does not wait if that cannot help, for example if the login is refused.
  std::optional<Choice> Await(absl::Time until);

  // Asks `member` at once. To be called when a connection to it broke.
  void Suspect(const DatabaseOptions::Endpoint& member);

  // Whether a member is in use. Does not wait.
  bool HasMember();

  // Why no member is in use, in one line: UNAVAILABLE, or FAILED_PRECONDITION if waiting cannot
  // help.
  absl::Status Trouble();

  // How often another member was chosen than before.
  int64_t failovers() const { return failovers_; }
  // The number of members that say that they are the one that accepts writes: 0 or 1 in a healthy
  // cluster. Galera's nodes count as one.
  int64_t writable() const { return writable_; }

 private:
  using Steady = std::chrono::steady_clock::time_point;
  class Member;

  void Start();  // With the lock held.
  void ResolveLoop();
  // The methods below are called with the lock held.
  // Sets members_ to those of `endpoints`.
  void Adopt(const std::vector<DatabaseOptions::Endpoint>& endpoints);
  void Report(Member& member, MemberView view);
  // Notes whether `reported`, which was just asked, says that it takes writes beside the member in
  // use.
  void MarkRivals(Member& reported);
  void Choose();
  Member* Pick();
  bool CannotHelp() const;
  std::string Why() const;

  const DatabaseOptions& options_;
  DatabaseClock* const clock_;
  Sockets* const sockets_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool started_ = false;
  bool stopping_ = false;
  bool has_names_ = false;
  std::vector<std::shared_ptr<Member>> members_;  // In the order of --mysql.
  std::vector<std::shared_ptr<Member>> gone_;     // Their threads must be joined.
  std::shared_ptr<Member> used_;                  // The member in use or, if none is, the last one.
  bool usable_ = false;                           // Whether used_ is in use.
  bool group_seen_ = false;                       // Whether some member was in a group.
  int64_t epoch_ = 0;
  std::string last_trouble_;
  std::atomic<int64_t> failovers_ = 0;
  std::atomic<int64_t> writable_ = 0;
  std::thread resolver_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_MYSQL_LOOKOUT_H_
