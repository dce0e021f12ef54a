#include "server/telemetry/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

namespace contacts::server {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double Seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

double ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  double size = 0;
  double resident = 0;  // Pages, as its predecessor.
  file >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double OpenFiles() {
  std::error_code ignored;
  const std::filesystem::directory_iterator open("/proc/self/fd", ignored);
  // One of them belongs to this count itself.
  return static_cast<double>(std::distance(begin(open), end(open))) - 1;
}

double MaxFiles() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

double StartTime() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  // The program's name, in parentheses, is the second field; the time is the 22nd.
  text.erase(0, text.rfind(')') + 1);
  std::size_t at = 0;
  for (int field = 3; field <= 22; ++field) at = text.find(' ', at) + 1;
  const double since_boot =
      std::strtod(text.c_str() + at, nullptr) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return Seconds(CLOCK_REALTIME) - Seconds(CLOCK_BOOTTIME) + since_boot;
}

}  // namespace

void AddProcessMetrics(Metrics& metrics) {
  metrics.AddCounter("process_cpu_seconds_total", "CPU time, of user and system.", {}, CpuSeconds);
  metrics.AddGauge("process_resident_memory_bytes", "Resident memory.", {}, ResidentBytes);
  metrics.AddGauge("process_open_fds", "Open file descriptors.", {}, OpenFiles);
  metrics.AddGauge("process_max_fds", "File descriptors that may be open.", {}, MaxFiles);
  metrics.AddGauge("process_start_time_seconds", "Start of the process, since 1970.", {},
                   [start = StartTime()] { return start; });
}

}  // namespace contacts::server
