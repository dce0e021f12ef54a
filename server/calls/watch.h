#ifndef CONTACTS_SERVER_CALLS_WATCH_H_
#define CONTACTS_SERVER_CALLS_WATCH_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/engine/engine.h"
#include "core/engine/feed.h"
#include "server/calls/admission.h"
#include "server/calls/work_queue.h"

namespace contacts::server {

// Serves WatchContactChanges. One thread reads the feed for all watchers of this
// server: the tail for those that are up to date, and from further back for those
// that resume, together too. What waits to be written to one watcher is bounded;
// one that cannot keep up is cut off and told to resume. Thread safe.
class Watch {
 public:
  struct Options {
    int64_t max_watchers = 2000;
    absl::Duration poll_interval = absl::Milliseconds(50);  // While anyone watches.
    absl::Duration idle_interval = absl::Seconds(1);        // While nobody does.
    // A token without an event, where there was none to send for so long.
    absl::Duration token_interval = absl::Seconds(10);
    absl::Duration stall_limit = absl::Seconds(60);  // Of one write.
    // Events of the feed that one who was up to date may fall behind.
    int64_t max_lag = 10'000;
    std::function<absl::Time()> clock = absl::Now;  // The database's.
  };

  // What is pointed to must outlive it.
  Watch(const Gate& gate, WorkQueue* workers, Engine* engine, Feed* feed, Options options);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void Start();
  // Ends every watcher with UNAVAILABLE, and takes no more.
  void Stop();

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Serve(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request);

  int64_t watchers() const;

 private:
  class Watcher;
  using Watchers = std::vector<std::shared_ptr<Watcher>>;

  // On a worker thread: what needs the database before a watcher may join.
  absl::Status Open(Watcher& watcher);
  bool Join(std::shared_ptr<Watcher> watcher);
  bool HasRoom(const AccountId& account) const;  // With the mutex held.
  void Run();
  // One look at the feed; returns whether to look again at once.
  bool Step();
  // Reads on to `last` and offers what is new to those that are up to date.
  absl::Status ReadTail(const Watchers& watchers, const FeedPlace& last);
  // Ends all that began before the database went back to an earlier state.
  void WentBack(const Watchers& watchers);
  // Offers the next events to those that are behind; false where nobody is, or has room.
  absl::StatusOr<bool> ReadBacklog(const Watchers& watchers);

  const Gate gate_;
  WorkQueue* const workers_;
  Engine* const engine_;
  Feed* const feed_;
  const Options options_;

  // The thread's own:
  std::optional<FeedPlace> place_;  // Up to which the tail was read.
  AccountId turn_;                  // For whom it read last from further back.

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Watchers watchers_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CALLS_WATCH_H_
