// The queue of calls: bounded, with turns for the accounts.

#include "server/calls/work_queue.h"

#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"

namespace contacts::server {
namespace {

// Records the order in which accounts were served.
class Served {
 public:
  std::function<void()> Piece(const std::string& whose) {
    return [this, whose] {
      const std::lock_guard lock(mutex_);
      order_.push_back(whose);
    };
  }
  std::vector<std::string> order() const {
    const std::lock_guard lock(mutex_);
    return order_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> order_;
};

TEST(WorkQueue, ThoseWhoBringWorkTakeTurns) {
  Served served;
  absl::Notification go;
  {
    WorkQueue queue({.threads = 1, .waiting = 20, .threads_per_tenant = 1});
    ASSERT_TRUE(queue.TryPush("first", [&] { go.WaitForNotification(); }));
    while (queue.length() > 0) absl::SleepFor(absl::Milliseconds(1));
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(queue.TryPush("flood", served.Piece("flood")));
    ASSERT_TRUE(queue.TryPush("other", served.Piece("other")));
    ASSERT_TRUE(queue.TryPush("third", served.Piece("third")));
    go.Notify();
  }
  EXPECT_EQ(served.order(),
            (std::vector<std::string>{"flood", "other", "third", "flood", "flood", "flood"}));
}

TEST(WorkQueue, OneThatFloodsLeavesThreadsToTheOthers) {
  absl::Notification go;
  absl::Notification other_done;
  WorkQueue queue({.threads = 2, .waiting = 10, .threads_per_tenant = 1});
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(queue.TryPush("flood", [&] { go.WaitForNotification(); }));
  }
  ASSERT_TRUE(queue.TryPush("other", [&] { other_done.Notify(); }));
  EXPECT_TRUE(other_done.WaitForNotificationWithTimeout(absl::Seconds(20)));
  EXPECT_FALSE(queue.WaitIdle(absl::Milliseconds(1)));
  go.Notify();
  EXPECT_TRUE(queue.WaitIdle(absl::Seconds(20)));
}

TEST(WorkQueue, EachThatFloodsLeavesHalfOfTheRoomToTheOthers) {
  absl::Notification go;
  WorkQueue queue({.threads = 1, .waiting = 8, .threads_per_tenant = 1});
  ASSERT_TRUE(queue.TryPush("first", [&] { go.WaitForNotification(); }));
  while (queue.length() > 0) absl::SleepFor(absl::Milliseconds(1));
  for (const auto& [tenant, room] : {std::pair("flood", 4), std::pair("second flood", 2),
                                     std::pair("third flood", 1), std::pair("other", 1)}) {
    for (int i = 0; i < room; ++i) EXPECT_TRUE(queue.TryPush(tenant, [] {})) << tenant << i;
    EXPECT_FALSE(queue.HasRoom(tenant)) << tenant;
    EXPECT_FALSE(queue.TryPush(tenant, [] {})) << tenant;
    EXPECT_EQ(queue.IsFull(), tenant == std::string("other"));
  }
  EXPECT_FALSE(queue.TryPush("last", [] {})) << "the queue as a whole is full";
  EXPECT_EQ(queue.length(), 8);
  go.Notify();
}

TEST(WorkQueue, IsStuckWhileAllThreadsRunTheSameItemsAndOthersWait) {
  absl::Notification go;
  WorkQueue queue({.threads = 2, .waiting = 8, .threads_per_tenant = 1});
  const auto push = [&](const char* tenant) {
    ASSERT_TRUE(queue.TryPush(tenant, [&] { go.WaitForNotification(); }));
  };
  push("first");
  push("first");
  while (queue.length() > 1) absl::SleepFor(absl::Milliseconds(1));
  absl::SleepFor(absl::Milliseconds(5));
  EXPECT_EQ(queue.stuck(), absl::ZeroDuration()) << "one thread is free for other tenants";
  push("second");
  while (queue.length() > 1) absl::SleepFor(absl::Milliseconds(1));
  absl::SleepFor(absl::Milliseconds(5));
  EXPECT_GE(queue.stuck(), absl::Milliseconds(5));
  go.Notify();
  EXPECT_TRUE(queue.WaitIdle(absl::Seconds(20)));
  EXPECT_EQ(queue.stuck(), absl::ZeroDuration());
}

TEST(WorkQueue, HoldsWhatBeginsInTheLongestWaitOnceNoThreadWasFreeForAWhile) {
  constexpr std::size_t kMost = 1000;
  WorkQueue queue(
      {.threads = 1, .waiting = kMost, .threads_per_tenant = 1, .wait = absl::Milliseconds(20)});
  for (int round = 0; round < 2; ++round) {
    // A thread is free, so a burst is taken as a whole.
    std::size_t taken = 0;
    while (queue.TryPush(absl::StrCat(taken), [] { absl::SleepFor(absl::Milliseconds(1)); })) {
      ++taken;
    }
    EXPECT_GE(taken, kMost);
    absl::SleepFor(absl::Milliseconds(100));
    while (!queue.HasRoom("another")) absl::SleepFor(absl::Milliseconds(1));
    // 20 begin in 20 ms, and fewer on a busy machine.
    EXPECT_LE(queue.length(), 30);
    ASSERT_TRUE(queue.WaitIdle(absl::Seconds(20)));
  }
}

TEST(WorkQueue, FollowsNoTimeWhileAThreadIsFreeForOthers) {
  WorkQueue queue(
      {.threads = 2, .waiting = 200, .threads_per_tenant = 1, .wait = absl::Milliseconds(10)});
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(queue.TryPush("busy", [] { absl::SleepFor(absl::Milliseconds(2)); }));
  }
  while (queue.length() > 10) {
    // Half of the places that the busy tenant leaves.
    ASSERT_TRUE(queue.HasRoom("other"));
    ASSERT_FALSE(queue.IsFull());
    absl::SleepFor(absl::Milliseconds(1));
  }
}

TEST(WorkQueue, GivesOneTenantAtMostItsOwnLimit) {
  absl::Notification go;
  WorkQueue queue({.threads = 1, .waiting = 100, .threads_per_tenant = 1, .waiting_per_tenant = 3});
  ASSERT_TRUE(queue.TryPush("first", [&] { go.WaitForNotification(); }));
  while (queue.length() > 0) absl::SleepFor(absl::Milliseconds(1));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(queue.TryPush("flood", [] {}));
  EXPECT_FALSE(queue.HasRoom("flood"));
  EXPECT_FALSE(queue.IsFull());
  EXPECT_TRUE(queue.HasRoom("other"));
  go.Notify();
}

}  // namespace
}  // namespace contacts::server
