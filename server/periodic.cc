#include "server/periodic.h"

#include <utility>

namespace contacts::server {

Periodic::Periodic(std::function<absl::Duration()> step)
    : step_(std::move(step)), thread_([this] { Run(); }) {}

Periodic::~Periodic() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  thread_.join();
}

void Periodic::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const absl::Duration pause = step_();
    lock.lock();
    stopped_.wait_for(lock, absl::ToChronoMilliseconds(pause), [this] { return stopping_; });
  }
}

}  // namespace contacts::server
