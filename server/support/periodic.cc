#include "server/support/periodic.h"

#include <spdlog/spdlog.h>

#include <exception>
#include <utility>

namespace contacts::server {
namespace {

constexpr absl::Duration kAfterTrouble = absl::Seconds(1);

}  // namespace

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
    absl::Duration pause = kAfterTrouble;
    try {
      pause = step_();
    } catch (const std::exception& error) {
      spdlog::error("a periodic step failed: {}", error.what());
    }
    lock.lock();
    stopped_.wait_for(lock, absl::ToChronoMilliseconds(pause), [this] { return stopping_; });
  }
}

}  // namespace contacts::server
