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

// Work that costs less when several items of it are done together. An item is done at once, alone
// and by the thread that brings it where few are being done; else it is left. All that were left
// are done as soon as one of those is: by the thread that did it, the next time by one of the
// batcher's own; or by the thread that brings as many as go together. So nobody waits for company,
// and the batches grow with the load. An owner of many brings threads of its own: what it may not
// leave is done alone, at once. Thread safe. `Item` tells whose() it is.
template <typename Item>
class Batcher {
 public:
  // Must not throw.
  using Work = std::function<void(std::vector<Item>)>;

  struct Limits {
    std::size_t at_once = 1;      // Being done when others are left.
    std::size_t most = 16;        // Items done together.
    std::size_t most_of_one = 2;  // Of which one and the same owner's.
    // After so long, what was left is done also where those that are being done are held up.
    std::chrono::milliseconds patience{1000};
  };

  Batcher(Limits limits, Work work) : limits_(limits), work_(std::move(work)) {
    // One more than go at once, for when those are held up.
    for (std::size_t i = 0; i <= limits.at_once; ++i) threads_.emplace_back([this] { Run(); });
  }
  // Nothing may be in Do any more. What was left is done first.
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

  // Has `item` done: before this returns, or by another thread.
  void Do(Item item) {
    std::unique_lock lock(mutex_);
    std::vector<Item> batch;
    const bool turn = doing_ < limits_.at_once;
    if (turn) ++doing_;
    if (turn || OwnerLeft(item) >= limits_.most_of_one) {
      batch.push_back(std::move(item));
    } else {
      left_.push_back(std::move(item));
      if (left_.size() < limits_.most) return;
      batch.swap(left_);  // As many as go together: nothing to wait for.
    }
    lock.unlock();
    work_(std::move(batch));
    if (!turn) return;
    lock.lock();
    // What was left meanwhile costs less here than to wake another thread for. What is left by
    // then is no longer this one's: it has an owner who is charged for it.
    if (!left_.empty()) {
      batch = std::exchange(left_, {});
      lock.unlock();
      work_(std::move(batch));
      lock.lock();
    }
    if (left_.empty()) {
      --doing_;
    } else {
      ++turns_;
      changed_.notify_one();
    }
  }

 private:
  std::size_t OwnerLeft(const Item& item) const {
    return static_cast<std::size_t>(
        std::count_if(left_.begin(), left_.end(),
                      [&](const Item& left) { return left.whose() == item.whose(); }));
  }

  void Run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait_for(lock, limits_.patience, [this] { return turns_ > 0 || stopping_; });
      if (turns_ > 0) {
        --turns_;
      } else if (!left_.empty()) {
        ++doing_;
      } else if (stopping_) {
        return;
      } else {
        continue;
      }
      while (!left_.empty()) {
        std::vector<Item> batch = std::exchange(left_, {});
        lock.unlock();
        work_(std::move(batch));
        lock.lock();
        if (doing_ > limits_.at_once) break;  // The others that are at it will do the rest.
      }
      --doing_;
    }
  }

  const Limits limits_;
  const Work work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Item> left_;  // Fewer than `most`; none while fewer than `at_once` are being done.
  std::size_t doing_ = 0;   // With those whose turn is handed on.
  std::size_t turns_ = 0;   // Of those being done: ended, handed on, and not taken yet.
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_BATCHER_H_
