#include "server/calls/work_queue.h"

#include <utility>

#include "absl/time/clock.h"

namespace contacts::server {

WorkQueue::WorkQueue(Limits limits, std::function<void(absl::Duration)> waited)
    : limits_(limits), waited_(std::move(waited)) {
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

bool WorkQueue::TryPush(const std::string& whose, std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (waiting_ >= limits_.waiting) return false;
  const Shares::iterator share = shares_.try_emplace(whose).first;
  if (share->second.waiting.size() >= limits_.waiting_of_one) return false;
  share->second.waiting.push_back({.work = std::move(work), .since = absl::Now()});
  ++waiting_;
  Offer(share);
  return true;
}

bool WorkQueue::HasRoom(const std::string& whose) const {
  const std::lock_guard lock(mutex_);
  if (waiting_ >= limits_.waiting) return false;
  const auto share = shares_.find(whose);
  return share == shares_.end() || share->second.waiting.size() < limits_.waiting_of_one;
}

std::size_t WorkQueue::length() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

bool WorkQueue::WaitIdle(absl::Duration limit) {
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, absl::ToChronoMilliseconds(limit),
                        [this] { return waiting_ == 0 && running_ == 0; });
}

void WorkQueue::Offer(Shares::iterator share) {
  if (share->second.has_turn || share->second.waiting.empty() ||
      share->second.running >= limits_.threads_of_one) {
    return;
  }
  share->second.has_turn = true;
  turns_.push_back(share);
  changed_.notify_one();
}

void WorkQueue::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return !turns_.empty() || (stopping_ && waiting_ == 0); });
    if (turns_.empty()) return;
    const Shares::iterator share = turns_.front();
    turns_.pop_front();
    share->second.has_turn = false;
    Piece piece = std::move(share->second.waiting.front());
    share->second.waiting.pop_front();
    ++share->second.running;
    ++running_;
    --waiting_;
    Offer(share);
    lock.unlock();
    if (waited_) waited_(absl::Now() - piece.since);
    piece.work();
    piece.work = nullptr;
    lock.lock();
    --running_;
    --share->second.running;
    Offer(share);
    if (share->second.running == 0 && share->second.waiting.empty()) shares_.erase(share);
    if (waiting_ > 0) continue;
    if (running_ == 0) idle_.notify_all();
    if (stopping_) changed_.notify_all();
  }
}

}  // namespace contacts::server
