#ifndef CONTACTS_CORE_ENGINE_CALL_H_
#define CONTACTS_CORE_ENGINE_CALL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/base/call_limits.h"
#include "core/domain/ids.h"
#include "core/domain/settings.h"
#include "core/domain/token.h"
#include "core/mysql/database.h"

namespace contacts {

// One call: its caller, request id, deadline and cancellation.
struct Call {
  // The acting account of ContactService. Empty if an operator acts.
  AccountId account;
  // The operator, if no account acts. Its request ids are its own, as an account's are.
  std::string operator_name;
  // Name of that operator in the policy, for the histories that the support desk reads.
  std::string staff;
  // The account whose data the reply has, if an operator acts. The record of a call without a
  // request id is kept under it, and erased with the account.
  AccountId about;
  // The caller's request id, if it sent one.
  std::optional<Uuid> request_id;
  // Method name and SHA-256 of the request's content, without its request id.
  std::string fingerprint;
  // Deadline and cancellation, observed down to the database.
  CallLimits limits;
};

// The account or operator that acts. Request ids and e-mails are counted for it.
inline const std::string& ActorOf(const Call& call) {
  return call.account.empty() ? call.operator_name : call.account.text();
}

// Turns a result into the serialized reply. A mutating use case stores that reply in its own
// transaction, so that a retry gets the same bytes.
template <typename T>
using Encode = std::function<std::string(const T&)>;

struct PageRequest {
  int64_t size = 50;  // 1 to Settings::max_page_size.
  std::string after;  // Cursor of the page before; empty for the first.
};
// Limit of the encoded rows of a page, in bytes. A single larger row is a page of its own. Clients
// reject responses of more than 4 MiB by default.
inline constexpr std::size_t kMaxPageBytes = 3 << 20;

template <typename T>
struct Page {
  std::vector<T> rows;
  std::string next;  // Cursor of the next page; empty on the last.
};

// The parts that all use cases share. Immutable and thread safe.
struct EngineContext {
  Database* database;  // Outlives the context.
  TokenKeys keys;
  Settings settings;
  // To the microsecond, as the database keeps time.
  std::function<absl::Time()> clock;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_CALL_H_
