#include "core/mysql/store/outbox.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/domain/quota.h"
#include "core/mysql/encoder.h"
#include "core/mysql/store/statements.h"

namespace contacts::store {
namespace {

using sqltext::Ascii;
using sqltext::Fill;
using sqltext::Int;
using sqltext::ListOf;
using sqltext::Number;
using sqltext::Time;
using sqltext::Utf8;

// Rows of one INSERT … SELECT: each is a SELECT of its own.
constexpr std::size_t kRowsOfInsert = 100;

// Servers of schema version 6 know the kinds up to this one, and would send an empty e-mail of
// another. They claim e-mails that are due, so the times of other kinds are far in the future: this
// much later than they say.
constexpr MailKind kLastKindOfVersion6 = MailKind::kOverride;
constexpr int64_t kOutOfReach = 1'000'000'000'000'000'000;  // Microseconds: 31,688 years.

// A time as next_try_time has it, of an e-mail's kind or of the kind of each row.
std::string TryTime(absl::Time time, MailKind kind) {
  return absl::StrCat(Time(time).text, kind > kLastKindOfVersion6 ? absl::StrCat(" + ", kOutOfReach)
                                                                  : std::string());
}
std::string TryTimeOfRow(const std::string& time) {
  return absl::StrCat("(", time, " + IF(kind > ", static_cast<int>(kLastKindOfVersion6), ", ",
                      kOutOfReach, ", 0))");
}

int PriorityOf(const OutboxMail& mail) { return mail.HasToken() ? 0 : 1; }

// Priority and cause. The e-mails of a cause have turns one after the other.
using Line = std::pair<int64_t, std::string>;

}  // namespace

void InsertMails(Session& session, const std::vector<OutboxMail>& mails,
                 int64_t max_mails_per_day) {
  std::map<Line, std::vector<const OutboxMail*>> lines;
  for (const OutboxMail& mail : mails) lines[{PriorityOf(mail), mail.cause}].push_back(&mail);
  for (const auto& [line, queued] : lines) {
    const std::string priority = absl::StrCat(line.first);
    const std::string cause = Ascii(line.second).text;
    for (std::size_t begin = 0; begin < queued.size(); begin += kRowsOfInsert) {
      std::vector<std::string> rows;
      bool any_optional = false;
      const std::size_t end = std::min(queued.size(), begin + kRowsOfInsert);
      for (std::size_t i = begin; i < end; ++i) {
        const OutboxMail& mail = *queued[i];
        const bool optional = mail.IsOptional() && !mail.sender.empty();
        any_optional = any_optional || optional;
        rows.push_back(Fill(
            "SELECT ? AS id, ? AS kind, ? AS subject, ? AS recipient,"
            " ? AS address, ? AS masked_address, ? AS generation, ? AS create_time, ? AS place,"
            " ? AS optional_of",
            {sqltext::Id(mail.id), Number(mail.kind), sqltext::Id(mail.subject),
             sqltext::Id(mail.recipient), Utf8(mail.address), Utf8(mail.masked_address),
             Int(mail.generation), Time(mail.create_time), Int(static_cast<int64_t>(i - begin) + 1),
             sqltext::Id(optional ? mail.sender : AccountId())}));
      }
      const std::string wanted =
          any_optional
              ? Fill(
                    " WHERE NOT EXISTS (SELECT 1 FROM daily_use d WHERE"
                    " d.account_id = m.optional_of AND d.kind = ? AND d.other = m.recipient"
                    " AND d.uses > ?)",
                    {Number(DailyUse::kMails), Int(max_mails_per_day)})
              : "";
      // One round after the later of the head of the line and the cause's last e-mail. Both are
      // read without locks: two transactions at once may give the same turn, which is harmless.
      session.Queue(absl::StrCat(
          "INSERT INTO outbox (id, kind, subject, recipient, address, masked_address, generation,"
          " create_time,"
          " tries, next_try_time, claim, waits, priority, cause, turn)"
          " SELECT m.id, m.kind, m.subject, m.recipient, m.address, m.masked_address,"
          " m.generation, m.create_time, 0, ",
          TryTimeOfRow("m.create_time"), ", '', 0, ", priority, ", ", cause,
          ", t.last_turn + m.place FROM (", absl::StrJoin(rows, " UNION ALL "),
          ") m, (SELECT GREATEST("
          "COALESCE((SELECT MIN(turn) FROM outbox WHERE waits = 0 AND priority = ",
          priority, "), 0), COALESCE((SELECT MAX(turn) FROM outbox WHERE cause = ", cause,
          " AND priority = ", priority, "), 0)) AS last_turn) t", wanted));
    }
  }
}

int64_t QueueWaitingMails(Session& session, absl::Time now, int64_t limit) {
  Rows rows = session.Query(
      "SELECT id, priority, cause FROM outbox FORCE INDEX (by_wait)"
      " WHERE waits = 1 AND (next_try_time <= ? OR next_try_time BETWEEN ? AND ?)"
      " ORDER BY next_try_time LIMIT ? FOR UPDATE SKIP LOCKED",
      {Bind(now), Bind(kOutOfReach), Bind(absl::ToUnixMicros(now) + kOutOfReach), Bind(limit)});
  std::map<Line, std::vector<Uuid>> lines;
  std::set<AccountId> causes;
  int64_t count = 0;
  while (rows.Next()) {
    const Uuid id = rows.Id();
    const int64_t priority = rows.Int();
    const std::string cause = rows.String();
    lines[{priority, cause}].push_back(id);
    causes.insert(AccountId(cause));
    ++count;
  }
  if (count == 0) return 0;
  // Gives a new turn as InsertMails does, because the last try was their turn.
  std::map<Line, int64_t> last;
  const InList in = MakeInList(causes);
  Rows turns = session.Query(
      absl::StrCat("SELECT 0, '', MIN(turn) FROM outbox WHERE waits = 0 AND priority = 0"
                   " UNION ALL SELECT 1, '', MIN(turn) FROM outbox WHERE waits = 0 AND priority = 1"
                   " UNION ALL SELECT priority, cause, MAX(turn) FROM outbox WHERE cause IN ",
                   in.placeholders, " GROUP BY cause, priority"),
      in.params);
  std::map<int64_t, int64_t> head;
  while (turns.Next()) {
    const int64_t priority = turns.Int();
    const std::string cause = turns.String();
    const int64_t turn = turns.IsNull() ? 0 : turns.Int();
    if (cause.empty()) {
      head.emplace(priority, turn);
    } else {
      last[{priority, cause}] = turn;
    }
  }
  for (const auto& [line, ids] : lines) {
    int64_t turn = std::max(head[line.first], last[line]);
    for (const Uuid& id : ids) {
      session.Queue(
          absl::StrCat(Fill("UPDATE outbox SET waits = 0, turn = ? WHERE id = ? AND waits = 1"
                            " AND next_try_time <= ",
                            {Int(++turn), sqltext::Id(id)}),
                       TryTimeOfRow(Time(now).text)));
    }
  }
  return count;
}

std::vector<OutboxMail> LockDueMails(Session& session, absl::Time now, int64_t limit,
                                     const std::optional<Uuid>& before) {
  std::vector<Param> params = {Bind(now), Bind(limit)};
  if (before) params.insert(params.begin(), Bind(*before));
  Rows rows = session.Select(
      "HEX(id), kind, HEX(subject), recipient, {address}, {masked_address}, generation, cause, "
      "create_time, tries,"
      " turn",
      absl::StrCat(" FROM outbox FORCE INDEX (", before ? "PRIMARY" : "by_turn", ") WHERE ",
                   before ? "id < ? AND " : "",
                   // Added to the parameter, MySQL would compare the sum as a double.
                   "waits = 0 AND next_try_time - ", TryTimeOfRow("0"), " <= ? ORDER BY ",
                   before ? "id" : "priority, turn", " LIMIT ? FOR UPDATE SKIP LOCKED"),
      params);
  std::vector<OutboxMail> mails;
  while (rows.Next()) {
    OutboxMail& mail = mails.emplace_back();
    mail.id = rows.Id();
    mail.kind = rows.As<MailKind>();
    mail.subject = rows.Id();
    mail.recipient = rows.Account();
    mail.address = rows.String();
    mail.masked_address = rows.String();
    mail.generation = rows.Int();
    mail.cause = rows.String();
    mail.create_time = rows.Time();
    mail.tries = rows.Int();
    mail.turn = rows.Int();
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
                absl::Time now, absl::Time until) {
  if (ids.empty()) return;
  session.Queue(absl::StrCat("UPDATE outbox SET claim = ", Ascii(claim).text,
                             ", next_try_time = ", TryTimeOfRow(Time(until).text),
                             ", tries = tries + 1, waits = 1, turn = 0"
                             " WHERE waits = 0 AND next_try_time <= ",
                             TryTimeOfRow(Time(now).text), " AND id IN ", ListOf(ids)));
}

std::set<Uuid> LoadClaimed(Session& session, const std::set<Uuid>& ids, const std::string& claim,
                           Lock lock) {
  const InList in = MakeInList(ids);
  std::vector<Param> params = {Param(claim)};
  params.insert(params.end(), in.params.begin(), in.params.end());
  Rows rows = session.Query(absl::StrCat("SELECT id FROM outbox WHERE claim = ? AND id IN ",
                                         in.placeholders, Suffix(lock)),
                            params);
  std::set<Uuid> held;
  while (rows.Next()) held.insert(rows.Id());
  return held;
}

void DeleteMails(Session& session, const std::set<Uuid>& ids) {
  if (!ids.empty()) session.Queue(absl::StrCat("DELETE FROM outbox WHERE id IN ", ListOf(ids)));
}

void DeleteValidationMails(Session& session, const Uuid& change) {
  session.Queue(
      Fill("DELETE FROM outbox WHERE subject = ? AND kind IN (?, ?)",
           {sqltext::Id(change), Number(MailKind::kValidation), Number(MailKind::kReminder)}));
}

void PostponeMail(Session& session, const OutboxMail& mail, absl::Time next_try) {
  session.Queue(absl::StrCat("UPDATE outbox SET next_try_time = ", TryTime(next_try, mail.kind),
                             Fill(", waits = 1, claim = '' WHERE id = ? AND claim = ?",
                                  {sqltext::Id(mail.id), Ascii(mail.claim)})));
}

void ReleaseMail(Session& session, const OutboxMail& mail, absl::Time next_try) {
  session.Queue(absl::StrCat(
      "UPDATE outbox SET next_try_time = ", TryTime(next_try, mail.kind),
      Fill(", waits = 0, turn = ?, tries = ?, claim = '' WHERE id = ? AND claim = ?",
           {Int(mail.turn), Int(mail.tries), sqltext::Id(mail.id), Ascii(mail.claim)})));
}

}  // namespace contacts::store
