#include "core/mysql/store/quota_window.h"

#include "core/mysql/encoder.h"

namespace contacts::store {
namespace {

using sqltext::Fill;
using sqltext::Int;
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

}  // namespace contacts::store
