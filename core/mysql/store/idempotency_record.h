#ifndef CONTACTS_CORE_MYSQL_STORE_IDEMPOTENCY_RECORD_H_
#define CONTACTS_CORE_MYSQL_STORE_IDEMPOTENCY_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "core/domain/ids.h"
#include "core/mysql/session.h"

// The table reply: idempotency records.
namespace contacts::store {

struct Reply {
  std::string fingerprint;
  std::string bytes;
};

std::optional<Reply> LoadReply(Session& session, const std::string& actor, const Uuid& request_id);

void InsertReply(Session& session, const std::string& actor, const Uuid& request_id,
                 const Reply& reply, absl::Time now);

// Counts at most `limit` replies older than `before` and queues their removal.
int64_t PurgeReplies(Session& session, absl::Time before, int64_t limit);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_IDEMPOTENCY_RECORD_H_
