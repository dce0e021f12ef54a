#include "core/mysql/store/account.h"

#include "absl/strings/str_cat.h"
#include "core/mysql/encoder.h"
#include "core/mysql/store/statements.h"

namespace contacts::store {
namespace {

using sqltext::Ascii;
using sqltext::Fill;
using sqltext::Int;
using sqltext::Number;
using sqltext::Time;
using sqltext::Utf8;

constexpr char kAccountColumns[] =
    "a.id, {a.email}, {a.language}, a.standing, a.version, a.create_time, a.update_time";

Account ReadAccount(Rows& rows) {
  Account account;
  account.id = rows.Account();
  account.email = rows.String();
  account.language = rows.String();
  account.standing = rows.As<BillingStanding>();
  account.version = rows.Int();
  account.create_time = rows.Time();
  account.update_time = rows.Time();
  return account;
}

std::vector<Account> ReadAccounts(Session& session, const std::set<AccountId>& ids,
                                  const char* suffix) {
  const InList in = MakeInList(ids);
  Rows rows = session.Select(
      kAccountColumns, absl::StrCat(" FROM account a WHERE a.id IN ", in.placeholders, suffix),
      in.params);
  std::vector<Account> accounts;
  while (rows.Next()) accounts.push_back(ReadAccount(rows));
  return accounts;
}

const Table& AccountTable() {
  static const auto& table = *new Table{
      "account", {"id", "email", "language", "standing", "version", "create_time", "update_time"}};
  return table;
}

std::string AccountRow(const Account& account) {
  return sqltext::RowOf({sqltext::Id(account.id), Utf8(account.email), Ascii(account.language),
                         Number(account.standing), Int(account.version), Time(account.create_time),
                         Time(account.update_time)});
}

}  // namespace

std::optional<Account> LoadAccount(Session& session, const AccountId& id, Lock lock) {
  Rows rows = session.Select(
      kAccountColumns, absl::StrCat(" FROM account a WHERE a.id = ?", Suffix(lock)), {Bind(id)});
  if (!rows.Next()) return std::nullopt;
  return ReadAccount(rows);
}

std::vector<Account> LoadAccounts(Session& session, const std::set<AccountId>& ids) {
  return ReadAccounts(session, ids, "");
}

std::vector<Account> LockAccounts(Session& session, const std::set<AccountId>& ids) {
  return ReadAccounts(session, ids, " ORDER BY a.id FOR UPDATE");
}

std::set<AccountId> LoadExisting(Session& session, const std::set<AccountId>& ids) {
  const InList in = MakeInList(ids);
  Rows rows = session.Query(absl::StrCat("SELECT id FROM account WHERE id IN ", in.placeholders),
                            in.params);
  std::set<AccountId> existing;
  while (rows.Next()) existing.insert(rows.Account());
  return existing;
}

std::vector<AccountId> LoadOverdue(Session& session, const std::set<AccountId>& ids) {
  std::vector<AccountId> overdue;
  for (const Account& account : LoadAccounts(session, ids)) {
    if (account.standing == BillingStanding::kOverdue) overdue.push_back(account.id);
  }
  return overdue;
}

std::vector<Account> PageAccounts(Session& session, const std::string& after, int64_t limit) {
  Rows rows =
      session.Select(kAccountColumns, " FROM account a WHERE a.id > ? ORDER BY a.id LIMIT ?",
                     {Param(after), Bind(limit)});
  std::vector<Account> accounts;
  while (rows.Next()) accounts.push_back(ReadAccount(rows));
  return accounts;
}

AccountsAndUse LoadAccountsAndUse(Session& session, const std::set<AccountId>& ids,
                                  const AccountId& requester, absl::Time now, Lock lock) {
  const InList in = MakeInList(ids);
  std::vector<Param> params = in.params;
  params.insert(params.end(),
                {Bind(requester), Bind(requester), Bind(requester), Bind(ChangeState::kValidating),
                 Bind(now), Bind(requester), Bind(requester)});
  params.insert(params.end(), in.params.begin(), in.params.end());
  // The use comes in rows without an account id. Rows of daily uses have their kind where accounts
  // have their standing.
  const std::string daily = absl::StrCat(
      "SELECT ", PackedColumns("'', other, '', kind, uses, start_time, 0"), " FROM daily_use");
  Rows rows = session.Select(
      kAccountColumns,
      absl::StrCat(" FROM account a WHERE a.id IN ", in.placeholders, " UNION ALL SELECT ",
                   PackedColumns("'', '', '', 0, COUNT(*), "
                                 "IFNULL((SELECT start_time FROM ask_window WHERE account_id = ?),"
                                 " 0), "
                                 "IFNULL((SELECT asks FROM ask_window WHERE account_id = ?), 0)"),
                   " FROM contact_change c"
                   " WHERE c.requester = ? AND c.state = ? AND c.expire_time > ?"
                   " UNION ALL ",
                   daily, " WHERE account_id = ? AND kind IN (1, 2) AND other = ''", " UNION ALL (",
                   daily, " WHERE account_id = ? AND kind = 3 AND other IN ", in.placeholders,
                   Suffix(lock), ")"),
      params);
  AccountsAndUse result;
  while (rows.Next()) {
    if (!rows.IsNull()) {
      result.accounts.push_back(ReadAccount(rows));
      continue;
    }
    rows.Skip();
    const AccountId other = rows.Account();
    rows.Skip();
    if (const auto use = rows.As<DailyUse>(); use != DailyUse()) {
      QuotaWindow window;
      window.uses = rows.Int();
      window.start = rows.Time();
      if (use == DailyUse::kItems) result.use.items = window;
      if (use == DailyUse::kWrongAccounts) result.use.wrong_accounts = window;
      if (use == DailyUse::kMails) result.use.mails.emplace(other, window);
      continue;
    }
    result.use.pending_changes = rows.Int();
    result.use.asks.start = rows.Time();
    result.use.asks.uses = rows.Int();
  }
  return result;
}

void InsertAccounts(Session& session, const std::vector<Account>& accounts) {
  InsertWhole(session, AccountTable(), accounts, AccountRow);
}

void SaveAccounts(Session& session, const std::vector<Account>& accounts) {
  SaveWhole(session, AccountTable(), accounts, AccountRow);
}

void UpdateAccount(Session& session, const Account& account) {
  session.Queue(
      Fill("UPDATE account SET email = ?, language = ?, standing = ?, version = ?,"
           " update_time = ? WHERE id = ?",
           {Utf8(account.email), Ascii(account.language), Number(account.standing),
            Int(account.version), Time(account.update_time), sqltext::Id(account.id)}));
}

}  // namespace contacts::store
