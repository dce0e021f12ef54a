#include "core/mysql/session.h"

#include <cppconn/resultset.h>

#include <stdexcept>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/mysql/connection.h"

namespace contacts {

Rows::Rows(std::unique_ptr<sql::ResultSet> result, std::size_t packed)
    : result_(std::move(result)), packed_(packed) {}
Rows::Rows(Rows&&) noexcept = default;
Rows::~Rows() = default;

bool Rows::Next() {
  column_ = 0;
  if (!result_->next()) return false;
  if (packed_ > 0) {
    const sql::SQLString text = result_->getString(1);
    row_.assign(text.c_str(), text.length());
    columns_ = absl::StrSplit(row_, Connection::kSeparator);
    if (columns_.size() != packed_) {
      throw std::runtime_error(
          absl::StrCat("a row has ", columns_.size(), " columns; want ", packed_));
    }
  }
  return true;
}

int64_t Rows::Int() {
  if (packed_ == 0) return result_->getInt64(++column_);
  int64_t number = 0;
  if (!absl::SimpleAtoi(columns_.at(column_++), &number)) {
    throw std::runtime_error(absl::StrCat("column ", column_, " of a row is no number"));
  }
  return number;
}

std::string Rows::String() {
  if (packed_ > 0) return std::string(columns_.at(column_++));
  const sql::SQLString text = result_->getString(++column_);
  return {text.c_str(), text.length()};
}

Uuid Rows::Id() {
  return Uuid::FromBytes(packed_ > 0 ? absl::HexStringToBytes(String()) : String());
}

bool Rows::IsNull() {
  return packed_ > 0 ? columns_.at(column_).empty() : result_->isNull(column_ + 1);
}

std::optional<absl::Time> Rows::MaybeTime() {
  if (IsNull()) {
    Skip();
    return std::nullopt;
  }
  return Time();
}

Rows Session::Query(const std::string& sql, const std::vector<Param>& params) {
  return Rows(connection_->Query(sql, params), 0);
}

Rows Session::Select(const std::string& columns, const std::string& rest,
                     const std::vector<Param>& params) {
  return connection_->Select(columns, rest, params);
}

}  // namespace contacts
