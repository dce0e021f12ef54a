#include "core/mysql/store/event.h"

#include <string>

#include "core/mysql/encoder.h"
#include "core/mysql/store/statements.h"

namespace contacts::store {
namespace {

using sqltext::Int;
using sqltext::Number;
using sqltext::RowOf;
using sqltext::Time;

}  // namespace

const char kEventColumns[] =
    "HEX(e.change_id), e.ordinal, HEX(e.id), e.type, e.actor, e.account, e.time, e.state, "
    "e.by_staff, {e.staff}, {e.detail}";

ChangeEvent ReadEvent(Rows& rows) {
  ChangeEvent event;
  event.change_id = rows.Id();
  event.ordinal = rows.Int();
  event.id = rows.Id();
  event.type = rows.As<EventType>();
  event.actor = rows.Account();
  event.account = rows.Account();
  event.time = rows.Time();
  event.state = rows.As<ChangeState>();
  event.by_staff = rows.Int() != 0;
  event.staff = rows.String();
  event.detail = rows.String();
  return event;
}

void InsertEvents(Session& session, const std::vector<ChangeEvent>& events) {
  std::vector<std::string> rows;
  std::vector<std::string> queue_rows;
  for (const ChangeEvent& event : events) {
    queue_rows.push_back(RowOf({sqltext::Id(event.change_id), Int(event.ordinal)}));
    rows.push_back(RowOf({sqltext::Id(event.change_id), Int(event.ordinal), sqltext::Id(event.id),
                          Number(event.type), sqltext::Id(event.actor), sqltext::Id(event.account),
                          Time(event.time), Number(event.state), Int(event.by_staff ? 1 : 0),
                          sqltext::Ascii(event.staff), sqltext::Utf8(event.detail)}));
  }
  QueueRows(session,
            "INSERT INTO contact_change_event (change_id, ordinal, id, type, actor, account, time,"
            " state, by_staff, staff, detail) VALUES ",
            rows);
  QueueRows(session, "INSERT INTO feed_queue (change_id, ordinal) VALUES ", queue_rows);
}

std::vector<ChangeEvent> ListEvents(Session& session, const Uuid& change, int64_t after,
                                    int64_t limit) {
  Rows rows = session.Select(kEventColumns,
                             " FROM contact_change_event e"
                             " WHERE e.change_id = ? AND e.ordinal > ? ORDER BY e.ordinal LIMIT ?",
                             {Bind(change), Bind(after), Bind(limit)});
  std::vector<ChangeEvent> events;
  while (rows.Next()) events.push_back(ReadEvent(rows));
  return events;
}

}  // namespace contacts::store
