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

// Serves WatchContactChanges. One thread reads the feed for all watchers of this server: the tail
// for watchers that are up to date, and older events for watchers that resume. Reads are shared in
// both cases. The events queued for one watcher are bounded. A watcher that cannot keep up is cut
// off and resumes. If all places are taken, a new watcher takes the oldest place of the account
// with most of them. Thread safe.
class Watch {
 public:
  struct Options {
    int64_t max_watchers = 2000;
    absl::Duration poll_interval = absl::Milliseconds(50);  // With watchers.
    absl::Duration idle_interval = absl::Seconds(1);        // Without watchers.
    // Time without an event after which a token without an event is sent.
    absl::Duration token_interval = absl::Seconds(10);
    absl::Duration stall_limit = absl::Seconds(60);  // Of one write.
    // Number of events that a watcher may fall behind after it was up to date.
    int64_t max_lag = 10'000;
    std::function<absl::Time()> clock = absl::Now;  // The database's.
  };

  // All must outlive this object.
  Watch(const Gate& gate, WorkQueue* workers, Engine* engine, Feed* feed, Options options);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Starts the thread. Call it once.
  void Start();
  // Ends every watcher with UNAVAILABLE, and rejects new ones.
  void Stop();

  // Serves one stream. It ends with an error of Admission, with RESUME_TOKEN_EXPIRED, with
  // UNAUTHENTICATED when the caller's session ends, with ACCOUNT_NOT_FOUND after its account was
  // deleted, or with UNAVAILABLE: too many watchers, a watcher that reads too slowly, or a stop.
  grpc::ServerWriteReactor<grpc::ByteBuffer>* Serve(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request);

  // Number of streams in progress.
  int64_t watchers() const;

 private:
  class Watcher;
  using Watchers = std::vector<std::shared_ptr<Watcher>>;

  // On a worker thread: the database work before a watcher may join.
  absl::Status Open(Watcher& watcher);
  // Returns why the watcher may not join, if so.
  std::optional<Metrics::Rejection> Join(std::shared_ptr<Watcher> watcher);
  // With the mutex held. If all places are taken, takes the oldest stream of the account with most
  // streams out into `evicted`, if that account would still have as many as `account`.
  std::optional<Metrics::Rejection> MakeRoom(const AccountId& account,
                                             std::shared_ptr<Watcher>& evicted);
  void Run();
  // Reads the feed once. Returns whether to read again at once.
  bool ReadFeed();
  // Reads on to `last` and offers the new events to watchers that are up to date.
  absl::Status ReadTail(const Watchers& watchers, const FeedPlace& last);
  // Ends the watchers whose accounts were deleted.
  void CheckAccounts(const Watchers& watchers, absl::Time now);
  // Ends all watchers that began before the database went back to an earlier state.
  void EndAfterRollback(const Watchers& watchers);
  // Offers the next events to watchers that are behind. Returns false if no watcher is behind and
  // has room.
  absl::StatusOr<bool> ReadBacklog(const Watchers& watchers);

  const Gate gate_;
  WorkQueue* const workers_;
  Engine* const engine_;
  Feed* const feed_;
  const Options options_;

  // Used only by the thread:
  std::optional<FeedPlace> place_;  // End of the tail that was read.
  absl::Time accounts_checked_;     // When it was last looked whether the watchers' accounts exist.
  AccountId turn_;                  // The account for which older events were read last.

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Watchers watchers_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CALLS_WATCH_H_
