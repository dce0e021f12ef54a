#ifndef CONTACTS_SERVER_TELEMETRY_LOG_H_
#define CONTACTS_SERVER_TELEMETRY_LOG_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/mysql/database.h"

// The log: one JSON object a line on standard error. It never holds tokens,
// passwords, addresses or what requests contain.
namespace contacts::server {

// Sends everything that is logged, gRPC's and Protocol Buffers' own lines too, to
// standard error, within some 20 ms. Writing never blocks a caller: beyond 4 MiB that
// wait for a slow reader, lines are dropped and counted. `level` is a name that spdlog
// knows.
void StartLog(const std::string& level);
// Writes what is still waiting.
void StopLog();

// One call, as the log has it.
struct CallRecord {
  std::string method;
  absl::StatusCode status = absl::StatusCode::kOk;
  std::string reason;  // Of the ErrorInfo; empty for OK.
  absl::Duration latency;
  std::string account;  // The acting account, or empty.
  std::string caller;   // As Identity has it, such as "operator" or "mTLS:shop"; or empty.
  std::string request_id;
  std::string traceparent;
  std::string peer;
};
// A slow call's line says where the time went, in milliseconds, and is a warning;
// `slow` is null for any other.
void LogCall(const CallRecord& call, const CallTimes* slow);

// Quotes text as a JSON string; bytes that are no UTF-8 are replaced.
std::string JsonString(const std::string& text);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_TELEMETRY_LOG_H_
