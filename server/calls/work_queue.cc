#include "server/calls/work_queue.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"

namespace contacts::server {
namespace {

// How long no thread was free before the limit of waiting items follows the time that they wait.
constexpr absl::Duration kCountTime = absl::Milliseconds(50);
// All threads were held up, for example by a database that fell silent. How many items began then
// does not tell how many will.
constexpr absl::Duration kStall = absl::Seconds(1);

}  // namespace

WorkQueue::WorkQueue(Limits limits, std::function<void(absl::Duration)> waited)
    : limits_(limits), waited_(std::move(waited)), most_waiting_(limits.waiting) {
  for (std::size_t i = 0; i < limits.threads; ++i) threads_.emplace_back([this] { Run(); });
}

WorkQueue::~WorkQueue() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool WorkQueue::TryPush(const std::string& tenant, std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  const auto held = tenants_.find(tenant);
  if (!HasRoomFor(held == tenants_.end() ? 0 : held->second.waiting.size())) return false;
  const TenantQueues::iterator queue = tenants_.try_emplace(tenant).first;
  queue->second.waiting.push_back({.work = std::move(work), .since = absl::Now()});
  ++waiting_;
  GiveTurn(queue);
  return true;
}

bool WorkQueue::HasRoom(const std::string& tenant) const {
  const std::lock_guard lock(mutex_);
  const auto held = tenants_.find(tenant);
  return HasRoomFor(held == tenants_.end() ? 0 : held->second.waiting.size());
}

bool WorkQueue::HasRoomFor(std::size_t items_of_tenant) const {
  const std::size_t others = waiting_ - items_of_tenant;
  return waiting_ < most_waiting_ && items_of_tenant < limits_.waiting_per_tenant &&
         items_of_tenant < (most_waiting_ - others + 1) / 2;
}

bool WorkQueue::IsFull() const {
  const std::lock_guard lock(mutex_);
  return waiting_ >= most_waiting_;
}

std::size_t WorkQueue::length() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

absl::Duration WorkQueue::stuck() const {
  const std::lock_guard lock(mutex_);
  if (waiting_ == 0 || running_ < limits_.threads) return absl::ZeroDuration();
  return absl::Now() - last_begin_;
}

bool WorkQueue::WaitIdle(absl::Duration limit) {
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, absl::ToChronoMilliseconds(limit),
                        [this] { return waiting_ == 0 && running_ == 0; });
}

void WorkQueue::GiveTurn(TenantQueues::iterator queue) {
  if (queue->second.has_turn || queue->second.waiting.empty() ||
      queue->second.running >= limits_.threads_per_tenant) {
    return;
  }
  queue->second.has_turn = true;
  turns_.push_back(queue);
  changed_.notify_one();
}

void WorkQueue::WasLate() {
  const std::lock_guard lock(mutex_);
  if (counted_ > 0) --counted_;
}

void WorkQueue::EndCount() {
  counted_since_ = absl::InfinitePast();
  most_waiting_ = limits_.waiting;
}

void WorkQueue::CountBegin() {
  if (running_ < limits_.threads) return EndCount();
  if (limits_.wait == absl::InfiniteDuration()) return;
  if (counted_since_ == absl::InfinitePast()) {
    counted_since_ = last_begin_;
    counted_ = 0;
  }
  ++counted_;
  const absl::Duration time = last_begin_ - counted_since_;
  if (time < kCountTime) return;
  if (time < kStall) {
    const auto begin_in_wait =
        static_cast<std::size_t>(absl::FDivDuration(counted_ * limits_.wait, time));
    most_waiting_ = std::min(limits_.waiting, limits_.threads + begin_in_wait);
  }
  counted_since_ = last_begin_;
  counted_ = 0;
}

void WorkQueue::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (turns_.empty()) EndCount();
    changed_.wait(lock, [this] { return !turns_.empty() || (stopping_ && waiting_ == 0); });
    if (turns_.empty()) return;
    const TenantQueues::iterator queue = turns_.front();
    turns_.pop_front();
    queue->second.has_turn = false;
    Item item = std::move(queue->second.waiting.front());
    queue->second.waiting.pop_front();
    ++queue->second.running;
    ++running_;
    --waiting_;
    last_begin_ = absl::Now();
    CountBegin();
    const absl::Duration waited = last_begin_ - item.since;
    GiveTurn(queue);
    lock.unlock();
    if (waited_) waited_(waited);
    item.work();
    item.work = nullptr;
    lock.lock();
    --running_;
    --queue->second.running;
    GiveTurn(queue);
    if (queue->second.running == 0 && queue->second.waiting.empty()) tenants_.erase(queue);
    if (waiting_ > 0) continue;
    if (running_ == 0) idle_.notify_all();
    if (stopping_) changed_.notify_all();
  }
}

}  // namespace contacts::server
