#ifndef CONTACTS_CORE_ENGINE_BATCHER_H_
#define CONTACTS_CORE_ENGINE_BATCHER_H_

#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace contacts {

// Work that costs less when several items of it are done together. An item is done at once and
// alone where few others are being done; else it is left to one of the threads that do those,
// which takes all that were left to it when it is ready. So nobody waits for company, and the
// batches grow with the load. Thread safe.
template <typename Item>
class Batcher {
 public:
  // Must not throw.
  using Work = std::function<void(std::vector<Item>)>;

  // Does up to `most` items together, in `doing` threads at once; in more where those do not
  // keep up, each with a batch that is full.
  Batcher(std::size_t doing, std::size_t most, Work work)
      : max_doing_(doing), most_(most), work_(std::move(work)) {}

  // Has `item` done: before this returns, or by another thread that is in here.
  void Do(Item item) {
    std::unique_lock lock(mutex_);
    left_.push_back(std::move(item));
    if (doing_ >= max_doing_ && left_.size() < most_) return;
    ++doing_;
    // Whoever leaves while items are left leaves others behind that will take them.
    while (!left_.empty()) {
      std::vector<Item> batch = std::exchange(left_, {});
      lock.unlock();
      work_(std::move(batch));
      lock.lock();
      if (doing_ > max_doing_) break;
    }
    --doing_;
  }

 private:
  const std::size_t max_doing_;
  const std::size_t most_;
  const Work work_;
  std::mutex mutex_;
  std::vector<Item> left_;  // Fewer than `most_`, and none while `doing_` is below its maximum.
  std::size_t doing_ = 0;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_BATCHER_H_
