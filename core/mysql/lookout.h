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
#include "core/mysql/sockets.h"

namespace contacts {

// What keeps a member's data the same as the others'.
enum class MemberKind {
  kAlone,   // Nothing that it knows of: read_only tells whether it is the one to
            // use.
  kGroup,   // Group Replication.
  kGalera,  // Every node takes writes.
};

// An SQL expression that is 1 where a member of this kind says that it may be
// used, else 0.
std::string UsableExpression(MemberKind kind);

// Decides which member of the cluster is used. A thread for each member asks it
// each second what it is, over a connection of its own, more often while there
// is none to use. Thread safe.
class Lookout {
 public:
  // What is pointed to must outlive it. Starts no thread before the first
  // Await.
  Lookout(const DatabaseOptions* options, DatabaseClock* clock, Sockets* sockets);
  ~Lookout();
  Lookout(const Lookout&) = delete;
  Lookout& operator=(const Lookout&) = delete;

  struct Choice {
    DatabaseOptions::Endpoint member;
    MemberKind kind = MemberKind::kAlone;
    // Grows whenever another member is chosen, and when the one in use was not
    // usable for a while: connections that were opened before that are not used
    // again.
    int64_t epoch = 0;
  };
  // The member in use. It said that it may be used within the last 3 s. Waits
  // for it until `until`; not at all if waiting cannot help, as where the login
  // is refused.
  std::optional<Choice> Await(absl::Time until);

  // A connection to the member in use broke: looks at it at once.
  void Suspect(const DatabaseOptions::Endpoint& member);

  // Why there is none, in one line. FAILED_PRECONDITION where waiting cannot
  // help.
  absl::Status Trouble();

  int64_t failovers() const { return failovers_; }
  // Members that say of themselves that they take writes; more than one is
  // trouble, except on Galera, where it is 1 at most.
  int64_t writable() const { return writable_; }

 private:
  using Steady = std::chrono::steady_clock::time_point;
  class Member;
  // What one look found.
  struct View {
    bool usable = false;
    bool answered = false;
    bool left_behind = false;  // Its group or cluster goes on without it.
    MemberKind kind = MemberKind::kAlone;
    std::string identity;  // The same for two addresses of one server.
    int code = 0;          // Of the error, where it did not answer.
    std::string trouble;   // Why it is not usable.
    DatabaseClock::Sample time;
  };

  void Start();  // With the lock held.
  void ResolveLoop();
  // With the lock held, all of these. Sets members_ to what the names stand
  // for.
  void Adopt(const std::vector<DatabaseOptions::Endpoint>& endpoints);
  void Report(Member& member, View view);
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
  std::vector<std::shared_ptr<Member>> gone_;     // To be joined.
  std::shared_ptr<Member> used_;                  // The one in use; also while it is not usable.
  bool usable_ = false;                           // Whether it is.
  bool group_seen_ = false;
  int64_t epoch_ = 0;
  std::string last_trouble_;
  std::atomic<int64_t> failovers_ = 0;
  std::atomic<int64_t> writable_ = 0;
  std::thread resolver_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_MYSQL_LOOKOUT_H_
