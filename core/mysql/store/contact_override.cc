#include "core/mysql/store/contact_override.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/mysql/encoder.h"
#include "core/mysql/store/statements.h"

namespace contacts::store {
namespace {

using sqltext::Fill;
using sqltext::Number;
using sqltext::RowOf;
using sqltext::Time;
using sqltext::Utf8;

}  // namespace

void InsertOverride(Session& session, const ContactOverride& record) {
  session.Queue(
      Fill("INSERT INTO contact_override (id, reason, staff, create_time) VALUES (?, ?, ?, ?)",
           {sqltext::Id(record.id), Utf8(record.reason), sqltext::Ascii(record.staff),
            Time(record.create_time)}));
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

std::vector<Uuid> ListOverrides(Session& session, const std::optional<ServiceId>& service,
                                const AccountId& account, const Uuid& before, int64_t limit) {
  std::vector<Param> params;
  // One bounded read of an index for each part that the account may have.
  const auto walk = [&](const char* index, const char* account_column) {
    std::string where = " WHERE override_id < ?";
    params.push_back(Bind(before));
    if (service) {
      where += " AND service_id = ?";
      params.push_back(Bind(*service));
    }
    if (!account.empty()) {
      absl::StrAppend(&where, " AND ", account_column, " = ?");
      params.push_back(Bind(account));
    }
    params.push_back(Bind(limit));
    return absl::StrCat("(SELECT override_id FROM contact_override_item FORCE INDEX (", index, ")",
                        where, " AND old_contact <> new_contact",
                        " GROUP BY override_id ORDER BY override_id DESC LIMIT ?)");
  };
  std::string from;
  if (account.empty() && !service) {
    from = "(SELECT id AS override_id FROM contact_override WHERE id < ? ORDER BY id DESC LIMIT ?)";
    params = {Bind(before), Bind(limit)};
  } else if (account.empty()) {
    from = walk("by_service", "");
  } else {
    from = walk(service ? "by_service" : "by_old_contact", "old_contact");
    from += " UNION " + walk(service ? "by_service" : "by_new_contact", "new_contact");
  }
  params.push_back(Bind(limit));
  Rows rows = session.Query(
      absl::StrCat("SELECT override_id FROM (", from, ") u ORDER BY override_id DESC LIMIT ?"),
      params);
  std::vector<Uuid> ids;
  while (rows.Next()) ids.push_back(rows.Id());
  return ids;
}

std::vector<ContactOverride> LoadOverrides(Session& session, const std::set<Uuid>& ids,
                                           std::optional<int64_t> max_items) {
  const InList in = MakeInList(ids);
  std::vector<Param> params = in.params;
  if (max_items) params.push_back(Bind(*max_items));
  Rows rows = session.Select(
      "HEX(o.id), {o.reason}, {o.staff}, o.create_time, i.service_id, i.role, i.old_contact, "
      "i.new_contact",
      absl::StrCat(" FROM contact_override_item i STRAIGHT_JOIN contact_override o"
                   " ON o.id = i.override_id WHERE i.override_id IN ",
                   in.placeholders,
                   // All the same way, so that no more items are read than returned.
                   " ORDER BY i.override_id DESC, i.service_id DESC, i.role DESC",
                   max_items ? " LIMIT ?" : ""),
      params);
  std::vector<ContactOverride> records;
  int64_t items = 0;
  while (rows.Next()) {
    ContactOverride record;
    record.id = rows.Id();
    record.reason = rows.String();
    record.staff = rows.String();
    record.create_time = rows.Time();
    if (records.empty() || records.back().id != record.id) records.push_back(std::move(record));
    OverrideItem& item = records.back().items.emplace_back();
    item.service = rows.Service();
    item.role = rows.As<Role>();
    item.old_contact = rows.Account();
    item.new_contact = rows.Account();
    ++items;
  }
  // The last one may have items beyond the limit.
  if (max_items && items == *max_items) records.pop_back();
  for (ContactOverride& record : records) std::reverse(record.items.begin(), record.items.end());
  return records;
}

}  // namespace contacts::store
