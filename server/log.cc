#include "server/log.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <spdlog/async.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/forms.h"

namespace contacts::server {
namespace {

constexpr char kCallLogger[] = "calls";
constexpr std::size_t kQueueSize = 8192;

// Writes a line's JSON. What the logger of calls is given is JSON fields already.
class JsonFormatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& out) override {
    const std::string text(line.payload.data(), line.payload.size());
    const std::string level(spdlog::level::to_string_view(line.level).data());
    const std::string time =
        absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::FromChrono(line.time), absl::UTCTimeZone());
    const bool is_call = line.logger_name == kCallLogger;
    const std::string json =
        absl::StrCat("{\"time\":\"", time, "\",\"level\":\"", level, "\",",
                     is_call ? text : absl::StrCat("\"message\":", JsonString(text)), "}\n");
    out.append(json.data(), json.data() + json.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }
};

void LogGrpc(gpr_log_func_args* line) {
  const auto level = line->severity == GPR_LOG_SEVERITY_ERROR  ? spdlog::level::warn
                     : line->severity == GPR_LOG_SEVERITY_INFO ? spdlog::level::debug
                                                               : spdlog::level::trace;
  spdlog::log(level, "grpc: {}", line->message);
}

// A request with text that is not UTF-8 makes a line; the caller is told anyway.
void LogProtobuf(google::protobuf::LogLevel level, const char*, int, const std::string& text) {
  spdlog::log(
      level == google::protobuf::LOGLEVEL_FATAL ? spdlog::level::critical : spdlog::level::debug,
      "protobuf: {}", text);
}

}  // namespace

void StartLog(const std::string& level) {
  spdlog::init_thread_pool(kQueueSize, 1);
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  for (const char* name : {kCallLogger, "server"}) {
    auto logger = std::make_shared<spdlog::async_logger>(
        name, sink, spdlog::thread_pool(), spdlog::async_overflow_policy::overrun_oldest);
    logger->set_level(spdlog::level::from_str(level));
    spdlog::register_logger(logger);
  }
  sink->set_formatter(std::make_unique<JsonFormatter>());
  spdlog::set_default_logger(spdlog::get("server"));
  gpr_set_log_function(LogGrpc);
  google::protobuf::SetLogHandler(LogProtobuf);
}

void StopLog() {
  // Both write after main's end too.
  gpr_set_log_function([](gpr_log_func_args*) {});
  google::protobuf::SetLogHandler(nullptr);
  spdlog::shutdown();
}

void LogCall(const CallRecord& call) {
  const auto logger = spdlog::get(kCallLogger);
  if (logger == nullptr || !logger->should_log(spdlog::level::info)) return;
  std::string fields = absl::StrCat("\"message\":\"call\",\"method\":", JsonString(call.method),
                                    ",\"status\":", JsonString(call.status));
  absl::StrAppendFormat(&fields, ",\"latency_ms\":%.3f", absl::ToDoubleMilliseconds(call.latency));
  const std::pair<const char*, const std::string*> optional[] = {
      {"reason", &call.reason},
      {"account", &call.account},
      {"x-request-id", &call.request_id},
      {"traceparent", &call.traceparent},
      {"peer", &call.peer},
  };
  for (const auto& [name, value] : optional) {
    if (!value->empty()) absl::StrAppend(&fields, ",\"", name, "\":", JsonString(*value));
  }
  logger->info(fields);
}

std::string JsonString(const std::string& text) {
  const bool utf8 = CodePoints(text).has_value();
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
