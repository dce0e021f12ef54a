#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/mysql/encoder.h"
#include "core/mysql/statements.h"
#include "core/mysql/store.h"

namespace contacts::store {
namespace {

using sqltext::Ascii;
using sqltext::Fill;
using sqltext::Int;
using sqltext::Number;
using sqltext::Text;
using sqltext::Time;

constexpr char kAccountColumns[] =
    "a.id, {a.email}, {a.language}, a.standing, a.version, a.create_time, a.update_time";
constexpr char kServiceColumns[] =
    "s.id, {s.kind}, s.admin, s.tech, s.billing, s.version, s.create_time, s.update_time, "
    "{s.owner_name}, {s.owner_organisation}, {s.owner_email}, {s.owner_phone}, "
    "{s.owner_address_lines}, {s.owner_city}, {s.owner_postal_code}, {s.owner_country_code}";

Account ReadAccount(Rows& rows) {
  Account account;
  account.id = rows.Account();
  account.email = rows.Text();
  account.language = rows.Text();
  account.standing = rows.As<BillingStanding>();
  account.version = rows.Int();
  account.create_time = rows.Time();
  account.update_time = rows.Time();
  return account;
}

Service ReadService(Rows& rows) {
  Service service;
  service.id = rows.Service();
  service.kind = rows.Text();
  service.admin = rows.Account();
  service.tech = rows.Account();
  service.billing = rows.Account();
  service.version = rows.Int();
  service.create_time = rows.Time();
  service.update_time = rows.Time();
  Owner& owner = service.owner.emplace();
  owner.name = rows.Text();
  owner.organisation = rows.Text();
  owner.email = rows.Text();
  owner.phone = rows.Text();
  owner.address_lines = absl::StrSplit(rows.Text(), '\n', absl::SkipEmpty());
  owner.city = rows.Text();
  owner.postal_code = rows.Text();
  owner.country_code = rows.Text();
  return service;
}

const char* Column(Role role) { return Name(role); }

}  // namespace

std::optional<Account> LoadAccount(Session& session, const AccountId& id, Lock lock) {
  Rows rows = session.Select(
      kAccountColumns, absl::StrCat(" FROM account a WHERE a.id = ?", Suffix(lock)), {Bind(id)});
  if (!rows.Next()) return std::nullopt;
  return ReadAccount(rows);
}

namespace {

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

}  // namespace

std::vector<Account> LoadAccounts(Session& session, const std::set<AccountId>& ids) {
  return ReadAccounts(session, ids, "");
}

std::vector<Account> LockAccounts(Session& session, const std::set<AccountId>& ids) {
  return ReadAccounts(session, ids, " ORDER BY a.id FOR UPDATE");
}

std::vector<Account> PageAccounts(Session& session, const std::string& after, int64_t limit) {
  Rows rows =
      session.Select(kAccountColumns, " FROM account a WHERE a.id > ? ORDER BY a.id LIMIT ?",
                     {Param(after), Bind(limit)});
  std::vector<Account> accounts;
  while (rows.Next()) accounts.push_back(ReadAccount(rows));
  return accounts;
}

std::vector<Service> PageServices(Session& session, const std::string& after, int64_t limit) {
  Rows rows =
      session.Select(kServiceColumns, " FROM service s WHERE s.id > ? ORDER BY s.id LIMIT ?",
                     {Param(after), Bind(limit)});
  std::vector<Service> services;
  while (rows.Next()) services.push_back(ReadService(rows));
  return services;
}

AccountsAndUse LoadAccountsAndUse(Session& session, const std::set<AccountId>& ids,
                                  const AccountId& requester, absl::Time now) {
  const InList in = MakeInList(ids);
  std::vector<Param> params = in.params;
  params.insert(params.end(), {Bind(requester), Bind(requester), Bind(requester),
                               Bind(ChangeState::kValidating), Bind(now)});
  // The use comes in a row of its own, in the form of an account without id.
  Rows rows = session.Select(
      kAccountColumns,
      absl::StrCat(" FROM account a WHERE a.id IN ", in.placeholders, " UNION ALL SELECT ",
                   PackedColumns("'', '', '', 0, COUNT(*), "
                                 "IFNULL((SELECT start_time FROM ask_window WHERE account_id = ?),"
                                 " 0), "
                                 "IFNULL((SELECT asks FROM ask_window WHERE account_id = ?), 0)"),
                   " FROM contact_change c"
                   " WHERE c.requester = ? AND c.state = ? AND c.expire_time > ?"),
      params);
  AccountsAndUse result;
  while (rows.Next()) {
    Account account = ReadAccount(rows);
    if (account.id.empty()) {
      result.use.pending_changes = account.version;
      result.use.asks.start = account.create_time;
      result.use.asks.uses = absl::ToUnixMicros(account.update_time);
    } else {
      result.accounts.push_back(std::move(account));
    }
  }
  return result;
}

std::vector<AccountId> LoadOverdue(Session& session, const std::set<AccountId>& ids) {
  std::vector<AccountId> overdue;
  for (const Account& account : LoadAccounts(session, ids)) {
    if (account.standing == BillingStanding::kOverdue) overdue.push_back(account.id);
  }
  return overdue;
}

void SaveAskWindow(Session& session, const AccountId& requester, const QuotaWindow& window) {
  session.Queue(
      Fill("INSERT INTO ask_window (account_id, start_time, asks) VALUES (?, ?, ?)"
           " ON DUPLICATE KEY UPDATE start_time = VALUES(start_time), asks = VALUES(asks)",
           {sqltext::Id(requester), Time(window.start), Int(window.uses)}));
}

QuotaWindow LoadAddressWindow(Session& session, const AccountId& account) {
  Rows rows = session.Query("SELECT start_time, changes FROM address_window WHERE account_id = ?",
                            {Bind(account)});
  QuotaWindow window;
  if (!rows.Next()) return window;
  window.start = rows.Time();
  window.uses = rows.Int();
  return window;
}

void SaveAddressWindow(Session& session, const AccountId& account, const QuotaWindow& window) {
  session.Queue(
      Fill("INSERT INTO address_window (account_id, start_time, changes) VALUES (?, ?, ?)"
           " ON DUPLICATE KEY UPDATE start_time = VALUES(start_time), changes = VALUES(changes)",
           {sqltext::Id(account), Time(window.start), Int(window.uses)}));
}

void UpdateAccount(Session& session, const Account& account) {
  session.Queue(
      Fill("UPDATE account SET email = ?, language = ?, standing = ?, version = ?,"
           " update_time = ? WHERE id = ?",
           {Text(account.email), Ascii(account.language), Number(account.standing),
            Int(account.version), Time(account.update_time), sqltext::Id(account.id)}));
}

std::optional<Service> LoadService(Session& session, const ServiceId& id, Lock lock) {
  Rows rows = session.Select(
      kServiceColumns, absl::StrCat(" FROM service s WHERE s.id = ?", Suffix(lock)), {Bind(id)});
  if (!rows.Next()) return std::nullopt;
  return ReadService(rows);
}

ServicesAndPending LoadServicesAndPending(Session& session, const std::set<ServiceId>& ids,
                                          Lock lock, const AccountId& contact) {
  InList in = MakeInList(ids);
  if (!contact.empty()) in.params.push_back(Bind(contact));
  Rows rows = session.Select(
      absl::StrCat("IFNULL(p.role, ''), IFNULL(HEX(p.change_id), ''),"
                   " IFNULL(p.expire_time, ''), ",
                   kServiceColumns),
      absl::StrCat(" FROM service s LEFT JOIN pending_role p ON p.service_id = s.id"
                   " WHERE s.id IN ",
                   in.placeholders, contact.empty() ? "" : " AND ? IN (s.admin, s.tech, s.billing)",
                   " ORDER BY s.id, p.role", Suffix(lock)),
      in.params);
  ServicesAndPending result;
  while (rows.Next()) {
    std::optional<PendingRole> pending;
    if (rows.IsNull()) {
      for (int i = 0; i < 3; ++i) rows.Skip();
    } else {
      pending.emplace();
      pending->role.role = rows.As<Role>();
      pending->change_id = rows.Id();
      pending->expire_time = rows.Time();
    }
    Service service = ReadService(rows);
    if (pending) {
      pending->role.service = service.id;
      result.pending.push_back(*std::move(pending));
    }
    if (result.services.empty() || result.services.back().id != service.id) {
      result.services.push_back(std::move(service));
    }
  }
  return result;
}

std::vector<PendingRole> LoadPendingRoles(Session& session, const std::set<ServiceId>& ids) {
  const InList in = MakeInList(ids);
  Rows rows = session.Select(
      "service_id, role, HEX(change_id), expire_time",
      absl::StrCat(" FROM pending_role WHERE service_id IN ", in.placeholders), in.params);
  std::vector<PendingRole> pending;
  while (rows.Next()) {
    PendingRole& role = pending.emplace_back();
    role.role.service = rows.Service();
    role.role.role = rows.As<Role>();
    role.change_id = rows.Id();
    role.expire_time = rows.Time();
  }
  return pending;
}

std::optional<std::pair<Service, std::vector<Uuid>>> LoadServiceAndPending(Session& session,
                                                                           const ServiceId& id,
                                                                           const AccountId& contact,
                                                                           absl::Time now) {
  Rows rows = session.Select(absl::StrCat("IFNULL(HEX(p.change_id), ''), ", kServiceColumns),
                             " FROM service s LEFT JOIN pending_role p"
                             " ON p.service_id = s.id AND p.expire_time > ? WHERE s.id = ?"
                             " AND ? IN (s.admin, s.tech, s.billing)",
                             {Bind(now), Bind(id), Bind(contact)});
  std::optional<std::pair<Service, std::vector<Uuid>>> result;
  std::set<Uuid> pending;
  while (rows.Next()) {
    if (rows.IsNull()) {
      rows.Skip();
    } else {
      pending.insert(rows.Id());
    }
    if (!result) result.emplace().first = ReadService(rows);
  }
  if (result) result->second.assign(pending.begin(), pending.end());
  return result;
}

std::vector<Service> ListServices(Session& session, const AccountId& account,
                                  const std::vector<Role>& roles, const std::string& prefix,
                                  const std::string& after, int64_t limit) {
  // One bounded walk of one index for each role, then the smallest of them all.
  std::vector<std::string> walks;
  std::vector<Param> params;
  // Ids are ASCII: '~' sorts after every character that they may have.
  const std::string last = prefix + "~";
  const bool from_prefix = after < prefix;
  for (Role role : kRoles) {
    if (!roles.empty() && std::find(roles.begin(), roles.end(), role) == roles.end()) continue;
    walks.push_back(absl::StrCat("(SELECT id FROM service WHERE ", Column(role), " = ? AND id ",
                                 from_prefix ? ">=" : ">", " ? AND id < ? ORDER BY id LIMIT ?)"));
    params.insert(params.end(),
                  {Bind(account), Param(from_prefix ? prefix : after), Param(last), Bind(limit)});
  }
  params.push_back(Bind(limit));
  Rows rows = session.Select(
      kServiceColumns,
      absl::StrCat(" FROM (SELECT id FROM (", absl::StrJoin(walks, " UNION "),
                   ") u ORDER BY id LIMIT ?) w JOIN service s ON s.id = w.id ORDER BY s.id"),
      params);
  std::vector<Service> services;
  while (rows.Next()) services.push_back(ReadService(rows));
  return services;
}

void UpdateOwner(Session& session, const Service& service) {
  const Owner owner = service.owner.value_or(Owner());
  session.Queue(
      Fill("UPDATE service SET owner_name = ?, owner_organisation = ?, owner_email = ?,"
           " owner_phone = ?, owner_address_lines = ?, owner_city = ?, owner_postal_code = ?,"
           " owner_country_code = ?, version = ?, update_time = ? WHERE id = ?",
           {Text(owner.name), Text(owner.organisation), Text(owner.email), Ascii(owner.phone),
            Text(absl::StrJoin(owner.address_lines, "\n")), Text(owner.city),
            Text(owner.postal_code), Ascii(owner.country_code), Int(service.version),
            Time(service.update_time), sqltext::Id(service.id)}));
}

void DeleteService(Session& session, const ServiceId& id) {
  session.Queue(Fill("DELETE FROM service WHERE id = ?", {sqltext::Id(id)}));
}

void MoveRole(Session& session, const std::vector<ServiceId>& services, Role role,
              const AccountId& account, absl::Time now) {
  if (services.empty()) return;
  const std::string list = sqltext::ListOf(services);
  session.Queue(absl::StrCat(Fill(absl::StrCat("UPDATE service SET ", Column(role),
                                               " = ?, version = version + 1, update_time = ?"
                                               " WHERE id IN "),
                                  {sqltext::Id(account), Time(now)}),
                             list));
  if (role == Role::kAdmin) ShowChangesToAdmins(session, services);
}

void ShowChangesToAdmins(Session& session, const std::vector<ServiceId>& services) {
  if (services.empty()) return;
  // Rows marked open stay harmless should the change close meanwhile: lists
  // look at the change itself.
  session.Queue(
      absl::StrCat("INSERT IGNORE INTO involvement (account_id, change_id, open)"
                   " SELECT DISTINCT s.admin, i.change_id, 1 FROM contact_change_item i"
                   " JOIN service s ON s.id = i.service_id"
                   " AND i.service_create_time IN (0, s.create_time) WHERE i.service_id IN ",
                   sqltext::ListOf(services)));
}

}  // namespace contacts::store
