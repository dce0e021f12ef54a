#include "core/mysql/store/idempotency_record.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/mysql/encoder.h"
#include "core/mysql/store/statements.h"

namespace contacts::store {
namespace {

using sqltext::Ascii;
using sqltext::Binary;
using sqltext::Fill;
using sqltext::RowOf;
using sqltext::Time;

}  // namespace

std::optional<IdempotencyRecord> LoadIdempotencyRecord(Session& session, const std::string& actor,
                                                       const Uuid& request_id) {
  Rows rows =
      session.Query("SELECT fingerprint, reply FROM reply WHERE actor = ? AND request_id = ?",
                    {Param(actor), Bind(request_id)});
  if (!rows.Next()) return std::nullopt;
  IdempotencyRecord record;
  record.fingerprint = rows.String();
  record.reply = rows.String();
  return record;
}

void InsertIdempotencyRecord(Session& session, const std::string& actor, const Uuid& request_id,
                             const IdempotencyRecord& record, absl::Time now) {
  session.Queue(
      Fill("INSERT INTO reply (actor, request_id, fingerprint, reply, create_time)"
           " VALUES (?, ?, ?, ?, ?)",
           {Ascii(actor), sqltext::Id(request_id), Binary(record.fingerprint), Binary(record.reply),
            Time(now)}));
}

int64_t PurgeIdempotencyRecords(Session& session, absl::Time before, int64_t limit) {
  Rows rows = session.Query(
      "SELECT actor, request_id FROM reply WHERE create_time < ? ORDER BY create_time LIMIT ?"
      " FOR UPDATE SKIP LOCKED",
      {Bind(before), Bind(limit)});
  std::vector<std::string> keys;
  while (rows.Next()) {
    const sqltext::Literal actor = Ascii(rows.String());
    keys.push_back(RowOf({actor, sqltext::Id(rows.Id())}));
  }
  if (!keys.empty()) {
    session.Queue(absl::StrCat("DELETE FROM reply WHERE (actor, request_id) IN (",
                               absl::StrJoin(keys, ","), ")"));
  }
  return static_cast<int64_t>(keys.size());
}

}  // namespace contacts::store
