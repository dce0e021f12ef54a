#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>

#include <unistd.h>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "server/config/config.h"
#include "server/server.h"
#include "server/telemetry/log.h"

namespace {

using contacts::server::Config;
using contacts::server::Server;

constexpr int kFailed = 1;
constexpr int kWrongValue = 2;

// Time for stopping, beyond the running calls and the running delivery.
constexpr absl::Duration kStopMargin = absl::Seconds(5);

absl::Duration StopLimit(const Config& config) {
  const absl::Duration delivery = config.smtp ? config.smtp->timeout : absl::ZeroDuration();
  return std::max(config.drain_timeout, delivery) + kStopMargin;
}

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

int Fail(const absl::Status& status, int exit_status) {
  std::cerr << "contactsd: " << status.message() << std::endl;
  return exit_status;
}

int Migrate(const Config& config) {
  contacts::Database database(config.database);
  const absl::Status done = contacts::server::PrepareDatabase(database, true);
  return done.ok() ? EXIT_SUCCESS : Fail(done, kFailed);
}

// After the first signal, a second signal ends the process at once. So does a stop that takes
// longer than `limit`.
void WatchStop(const sigset_t& signals, absl::Duration limit) {
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  std::thread([limit] {
    absl::SleepFor(limit);
    std::cerr << "contactsd: could not stop in time" << std::endl;
    _exit(kFailed);
  }).detach();
}

int Serve(const Config& config, const sigset_t& signals) {
  Server server(config);
  if (auto started = server.Start(); !started.ok()) return Fail(started, kFailed);
  for (const std::string& address : server.addresses()) {
    std::cout << "listening on " << address << std::endl;
  }
  int signal = 0;
  sigwait(&signals, &signal);
  WatchStop(signals, StopLimit(config));
  server.Stop();
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  // All threads inherit the mask, so that only main() receives the signals.
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  // Debian's Abseil checks each lock of gRPC for deadlocks. The check is for debugging and costs
  // time.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);

  const auto config = contacts::server::ReadConfig(argc, argv, std::cout);
  if (!config.ok()) return Fail(config.status(), kWrongValue);
  if (!config->has_value()) return EXIT_SUCCESS;
  contacts::server::StartLog((*config)->log_level);
  const int exit_status = (*config)->migrate_only ? Migrate(**config) : Serve(**config, signals);
  contacts::server::StopLog();
  return exit_status;
}
