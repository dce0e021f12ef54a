#include "core/mysql/store/involvement.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "core/mysql/encoder.h"
#include "core/mysql/store/statements.h"

namespace contacts::store {

using sqltext::Int;
using sqltext::RowOf;

const char kSummaryColumns[] =
    // Deleted accounts are no party any more: one that is made later under the id is another one.
    "HEX(c.id), c.state, c.expire_time, IF(c.requester_gone, '', c.requester), "
    "IF(c.new_contact_gone, '', c.new_contact), c.requester_state, "
    "c.new_contact_state, c.item_count, c.create_time";

std::vector<ChangeSummary> ReadSummaries(Rows rows) {
  std::vector<ChangeSummary> summaries;
  while (rows.Next()) {
    ChangeSummary& summary = summaries.emplace_back();
    summary.id = rows.Id();
    summary.state = rows.As<ChangeState>();
    summary.expire_time = rows.Time();
    summary.requester = rows.Account();
    summary.new_contact = rows.Account();
    summary.requester_state = rows.As<ValidationState>();
    summary.new_contact_state = rows.As<ValidationState>();
    summary.item_count = rows.Int();
    summary.create_time = rows.Time();
  }
  return summaries;
}

namespace {

// "Newest first" starts above every id.
Uuid Before(const Uuid& before) { return before.is_nil() ? Uuid::Max() : before; }

}  // namespace

std::vector<ChangeSummary> ListAccountChanges(Session& session, const AccountId& account,
                                              bool open_only, const Uuid& before, int64_t limit) {
  return ReadSummaries(session.Select(
      kSummaryColumns,
      // Without the hint, MySQL sorts all rows of a large account from by_open, because it is
      // smaller.
      absl::StrCat(" FROM (SELECT change_id FROM involvement FORCE INDEX (",
                   open_only ? "by_open) WHERE account_id = ? AND open = 1"
                             : "PRIMARY) WHERE account_id = ?",
                   " AND change_id < ? ORDER BY change_id DESC LIMIT ?) v"
                   " JOIN contact_change c ON c.id = v.change_id ORDER BY c.id DESC"),
      {Bind(account), Bind(Before(before)), Bind(limit)}));
}

std::vector<ChangeSummary> ListServiceChanges(Session& session, const AccountId& account,
                                              const ServiceId& service, const Uuid& before,
                                              int64_t limit) {
  return ReadSummaries(
      session.Select(kSummaryColumns,
                     // MariaDB reads all of a service's changes for SELECT DISTINCT.
                     " FROM (SELECT i.change_id FROM contact_change_item i"
                     " JOIN involvement n ON n.account_id = ? AND n.change_id = i.change_id"
                     " WHERE i.service_id = ? AND i.change_id < ?"
                     " GROUP BY i.change_id ORDER BY i.change_id DESC LIMIT ?) v"
                     " JOIN contact_change c ON c.id = v.change_id ORDER BY c.id DESC",
                     {Bind(account), Bind(service), Bind(Before(before)), Bind(limit)}));
}

std::set<Uuid> ListOpenChanges(Session& session, const AccountId& account) {
  Rows rows = session.Query(
      "SELECT change_id FROM involvement FORCE INDEX (by_open) WHERE account_id = ? AND open = 1",
      {Bind(account)});
  std::set<Uuid> ids;
  while (rows.Next()) ids.insert(rows.Id());
  return ids;
}

void AddInvolvement(Session& session, const std::set<AccountId>& accounts, const Uuid& change,
                    bool open) {
  std::vector<std::string> rows;
  for (const AccountId& account : accounts) {
    rows.push_back(RowOf({sqltext::Id(account), sqltext::Id(change), Int(open ? 1 : 0)}));
  }
  QueueRows(session, "INSERT IGNORE INTO involvement (account_id, change_id, open) VALUES ", rows);
}

void ShowChangesToAdmins(Session& session, const std::vector<ServiceId>& services) {
  if (services.empty()) return;
  // If a change closes after this, a row marked open is harmless: lists check the change itself.
  session.Queue(
      absl::StrCat("INSERT IGNORE INTO involvement (account_id, change_id, open)"
                   " SELECT DISTINCT s.admin, i.change_id, 1 FROM contact_change_item i"
                   " JOIN service s ON s.id = i.service_id"
                   " AND i.service_create_time IN (0, s.create_time) WHERE i.service_id IN ",
                   sqltext::ListOf(services)));
}

}  // namespace contacts::store
