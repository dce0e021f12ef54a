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
  // Keeps at most `limit` pieces of work waiting for `workers` threads.
  WorkQueue(std::size_t limit, std::size_t workers);
  // Does what is still queued, then ends its threads.
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // Returns false, at once, where the queue is full. `work` must not throw.
  bool TryPush(std::function<void()> work);

  // Waits until nothing is queued or running; false where `limit` passed first.
  bool WaitIdle(absl::Duration limit);

 private:
  void Run();

  const std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable idle_;
  std::deque<std::function<void()>> queue_;
  std::size_t running_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_WORK_QUEUE_H_
