#ifndef CONTACTS_CORE_MYSQL_SESSION_H_
#define CONTACTS_CORE_MYSQL_SESSION_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/domain/account.h"
#include "core/domain/contact_change.h"
#include "core/domain/ids.h"

namespace sql {
class ResultSet;
}

namespace contacts {

class Connection;

// The rows of one select, read one after the other.
class Rows {
 public:
  // `packed`: number of columns that come as one string (see Session::Select). 0: not packed.
  Rows(std::unique_ptr<sql::ResultSet> result, std::size_t packed);
  Rows(Rows&&) noexcept;
  ~Rows();

  // Moves to the first column of the next row. Returns false after the last row.
  bool Next();

  // Each reads the next column of the row.
  int64_t Int();
  std::string String();
  bool IsNull();  // Checks the next column without reading it.
  void Skip() { ++column_; }

  template <typename Enum>
  Enum As() {
    return static_cast<Enum>(Int());
  }
  AccountId Account() { return AccountId(String()); }
  ServiceId Service() { return ServiceId(String()); }
  Uuid Id();
  absl::Time Time() { return absl::FromUnixMicros(Int()); }
  std::optional<absl::Time> MaybeTime();

 private:
  std::unique_ptr<sql::ResultSet> result_;
  const std::size_t packed_;
  std::string row_;                         // A row of packed columns.
  std::vector<absl::string_view> columns_;  // Of row_.
  uint32_t column_ = 0;
};

// The expression of the string in which Session::Select gets `columns`. Its separator is binary, so
// the whole string is binary and no character set is converted. It has a short name, because each
// result would otherwise contain the whole expression as its name. A separator inside a {column}
// becomes a space.
inline std::string PackedColumns(absl::string_view columns) {
  return absl::StrCat("CONCAT_WS(X'1F', ",
                      absl::StrReplaceAll(columns, {{"{", "REPLACE("}, {"}", ", X'1F', ' ')"}}),
                      ") AS packed");
}

// A value bound to a prepared statement.
using Param = std::variant<int64_t, std::string>;
inline Param Bind(int64_t value) { return value; }
inline Param Bind(const Uuid& id) { return id.bytes(); }
template <typename Kind>
Param Bind(const StringId<Kind>& id) {
  return id.text();
}
inline Param Bind(absl::Time time) { return absl::ToUnixMicros(time); }
template <typename Enum>
requires std::is_enum_v<Enum> Param Bind(Enum value) { return static_cast<int64_t>(value); }

// One run of a Database::Read or Write body. Its methods throw database errors as exceptions. Only
// Database catches them: let them pass. Used by one thread.
class Session {
 public:
  Session(Connection* connection, bool maybe_committed)
      : connection_(connection), maybe_committed_(maybe_committed) {}

  // Runs a select, prepared once per connection: one round trip.
  Rows Query(const std::string& sql, const std::vector<Param>& params);

  // Runs "SELECT columns rest" like Query, with all columns of a row in one string, because the
  // connector spends most of its time on the columns of a result. Write binary ids as HEX(id),
  // columns that may be NULL as IFNULL(column, ''), and texts as {column}.
  Rows Select(const std::string& columns, const std::string& rest,
              const std::vector<Param>& params);

  // Queues a write of a Database::Write body. All writes and COMMIT are sent in one round trip
  // after the body has returned.
  void Queue(std::string sql) { writes_.push_back(std::move(sql)); }

  // Counts a contact change that entered `state`, once the transaction is committed.
  void CountEntered(ChangeState state) { ++entered_[static_cast<std::size_t>(state)]; }

  // Commits the queued writes although the body returns an error.
  void CommitAnyway() { commit_anyway_ = true; }

  // Forgets what was queued and counted so far.
  void DropWrites() {
    writes_.clear();
    entered_ = {};
    commit_anyway_ = false;
  }

  // Whether an earlier run of this body may have been committed.
  bool maybe_committed() const { return maybe_committed_; }

 private:
  friend class Database;
  Connection* const connection_;
  const bool maybe_committed_;
  bool commit_anyway_ = false;
  std::array<int64_t, kChangeStates> entered_ = {};  // By state.
  std::vector<std::string> writes_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_MYSQL_SESSION_H_
