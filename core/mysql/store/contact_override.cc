#include "core/mysql/store/contact_override.h"

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
  session.Queue(Fill("INSERT INTO contact_override (id, reason, create_time) VALUES (?, ?, ?)",
                     {sqltext::Id(record.id), Utf8(record.reason), Time(record.create_time)}));
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
      "HEX(o.id), {o.reason}, o.create_time, i.service_id, i.role, i.old_contact, i.new_contact",
      absl::StrCat(" FROM contact_override o"
                   " JOIN contact_override_item i ON i.override_id = o.id WHERE o.id IN ",
                   in.placeholders, " ORDER BY o.id, i.service_id, i.role"),
      in.params);
  std::vector<ContactOverride> records;
  while (rows.Next()) {
    ContactOverride record;
    record.id = rows.Id();
    record.reason = rows.String();
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

}  // namespace contacts::store
