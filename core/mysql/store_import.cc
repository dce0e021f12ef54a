#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/mysql/encoder.h"
#include "core/mysql/statements.h"
#include "core/mysql/store.h"

// Whole rows of the directory, written many in one statement.
namespace contacts::store {
namespace {

using sqltext::Ascii;
using sqltext::Int;
using sqltext::Number;
using sqltext::Text;
using sqltext::Time;

// A table's columns, the id first, in the order in which RowOf writes them.
struct Table {
  const char* name;
  std::vector<std::string> columns;
};

const Table& TableOf(const Account&) {
  static const auto& table = *new Table{
      "account", {"id", "email", "language", "standing", "version", "create_time", "update_time"}};
  return table;
}

std::string RowOf(const Account& account) {
  return sqltext::RowOf({sqltext::Id(account.id), Text(account.email), Ascii(account.language),
                         Number(account.standing), Int(account.version), Time(account.create_time),
                         Time(account.update_time)});
}

const Table& TableOf(const Service&) {
  static const auto& table = *new Table{
      "service",
      {"id", "kind", "admin", "tech", "billing", "owner_name", "owner_organisation", "owner_email",
       "owner_phone", "owner_address_lines", "owner_city", "owner_postal_code",
       "owner_country_code", "version", "create_time", "update_time"}};
  return table;
}

std::string RowOf(const Service& service) {
  const Owner owner = service.owner.value_or(Owner());
  return sqltext::RowOf({sqltext::Id(service.id), Ascii(service.kind), sqltext::Id(service.admin),
                         sqltext::Id(service.tech), sqltext::Id(service.billing), Text(owner.name),
                         Text(owner.organisation), Text(owner.email), Ascii(owner.phone),
                         Text(absl::StrJoin(owner.address_lines, "\n")), Text(owner.city),
                         Text(owner.postal_code), Ascii(owner.country_code), Int(service.version),
                         Time(service.create_time), Time(service.update_time)});
}

template <typename Row>
std::string InsertOf(const std::vector<Row>& rows) {
  const Table& table = TableOf(rows.front());
  std::string sql = absl::StrCat("INSERT INTO ", table.name, " (",
                                 absl::StrJoin(table.columns, ","), ") VALUES ");
  for (const Row& row : rows) absl::StrAppend(&sql, &row == &rows.front() ? "" : ",", RowOf(row));
  return sql;
}

template <typename Row>
void Insert(Session& session, const std::vector<Row>& rows) {
  if (!rows.empty()) session.Queue(InsertOf(rows));
}

// MySQL and MariaDB have only this form of a multi-row update in common. The rows are
// there and locked, so that none is ever inserted.
template <typename Row>
void Save(Session& session, const std::vector<Row>& rows) {
  if (rows.empty()) return;
  const std::vector<std::string>& columns = TableOf(rows.front()).columns;
  session.Queue(absl::StrCat(InsertOf(rows), " ON DUPLICATE KEY UPDATE ",
                             absl::StrJoin(columns.begin() + 1, columns.end(), ",",
                                           [](std::string* out, const std::string& column) {
                                             absl::StrAppend(out, column, "=VALUES(", column, ")");
                                           })));
}

}  // namespace

std::set<AccountId> LoadExisting(Session& session, const std::set<AccountId>& ids) {
  const InList in = MakeInList(ids);
  Rows rows = session.Query(absl::StrCat("SELECT id FROM account WHERE id IN ", in.placeholders),
                            in.params);
  std::set<AccountId> existing;
  while (rows.Next()) existing.insert(rows.Account());
  return existing;
}

void InsertAccounts(Session& session, const std::vector<Account>& accounts) {
  Insert(session, accounts);
}

void SaveAccounts(Session& session, const std::vector<Account>& accounts) {
  Save(session, accounts);
}

void InsertServices(Session& session, const std::vector<Service>& services) {
  Insert(session, services);
}

void SaveServices(Session& session, const std::vector<Service>& services) {
  Save(session, services);
}

}  // namespace contacts::store
