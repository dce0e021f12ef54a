#include "core/mysql/store/pending_role.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/mysql/store/account.h"
#include "core/mysql/store/service.h"
#include "core/mysql/store/statements.h"

namespace contacts::store {

namespace {

const std::string& PendingAndServiceColumns() {
  static const auto& columns = *new std::string(
      absl::StrCat("IFNULL(p.role, ''), IFNULL(HEX(p.change_id), ''), IFNULL(p.expire_time, ''), ",
                   kServiceColumns));
  return columns;
}

// Adds a row of a pending role, whose columns are empty if there is none, and its service.
void ReadServiceAndPending(Rows& rows, ServicesAndPending& result) {
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

}  // namespace

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

std::vector<PendingItemAndAdmin> LoadPendingItems(Session& session,
                                                  const std::set<ServiceId>& services,
                                                  absl::Time now) {
  const InList in = MakeInList(services);
  std::vector<Param> params = in.params;
  params.push_back(Bind(now));
  Rows rows = session.Select(
      "p.service_id, p.role, c.requester, c.new_contact, s.admin",
      absl::StrCat(" FROM pending_role p"
                   " JOIN service s ON s.id = p.service_id"
                   " JOIN contact_change c ON c.id = p.change_id"
                   " WHERE p.service_id IN ",
                   in.placeholders, " AND p.expire_time > ? ORDER BY p.service_id, p.role"),
      params);
  std::vector<PendingItemAndAdmin> items;
  while (rows.Next()) {
    PendingItem item;
    item.role.service = rows.Service();
    item.role.role = rows.As<Role>();
    item.requester = rows.Account();
    item.new_contact = rows.Account();
    items.push_back({std::move(item), rows.Account()});
  }
  return items;
}

ServicesAndPending LoadServicesAndPending(Session& session, const std::set<ServiceId>& ids,
                                          Lock lock) {
  const InList in = MakeInList(ids);
  Rows rows =
      session.Select(PendingAndServiceColumns(),
                     absl::StrCat(" FROM service s LEFT JOIN pending_role p ON p.service_id = s.id"
                                  " WHERE s.id IN ",
                                  in.placeholders, " ORDER BY s.id, p.role", Suffix(lock)),
                     in.params);
  ServicesAndPending result;
  while (rows.Next()) ReadServiceAndPending(rows, result);
  return result;
}

RequesterAndServices LoadRequesterAndServices(Session& session, const AccountId& requester,
                                              const std::set<ServiceId>& ids, Lock lock) {
  InList in = MakeInList(ids);
  in.params.push_back(Bind(requester));
  // The account is one row of a unique key, so both engines lock it before the services.
  Rows rows = session.Select(
      absl::StrCat("a.email <> '', ", PendingAndServiceColumns()),
      absl::StrCat(" FROM account a JOIN service s ON a.id IN (s.admin, s.tech, s.billing)"
                   " LEFT JOIN pending_role p ON p.service_id = s.id WHERE s.id IN ",
                   in.placeholders, " AND a.id = ? ORDER BY s.id, p.role", Suffix(lock)),
      in.params);
  RequesterAndServices result;
  while (rows.Next()) {
    result.may_ask = rows.Int() != 0;
    ReadServiceAndPending(rows, result);
  }
  if (result.services.empty()) {  // No row. One more round trip.
    const std::optional<Account> account = LoadAccount(session, requester, lock);
    result.may_ask = account && !account->email.empty();
  }
  return result;
}

std::optional<ServiceAndPending> LoadServiceAndPending(Session& session, const ServiceId& id,
                                                       const AccountId& contact, absl::Time now) {
  Rows rows = session.Select(PendingAndServiceColumns(),
                             " FROM service s LEFT JOIN pending_role p"
                             " ON p.service_id = s.id AND p.expire_time > ? WHERE s.id = ?"
                             " AND ? IN (s.admin, s.tech, s.billing) ORDER BY p.role",
                             {Bind(now), Bind(id), Bind(contact)});
  ServicesAndPending loaded;
  while (rows.Next()) ReadServiceAndPending(rows, loaded);
  if (loaded.services.empty()) return std::nullopt;
  return ServiceAndPending{std::move(loaded.services.front()), std::move(loaded.pending)};
}

}  // namespace contacts::store
