#ifndef CONTACTS_SERVER_CALLS_WORK_QUEUE_H_
#define CONTACTS_SERVER_CALLS_WORK_QUEUE_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"

namespace contacts::server {

// Threads that may block, and the bounded queue of their work. Accounts take turns, however much
// work each of them brings. No account gets more than its share of the threads and of the queue, so
// an account that floods the server leaves room for the others. Thread safe.
class WorkQueue {
 public:
  struct Limits {
    std::size_t threads;
    // Limit of queued items. One tenant may have half of the places that the others leave, and
    // waiting_per_tenant at most.
    std::size_t waiting;
    std::size_t threads_per_tenant;  // Limit of the threads that run one tenant's items.
    std::size_t waiting_per_tenant = SIZE_MAX;
    // Once no thread was free for 50 ms, as many items may wait as begin in this time, and one for
    // each thread.
    absl::Duration wait = absl::InfiniteDuration();
  };

  // `waited`, if set, is called with the time that each item waited.
  explicit WorkQueue(Limits limits, std::function<void(absl::Duration)> waited = nullptr);
  // Does the queued work, then ends the threads.
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // Queues an item of `tenant`. Returns false at once if the queue, or the tenant's share of it, is
  // full. `work` must not throw.
  bool TryPush(const std::string& tenant, std::function<void()> work);

  // Whether TryPush would now accept one more item.
  bool HasRoom(const std::string& tenant) const;
  // Whether TryPush would now accept no item, of any tenant.
  bool IsFull() const;

  // Called by an item that found nothing to do, as it came too late: it says nothing about how
  // many items can be done.
  void WasLate();

  // Number of queued items.
  std::size_t length() const;
  // How long all threads have run the same items while others wait. Zero if a thread is free, or
  // none waits.
  absl::Duration stuck() const;

  // Waits until nothing is queued or running. Returns false if `limit` passed first.
  bool WaitIdle(absl::Duration limit);

 private:
  struct Item {
    std::function<void()> work;
    absl::Time since;
  };
  // The items of one tenant.
  struct TenantQueue {
    std::deque<Item> waiting;
    std::size_t running = 0;
    bool has_turn = false;  // Whether it is in turns_.
  };
  using TenantQueues = std::map<std::string, TenantQueue>;

  // With the mutex held.
  bool HasRoomFor(std::size_t items_of_tenant) const;
  void Run();
  // Measures how many items begin, and so how many may wait.
  void CountBegin();
  // A thread is free, so all places may be used.
  void EndCount();
  // Puts a tenant into turns_ if it has items and may have one more thread.
  void GiveTurn(TenantQueues::iterator queue);

  const Limits limits_;
  const std::function<void(absl::Duration)> waited_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable idle_;
  TenantQueues tenants_;  // Of tenants with queued or running items.
  std::deque<TenantQueues::iterator> turns_;
  std::size_t waiting_ = 0;
  std::size_t running_ = 0;
  absl::Time last_begin_;     // When a thread last took an item.
  std::size_t most_waiting_;  // Limit of waiting items at present.
  // The measurement of items that begin. InfinitePast() if a thread was free since.
  absl::Time counted_since_ = absl::InfinitePast();
  int64_t counted_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CALLS_WORK_QUEUE_H_
