#include "core/mysql/store/quota_window.h"

#include <map>
#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/mysql/encoder.h"
#include "core/mysql/store/statements.h"

namespace contacts::store {
namespace {

using sqltext::Fill;
using sqltext::Int;
using sqltext::Number;
using sqltext::RowOf;
using sqltext::Time;

}  // namespace

void SaveAskWindow(Session& session, const AccountId& requester, const QuotaWindow& window) {
  session.Queue(
      Fill("INSERT INTO ask_window (account_id, start_time, asks) VALUES (?, ?, ?)"
           " ON DUPLICATE KEY UPDATE start_time = VALUES(start_time), asks = VALUES(asks)",
           {sqltext::Id(requester), Time(window.start), Int(window.uses)}));
}

QuotaWindow LoadAddressWindow(Session& session, const AccountId& account) {
  Rows rows = session.Query("SELECT start_time, changes FROM address_window WHERE account_id = ?",
                            {Bind(account)});
  QuotaWindow window;
  if (!rows.Next()) return window;
  window.start = rows.Time();
  window.uses = rows.Int();
  return window;
}

void SaveAddressWindow(Session& session, const AccountId& account, const QuotaWindow& window) {
  session.Queue(
      Fill("INSERT INTO address_window (account_id, start_time, changes) VALUES (?, ?, ?)"
           " ON DUPLICATE KEY UPDATE start_time = VALUES(start_time), changes = VALUES(changes)",
           {sqltext::Id(account), Time(window.start), Int(window.uses)}));
}

void CountDailyUses(Session& session, const std::vector<DailyCount>& counts, absl::Time now) {
  // In the order of the key, so that transactions lock rows in the same order.
  std::map<std::tuple<AccountId, DailyUse, AccountId>, int64_t> uses;
  for (const DailyCount& count : counts) {
    uses[{count.account, count.use, count.other}] += count.uses;
  }
  if (uses.empty()) return;
  std::vector<std::string> rows;
  for (const auto& [key, more] : uses) {
    const auto& [account, use, other] = key;
    rows.push_back(
        RowOf({sqltext::Id(account), Number(use), sqltext::Id(other), Time(now), Int(more)}));
  }
  // As Current in core/workflow/quota.cc. `uses` is set first, from the old start_time.
  constexpr absl::Duration kDay = absl::Hours(24);
  const std::string in_day = absl::StrCat("start_time > ", Time(now - kDay).text,
                                          " AND start_time <= ", Time(now + kDay).text);
  session.Queue(absl::StrCat(
      "INSERT INTO daily_use (account_id, kind, other, start_time, uses) VALUES ",
      absl::StrJoin(rows, ","), " ON DUPLICATE KEY UPDATE uses = IF(", in_day,
      ", uses, 0) + VALUES(uses), start_time = IF(", in_day, ", start_time, VALUES(start_time))"));
}

QuotaWindow LoadDailyUse(Session& session, const AccountId& account, DailyUse use,
                         const AccountId& other, Lock lock) {
  Rows rows = session.Query(absl::StrCat("SELECT start_time, uses FROM daily_use"
                                         " WHERE account_id = ? AND kind = ? AND other = ?",
                                         Suffix(lock)),
                            {Bind(account), Bind(use), Bind(other)});
  QuotaWindow window;
  if (!rows.Next()) return window;
  window.start = rows.Time();
  window.uses = rows.Int();
  return window;
}

int64_t PurgeDailyUses(Session& session, absl::Time before, int64_t limit) {
  Rows rows = session.Query(
      "SELECT account_id, kind, other FROM daily_use WHERE start_time < ?"
      " ORDER BY start_time LIMIT ? FOR UPDATE SKIP LOCKED",
      {Bind(before), Bind(limit)});
  std::vector<std::string> keys;
  while (rows.Next()) {
    const sqltext::Literal account = sqltext::Id(rows.Account());
    const sqltext::Literal kind = Int(rows.Int());
    keys.push_back(RowOf({account, kind, sqltext::Id(rows.Account())}));
  }
  if (!keys.empty()) {
    session.Queue(absl::StrCat("DELETE FROM daily_use WHERE (account_id, kind, other) IN (",
                               absl::StrJoin(keys, ","), ")"));
  }
  return static_cast<int64_t>(keys.size());
}

}  // namespace contacts::store
