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
// and by the thread that brings it where few are being done; else it is left to a thread of the
// batcher's, which does all that were left as soon as one of those is done. So nobody waits for
// company, and the batches grow with the load. Thread safe. `Item` tells whose() it is.
template <typename Item>
class Batcher {
 public:
  // Must not throw.
  using Work = std::function<void(std::vector<Item>)>;

  struct Limits {
    std::size_t at_once = 2;      // Being done when others are left; the threads there are.
    std::size_t most = 16;        // Items done together.
    std::size_t most_of_one = 2;  // Of which one and the same owner's.
    // After so long, what was left is done also where those that are being done are held up.
    std::chrono::milliseconds patience{1000};
  };

  Batcher(Limits limits, Work work) : limits_(limits), work_(std::move(work)) {
    for (std::size_t i = 0; i < limits.at_once; ++i) threads_.emplace_back([this] { Run(); });
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
    const bool leaves = doing_ >= limits_.at_once && MayLeave(item);
    if (leaves) {
      left_.push_back(std::move(item));
      return;
    }
    // What may not be left is nobody's turn: its owner has the threads that it brings.
    const bool turn = doing_ < limits_.at_once;
    if (turn) ++doing_;
    lock.unlock();
    std::vector<Item> alone;
    alone.push_back(std::move(item));
    work_(std::move(alone));
    if (!turn) return;
    lock.lock();
    if (left_.empty()) {
      --doing_;
    } else {
      ++turns_;
      changed_.notify_one();
    }
  }

 private:
  bool MayLeave(const Item& item) const {
    const auto its_owners = std::count_if(
        left_.begin(), left_.end(), [&](const Item& left) { return left.whose() == item.whose(); });
    return left_.size() < limits_.most &&
           static_cast<std::size_t>(its_owners) < limits_.most_of_one;
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
  std::vector<Item> left_;  // Empty while fewer than `at_once` are being done.
  std::size_t doing_ = 0;   // With those whose turn is handed on.
  std::size_t turns_ = 0;   // Of those being done: ended, handed on, and not taken yet.
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_BATCHER_H_
