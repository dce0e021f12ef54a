// Performs one scenario against one target and prints a line of JSON about it.
//
// Targets: `service`, a running contactsd; `echo`, contacts_echo (see echo_server.cc);
// `engine`, core and its SQL in this process (see api.h); `sql`, only the statements
// (see replay.h). The last two run --workers threads, as the server does.
//
// In a closed loop each caller begins an operation when its last one has ended. With --phases,
// the first calls of all operations are made before any second call, and so on. Each phase is
// counted separately. With --rate, calls begin at fixed times, whether or not others were
// answered. Their latency counts from the time when they were due, so that a slow answer does
// not hide the calls that it delays. Latencies of refused calls (UNAVAILABLE) count from the
// time when they were sent.

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/time/clock.h"
#include "tests/bench/caller.h"
#include "tests/bench/replay.h"

namespace contacts::bench {
namespace {

using nlohmann::json;

struct Options {
  std::string target = "service";
  std::string scenario = "get";
  std::string server;
  std::string mysql;
  std::string token_keys_file;
  std::string record;
  int server_pid = 0;
  int database_pid = 0;
  int callers = 16;
  int assignments = 1;
  int flows = 1;
  bool phases = false;
  double seconds = 2;
  double rate = 0;
  int workers = 8;
  int channels = 4;
  DataSet data{.services = 10'000, .changes = 10'000};
};

// Results of one caller.
struct Tally {
  std::array<std::vector<float>, kKinds> calls;  // Milliseconds of OK calls.
  std::vector<float> operations;                 // The same of whole operations.
  std::vector<float> taken;                      // Milliseconds of OK calls since they were sent.
  std::vector<float> refusals;
  std::map<std::string, int64_t> failures;
  absl::Time operation_begin;
};

// Totals of a run, without the callers' results.
struct Measured {
  double seconds = 0;
  std::array<double, kKinds> phase_seconds{};
  std::array<int64_t, kKinds> phase_calls{};
  int64_t sent = 0;
};

double CpuSeconds(const std::string& stat_file) {
  std::string text;
  std::getline(std::ifstream(stat_file), text);
  // Skips the name, which is in parentheses and may contain anything.
  const std::vector<std::string> fields = absl::StrSplit(text.substr(text.rfind(')') + 1), ' ');
  constexpr std::size_t kUser = 12, kSystem = 13;
  if (fields.size() <= kSystem) return 0;
  return (std::stod(fields[kUser]) + std::stod(fields[kSystem])) /
         static_cast<double>(sysconf(_SC_CLK_TCK));
}

class Run {
 public:
  Run(const Options& options, const std::vector<std::unique_ptr<Caller>>& callers)
      : options_(options),
        callers_(callers),
        waits_(options.target == "engine" || options.target == "sql"),
        tallies_(callers.size()) {}

  json Report() {
    std::map<std::string, double> cpu;
    for (const auto& [name, pid] : Pids()) cpu[name] = -CpuSeconds(Stat(pid));
    Measured measured;
    if (options_.rate > 0) {
      measured = OpenLoop();
    } else if (options_.phases) {
      measured = Phases();
    } else {
      measured = ClosedLoop();
    }
    for (const auto& [name, pid] : Pids()) cpu[name] += CpuSeconds(Stat(pid));
    json report = Summary(measured);
    report["cpu_seconds"] = cpu;
    return report;
  }

 private:
  std::map<std::string, int> Pids() const {
    std::map<std::string, int> pids = {{"client", getpid()}};
    if (options_.server_pid > 0) pids["server"] = options_.server_pid;
    if (options_.database_pid > 0) pids["database"] = options_.database_pid;
    return pids;
  }
  static std::string Stat(int pid) { return absl::StrCat("/proc/", pid, "/stat"); }

  void Note(std::size_t caller, Kind kind, const absl::Status& status, absl::Time since,
            absl::Time sent) {
    Tally& tally = tallies_[caller];
    const absl::Time now = absl::Now();
    if (status.ok()) {
      tally.calls[static_cast<std::size_t>(kind)].push_back(
          static_cast<float>(absl::ToDoubleMilliseconds(now - since)));
      tally.taken.push_back(static_cast<float>(absl::ToDoubleMilliseconds(now - sent)));
      return;
    }
    if (absl::IsUnavailable(status)) {
      tally.refusals.push_back(static_cast<float>(absl::ToDoubleMilliseconds(now - sent)));
    }
    ++tally.failures[status.ToString()];
  }

  // Each caller makes calls of the flows that `next` returns, one after the other, until `next`
  // returns no flow.
  void Drive(const std::function<std::optional<std::size_t>(std::size_t caller)>& next) {
    absl::BlockingCounter running(static_cast<int>(callers_.size()));
    const auto call = [&](std::size_t i, std::size_t flow, const std::function<void()>& after) {
      const absl::Time start = absl::Now();
      if (callers_[i]->Between(flow)) tallies_[i].operation_begin = start;
      callers_[i]->Call(flow, [=, this](Kind kind, const absl::Status& status) {
        Note(i, kind, status, start, start);
        if (status.ok() && callers_[i]->Between(flow)) {
          tallies_[i].operations.push_back(static_cast<float>(
              absl::ToDoubleMilliseconds(absl::Now() - tallies_[i].operation_begin)));
        }
        after();
      });
    };
    std::vector<std::function<void()>> chains(callers_.size());
    std::vector<std::thread> threads;
    const std::size_t count = std::min(callers_.size(), static_cast<std::size_t>(options_.workers));
    if (waits_) {
      for (std::size_t t = 0; t < count; ++t) {
        threads.emplace_back([&, t] {
          std::deque<std::size_t> mine;
          for (std::size_t i = t; i < callers_.size(); i += count) mine.push_back(i);
          while (!mine.empty()) {
            const std::size_t i = mine.front();
            mine.pop_front();
            if (const auto flow = next(i)) {
              call(i, *flow, [] {});
              mine.push_back(i);
            } else {
              running.DecrementCount();
            }
          }
        });
      }
    } else {
      for (std::size_t i = 0; i < callers_.size(); ++i) {
        chains[i] = [&, i] {
          const auto flow = next(i);
          if (!flow) return static_cast<void>(running.DecrementCount());
          call(i, *flow, [&chains, i] { chains[i](); });
        };
        chains[i]();
      }
    }
    running.Wait();
    for (std::thread& thread : threads) thread.join();
  }

  Measured ClosedLoop() {
    const absl::Time begin = absl::Now();
    const absl::Time end = begin + absl::Seconds(options_.seconds);
    // An operation in progress is finished, unless it fails.
    Drive([&](std::size_t i) -> std::optional<std::size_t> {
      const bool over = absl::Now() >= end;
      if (over && (callers_[i]->Between(0) || !tallies_[i].failures.empty())) return std::nullopt;
      return 0;
    });
    return {.seconds = absl::ToDoubleSeconds(absl::Now() - begin)};
  }

  Measured Phases() {
    const absl::Time begin = absl::Now();
    Measured measured;
    const std::vector<Kind> calls = PlansOf(options_.scenario).front().calls;
    while (absl::Now() < begin + absl::Seconds(options_.seconds)) {
      for (const Kind kind : calls) {
        const absl::Time phase = absl::Now();
        std::vector<std::size_t> done(callers_.size());
        Drive([&](std::size_t i) -> std::optional<std::size_t> {
          if (done[i] == static_cast<std::size_t>(options_.flows)) return std::nullopt;
          return done[i]++;
        });
        const auto at = static_cast<std::size_t>(kind);
        measured.phase_seconds[at] += absl::ToDoubleSeconds(absl::Now() - phase);
        measured.phase_calls[at] += static_cast<int64_t>(callers_.size()) * options_.flows;
      }
    }
    measured.seconds = absl::ToDoubleSeconds(absl::Now() - begin);
    return measured;
  }

  Measured OpenLoop() {
    prctl(PR_SET_TIMERSLACK, 1);  // Nanoseconds.
    std::mutex mutex;
    std::condition_variable freed;
    std::deque<std::size_t> free;
    for (std::size_t i = 0; i < callers_.size(); ++i) free.push_back(i);
    Measured measured;
    const absl::Time begin = absl::Now();
    const absl::Time end = begin + absl::Seconds(options_.seconds);
    for (; absl::Now() < end; ++measured.sent) {
      const absl::Time due =
          begin + absl::Seconds(static_cast<double>(measured.sent) / options_.rate);
      if (due >= end) break;
      absl::SleepFor(due - absl::Now());
      std::unique_lock lock(mutex);
      freed.wait(lock, [&] { return !free.empty(); });
      const std::size_t i = free.front();
      free.pop_front();
      lock.unlock();
      const absl::Time sent = absl::Now();
      callers_[i]->Call(0, [&, i, due, sent](Kind kind, const absl::Status& status) {
        Note(i, kind, status, due, sent);
        const std::lock_guard guard(mutex);
        free.push_back(i);
        freed.notify_one();
      });
    }
    measured.seconds = absl::ToDoubleSeconds(absl::Now() - begin);
    std::unique_lock lock(mutex);
    freed.wait(lock, [&] { return free.size() == callers_.size(); });
    return measured;
  }

  static json Quantiles(std::vector<float>& values) {
    std::sort(values.begin(), values.end());
    const auto at = [&](double q) {
      return values[std::min(values.size() - 1,
                             static_cast<std::size_t>(q * static_cast<double>(values.size())))];
    };
    return {{"count", values.size()},
            {"p50", at(0.5)},
            {"p99", at(0.99)},
            {"p999", at(0.999)},
            {"max", values.back()}};
  }

  json Summary(const Measured& measured) {
    json report;
    std::vector<float> all_calls, operations, taken, refusals;
    std::map<std::string, int64_t> failures;
    for (int kind = 0; kind < kKinds; ++kind) {
      const auto at = static_cast<std::size_t>(kind);
      std::vector<float> calls;
      for (const Tally& tally : tallies_) {
        calls.insert(calls.end(), tally.calls[at].begin(), tally.calls[at].end());
      }
      if (calls.empty()) continue;
      all_calls.insert(all_calls.end(), calls.begin(), calls.end());
      json& about = report["latency_ms"][Name(static_cast<Kind>(kind))];
      about = Quantiles(calls);
      if (measured.phase_calls[at] > 0) {
        about["per_second"] =
            static_cast<double>(measured.phase_calls[at]) / measured.phase_seconds[at];
      }
    }
    for (const Tally& tally : tallies_) {
      operations.insert(operations.end(), tally.operations.begin(), tally.operations.end());
      taken.insert(taken.end(), tally.taken.begin(), tally.taken.end());
      refusals.insert(refusals.end(), tally.refusals.begin(), tally.refusals.end());
      for (const auto& [text, count] : tally.failures) failures[text] += count;
    }
    report["seconds"] = measured.seconds;
    report["calls"] = all_calls.size();
    report["calls_per_second"] = static_cast<double>(all_calls.size()) / measured.seconds;
    report["operations"] = operations.size();
    report["per_second"] = static_cast<double>(operations.size()) / measured.seconds;
    if (!all_calls.empty()) report["latency_ms"]["calls"] = Quantiles(all_calls);
    if (!operations.empty()) report["latency_ms"]["operations"] = Quantiles(operations);
    if (measured.sent > 0 && !taken.empty()) report["latency_ms"]["taken"] = Quantiles(taken);
    if (!refusals.empty()) report["latency_ms"]["refusals"] = Quantiles(refusals);
    if (measured.sent > 0) {
      report["sent_per_second"] = static_cast<double>(measured.sent) / measured.seconds;
    }
    report["refused"] = refusals.size();
    report["failures"] = failures;
    return report;
  }

  const Options& options_;
  const std::vector<std::unique_ptr<Caller>>& callers_;
  const bool waits_;  // Whether a call holds its thread until it is answered.
  std::vector<Tally> tallies_;
};

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// Stores the answers for contacts_echo, and the first request as one gRPC message.
void Keep(const Recording& recording, const std::string& directory) {
  const std::string replies = directory + "/replies";
  std::filesystem::create_directories(replies);
  for (const auto& [method, bytes] : recording.replies) WriteFile(replies + "/" + method, bytes);
  const auto size = static_cast<uint32_t>(recording.request.size());
  std::string frame(1, '\0');  // Not compressed.
  for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>((size >> shift) & 0xffU);
  WriteFile(directory + "/frame", frame + recording.request);
  WriteFile(directory + "/account", recording.account);
}

int Perform(const Options& options) {
  Scenario scenario{.plans = PlansOf(options.scenario),
                    .assignments = options.assignments,
                    .data = options.data,
                    .keys = {}};
  std::ostringstream text;
  text << std::ifstream(options.token_keys_file).rdbuf();
  scenario.keys = *TokenKeys::Parse(text.str());
  DatabaseOptions mysql = *DatabaseOptions::Parse(options.mysql);
  mysql.tls = DatabaseTls::kDisabled;  // The recorder reads the statements.
  mysql.max_connections = options.workers;
  Database database(mysql);
  Engine engine(&database, scenario.keys, WithoutQuota());

  const auto flows = static_cast<std::size_t>(options.flows);
  if (Writes(scenario.plans) && options.target != "echo") {
    const absl::Status made = CreateFixtures(engine, options.callers, flows, options.assignments);
    if (!made.ok()) {
      std::cerr << made << "\n";
      return 1;
    }
  }
  Recording recording;
  if (options.target == "sql" || !options.record.empty()) recording = Record(scenario, mysql);
  if (!options.record.empty()) {
    Keep(recording, options.record);
    return 0;
  }

  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < options.channels; ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channels.push_back(
        grpc::CreateCustomChannel(options.server, grpc::InsecureChannelCredentials(), arguments));
  }
  const auto engine_api = std::make_shared<EngineApi>(&engine);
  std::vector<std::shared_ptr<ReplaySessions>> sessions;
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < options.callers; ++i) {
    if (options.target == "sql") {
      if (i < options.workers) sessions.push_back(std::make_shared<ReplaySessions>(mysql));
      callers.push_back(std::make_unique<ReplayCaller>(
          scenario, recording, sessions[static_cast<std::size_t>(i % options.workers)], i, flows));
      continue;
    }
    std::shared_ptr<Api> api = engine_api;
    if (options.target != "engine") {
      api = std::make_shared<GrpcApi>(channels[static_cast<std::size_t>(i % options.channels)]);
    }
    callers.push_back(std::make_unique<ApiCaller>(scenario, std::move(api), i, flows));
  }
  if (options.target == "service" || options.target == "echo") {
    for (const auto& channel : channels) {
      channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(5));
    }
  }
  json report = Run(options, callers).Report();
  report["target"] = options.target;
  report["scenario"] = options.scenario;
  report["callers"] = options.callers;
  report["assignments"] = options.assignments;
  report["rate"] = options.rate;
  std::cout << report.dump() << std::endl;
  return report["calls"] == 0 ? 1 : 0;
}

}  // namespace
}  // namespace contacts::bench

int main(int argc, char** argv) {
  contacts::bench::Options options;
  CLI::App app("Performs a scenario and prints what it took.", "contacts_load");
  app.add_option("--target", options.target)
      ->check(CLI::IsMember({"service", "echo", "engine", "sql"}));
  app.add_option("--scenario", options.scenario,
                 "get, profile, service, services, services_far, changes, changes_far, events, "
                 "owner, workflow, refusal, cancellation or mixed")
      ->check([](const std::string& name) {
        return contacts::bench::PlansOf(name).empty() ? "no such scenario" : "";
      });
  app.add_option("--server", options.server, "HOST:PORT of contactsd or contacts_echo");
  app.add_option("--mysql", options.mysql, "The target's database")->required();
  app.add_option("--token_keys_file", options.token_keys_file)->required();
  app.add_option("--record", options.record,
                 "Write to this folder what contacts_echo answers, and end");
  app.add_option("--server_pid", options.server_pid, "Process whose CPU time is told");
  app.add_option("--database_pid", options.database_pid, "Likewise");
  app.add_option("--callers", options.callers)->check(CLI::PositiveNumber);
  app.add_option("--assignments", options.assignments)->check(CLI::Range(1, 1000));
  app.add_flag("--phases", options.phases);
  app.add_option("--flows", options.flows, "Operations of each caller in a phase")
      ->check(CLI::PositiveNumber);
  app.add_option("--seconds", options.seconds)->check(CLI::PositiveNumber);
  app.add_option("--rate", options.rate, "Calls a second; 0: a closed loop");
  app.add_option("--workers", options.workers, "Threads of engine and sql")
      ->check(CLI::PositiveNumber);
  app.add_option("--channels", options.channels)->check(CLI::PositiveNumber);
  app.add_option("--services", options.data.services, "Of the data set");
  app.add_option("--changes", options.data.changes);
  CLI11_PARSE(app, argc, argv);
  return contacts::bench::Perform(options);
}
