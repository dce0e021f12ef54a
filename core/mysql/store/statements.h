#ifndef CONTACTS_CORE_MYSQL_STORE_STATEMENTS_H_
#define CONTACTS_CORE_MYSQL_STORE_STATEMENTS_H_

#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/mysql/session.h"

// Only for the files of the store.
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
  // Ids are bound as strings. (GCC 12 gives a false warning if a whole Param is moved.)
  for (const auto& id : ids) in.params.emplace_back(std::get<std::string>(Bind(id)));
  // A value that no id has, so that an empty list finds nothing.
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

// Queues a multi-row insert. Does nothing without rows.
inline void QueueRows(Session& session, absl::string_view insert,
                      const std::vector<std::string>& rows) {
  if (!rows.empty()) session.Queue(absl::StrCat(insert, absl::StrJoin(rows, ",")));
}

// Joins an item i of a contact_change c with its service s. A service that was registered again
// under the id of a removed one is another service. Items of earlier versions do not say which of
// them they mean, and the clocks of those servers may differ by a minute.
inline constexpr absl::Duration kClockGrace = absl::Minutes(1);
inline std::string ServiceOfItem(absl::string_view s = "s") {
  return absl::StrCat(s, ".id = i.service_id AND (", s,
                      ".create_time = i.service_create_time OR"
                      " (i.service_create_time = 0 AND ",
                      s, ".create_time < c.create_time + ", absl::ToInt64Microseconds(kClockGrace),
                      "))");
}

// A table's columns, the id first, in the order in which a row is written.
struct Table {
  const char* name;
  std::vector<std::string> columns;
};

// An INSERT of whole rows. `row_of` writes a row as "(a,b)".
template <typename Row, typename RowOf>
std::string InsertOf(const Table& table, const std::vector<Row>& rows, const RowOf& row_of) {
  return absl::StrCat(
      "INSERT INTO ", table.name, " (", absl::StrJoin(table.columns, ","), ") VALUES ",
      absl::StrJoin(rows, ",", [&](std::string* out, const Row& row) { *out += row_of(row); }));
}

// Queues an INSERT of whole rows. Does nothing without rows.
template <typename Row, typename RowOf>
void InsertWhole(Session& session, const Table& table, const std::vector<Row>& rows,
                 const RowOf& row_of) {
  if (!rows.empty()) session.Queue(InsertOf(table, rows, row_of));
}

// Queues an update of every column of rows that exist and are locked. INSERT is the only form of a
// multi-row update that MySQL and MariaDB have in common. The rows exist, so none is inserted.
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
