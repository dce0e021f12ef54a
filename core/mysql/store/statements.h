#ifndef CONTACTS_CORE_MYSQL_STORE_STATEMENTS_H_
#define CONTACTS_CORE_MYSQL_STORE_STATEMENTS_H_

#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/mysql/session.h"

// Shared by the store's files alone.
namespace contacts::store {

// A placeholder list for `IN` and its values. The list is padded, by repeating
// the last value, to one of a few lengths, so that few statements are prepared.
struct InList {
  std::string placeholders;
  std::vector<Param> params;
};
template <typename Range>
InList MakeInList(const Range& ids) {
  InList in;
  // Ids are bound as strings. (GCC 12 warns falsely where a whole Param is moved.)
  for (const auto& id : ids) in.params.emplace_back(std::get<std::string>(Bind(id)));
  // A value that no id has: an empty list finds nothing.
  if (in.params.empty()) in.params.push_back(std::string());
  for (std::size_t size : {1, 2, 4, 16, 64, 256, 1024, 4096}) {
    if (in.params.size() <= size) {
      in.params.resize(size, in.params.back());
      break;
    }
  }
  in.placeholders = "(?";
  for (std::size_t i = 1; i < in.params.size(); ++i) in.placeholders += ",?";
  in.placeholders += ")";
  return in;
}

// Queues a multi-row insert; nothing where there are no rows.
inline void QueueRows(Session& session, absl::string_view insert,
                      const std::vector<std::string>& rows) {
  if (!rows.empty()) session.Queue(absl::StrCat(insert, absl::StrJoin(rows, ",")));
}

// Joins an item i of a contact_change c with the service s that it is about. A service made anew
// under the id of one that was removed is another. Servers of an earlier version do not say which
// one an item is about, and their clocks may differ by a minute.
inline constexpr absl::Duration kClockGrace = absl::Minutes(1);
inline const std::string& ServiceOfItem() {
  static const auto& condition = *new std::string(
      absl::StrCat("s.id = i.service_id AND (s.create_time = i.service_create_time OR"
                   " (i.service_create_time = 0 AND s.create_time < c.create_time + ",
                   absl::ToInt64Microseconds(kClockGrace), "))"));
  return condition;
}

// A table's columns, the id first, in the order in which a row is written.
struct Table {
  const char* name;
  std::vector<std::string> columns;
};

// An INSERT of whole rows; `row_of` writes one as "(a,b)".
template <typename Row, typename RowOf>
std::string InsertOf(const Table& table, const std::vector<Row>& rows, const RowOf& row_of) {
  return absl::StrCat(
      "INSERT INTO ", table.name, " (", absl::StrJoin(table.columns, ","), ") VALUES ",
      absl::StrJoin(rows, ",", [&](std::string* out, const Row& row) { *out += row_of(row); }));
}

// Queues an INSERT of whole rows; nothing where there are no rows.
template <typename Row, typename RowOf>
void InsertWhole(Session& session, const Table& table, const std::vector<Row>& rows,
                 const RowOf& row_of) {
  if (!rows.empty()) session.Queue(InsertOf(table, rows, row_of));
}

// Queues an update of every column of rows that exist and are locked. MySQL and MariaDB have only
// this form of a multi-row update in common; as the rows exist, none is ever inserted.
template <typename Row, typename RowOf>
void SaveWhole(Session& session, const Table& table, const std::vector<Row>& rows,
               const RowOf& row_of) {
  if (rows.empty()) return;
  const auto update = [](std::string* out, const std::string& column) {
    absl::StrAppend(out, column, "=VALUES(", column, ")");
  };
  session.Queue(
      absl::StrCat(InsertOf(table, rows, row_of), " ON DUPLICATE KEY UPDATE ",
                   absl::StrJoin(table.columns.begin() + 1, table.columns.end(), ",", update)));
}

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_STATEMENTS_H_
