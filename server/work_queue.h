#ifndef CONTACTS_SERVER_WORK_QUEUE_H_
#define CONTACTS_SERVER_WORK_QUEUE_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/time/time.h"

namespace contacts::server {

// Threads that may block, and the bounded queue of what they have yet to do.
// Thread safe.
class WorkQueue {
 public:
  // Keeps at most `limit` pieces of work waiting for `workers` threads. `waited` is
  // told how long each one waited; unset: nobody is.
  WorkQueue(std::size_t limit, std::size_t workers,
            std::function<void(absl::Duration)> waited = nullptr);
  // Does what is still queued, then ends its threads.
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // Returns false, at once, where the queue is full. `work` must not throw.
  bool TryPush(std::function<void()> work);

  // Pieces that wait.
  std::size_t length() const;

  // Waits until nothing is queued or running; false where `limit` passed first.
  bool WaitIdle(absl::Duration limit);

 private:
  struct Piece {
    std::function<void()> work;
    absl::Time since;
  };
  void Run();

  const std::size_t limit_;
  const std::function<void(absl::Duration)> waited_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable idle_;
  std::deque<Piece> queue_;
  std::size_t running_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_WORK_QUEUE_H_
