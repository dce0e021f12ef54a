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

struct IdempotencyRecord {
  std::string fingerprint;
  std::string reply;
};

// Returns nothing if the actor (an account's id or an operator's name) has no record of the
// request.
std::optional<IdempotencyRecord> LoadIdempotencyRecord(Session& session, const std::string& actor,
                                                       const Uuid& request_id);

// Inserts a record of the time `now`. If one exists by then, the transaction starts over.
void InsertIdempotencyRecord(Session& session, const std::string& actor, const Uuid& request_id,
                             const IdempotencyRecord& record, absl::Time now);

// Counts at most `limit` replies older than `before` and queues their removal.
int64_t PurgeIdempotencyRecords(Session& session, absl::Time before, int64_t limit);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_IDEMPOTENCY_RECORD_H_
