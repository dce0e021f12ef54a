#include "core/mysql/session.h"

#include <cppconn/resultset.h>

#include "core/mysql/connection.h"

namespace contacts {

Rows::Rows(std::unique_ptr<sql::ResultSet> result) : result_(std::move(result)) {}
Rows::Rows(Rows&&) noexcept = default;
Rows::~Rows() = default;

bool Rows::Next() {
  column_ = 0;
  return result_->next();
}

int64_t Rows::Int() { return result_->getInt64(++column_); }

std::string Rows::Text() {
  const sql::SQLString text = result_->getString(++column_);
  return {text.c_str(), text.length()};
}

bool Rows::IsNull() { return result_->isNull(column_ + 1); }

std::optional<absl::Time> Rows::MaybeTime() {
  if (IsNull()) {
    Skip();
    return std::nullopt;
  }
  return Time();
}

Rows Session::Query(const std::string& sql, const std::vector<Param>& params) {
  return Rows(connection_->Query(sql, params));
}

}  // namespace contacts
