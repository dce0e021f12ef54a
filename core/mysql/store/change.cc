#include "core/mysql/store/change.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "core/domain/contact_move.h"
#include "core/mysql/encoder.h"
#include "core/mysql/store/outbox.h"
#include "core/mysql/store/statements.h"

namespace contacts::store {
namespace {

using sqltext::Int;
using sqltext::Number;
using sqltext::RowOf;
using sqltext::Time;
using sqltext::Utf8;

// Rows of a purge's transaction, but for one change with more items.
constexpr int64_t kItemsPurgedAtOnce = 1000;

constexpr char kValidatorColumns[] =
    "c.$_state, IFNULL(c.$_decide_time, ''), {c.$_refuse_reason}, "
    "IFNULL(c.$_email_send_time, ''), {c.$_email_hint}, "
    "c.$_generation, {c.$_token_key_id}, c.$_wrong_tokens, c.$_last_request_time, "
    "c.$_resend_day_start, c.$_resends_in_day, c.$_other_last_request_time, "
    "c.$_other_resend_day_start, c.$_other_resends_in_day";

const std::string& ChangeColumns() {
  static const auto& columns = *new std::string(absl::StrCat(
      "HEX(c.id), HEX(c.batch_id), c.requester, c.new_contact, c.state, c.create_time, "
      "c.expire_time, IFNULL(c.close_time, ''), IFNULL(c.remind_time, ''), c.event_count, "
      "{c.abort_reason}, c.requester_gone, c.new_contact_gone, ",
      absl::StrReplaceAll(kValidatorColumns, {{"$", "requester"}}), ", ",
      absl::StrReplaceAll(kValidatorColumns, {{"$", "new_contact"}})));
  return columns;
}

Validation ReadValidation(Rows& rows, const AccountId& account) {
  Validation validation;
  validation.account = account;
  validation.state = rows.As<ValidationState>();
  validation.decide_time = rows.MaybeTime();
  validation.refuse_reason = rows.String();
  validation.email_send_time = rows.MaybeTime();
  validation.email_hint = rows.String();
  validation.generation = rows.Int();
  validation.token_key_id = rows.String();
  validation.wrong_tokens = rows.Int();
  for (ResendUse* const use : {&validation.own_resends, &validation.other_resends}) {
    use->last_time = rows.Time();
    use->day_start = rows.Time();
    use->in_day = rows.Int();
  }
  return validation;
}

ContactChange ReadChange(Rows& rows) {
  ContactChange change;
  change.id = rows.Id();
  change.batch_id = rows.Id();
  change.requester = rows.Account();
  change.new_contact = rows.Account();
  change.state = rows.As<ChangeState>();
  change.create_time = rows.Time();
  change.expire_time = rows.Time();
  change.close_time = rows.MaybeTime();
  change.remind_time = rows.MaybeTime();
  change.event_count = rows.Int();
  change.abort_reason = rows.String();
  change.requester_gone = rows.Int() != 0;
  change.new_contact_gone = rows.Int() != 0;
  change.validations.push_back(ReadValidation(rows, change.requester));
  Validation second = ReadValidation(rows, change.new_contact);
  if (change.new_contact != change.requester) change.validations.push_back(std::move(second));
  return change;
}

constexpr char kItemColumns[] =
    "i.service_id, i.role, i.old_contact, i.old_contact_gone, i.outcome, i.withdrawn_by";

ChangeItem ReadItem(Rows& rows) {
  ChangeItem item;
  item.service = rows.Service();
  item.role = rows.As<Role>();
  item.old_contact = rows.Account();
  item.old_contact_gone = rows.Int() != 0;
  item.outcome = rows.As<ItemOutcome>();
  item.withdrawn_by = rows.Account();
  return item;
}

// The columns of ValidatorColumns in the schema, in its order.
std::vector<std::pair<const char*, sqltext::Literal>> ValidatorValues(const Validation& v) {
  return {{"state", Number(v.state)},
          {"decide_time", Time(v.decide_time)},
          {"refuse_reason", Utf8(v.refuse_reason)},
          {"email_send_time", Time(v.email_send_time)},
          {"email_hint", Utf8(v.email_hint)},
          {"generation", Int(v.generation)},
          {"token_key_id", sqltext::Ascii(v.token_key_id)},
          {"wrong_tokens", Int(v.wrong_tokens)},
          {"last_request_time", Time(v.own_resends.last_time)},
          {"resend_day_start", Time(v.own_resends.day_start)},
          {"resends_in_day", Int(v.own_resends.in_day)},
          {"other_last_request_time", Time(v.other_resends.last_time)},
          {"other_resend_day_start", Time(v.other_resends.day_start)},
          {"other_resends_in_day", Int(v.other_resends.in_day)}};
}

// Every column of a change's row with its value. If there is only one validator, the columns of the
// second repeat it and are never read.
std::vector<std::pair<std::string, sqltext::Literal>> ChangeValues(const ContactChange& change,
                                                                   absl::Time timer) {
  std::vector<std::pair<std::string, sqltext::Literal>> values = {
      {"id", sqltext::Id(change.id)},
      {"batch_id", sqltext::Id(change.batch_id)},
      {"requester", sqltext::Id(change.requester)},
      {"new_contact", sqltext::Id(change.new_contact)},
      {"state", Number(change.state)},
      {"create_time", Time(change.create_time)},
      {"expire_time", Time(change.expire_time)},
      {"close_time", Time(change.close_time)},
      {"remind_time", Time(change.remind_time)},
      {"timer_time", change.open() ? Time(timer) : sqltext::Null()},
      {"event_count", Int(change.event_count)},
      {"abort_reason", Utf8(change.abort_reason)}};
  for (auto& [name, value] : ValidatorValues(change.validations.front())) {
    values.emplace_back(absl::StrCat("requester_", name), std::move(value));
  }
  for (auto& [name, value] : ValidatorValues(change.validations.back())) {
    values.emplace_back(absl::StrCat("new_contact_", name), std::move(value));
  }
  return values;
}

// An expression of the latest move of a role of the service of item i; NULL without one. The order
// names the whole index, without which MySQL sorts all moves of the role.
std::string LatestMove(const std::string& expression, const std::string& role) {
  return absl::StrCat("(SELECT ", expression,
                      " FROM contact_move m FORCE INDEX (by_role) WHERE m.service_id = i.service_id"
                      " AND m.role = ",
                      role,
                      " ORDER BY m.service_id DESC, m.role DESC, m.service_create_time DESC,"
                      " m.version DESC LIMIT 1)");
}

absl::Time TimerOf(const ContactChange& change) {
  return change.remind_time.value_or(change.expire_time);
}

}  // namespace

std::optional<ContactChange> LockChange(Session& session, const Uuid& id) {
  std::vector<ContactChange> changes = LockChanges(session, {id});
  if (changes.empty()) return std::nullopt;
  return std::move(changes.front());
}

std::vector<ContactChange> LockChanges(Session& session, const std::set<Uuid>& ids) {
  const InList in = MakeInList(ids);
  Rows rows = session.Select(ChangeColumns(),
                             absl::StrCat(" FROM contact_change c WHERE c.id IN ", in.placeholders,
                                          " ORDER BY c.id FOR UPDATE"),
                             in.params);
  std::vector<ContactChange> changes;
  while (rows.Next()) changes.push_back(ReadChange(rows));
  return changes;
}

std::optional<ChangeAndEmail> LockChangeAndEmail(Session& session, const Uuid& id,
                                                 const AccountId& account) {
  // The account is not locked: an address that is replaced meanwhile is replaced after the answer.
  Rows rows =
      session.Select(absl::StrCat(ChangeColumns(),
                                  ", {IFNULL((SELECT a.email FROM account a WHERE a.id = ?), '')}"),
                     " FROM contact_change c WHERE c.id = ? FOR UPDATE", {Bind(account), Bind(id)});
  if (!rows.Next()) return std::nullopt;
  ContactChange change = ReadChange(rows);
  return ChangeAndEmail{.change = std::move(change), .email = rows.String()};
}

std::vector<AccountId> LoadItems(Session& session, ContactChange& change, Lock lock) {
  Rows rows = session.Select(
      absl::StrCat("IFNULL(s.admin, ''), ", kItemColumns),
      absl::StrCat(" FROM contact_change_item i JOIN contact_change c ON c.id = i.change_id LEFT "
                   "JOIN service s ON ",
                   ServiceOfItem(), " WHERE i.change_id = ? ORDER BY i.service_id, i.role",
                   Suffix(lock)),
      {Bind(change.id)});
  std::vector<AccountId> admins;
  change.items.clear();
  while (rows.Next()) {
    admins.push_back(rows.Account());
    change.items.push_back(ReadItem(rows));
  }
  return admins;
}

LockedItems LoadItemsLockServices(Session& session, ContactChange& change) {
  Rows rows = session.Select(
      absl::StrCat(
          kItemColumns, ", IFNULL(",
          LatestMove(absl::StrCat("IF(m.cause = ", static_cast<int>(MoveCause::kRegistered),
                                  ", 0, m.time)"),
                     absl::StrCat(static_cast<int>(Role::kAdmin))),
          ", 0) >= ?, IFNULL(s.id, ''), IFNULL(s.admin, ''), IFNULL(s.tech, ''), "
          "IFNULL(s.billing, '')"),
      " FROM contact_change_item i LEFT JOIN service s ON s.id = i.service_id"
      " WHERE i.change_id = ? ORDER BY i.service_id, i.role FOR UPDATE",
      {Bind(change.create_time), Bind(change.id)});
  LockedItems locked;
  change.items.clear();
  while (rows.Next()) {
    change.items.push_back(ReadItem(rows));
    locked.admin_moved = rows.Int() != 0 || locked.admin_moved;
    if (rows.IsNull()) continue;
    if (!locked.services.empty() && locked.services.back().id == change.items.back().service) {
      continue;
    }
    Service& service = locked.services.emplace_back();
    service.id = rows.Service();
    service.admin = rows.Account();
    service.tech = rows.Account();
    service.billing = rows.Account();
  }
  return locked;
}

void LoadItemsOf(Session& session, std::vector<ContactChange>& changes) {
  std::vector<Uuid> ids;
  for (const ContactChange& change : changes) ids.push_back(change.id);
  const InList in = MakeInList(ids);
  Rows rows =
      session.Select(absl::StrCat("HEX(i.change_id), ", kItemColumns),
                     absl::StrCat(" FROM contact_change_item i WHERE i.change_id IN ",
                                  in.placeholders, " ORDER BY i.change_id, i.service_id, i.role"),
                     in.params);
  while (rows.Next()) {
    const Uuid id = rows.Id();
    const auto change = std::find_if(changes.begin(), changes.end(),
                                     [&](const ContactChange& c) { return c.id == id; });
    change->items.push_back(ReadItem(rows));
  }
}

std::vector<ChangeAndAdmins> LoadChanges(Session& session, const std::vector<Uuid>& ids) {
  const InList in = MakeInList(ids);
  Rows rows = session.Select(
      absl::StrCat("IFNULL(s.admin, ''), ", kItemColumns, ", ", ChangeColumns()),
      absl::StrCat(" FROM contact_change c JOIN contact_change_item i ON i.change_id = c.id"
                   " LEFT JOIN service s ON ",
                   ServiceOfItem(), " WHERE c.id IN ", in.placeholders,
                   " ORDER BY c.id DESC, i.service_id, i.role"),
      in.params);
  std::vector<ChangeAndAdmins> changes;
  while (rows.Next()) {
    AccountId admin = rows.Account();
    ChangeItem item = ReadItem(rows);
    ContactChange change = ReadChange(rows);
    if (changes.empty() || changes.back().change.id != change.id) {
      changes.push_back({std::move(change), {}});
    }
    changes.back().admins.push_back(std::move(admin));
    changes.back().change.items.push_back(std::move(item));
  }
  return changes;
}

std::vector<ContactChange> LoadFirstItems(Session& session, const std::vector<Uuid>& ids,
                                          int64_t max_items) {
  // One bounded read for each change. Few different texts, as each is a prepared statement: the nil
  // UUID, which no change has, fills up.
  std::size_t count = 1;
  while (count < ids.size()) count *= 2;
  std::vector<std::string> reads(
      count,
      "(SELECT change_id, service_id, role, old_contact, old_contact_gone, outcome, withdrawn_by"
      " FROM contact_change_item WHERE change_id = ?"
      " ORDER BY service_id, role LIMIT ?)");
  std::vector<Param> params;
  for (std::size_t i = 0; i < count; ++i) {
    params.insert(params.end(), {Bind(i < ids.size() ? ids[i] : Uuid()), Bind(max_items)});
  }
  Rows rows = session.Select(absl::StrCat(kItemColumns, ", ", ChangeColumns()),
                             absl::StrCat(" FROM (", absl::StrJoin(reads, " UNION ALL "),
                                          ") i JOIN contact_change c ON c.id = i.change_id"
                                          " ORDER BY c.id DESC, i.service_id, i.role"),
                             params);
  std::vector<ContactChange> changes;
  while (rows.Next()) {
    ChangeItem item = ReadItem(rows);
    ContactChange change = ReadChange(rows);
    if (changes.empty() || changes.back().id != change.id) changes.push_back(std::move(change));
    changes.back().items.push_back(std::move(item));
  }
  return changes;
}

std::vector<GivenRole> LoadGivenByBatch(Session& session, const Uuid& batch,
                                        const AccountId& from) {
  // A change that a server of the version before applied has no row of its own in the history: any
  // move since it closed is another one.
  Rows rows = session.Query(
      absl::StrCat("SELECT i.service_id, i.role, c.new_contact, IFNULL(",
                   LatestMove("m.cause_id <> c.id AND m.time >= c.close_time", "i.role"),
                   ", 0)"
                   " FROM contact_change c JOIN contact_change_item i ON i.change_id = c.id"
                   " WHERE c.batch_id = ? AND c.state = ? AND i.old_contact = ? AND i.outcome = ?"),
      {Bind(batch), Bind(ChangeState::kDone), Bind(from), Bind(ItemOutcome::kApplied)});
  std::vector<GivenRole> given;
  while (rows.Next()) {
    GivenRole& role = given.emplace_back();
    role.role.service = rows.Service();
    role.role.role = rows.As<Role>();
    role.new_contact = rows.Account();
    role.moved_again = rows.Int() != 0;
  }
  return given;
}

void InsertChanges(Session& session, const std::vector<ContactChange>& changes,
                   const std::vector<std::set<AccountId>>& admins) {
  std::string columns;
  std::vector<std::string> change_rows, item_rows, role_rows, involvement_rows;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const ContactChange& change = changes[i];
    auto values = ChangeValues(change, TimerOf(change));
    values.emplace_back("item_count", Int(static_cast<int64_t>(change.items.size())));
    const auto name = [](std::string* out, const auto& value) { *out += value.first; };
    const auto text = [](std::string* out, const auto& value) { *out += value.second.text; };
    columns = absl::StrJoin(values, ",", name);
    change_rows.push_back(absl::StrCat("(", absl::StrJoin(values, ",", text), ")"));
    for (const ChangeItem& item : change.items) {
      item_rows.push_back(RowOf({sqltext::Id(change.id), sqltext::Id(item.service),
                                 Number(item.role), sqltext::Id(item.old_contact),
                                 Number(item.outcome), Time(item.service_create_time)}));
      role_rows.push_back(RowOf({sqltext::Id(item.service), Number(item.role),
                                 sqltext::Id(change.id), Time(change.expire_time)}));
    }
    std::set<AccountId> concerned = admins[i];
    concerned.insert({change.requester, change.new_contact});
    for (const AccountId& account : concerned) {
      involvement_rows.push_back(RowOf({sqltext::Id(account), sqltext::Id(change.id), Int(1)}));
    }
  }
  // Pending roles first: if another call won the race, nothing else is done.
  QueueRows(session, "INSERT INTO pending_role (service_id, role, change_id, expire_time) VALUES ",
            role_rows);
  QueueRows(session, absl::StrCat("INSERT INTO contact_change (", columns, ") VALUES "),
            change_rows);
  QueueRows(session,
            "INSERT INTO contact_change_item (change_id, service_id, role, old_contact, outcome,"
            " service_create_time) VALUES ",
            item_rows);
  QueueRows(session, "INSERT INTO involvement (account_id, change_id, open) VALUES ",
            involvement_rows);
}

void SaveChange(Session& session, const ContactChange& change) {
  const std::string set_clauses = absl::StrJoin(
      ChangeValues(change, TimerOf(change)), ",", [](std::string* out, const auto& value) {
        absl::StrAppend(out, value.first, "=", value.second.text);
      });
  const std::string id = sqltext::Id(change.id).text;
  session.Queue(absl::StrCat("UPDATE contact_change SET ", set_clauses, " WHERE id = ", id));
  if (change.open()) return;
  session.Queue(absl::StrCat("DELETE FROM pending_role WHERE change_id = ", id));
  session.Queue(absl::StrCat("UPDATE involvement SET open = 0 WHERE change_id = ", id));
  DeleteValidationMails(session, change.id);
}

void SaveItems(Session& session, const ContactChange& change) {
  const auto row = [](const ChangeItem& item) {
    return RowOf({sqltext::Id(item.service), Number(item.role)});
  };
  // One statement for each outcome, for any number of items.
  std::map<std::pair<ItemOutcome, AccountId>, std::vector<std::string>> by_outcome;
  for (const ChangeItem& item : change.items) {
    if (item.outcome == ItemOutcome::kPending) continue;
    by_outcome[{item.outcome, item.withdrawn_by}].push_back(row(item));
  }
  for (const auto& [outcome, rows] : by_outcome) {
    const bool all = rows.size() == change.items.size();
    session.Queue(absl::StrCat(
        "UPDATE contact_change_item SET outcome = ", Number(outcome.first).text,
        outcome.second.empty()
            ? ""
            : absl::StrCat(", withdrawn_by = ", sqltext::Id(outcome.second).text),
        " WHERE change_id = ", sqltext::Id(change.id).text,
        all ? "" : absl::StrCat(" AND (service_id, role) IN (", absl::StrJoin(rows, ","), ")")));
  }
  if (!change.open()) return;  // SaveChange frees them all.
  std::vector<std::string> freed;
  for (const ChangeItem& item : change.items) {
    if (item.outcome != ItemOutcome::kPending) freed.push_back(row(item));
  }
  if (!freed.empty()) {
    session.Queue(
        absl::StrCat("DELETE FROM pending_role WHERE change_id = ", sqltext::Id(change.id).text,
                     " AND (service_id, role) IN (", absl::StrJoin(freed, ","), ")"));
  }
}

std::vector<Timer> ListDueTimers(Session& session, absl::Time now, const Timer& last,
                                 int64_t limit) {
  Rows rows = session.Query(
      "SELECT timer_time, id FROM contact_change WHERE timer_time BETWEEN ? AND ?"
      " AND (timer_time > ? OR id > ?) ORDER BY timer_time, id LIMIT ?",
      {Bind(last.time), Bind(now), Bind(last.time), Bind(last.change_id), Bind(limit)});
  std::vector<Timer> timers;
  while (rows.Next()) {
    Timer& timer = timers.emplace_back();
    timer.time = rows.Time();
    timer.change_id = rows.Id();
  }
  return timers;
}

void PostponeTimer(Session& session, const Timer& timer, absl::Time until) {
  session.Queue(
      sqltext::Fill("UPDATE contact_change SET timer_time = ? WHERE id = ? AND timer_time = ?",
                    {Time(until), sqltext::Id(timer.change_id), Time(timer.time)}));
}

int64_t PurgeChanges(Session& session, absl::Time before, int64_t limit) {
  // Changes whose events are still in the feed stay, as a gap would end the streams of watchers.
  Rows rows = session.Query(
      "SELECT c.id, c.item_count FROM contact_change c WHERE c.close_time < ?"
      " AND NOT EXISTS (SELECT 1 FROM feed f WHERE f.change_id = c.id)"
      " ORDER BY c.close_time LIMIT ? FOR UPDATE SKIP LOCKED",
      {Bind(before), Bind(limit)});
  std::vector<Uuid> ids;
  int64_t items = 0;
  while (rows.Next()) {
    const Uuid id = rows.Id();
    items += rows.Int();
    if (!ids.empty() && items > kItemsPurgedAtOnce) break;
    ids.push_back(id);
  }
  if (ids.empty()) return 0;
  const std::string in = absl::StrCat(" IN ", sqltext::ListOf(ids));
  for (const char* table :
       {"contact_change_item", "contact_change_event", "involvement", "feed_queue"}) {
    session.Queue(absl::StrCat("DELETE FROM ", table, " WHERE change_id", in));
  }
  session.Queue(absl::StrCat("DELETE FROM outbox WHERE subject", in));
  session.Queue(absl::StrCat("DELETE FROM contact_change WHERE id", in));
  return static_cast<int64_t>(ids.size());
}

}  // namespace contacts::store
