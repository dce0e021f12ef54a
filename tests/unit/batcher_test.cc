#include "core/engine/batcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

namespace contacts {
namespace {

using ::testing::ElementsAre;

// Work that is held up until the test lets it go on, batch by batch.
class HeldUp {
 public:
  Batcher<int>::Work Work() {
    return [this](std::vector<int> batch) {
      std::unique_lock lock(mutex_);
      begun_.push_back(std::move(batch));
      changed_.notify_all();
      changed_.wait(lock, [this] { return allowed_ > 0; });
      --allowed_;
    };
  }
  void Allow(int batches) {
    const std::lock_guard lock(mutex_);
    allowed_ += batches;
    changed_.notify_all();
  }
  void AwaitBegun(std::size_t batches) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return begun_.size() >= batches; });
  }
  std::vector<std::vector<int>> begun() {
    const std::lock_guard lock(mutex_);
    return begun_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int allowed_ = 0;
  std::vector<std::vector<int>> begun_;
};

TEST(Batcher, DoesAtOnceAndAloneWhatComesAlone) {
  std::vector<std::vector<int>> done;
  Batcher<int> batcher(1, 4, [&](std::vector<int> batch) { done.push_back(std::move(batch)); });
  batcher.Do(1);
  EXPECT_THAT(done, ElementsAre(ElementsAre(1)));
  batcher.Do(2);
  EXPECT_THAT(done, ElementsAre(ElementsAre(1), ElementsAre(2)));
}

TEST(Batcher, LeavesWhatComesMeanwhileToTheThreadThatIsAtWork) {
  HeldUp work;
  Batcher<int> batcher(1, 4, work.Work());
  std::thread first([&] { batcher.Do(1); });
  work.AwaitBegun(1);
  batcher.Do(2);  // Would not return if it did the work itself.
  batcher.Do(3);
  EXPECT_THAT(work.begun(), ElementsAre(ElementsAre(1)));
  work.Allow(2);
  first.join();
  EXPECT_THAT(work.begun(), ElementsAre(ElementsAre(1), ElementsAre(2, 3)));
}

TEST(Batcher, DoesAFullBatchWithoutWaitingForTheOthers) {
  HeldUp work;
  Batcher<int> batcher(1, 3, work.Work());
  std::thread first([&] { batcher.Do(1); });
  work.AwaitBegun(1);
  batcher.Do(2);
  batcher.Do(3);
  std::thread second([&] { batcher.Do(4); });
  work.AwaitBegun(2);
  EXPECT_THAT(work.begun(), ElementsAre(ElementsAre(1), ElementsAre(2, 3, 4)));
  batcher.Do(5);  // Left to whichever of the two stays.
  work.Allow(3);
  first.join();
  second.join();
  EXPECT_THAT(work.begun(), ElementsAre(ElementsAre(1), ElementsAre(2, 3, 4), ElementsAre(5)));
}

TEST(Batcher, DoesEachItemOnceInBatchesOfTheSizeAllowed) {
  constexpr int kThreads = 8;
  constexpr int kItems = 5'000;
  constexpr std::size_t kMost = 4;
  std::vector<std::atomic<int>> times(kThreads * kItems);
  std::atomic<bool> too_large = false;
  std::latch done(kThreads * kItems);
  Batcher<int> batcher(2, kMost, [&](const std::vector<int>& batch) {
    if (batch.empty() || batch.size() > kMost) too_large = true;
    for (const int item : batch) ++times[static_cast<std::size_t>(item)];
    done.count_down(static_cast<std::ptrdiff_t>(batch.size()));
  });
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kItems; ++i) batcher.Do(thread * kItems + i);
    });
  }
  done.wait();  // Nothing is forgotten, although nothing comes after it.
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(too_large);
  for (const std::atomic<int>& count : times) ASSERT_EQ(count, 1);
}

}  // namespace
}  // namespace contacts
