#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <thread>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "server/calls/health.h"
#include "server/config/config.h"
#include "server/config/database_flags.h"
#include "server/server.h"
#include "server/standard/probe.h"
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

int Check(const Config& config) {
  contacts::Database database(config.database);
  const absl::Status ready = contacts::server::PrepareDatabase(database, false);
  if (!ready.ok()) return Fail(ready, kFailed);
  std::cout << "contactsd: flags, files, database and schema are right" << std::endl;
  return EXIT_SUCCESS;
}

int RunProbe(const Config& config) {
  const absl::Status healthy = contacts::server::Probe(
      {.address = config.listen.front(),
       .tls = config.credentials.tls,
       .service = config.probe == contacts::server::kLiveness ? config.probe : ""});
  return healthy.ok() ? EXIT_SUCCESS : Fail(healthy, kFailed);
}

// Tells systemd, if it started this process and waits for that (Type=notify).
void Notify(const std::string& state) {
  const char* const path = std::getenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe)
  sockaddr_un address{};
  if (path == nullptr || std::strlen(path) >= sizeof(address.sun_path)) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path, std::strlen(path));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // Not a file's name.
  const int file = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (file < 0) return;
  sendto(file, state.data(), state.size(), MSG_NOSIGNAL,
         reinterpret_cast<const sockaddr*>(&address), size);
  close(file);
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
  Notify("READY=1");
  int signal = 0;
  sigwait(&signals, &signal);
  Notify("STOPPING=1");
  WatchStop(signals, StopLimit(config));
  server.Stop();
  return EXIT_SUCCESS;
}

int Run(const Config& config, const sigset_t& signals) {
  if (!config.probe.empty()) return RunProbe(config);
  if (config.check) return Check(config);
  if (config.migrate_only) return Migrate(config);
  return Serve(config, signals);
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
  contacts::server::HidePassword(argc, argv);
  if (!config.ok()) return Fail(config.status(), kWrongValue);
  if (!config->has_value()) return EXIT_SUCCESS;
  contacts::server::StartLog((*config)->log_level);
  const int exit_status = Run(**config, signals);
  contacts::server::StopLog();
  return exit_status;
}
