#include "core/mysql/store/service.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/mysql/encoder.h"
#include "core/mysql/store/contact_move.h"
#include "core/mysql/store/involvement.h"
#include "core/mysql/store/statements.h"

namespace contacts::store {
namespace {

using sqltext::Ascii;
using sqltext::Fill;
using sqltext::Int;
using sqltext::Time;
using sqltext::Utf8;

const char* Column(Role role) { return Name(role); }

const Table& ServiceTable() {
  static const auto& table = *new Table{
      "service",
      {"id", "kind", "admin", "tech", "billing", "owner_name", "owner_organisation", "owner_email",
       "owner_phone", "owner_address_lines", "owner_city", "owner_postal_code",
       "owner_country_code", "version", "create_time", "update_time"}};
  return table;
}

std::string ServiceRow(const Service& service) {
  const Owner owner = service.owner.value_or(Owner());
  return sqltext::RowOf({sqltext::Id(service.id), Ascii(service.kind), sqltext::Id(service.admin),
                         sqltext::Id(service.tech), sqltext::Id(service.billing), Utf8(owner.name),
                         Utf8(owner.organisation), Utf8(owner.email), Ascii(owner.phone),
                         Utf8(absl::StrJoin(owner.address_lines, "\n")), Utf8(owner.city),
                         Utf8(owner.postal_code), Ascii(owner.country_code), Int(service.version),
                         Time(service.create_time), Time(service.update_time)});
}

// Index of the services on which one account has `a` and another one `b`, by id.
const char* IndexOf(Role a, Role b) {
  if (a != Role::kAdmin && b != Role::kAdmin) return "by_tech_billing";
  return a == Role::kTech || b == Role::kTech ? "by_admin_tech" : "by_admin_billing";
}

// Those of `changes` with an item on a service of which `account` is admin.
std::set<Uuid> LoadChangesOfAdmin(Session& session, const std::set<Uuid>& changes,
                                  const AccountId& account) {
  const InList in = MakeInList(changes);
  std::vector<Param> params = in.params;
  params.push_back(Bind(account));
  Rows rows = session.Query(
      absl::StrCat("SELECT c.id FROM contact_change c WHERE c.id IN ", in.placeholders,
                   " AND EXISTS (SELECT 1 FROM contact_change_item i JOIN service o ON ",
                   ServiceOfItem("o"), " WHERE i.change_id = c.id AND o.admin = ?)"),
      params);
  std::set<Uuid> found;
  while (rows.Next()) found.insert(rows.Id());
  return found;
}

}  // namespace

const char kServiceColumns[] =
    "s.id, {s.kind}, s.admin, s.tech, s.billing, s.version, s.create_time, s.update_time, "
    "{s.owner_name}, {s.owner_organisation}, {s.owner_email}, {s.owner_phone}, "
    "{s.owner_address_lines}, {s.owner_city}, {s.owner_postal_code}, {s.owner_country_code}";

Service ReadService(Rows& rows) {
  Service service;
  service.id = rows.Service();
  service.kind = rows.String();
  service.admin = rows.Account();
  service.tech = rows.Account();
  service.billing = rows.Account();
  service.version = rows.Int();
  service.create_time = rows.Time();
  service.update_time = rows.Time();
  Owner& owner = service.owner.emplace();
  owner.name = rows.String();
  owner.organisation = rows.String();
  owner.email = rows.String();
  owner.phone = rows.String();
  owner.address_lines = absl::StrSplit(rows.String(), '\n', absl::SkipEmpty());
  owner.city = rows.String();
  owner.postal_code = rows.String();
  owner.country_code = rows.String();
  return service;
}

std::optional<Service> LoadService(Session& session, const ServiceId& id, Lock lock) {
  Rows rows = session.Select(
      kServiceColumns, absl::StrCat(" FROM service s WHERE s.id = ?", Suffix(lock)), {Bind(id)});
  if (!rows.Next()) return std::nullopt;
  return ReadService(rows);
}

std::vector<Service> PageServices(Session& session, const std::string& after, int64_t limit) {
  Rows rows =
      session.Select(kServiceColumns, " FROM service s WHERE s.id > ? ORDER BY s.id LIMIT ?",
                     {Param(after), Bind(limit)});
  std::vector<Service> services;
  while (rows.Next()) services.push_back(ReadService(rows));
  return services;
}

std::vector<Service> ListServices(Session& session, const AccountId& account,
                                  const std::vector<Role>& roles, const std::string& prefix,
                                  const AccountId& contact, const std::string& after, int64_t limit,
                                  absl::Time now) {
  // One bounded read of an index for each role, or pair of roles, then the smallest ids of all.
  std::vector<std::string> walks;
  std::vector<Param> params(6, Bind(account));
  // Ids are ASCII: '~' sorts after every character that they may have.
  const std::string last = prefix + "~";
  const bool from_prefix = after < prefix;
  // Without its name, both engines may take an index with other columns in between, read all
  // services of the account and sort them.
  const auto walk = [&](Role role, std::optional<Role> of_contact) {
    walks.push_back(absl::StrCat(
        "(SELECT id FROM service FORCE INDEX (",
        of_contact ? IndexOf(role, *of_contact) : absl::StrCat("by_", Column(role)), ") WHERE ",
        Column(role), " = ?", of_contact ? absl::StrCat(" AND ", Column(*of_contact), " = ?") : "",
        " AND id ", from_prefix ? ">=" : ">", " ? AND id < ? ORDER BY id LIMIT ?)"));
    params.push_back(Bind(account));
    if (of_contact) params.push_back(Bind(contact));
    params.insert(params.end(), {Param(from_prefix ? prefix : after), Param(last), Bind(limit)});
  };
  for (Role role : kRoles) {
    if (!roles.empty() && std::find(roles.begin(), roles.end(), role) == roles.end()) continue;
    if (contact.empty() || contact == account) {
      walk(role, std::nullopt);
      continue;
    }
    for (Role other : kRoles) {
      if (other != role) walk(role, other);
    }
  }
  params.insert(params.end(), {Bind(limit), Bind(now), Bind(account)});
  // A row for each pending role of a service, or one without. The role is left out if the account
  // may not see it, and has the id of its change if the account sees that as the admin of another
  // service at most. Most changes have no row of involvement for the account.
  constexpr char kSees[] = "(s.admin = ? OR c.requester = ? OR c.new_contact = ?)";
  Rows rows = session.Select(
      absl::StrCat("IFNULL(IF(n.change_id IS NOT NULL OR ", kSees, ", CONCAT(p.role, IF(", kSees,
                   ", '', HEX(p.change_id))), ''), ''), ", kServiceColumns),
      absl::StrCat(" FROM (SELECT id FROM (", absl::StrJoin(walks, " UNION "),
                   ") u ORDER BY id LIMIT ?) w JOIN service s ON s.id = w.id"
                   " LEFT JOIN pending_role p ON p.service_id = s.id AND p.expire_time > ?"
                   " LEFT JOIN contact_change c ON c.id = p.change_id"
                   " LEFT JOIN involvement n ON n.account_id = ? AND n.change_id = p.change_id"
                   " ORDER BY s.id, p.role"),
      params);
  std::vector<Service> services;
  std::vector<std::vector<std::string>> pending_of;  // By service.
  std::set<Uuid> unsure;
  const auto change_of = [](absl::string_view role) {
    return Uuid::FromBytes(absl::HexStringToBytes(role.substr(1)));
  };
  while (rows.Next()) {
    std::string role = rows.String();
    Service service = ReadService(rows);
    if (services.empty() || services.back().id != service.id) {
      services.push_back(std::move(service));
      pending_of.emplace_back();
    }
    if (role.empty()) continue;
    if (role.size() > 1) unsure.insert(change_of(role));
    pending_of.back().push_back(std::move(role));
  }
  std::set<Uuid> seen;
  if (!unsure.empty()) seen = LoadChangesOfAdmin(session, unsure, account);
  for (std::size_t i = 0; i < services.size(); ++i) {
    std::vector<Role>& shown = services[i].pending_roles;
    for (const std::string& role : pending_of[i]) {
      if (role.size() > 1 && !seen.contains(change_of(role))) continue;
      shown.push_back(static_cast<Role>(role[0] - '0'));
    }
  }
  return services;
}

void InsertServices(Session& session, const std::vector<Service>& services) {
  InsertWhole(session, ServiceTable(), services, ServiceRow);
}

void SaveServices(Session& session, const std::vector<Service>& services) {
  SaveWhole(session, ServiceTable(), services, ServiceRow);
}

void UpdateOwner(Session& session, const Service& service) {
  const Owner owner = service.owner.value_or(Owner());
  session.Queue(
      Fill("UPDATE service SET owner_name = ?, owner_organisation = ?, owner_email = ?,"
           " owner_phone = ?, owner_address_lines = ?, owner_city = ?, owner_postal_code = ?,"
           " owner_country_code = ?, version = ?, update_time = ? WHERE id = ?",
           {Utf8(owner.name), Utf8(owner.organisation), Utf8(owner.email), Ascii(owner.phone),
            Utf8(absl::StrJoin(owner.address_lines, "\n")), Utf8(owner.city),
            Utf8(owner.postal_code), Ascii(owner.country_code), Int(service.version),
            Time(service.update_time), sqltext::Id(service.id)}));
}

void DeleteService(Session& session, const ServiceId& id, const MoveOrigin& origin) {
  InsertRemoval(session, id, origin);
  session.Queue(Fill("DELETE FROM service WHERE id = ?", {sqltext::Id(id)}));
}

void MoveRole(Session& session, const std::vector<ServiceId>& services, Role role,
              const AccountId& account, const MoveOrigin& origin) {
  if (services.empty()) return;
  InsertMovesTo(session, services, role, account, origin);
  const std::string list = sqltext::ListOf(services);
  session.Queue(absl::StrCat(Fill(absl::StrCat("UPDATE service SET ", Column(role),
                                               " = ?, version = version + 1, update_time = ?"
                                               " WHERE id IN "),
                                  {sqltext::Id(account), Time(origin.time)}),
                             list));
  if (role == Role::kAdmin) ShowChangesToAdmins(session, services);
}

}  // namespace contacts::store
