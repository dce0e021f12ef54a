#ifndef CONTACTS_SERVER_TELEMETRY_LOG_H_
#define CONTACTS_SERVER_TELEMETRY_LOG_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/mysql/database.h"

// The log: one JSON object a line on standard error. It never contains tokens, passwords, addresses
// or other content of requests.
namespace contacts::server {

// Sends all lines, including those of gRPC and Protocol Buffers, to standard error, within some
// 20 ms. Logging never blocks a caller: if more than 4 MiB wait for a slow reader, lines are
// dropped and counted. `level`: a name of a level of spdlog.
void StartLog(const std::string& level);
// Writes the lines that are still waiting.
void StopLog();

// One call for the log.
struct CallRecord {
  std::string method;
  absl::StatusCode status = absl::StatusCode::kOk;
  std::string reason;  // Of the ErrorInfo. Empty for OK.
  absl::Duration latency;
  std::string account;  // The acting account, or empty.
  std::string caller;   // Caller::name, such as "operator" or "mTLS:shop", or empty.
  std::string request_id;
  std::string traceparent;
  std::string peer;
};
// Logs a call. `slow`: times of a slow call, whose line is a warning and divides the latency, in
// milliseconds; null for any other call.
void LogCall(const CallRecord& call, const CallTimes* slow);

// Counts a call that was rejected because the server, or an account's share of it, is full. Writes
// a line a second at most, with their number. `account`: whose call it was, if that is known.
void LogRejection(absl::string_view why, const std::string& account);

// Quotes text as a JSON string. Replaces bytes that are not UTF-8.
std::string JsonString(const std::string& text);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_TELEMETRY_LOG_H_
