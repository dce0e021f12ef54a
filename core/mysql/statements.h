#ifndef CONTACTS_CORE_MYSQL_STATEMENTS_H_
#define CONTACTS_CORE_MYSQL_STATEMENTS_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/mysql/session.h"
#include "core/mysql/store.h"

// Shared by the store's files alone.
namespace contacts::store {

inline const char* Suffix(Lock lock) { return lock == Lock::kForUpdate ? " FOR UPDATE" : ""; }

// A placeholder list for `IN` and its values. The list is padded, by repeating
// the last value, to one of a few lengths, so that few statements are prepared.
struct InList {
  std::string placeholders;
  std::vector<Param> params;
};
template <typename Range>
InList MakeInList(const Range& ids) {
  InList in;
  for (const auto& id : ids) in.params.push_back(Bind(id));
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

// Of contact_change_event e.
inline constexpr char kEventColumns[] =
    "HEX(e.change_id), e.ordinal, HEX(e.id), e.type, e.actor, e.account, e.time, e.state";
ChangeEvent ReadEvent(Rows& rows);

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STATEMENTS_H_
