#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/mysql/encoder.h"
#include "core/mysql/statements.h"
#include "core/mysql/store.h"

// The outbox, the kept replies and the records of overrides.
namespace contacts::store {
namespace {

using sqltext::Ascii;
using sqltext::Bytes;
using sqltext::Fill;
using sqltext::Int;
using sqltext::ListOf;
using sqltext::Number;
using sqltext::RowOf;
using sqltext::Text;
using sqltext::Time;

}  // namespace

void InsertOverride(Session& session, const ContactOverride& record) {
  session.Queue(Fill("INSERT INTO contact_override (id, reason, create_time) VALUES (?, ?, ?)",
                     {sqltext::Id(record.id), Text(record.reason), Time(record.create_time)}));
  std::vector<std::string> rows;
  for (const OverrideItem& item : record.items) {
    rows.push_back(RowOf({sqltext::Id(record.id), sqltext::Id(item.service), Number(item.role),
                          sqltext::Id(item.old_contact), sqltext::Id(item.new_contact)}));
  }
  session.Queue(absl::StrCat(
      "INSERT INTO contact_override_item (override_id, service_id, role, old_contact, new_contact)"
      " VALUES ",
      absl::StrJoin(rows, ",")));
}

std::vector<ContactOverride> LoadOverrides(Session& session, const std::set<Uuid>& ids) {
  const InList in = MakeInList(ids);
  Rows rows = session.Select(
      "HEX(o.id), o.reason, o.create_time, i.service_id, i.role, i.old_contact, i.new_contact",
      absl::StrCat(" FROM contact_override o"
                   " JOIN contact_override_item i ON i.override_id = o.id WHERE o.id IN ",
                   in.placeholders, " ORDER BY o.id, i.service_id, i.role"),
      in.params);
  std::vector<ContactOverride> records;
  while (rows.Next()) {
    ContactOverride record;
    record.id = rows.Id();
    record.reason = rows.Text();
    record.create_time = rows.Time();
    if (records.empty() || records.back().id != record.id) records.push_back(std::move(record));
    OverrideItem& item = records.back().items.emplace_back();
    item.service = rows.Service();
    item.role = rows.As<Role>();
    item.old_contact = rows.Account();
    item.new_contact = rows.Account();
  }
  return records;
}

std::optional<Reply> LoadReply(Session& session, const std::string& actor, const Uuid& request_id) {
  Rows rows =
      session.Query("SELECT fingerprint, reply FROM reply WHERE actor = ? AND request_id = ?",
                    {Param(actor), Bind(request_id)});
  if (!rows.Next()) return std::nullopt;
  Reply reply;
  reply.fingerprint = rows.Text();
  reply.bytes = rows.Text();
  return reply;
}

void InsertReply(Session& session, const std::string& actor, const Uuid& request_id,
                 const Reply& reply, absl::Time now) {
  session.Queue(
      Fill("INSERT INTO reply (actor, request_id, fingerprint, reply, create_time)"
           " VALUES (?, ?, ?, ?, ?)",
           {Ascii(actor), sqltext::Id(request_id), Bytes(reply.fingerprint), Bytes(reply.bytes),
            Time(now)}));
}

int64_t PurgeReplies(Session& session, absl::Time before, int64_t limit) {
  Rows rows = session.Query(
      "SELECT actor, request_id FROM reply WHERE create_time < ? ORDER BY create_time LIMIT ?"
      " FOR UPDATE SKIP LOCKED",
      {Bind(before), Bind(limit)});
  std::vector<std::string> keys;
  while (rows.Next()) {
    const sqltext::Literal actor = Ascii(rows.Text());
    keys.push_back(RowOf({actor, sqltext::Id(rows.Id())}));
  }
  if (!keys.empty()) {
    session.Queue(absl::StrCat("DELETE FROM reply WHERE (actor, request_id) IN (",
                               absl::StrJoin(keys, ","), ")"));
  }
  return static_cast<int64_t>(keys.size());
}

void InsertMails(Session& session, const std::vector<OutboxMail>& mails) {
  std::vector<std::string> rows;
  for (const OutboxMail& mail : mails) {
    rows.push_back(RowOf({sqltext::Id(mail.id), Number(mail.kind), sqltext::Id(mail.subject),
                          sqltext::Id(mail.recipient), Text(mail.address), Int(mail.generation),
                          Time(mail.create_time), Int(0), Time(mail.create_time), Ascii("")}));
  }
  if (rows.empty()) return;
  session.Queue(absl::StrCat(
      "INSERT INTO outbox (id, kind, subject, recipient, address, generation, create_time, tries,"
      " next_try_time, claim) VALUES ",
      absl::StrJoin(rows, ",")));
}

std::vector<OutboxMail> LockDueMails(Session& session, absl::Time now, int64_t limit) {
  Rows rows = session.Select(
      "HEX(id), kind, HEX(subject), recipient, address, generation, create_time, tries",
      " FROM outbox"
      " WHERE next_try_time <= ? ORDER BY next_try_time LIMIT ? FOR UPDATE SKIP LOCKED",
      {Bind(now), Bind(limit)});
  std::vector<OutboxMail> mails;
  while (rows.Next()) {
    OutboxMail& mail = mails.emplace_back();
    mail.id = rows.Id();
    mail.kind = rows.As<MailKind>();
    mail.subject = rows.Id();
    mail.recipient = rows.Account();
    mail.address = rows.Text();
    mail.generation = rows.Int();
    mail.create_time = rows.Time();
    mail.tries = rows.Int();
  }
  return mails;
}

OutboxDepth LoadOutboxDepth(Session& session, int64_t limit) {
  // Ids begin with the time, so the first are the oldest.
  Rows rows = session.Query(
      "SELECT COUNT(*), MIN(create_time) FROM"
      " (SELECT create_time FROM outbox ORDER BY id LIMIT ?) o",
      {Bind(limit)});
  OutboxDepth depth;
  if (!rows.Next()) return depth;
  depth.mails = rows.Int();
  depth.oldest = rows.MaybeTime();
  return depth;
}

void ClaimMails(Session& session, const std::set<Uuid>& ids, const std::string& claim,
                absl::Time until) {
  if (ids.empty()) return;
  session.Queue(
      absl::StrCat(Fill("UPDATE outbox SET claim = ?, next_try_time = ?, tries = tries + 1"
                        " WHERE id IN ",
                        {Ascii(claim), Time(until)}),
                   ListOf(ids)));
}

std::set<Uuid> LockClaimed(Session& session, const std::set<Uuid>& ids, const std::string& claim) {
  const InList in = MakeInList(ids);
  std::vector<Param> params = {Param(claim)};
  params.insert(params.end(), in.params.begin(), in.params.end());
  Rows rows = session.Query(absl::StrCat("SELECT id FROM outbox WHERE claim = ? AND id IN ",
                                         in.placeholders, " FOR UPDATE"),
                            params);
  std::set<Uuid> held;
  while (rows.Next()) held.insert(rows.Id());
  return held;
}

void DeleteMails(Session& session, const std::set<Uuid>& ids) {
  if (!ids.empty()) session.Queue(absl::StrCat("DELETE FROM outbox WHERE id IN ", ListOf(ids)));
}

void PostponeMail(Session& session, const OutboxMail& mail, absl::Time next_try) {
  session.Queue(Fill("UPDATE outbox SET next_try_time = ?, claim = '' WHERE id = ? AND claim = ?",
                     {Time(next_try), sqltext::Id(mail.id), Ascii(mail.claim)}));
}

}  // namespace contacts::store
