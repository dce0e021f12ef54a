#ifndef CONTACTS_SERVER_SUPPORT_PERIODIC_H_
#define CONTACTS_SERVER_SUPPORT_PERIODIC_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "absl/time/time.h"

namespace contacts::server {

// A thread that runs a step again and again until it is stopped. Each step returns the time to wait
// before the next one.
class Periodic {
 public:
  // Runs the first step at once. Logs the exceptions of a step.
  explicit Periodic(std::function<absl::Duration()> step);
  // Waits for the step in progress.
  ~Periodic();
  Periodic(const Periodic&) = delete;
  Periodic& operator=(const Periodic&) = delete;

 private:
  void Run();

  const std::function<absl::Duration()> step_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_SUPPORT_PERIODIC_H_
