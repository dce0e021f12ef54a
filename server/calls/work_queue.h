#ifndef CONTACTS_SERVER_CALLS_WORK_QUEUE_H_
#define CONTACTS_SERVER_CALLS_WORK_QUEUE_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"

namespace contacts::server {

// Threads that may block, and the bounded queue of what they have yet to do. Those
// for whom work is done take turns, however much each one brings, and none has more
// than its share of the threads and of the queue: one that floods the server leaves
// the others room. Thread safe.
class WorkQueue {
 public:
  struct Limits {
    std::size_t threads;
    std::size_t waiting;         // Pieces of work beyond those that threads are busy with.
    std::size_t threads_of_one;  // At most, of one for whom work is done.
    std::size_t waiting_of_one;
  };

  // `waited` is told how long each piece waited; unset: nobody is.
  explicit WorkQueue(Limits limits, std::function<void(absl::Duration)> waited = nullptr);
  // Does what is still queued, then ends its threads.
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // Returns false, at once, where the queue, or the share in it of the one whose work
  // this is, is full. `work` must not throw.
  bool TryPush(const std::string& whose, std::function<void()> work);

  // Whether it would take one more piece; a moment later it may not.
  bool HasRoom(const std::string& whose) const;

  // Pieces that wait.
  std::size_t length() const;

  // Waits until nothing is queued or running; false where `limit` passed first.
  bool WaitIdle(absl::Duration limit);

 private:
  struct Piece {
    std::function<void()> work;
    absl::Time since;
  };
  // What one has brought.
  struct Share {
    std::deque<Piece> waiting;
    std::size_t running = 0;
    bool has_turn = false;  // Is in turns_.
  };
  using Shares = std::map<std::string, Share>;

  void Run();
  // Lets a share take its turn where it has work and a thread to spare.
  void Offer(Shares::iterator share);

  const Limits limits_;
  const std::function<void(absl::Duration)> waited_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable idle_;
  Shares shares_;  // Of those who have work waiting or running.
  std::deque<Shares::iterator> turns_;
  std::size_t waiting_ = 0;
  std::size_t running_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CALLS_WORK_QUEUE_H_
