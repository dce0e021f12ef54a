#include "core/mysql/store/account.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
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

// With the pending address.
constexpr char kProfileColumns[] =
    "a.id, {a.email}, {a.language}, a.standing, a.version, a.create_time, a.update_time,"
    " {a.pending_email}, a.pending_expire_time, a.pending_generation, {a.pending_key_id},"
    " a.pending_wrong_tokens";

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

Account ReadProfile(Rows& rows) {
  Account account = ReadAccount(rows);
  account.pending.address = rows.String();
  account.pending.expire_time = rows.Time();
  account.pending.generation = rows.Int();
  account.pending.token_key_id = rows.String();
  account.pending.wrong_tokens = rows.Int();
  return account;
}

std::vector<Account> ReadAccounts(Session& session, const std::set<AccountId>& ids,
                                  const char* suffix) {
  const InList in = MakeInList(ids);
  Rows rows = session.Select(
      kProfileColumns, absl::StrCat(" FROM account a WHERE a.id IN ", in.placeholders, suffix),
      in.params);
  std::vector<Account> accounts;
  while (rows.Next()) accounts.push_back(ReadProfile(rows));
  return accounts;
}

const Table& AccountTable() {
  static const auto& table =
      *new Table{"account",
                 {"id", "email", "language", "standing", "version", "create_time", "update_time",
                  "pending_email", "pending_expire_time", "pending_generation", "pending_key_id",
                  "pending_wrong_tokens"}};
  return table;
}

std::string AccountRow(const Account& account) {
  return sqltext::RowOf({sqltext::Id(account.id), Utf8(account.email), Ascii(account.language),
                         Number(account.standing), Int(account.version), Time(account.create_time),
                         Time(account.update_time), Utf8(account.pending.address),
                         Time(account.pending.expire_time), Int(account.pending.generation),
                         Ascii(account.pending.token_key_id), Int(account.pending.wrong_tokens)});
}

}  // namespace

std::optional<Account> LoadAccount(Session& session, const AccountId& id, Lock lock) {
  Rows rows = session.Select(
      kProfileColumns, absl::StrCat(" FROM account a WHERE a.id = ?", Suffix(lock)), {Bind(id)});
  if (!rows.Next()) return std::nullopt;
  return ReadProfile(rows);
}

std::vector<Account> LoadAccounts(Session& session, const std::set<AccountId>& ids, Lock lock) {
  return ReadAccounts(session, ids, Suffix(lock));
}

std::vector<Account> LockAccounts(Session& session, const std::set<AccountId>& ids) {
  return ReadAccounts(session, ids, " ORDER BY a.id FOR UPDATE");
}

std::set<AccountId> LoadExisting(Session& session, const std::set<AccountId>& ids, Lock lock) {
  const InList in = MakeInList(ids);
  Rows rows = session.Query(
      absl::StrCat("SELECT id FROM account WHERE id IN ", in.placeholders, Suffix(lock)),
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
      session.Select(kProfileColumns, " FROM account a WHERE a.id > ? ORDER BY a.id LIMIT ?",
                     {Param(after), Bind(limit)});
  std::vector<Account> accounts;
  while (rows.Next()) accounts.push_back(ReadProfile(rows));
  return accounts;
}

AccountsAndUse LoadAccountsAndUse(Session& session, const std::set<AccountId>& named,
                                  const std::set<AccountId>& others,
                                  const std::set<AccountId>& recipients, const AccountId& requester,
                                  absl::Time now, Lock lock) {
  const InList in = MakeInList(others);
  const InList named_in = MakeInList(named);
  const InList recipients_in = MakeInList(recipients);
  std::vector<Param> params = in.params;
  params.insert(params.end(), {Bind(requester), Bind(requester), Bind(requester),
                               Bind(ChangeState::kValidating), Bind(now)});
  params.insert(params.end(), named_in.params.begin(), named_in.params.end());
  params.insert(params.end(), {Bind(requester), Bind(requester)});
  params.insert(params.end(), recipients_in.params.begin(), recipients_in.params.end());
  // The use comes in rows without an account id. Rows of daily uses have their kind where accounts
  // have their standing.
  const std::string daily = absl::StrCat(
      "SELECT ", PackedColumns("'', other, '', kind, uses, start_time, 0"), " FROM daily_use");
  const Lock shared = lock == Lock::kNone ? Lock::kNone : Lock::kShare;
  Rows rows = session.Select(
      kAccountColumns,
      absl::StrCat(" FROM account a WHERE a.id IN ", in.placeholders, " UNION ALL SELECT ",
                   PackedColumns("'', '', '', 0, COUNT(*), "
                                 "IFNULL((SELECT start_time FROM ask_window WHERE account_id = ?),"
                                 " 0), "
                                 "IFNULL((SELECT asks FROM ask_window WHERE account_id = ?), 0)"),
                   " FROM contact_change c"
                   " WHERE c.requester = ? AND c.state = ? AND c.expire_time > ?"
                   " UNION ALL (SELECT ",
                   PackedColumns(kAccountColumns), " FROM account a WHERE a.id IN ",
                   named_in.placeholders, Suffix(shared), ") UNION ALL ", daily,
                   " WHERE account_id = ? AND kind IN (1, 2) AND other = ''", " UNION ALL (", daily,
                   " WHERE account_id = ? AND kind = 3 AND other IN ", recipients_in.placeholders,
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
  session.Queue(Fill(
      "UPDATE account SET email = ?, language = ?, standing = ?, version = ?,"
      " update_time = ?, pending_email = ?, pending_expire_time = ?, pending_generation = ?,"
      " pending_key_id = ?, pending_wrong_tokens = ? WHERE id = ?",
      {Utf8(account.email), Ascii(account.language), Number(account.standing), Int(account.version),
       Time(account.update_time), Utf8(account.pending.address), Time(account.pending.expire_time),
       Int(account.pending.generation), Ascii(account.pending.token_key_id),
       Int(account.pending.wrong_tokens), sqltext::Id(account.id)}));
}

void EraseAccount(Session& session, const AccountId& id) {
  const sqltext::Literal account = sqltext::Id(id);
  for (const char* statement :
       {"DELETE FROM account WHERE id = ?", "DELETE FROM reply WHERE actor = ?",
        "DELETE FROM outbox WHERE recipient = ?", "DELETE FROM ask_window WHERE account_id = ?",
        "DELETE FROM address_window WHERE account_id = ?",
        "DELETE FROM daily_use WHERE account_id = ?", "DELETE FROM daily_use WHERE other = ?",
        "DELETE FROM earlier_address WHERE account_id = ?"}) {
    session.Queue(Fill(statement, {account}));
  }
  const auto party = [&](const std::string& who) {
    return absl::StrReplaceAll(
        "c.$_gone = IF(c.$ = @, 1, c.$_gone),"
        " c.$_email_hint = IF(c.$ = @, '', c.$_email_hint)",
        {{"$", who}, {"@", account.text}});
  };
  session.Queue(absl::StrCat(
      "UPDATE involvement n JOIN contact_change c ON c.id = n.change_id SET ", party("requester"),
      ", ", party("new_contact"),
      Fill(" WHERE n.account_id = ? AND ? IN (c.requester, c.new_contact)", {account, account})));
  // Answers of mail servers name the address, masked.
  session.Queue(
      Fill("UPDATE involvement n JOIN contact_change_event e ON e.change_id = n.change_id"
           " SET e.detail = '' WHERE n.account_id = ? AND e.account = ? AND e.detail <> ''",
           {account, account}));
  session.Queue(
      Fill("UPDATE involvement n JOIN contact_change_item i ON i.change_id = n.change_id"
           " SET i.old_contact_gone = 1 WHERE n.account_id = ? AND i.old_contact = ?",
           {account, account}));
  session.Queue(Fill("DELETE FROM involvement WHERE account_id = ?", {account}));
}

}  // namespace contacts::store
