#include "server/telemetry/log.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/utf8.h"

namespace contacts::server {
namespace {

constexpr char kCallLogger[] = "calls";

// Null before StartLog. Kept here, because the registry of loggers would lock a mutex for every
// call.
std::shared_ptr<spdlog::logger>& CallLogger() {
  static auto& logger = *new std::shared_ptr<spdlog::logger>();
  return logger;
}

constexpr std::size_t kMaxWaiting = 4 << 20;  // Bytes.
constexpr std::chrono::milliseconds kGather(20);

// UTC, such as 2026-11-24T02:43:45.471000Z. The part that the lines of a second share is kept.
void AppendTime(std::string& out, absl::Time time) {
  thread_local int64_t kept_second = -1;
  thread_local std::string kept;
  const int64_t micros = absl::ToUnixMicros(time);
  if (micros / 1'000'000 != kept_second) {
    kept_second = micros / 1'000'000;
    kept = absl::FormatTime("%Y-%m-%dT%H:%M:%S.", time, absl::UTCTimeZone());
  }
  std::string fraction = absl::StrCat(1'000'000 + micros % 1'000'000);
  absl::StrAppend(&out, kept, absl::string_view(fraction).substr(1), "Z");
}

// A line's JSON. The text of the logger of calls is JSON fields already.
std::string JsonLine(const spdlog::details::log_msg& line) {
  const absl::string_view text(line.payload.data(), line.payload.size());
  std::string json;
  json.reserve(text.size() + 100);
  json += "{\"time\":\"";
  AppendTime(json, absl::FromChrono(line.time));
  absl::StrAppend(&json, "\",\"level\":\"",
                  absl::string_view(spdlog::level::to_string_view(line.level).data()), "\",");
  if (line.logger_name == kCallLogger) {
    json.append(text.data(), text.size());
  } else {
    absl::StrAppend(&json, "\"message\":", JsonString(std::string(text)));
  }
  json += "}\n";
  return json;
}

// Gathers lines for a moment and writes them together, from its own thread: waking a thread and
// writing for each line would cost a call more than the rest of the log.
class GatheringSink : public spdlog::sinks::sink {
 public:
  GatheringSink() : thread_([this] { Run(); }) {}
  ~GatheringSink() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  GatheringSink(const GatheringSink&) = delete;
  GatheringSink& operator=(const GatheringSink&) = delete;

  void log(const spdlog::details::log_msg& message) override {
    const std::string line = JsonLine(message);
    bool first = false;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() + line.size() > kMaxWaiting) {
        ++dropped_;
        return;
      }
      first = waiting_.empty();
      waiting_ += line;
    }
    if (first) changed_.notify_one();
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  void Run() {
    std::string lines;
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      changed_.wait_for(lock, kGather, [this] { return stopping_; });
      lines.swap(waiting_);
      const int64_t dropped = std::exchange(dropped_, 0);
      lock.unlock();
      if (dropped > 0) {
        const std::string text = absl::StrCat(
            "log: ", dropped, " lines were dropped: standard error is read too slowly");
        lines += JsonLine({"server", spdlog::level::warn, text});
      }
      Write(lines);
      lines.clear();
      lock.lock();
    }
  }

  static void Write(const std::string& lines) {
    for (std::size_t done = 0; done < lines.size();) {
      const ssize_t written = ::write(STDERR_FILENO, lines.data() + done, lines.size() - done);
      if (written < 0 && errno != EINTR) return;
      if (written > 0) done += static_cast<std::size_t>(written);
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string waiting_;
  int64_t dropped_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

void AppendMilliseconds(std::string& fields, const char* name, absl::Duration duration) {
  const int64_t micros = std::max<int64_t>(0, absl::ToInt64Microseconds(duration));
  absl::StrAppend(&fields, ",\"", name, "\":", micros / 1000, ".",
                  absl::Dec(micros % 1000, absl::kZeroPad3));
}

void AppendTimes(std::string& fields, const CallTimes& times, absl::Duration latency) {
  AppendMilliseconds(fields, "queue_ms", times.queue);
  AppendMilliseconds(fields, "connection_wait_ms", times.connection_wait);
  AppendMilliseconds(fields, "database_ms", times.database);
  AppendMilliseconds(fields, "backoff_ms", times.backoff);
  AppendMilliseconds(
      fields, "rest_ms",
      latency - times.queue - times.connection_wait - times.database - times.backoff);
  absl::StrAppend(&fields, ",\"round_trips\":", times.round_trips, ",\"retries\":", times.retries);
}

void LogGrpc(gpr_log_func_args* line) {
  const auto level = line->severity == GPR_LOG_SEVERITY_ERROR  ? spdlog::level::warn
                     : line->severity == GPR_LOG_SEVERITY_INFO ? spdlog::level::debug
                                                               : spdlog::level::trace;
  spdlog::log(level, "grpc: {}", line->message);
}

// Protocol Buffers logs a line for each text that is not UTF-8. The caller gets an error anyway.
void LogProtobuf(google::protobuf::LogLevel level, const char*, int, const std::string& text) {
  spdlog::log(
      level == google::protobuf::LOGLEVEL_FATAL ? spdlog::level::critical : spdlog::level::debug,
      "protobuf: {}", text);
}

}  // namespace

void StartLog(const std::string& level) {
  auto sink = std::make_shared<GatheringSink>();
  for (const char* name : {kCallLogger, "server"}) {
    auto logger = std::make_shared<spdlog::logger>(name, sink);
    logger->set_level(spdlog::level::from_str(level));
    spdlog::register_logger(logger);
  }
  CallLogger() = spdlog::get(kCallLogger);
  spdlog::set_default_logger(spdlog::get("server"));
  gpr_set_log_function(LogGrpc);
  google::protobuf::SetLogHandler(LogProtobuf);
}

void StopLog() {
  // Both may still write after the end of main.
  gpr_set_log_function([](gpr_log_func_args*) {});
  google::protobuf::SetLogHandler(nullptr);
  CallLogger().reset();
  spdlog::shutdown();
}

void LogCall(const CallRecord& call, const CallTimes* slow) {
  spdlog::logger* const logger = CallLogger().get();
  const auto level = slow == nullptr ? spdlog::level::info : spdlog::level::warn;
  if (logger == nullptr || !logger->should_log(level)) return;
  std::string fields =
      absl::StrCat("\"message\":\"", slow == nullptr ? "call" : "slow call",
                   "\",\"method\":", JsonString(call.method),
                   ",\"status\":", JsonString(absl::StatusCodeToString(call.status)));
  AppendMilliseconds(fields, "latency_ms", call.latency);
  const std::pair<const char*, const std::string*> optional[] = {
      {"reason", &call.reason},           {"account", &call.account},
      {"caller", &call.caller},           {"x-request-id", &call.request_id},
      {"traceparent", &call.traceparent}, {"peer", &call.peer},
  };
  for (const auto& [name, value] : optional) {
    if (!value->empty()) absl::StrAppend(&fields, ",\"", name, "\":", JsonString(*value));
  }
  if (slow != nullptr) AppendTimes(fields, *slow, call.latency);
  logger->log(level, fields);
}

void LogRejection(absl::string_view why, const std::string& account) {
  using Clock = std::chrono::steady_clock;
  static std::atomic<int64_t> rejected = 0;
  static std::atomic<Clock::time_point> next{};
  ++rejected;
  const Clock::time_point now = Clock::now();
  Clock::time_point due = next;
  if (now < due || !next.compare_exchange_strong(due, now + std::chrono::seconds(1))) return;
  spdlog::warn("calls rejected since the last such line: {}; the last{}: {}", rejected.exchange(0),
               account.empty() ? "" : absl::StrCat(" of account ", account), std::string(why));
}

std::string JsonString(const std::string& text) {
  const auto plain = [](char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; };
  if (std::all_of(text.begin(), text.end(), plain)) return absl::StrCat("\"", text, "\"");
  const bool utf8 = CountCodePoints(text).has_value();
  std::string json = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      absl::StrAppend(&json, "\\", std::string(1, c));
    } else if (byte < 0x20 || byte == 0x7F) {
      absl::StrAppendFormat(&json, "\\u%04x", byte);
    } else if (byte >= 0x80 && !utf8) {
      json += '?';
    } else {
      json += c;
    }
  }
  return json + "\"";
}

}  // namespace contacts::server
