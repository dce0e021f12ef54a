#include "server/work_queue.h"

#include <utility>

#include "absl/time/clock.h"

namespace contacts::server {

WorkQueue::WorkQueue(std::size_t limit, std::size_t workers,
                     std::function<void(absl::Duration)> waited)
    : limit_(limit), waited_(std::move(waited)) {
  for (std::size_t i = 0; i < workers; ++i) threads_.emplace_back([this] { Run(); });
}

WorkQueue::~WorkQueue() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool WorkQueue::TryPush(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= limit_) return false;
    queue_.push_back({.work = std::move(work), .since = absl::Now()});
  }
  changed_.notify_one();
  return true;
}

std::size_t WorkQueue::length() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

bool WorkQueue::WaitIdle(absl::Duration limit) {
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, absl::ToChronoMilliseconds(limit),
                        [this] { return queue_.empty() && running_ == 0; });
}

void WorkQueue::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Piece piece = std::move(queue_.front());
    queue_.pop_front();
    ++running_;
    lock.unlock();
    if (waited_) waited_(absl::Now() - piece.since);
    piece.work();
    piece.work = nullptr;
    lock.lock();
    if (--running_ == 0 && queue_.empty()) idle_.notify_all();
  }
}

}  // namespace contacts::server
