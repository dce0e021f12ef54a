#include "core/engine/batcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

namespace contacts {
namespace {

using ::testing::ElementsAre;

struct Item {
  int number = 0;
  int account = 0;
  int tenant() const { return account; }
};
using Numbers = std::vector<int>;

Numbers NumbersOf(const std::vector<Item>& items) {
  Numbers numbers;
  for (const Item& item : items) numbers.push_back(item.number);
  return numbers;
}

// Work that waits until the test lets each batch continue.
class HeldUp {
 public:
  Batcher<Item>::Work Work() {
    return [this](const std::vector<Item>& batch) {
      std::unique_lock lock(mutex_);
      begun_.push_back(NumbersOf(batch));
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
  std::vector<Numbers> AwaitBegun(std::size_t batches) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return begun_.size() >= batches; });
    return begun_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int allowed_ = 0;
  std::vector<Numbers> begun_;
};

constexpr Batcher<Item>::Limits kPatient = {
    .at_once = 1, .most = 4, .most_per_tenant = 2, .patience = std::chrono::hours(1)};

TEST(Batcher, DoesAtOnceAndAloneWhatComesAlone) {
  std::vector<Numbers> done;
  Batcher<Item> batcher(kPatient,
                        [&](const std::vector<Item>& batch) { done.push_back(NumbersOf(batch)); });
  batcher.Do({1});
  EXPECT_THAT(done, ElementsAre(ElementsAre(1)));
  batcher.Do({2});
  EXPECT_THAT(done, ElementsAre(ElementsAre(1), ElementsAre(2)));
}

TEST(Batcher, DoesTogetherWhatCameMeanwhile) {
  HeldUp work;
  Batcher<Item> batcher(kPatient, work.Work());
  std::thread first([&] { batcher.Do({1}); });
  work.AwaitBegun(1);
  batcher.Do({2});  // Would not return if it did the work itself.
  batcher.Do({3});
  work.Allow(2);
  first.join();
  EXPECT_THAT(work.AwaitBegun(2), ElementsAre(ElementsAre(1), ElementsAre(2, 3)));
}

TEST(Batcher, KeepsNobodyForLongAtWhatOthersLeave) {
  HeldUp work;
  Batcher<Item> batcher(kPatient, work.Work());
  std::thread first([&] { batcher.Do({1}); });
  work.AwaitBegun(1);
  batcher.Do({2});
  work.Allow(1);
  work.AwaitBegun(2);
  batcher.Do({3});
  work.Allow(1);
  first.join();  // While the item that was queued last is still being done.
  EXPECT_THAT(work.AwaitBegun(3), ElementsAre(ElementsAre(1), ElementsAre(2), ElementsAre(3)));
  work.Allow(1);
}

TEST(Batcher, KeepsTheThreadsOfAnOwnerOfManyUntilTheNextBatch) {
  HeldUp work;
  Batcher<Item> batcher(kPatient, work.Work());
  std::thread first([&] { batcher.Do({1, 7}); });
  work.AwaitBegun(1);
  batcher.Do({2, 7});
  batcher.Do({3, 7});
  std::thread fourth([&] { batcher.Do({4, 7}); });
  // If it did not wait, it would begin now.
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  batcher.Do({5, 8});
  work.Allow(3);
  first.join();
  fourth.join();
  EXPECT_THAT(work.AwaitBegun(3),
              ElementsAre(ElementsAre(1), ElementsAre(2, 3, 5), ElementsAre(4)));
}

TEST(Batcher, KeepsNobodyLongerThanItsPatienceWhereOthersAreHeldUp) {
  HeldUp work;
  Batcher<Item> batcher(
      {.at_once = 1, .most = 4, .most_per_tenant = 1, .patience = std::chrono::milliseconds(20)},
      work.Work());
  std::thread first([&] { batcher.Do({1, 7}); });
  work.AwaitBegun(1);
  std::thread second([&] { batcher.Do({2, 7}); });
  std::thread third([&] { batcher.Do({3, 7}); });
  work.AwaitBegun(3);  // While the first is held up.
  work.Allow(3);
  first.join();
  second.join();
  third.join();
}

TEST(Batcher, DoesAFullBatchWithoutWaitingForTheOthers) {
  HeldUp work;
  Batcher<Item> batcher(kPatient, work.Work());
  std::thread first([&] { batcher.Do({1, 1}); });
  work.AwaitBegun(1);
  for (int i = 2; i <= 4; ++i) batcher.Do({i, i});
  std::thread second([&] { batcher.Do({5, 5}); });
  work.AwaitBegun(2);
  batcher.Do({6, 6});
  work.Allow(3);
  first.join();
  second.join();
  EXPECT_THAT(work.AwaitBegun(3),
              ElementsAre(ElementsAre(1), ElementsAre(2, 3, 4, 5), ElementsAre(6)));
}

TEST(Batcher, DoesWhatWasLeftAlsoWhereOthersAreHeldUp) {
  HeldUp work;
  Batcher<Item> batcher({.at_once = 1, .most = 3, .patience = std::chrono::milliseconds(50)},
                        work.Work());
  std::thread first([&] { batcher.Do({1}); });
  work.AwaitBegun(1);
  batcher.Do({2});
  EXPECT_THAT(work.AwaitBegun(2), ElementsAre(ElementsAre(1), ElementsAre(2)));
  work.Allow(2);
  first.join();
}

TEST(Batcher, DoesWhatWasLeftBeforeItEnds) {
  std::vector<Numbers> begun;
  {
    HeldUp work;
    std::thread first;
    {
      Batcher<Item> batcher(kPatient, work.Work());
      first = std::thread([&] { batcher.Do({1}); });
      work.AwaitBegun(1);
      batcher.Do({2});
      work.Allow(2);
      first.join();
    }
    begun = work.AwaitBegun(2);
  }
  EXPECT_THAT(begun, ElementsAre(ElementsAre(1), ElementsAre(2)));
}

TEST(Batcher, DoesEachItemOnceInBatchesOfTheSizeAllowed) {
  constexpr int kThreads = 8;
  constexpr int kItems = 5'000;
  constexpr std::size_t kMost = 4;
  std::vector<std::atomic<int>> times(kThreads * kItems);
  std::atomic<bool> too_large = false;
  std::latch done(kThreads * kItems);
  Batcher<Item> batcher({.at_once = 2, .most = kMost}, [&](const std::vector<Item>& batch) {
    if (batch.empty() || batch.size() > kMost) too_large = true;
    for (const Item& item : batch) ++times[static_cast<std::size_t>(item.number)];
    done.count_down(static_cast<std::ptrdiff_t>(batch.size()));
  });
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kItems; ++i) batcher.Do({thread * kItems + i, thread});
    });
  }
  done.wait();  // The last item is done, although no item comes after it.
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(too_large);
  for (const std::atomic<int>& count : times) ASSERT_EQ(count, 1);
}

}  // namespace
}  // namespace contacts
