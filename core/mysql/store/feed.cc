#include "core/mysql/store/feed.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/mysql/encoder.h"
#include "core/mysql/store/event.h"
#include "core/mysql/store/statements.h"

namespace contacts::store {

using sqltext::Int;
using sqltext::RowOf;

namespace {

// The name of an event of the feed f: its place in its change's history, and the time when it came
// into the feed. Made only from that table, because a change may be removed before its events.
constexpr char kName[] = "CONCAT(HEX(f.change_id), ' ', f.ordinal, ' ', f.time)";

std::string NameOf(const EventKey& event, absl::Time time) {
  return absl::StrCat(absl::AsciiStrToUpper(absl::BytesToHexString(event.change_id.bytes())), " ",
                      event.ordinal, " ", absl::ToUnixMicros(time));
}

}  // namespace

FeedHead LoadFeedHead(Session& session, int64_t seen_position) {
  Rows rows = session.Query(
      absl::StrCat("SELECT h.last_position, h.removed_position, EXISTS (SELECT 1 FROM feed_queue),"
                   " IFNULL((SELECT ",
                   kName,
                   " FROM feed f WHERE f.position = h.last_position),"
                   " ''), IFNULL((SELECT ",
                   kName,
                   " FROM feed f WHERE f.position = ?), '')"
                   " FROM feed_head h WHERE h.id = 1"),
      {Bind(seen_position)});
  FeedHead head;
  if (!rows.Next()) return head;
  head.last_position = rows.Int();
  head.removed_position = rows.Int();
  head.queued = rows.Int() != 0;
  head.last_name = rows.String();
  head.seen_name = rows.String();
  return head;
}

std::optional<int64_t> LockFeedHead(Session& session) {
  Rows rows =
      session.Query("SELECT last_position FROM feed_head WHERE id = 1 FOR UPDATE SKIP LOCKED", {});
  if (!rows.Next()) return std::nullopt;
  return rows.Int();
}

std::vector<EventKey> LoadQueuedEvents(Session& session, int64_t limit) {
  Rows rows =
      session.Query("SELECT change_id, ordinal FROM feed_queue ORDER BY change_id, ordinal LIMIT ?",
                    {Bind(limit)});
  std::vector<EventKey> events;
  while (rows.Next()) {
    EventKey& event = events.emplace_back();
    event.change_id = rows.Id();
    event.ordinal = rows.Int();
  }
  return events;
}

std::string NumberEvents(Session& session, const std::vector<EventKey>& events, int64_t first,
                         absl::Time now) {
  if (events.empty()) return "";
  std::vector<std::string> keys;
  std::vector<std::string> rows;
  int64_t position = first;
  for (const EventKey& event : events) {
    const sqltext::Literal change = sqltext::Id(event.change_id);
    keys.push_back(RowOf({change, Int(event.ordinal)}));
    rows.push_back(RowOf({Int(position++), change, Int(event.ordinal), sqltext::Time(now)}));
  }
  QueueRows(session, "INSERT INTO feed (position, change_id, ordinal, time) VALUES ", rows);
  session.Queue(absl::StrCat("DELETE FROM feed_queue WHERE (change_id, ordinal) IN (",
                             absl::StrJoin(keys, ","), ")"));
  session.Queue(
      absl::StrCat("UPDATE feed_head SET last_position = ", position - 1, " WHERE id = 1"));
  return NameOf(events.back(), now);
}

FeedPage LoadFeed(Session& session, int64_t position, int64_t limit) {
  Rows rows = session.Select(absl::StrCat("IFNULL((SELECT ", kName,
                                          " FROM feed f WHERE f.position = ?), ''), f.position, ",
                                          kName, ", ", kEventColumns),
                             " FROM feed f JOIN contact_change_event e"
                             " ON e.change_id = f.change_id AND e.ordinal = f.ordinal"
                             " WHERE f.position > ? ORDER BY f.position LIMIT ?",
                             {Bind(position), Bind(position), Bind(limit)});
  FeedPage page;
  while (rows.Next()) {
    page.before = rows.String();
    FeedEntry& entry = page.entries.emplace_back();
    entry.position = rows.Int();
    entry.name = rows.String();
    entry.event = ReadEvent(rows);
  }
  return page;
}

std::map<Uuid, std::set<AccountId>> LoadConcerned(Session& session, const std::set<Uuid>& changes) {
  const InList in = MakeInList(changes);
  std::vector<Param> params;
  for (int i = 0; i < 4; ++i) params.insert(params.end(), in.params.begin(), in.params.end());
  Rows rows = session.Query(
      absl::StrCat("SELECT id, requester FROM contact_change WHERE requester_gone = 0 AND id IN ",
                   in.placeholders,
                   " UNION SELECT id, new_contact FROM contact_change"
                   " WHERE new_contact_gone = 0 AND id IN ",
                   in.placeholders,
                   " UNION SELECT c.id, s.admin FROM contact_change c"
                   " JOIN contact_change_item i ON i.change_id = c.id JOIN service s ON ",
                   ServiceOfItem(), " WHERE c.id IN ", in.placeholders,
                   " UNION SELECT i.change_id, i.old_contact FROM contact_change_item i"
                   " JOIN contact_change c ON c.id = i.change_id WHERE c.state = ",
                   static_cast<int>(ChangeState::kDone),
                   " AND i.outcome = ", static_cast<int>(ItemOutcome::kApplied),
                   " AND i.old_contact_gone = 0 AND i.change_id IN ", in.placeholders),
      params);
  std::map<Uuid, std::set<AccountId>> concerned;
  while (rows.Next()) {
    const Uuid change = rows.Id();
    concerned[change].insert(rows.Account());
  }
  return concerned;
}

std::set<std::pair<Uuid, ServiceId>> LoadChangesOn(Session& session, const std::set<Uuid>& changes,
                                                   const std::set<ServiceId>& services) {
  const InList changes_in = MakeInList(changes);
  const InList services_in = MakeInList(services);
  std::vector<Param> params = changes_in.params;
  params.insert(params.end(), services_in.params.begin(), services_in.params.end());
  Rows rows = session.Query(
      absl::StrCat("SELECT DISTINCT change_id, service_id"
                   " FROM contact_change_item WHERE change_id IN ",
                   changes_in.placeholders, " AND service_id IN ", services_in.placeholders),
      params);
  std::set<std::pair<Uuid, ServiceId>> found;
  while (rows.Next()) {
    const Uuid change = rows.Id();
    found.insert({change, rows.Service()});
  }
  return found;
}

int64_t PurgeFeed(Session& session, absl::Time before, int64_t limit) {
  Rows rows = session.Query("SELECT position, time FROM feed ORDER BY position LIMIT ? FOR UPDATE",
                            {Bind(limit)});
  int64_t purged = 0;
  int64_t last = 0;
  while (rows.Next()) {
    const int64_t position = rows.Int();
    if (rows.Time() >= before) break;
    last = position;
    ++purged;
  }
  if (purged > 0) {
    session.Queue(
        absl::StrCat("UPDATE feed_head SET removed_position = GREATEST(removed_position, ", last,
                     ") WHERE id = 1"));
    session.Queue(absl::StrCat("DELETE FROM feed WHERE position <= ", last));
  }
  return purged;
}

}  // namespace contacts::store
