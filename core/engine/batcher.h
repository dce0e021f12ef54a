#ifndef CONTACTS_CORE_ENGINE_BATCHER_H_
#define CONTACTS_CORE_ENGINE_BATCHER_H_

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace contacts {

// Does items together that cost less in a batch. If fewer than `at_once` batches run, the calling
// thread does its item at once, as a batch of one item. Otherwise the item is queued, and its
// thread is free. The queued items are done as soon as a batch has ended: by the thread that did
// that batch, or, if it has already done a batch of others, by one of the batcher's own threads. If
// a call fills the queue, its thread does the queued items. So no item waits for others to come,
// and batches grow with the load. While a tenant has `most_per_tenant` queued items, the threads
// with its further items wait for the next batch. Thread safe. `Item` has a function tenant(), the
// account that it is for.
template <typename Item>
class Batcher {
 public:
  // Must not throw.
  using Work = std::function<void(std::vector<Item>)>;

  struct Limits {
    std::size_t at_once = 1;          // Batches that run before items are queued.
    std::size_t most = 16;            // Items in a batch.
    std::size_t most_per_tenant = 2;  // Of the same tenant.
    // After so long, queued and waiting items are done even if the running batches are held up.
    std::chrono::milliseconds patience{1000};
  };

  Batcher(Limits limits, Work work) : limits_(limits), work_(std::move(work)) {
    // One thread more than batches run at once, for the case that those are held up.
    for (std::size_t i = 0; i <= limits.at_once; ++i) threads_.emplace_back([this] { Run(); });
  }
  // No thread may be in Do. Does the queued items first.
  ~Batcher() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // Does `item` before it returns, or lets another thread do it. Waits first, for `patience` at
  // most, while its tenant has `most_per_tenant` queued items.
  void Do(Item item) {
    std::unique_lock lock(mutex_);
    room_.wait_for(lock, limits_.patience, [&] {
      return doing_ < limits_.at_once || PendingOf(item) < limits_.most_per_tenant;
    });
    std::vector<Item> batch;
    const bool turn = doing_ < limits_.at_once;
    if (turn) ++doing_;
    if (turn || PendingOf(item) >= limits_.most_per_tenant) {
      batch.push_back(std::move(item));
    } else {
      pending_.push_back(std::move(item));
      if (pending_.size() < limits_.most) return;
      batch = TakePending();  // The queue is full, so there is no reason to wait.
    }
    lock.unlock();
    work_(std::move(batch));
    if (!turn) return;
    lock.lock();
    // Does the items that were queued in the meantime, which is cheaper than waking another thread.
    // Items that are queued later are for other threads, so that this thread returns to its
    // owner.
    if (!pending_.empty()) {
      batch = TakePending();
      lock.unlock();
      work_(std::move(batch));
      lock.lock();
    }
    if (pending_.empty()) {
      --doing_;
      room_.notify_all();
    } else {
      ++turns_;
      changed_.notify_one();
    }
  }

 private:
  std::vector<Item> TakePending() {
    room_.notify_all();
    return std::exchange(pending_, {});
  }

  std::size_t PendingOf(const Item& item) const {
    return static_cast<std::size_t>(
        std::count_if(pending_.begin(), pending_.end(),
                      [&](const Item& pending) { return pending.tenant() == item.tenant(); }));
  }

  void Run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait_for(lock, limits_.patience, [this] { return turns_ > 0 || stopping_; });
      if (turns_ > 0) {
        --turns_;
      } else if (!pending_.empty()) {
        ++doing_;
      } else if (stopping_) {
        return;
      } else {
        continue;
      }
      while (!pending_.empty()) {
        std::vector<Item> batch = TakePending();
        lock.unlock();
        work_(std::move(batch));
        lock.lock();
        if (doing_ > limits_.at_once) break;  // The running batches' threads will do the rest.
      }
      --doing_;
      room_.notify_all();
    }
  }

  const Limits limits_;
  const Work work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable room_;  // For a tenant's further items.
  // Queued: fewer than `most`, and none while fewer than `at_once` batches run.
  std::vector<Item> pending_;
  std::size_t doing_ = 0;  // Running batches, including turns that were handed on.
  std::size_t turns_ = 0;  // Turns that were handed on to the batcher's threads and not used yet.
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_BATCHER_H_
