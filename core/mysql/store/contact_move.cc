#include "core/mysql/store/contact_move.h"

#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/mysql/encoder.h"
#include "core/mysql/store/statements.h"

namespace contacts::store {
namespace {

using sqltext::Ascii;
using sqltext::Fill;
using sqltext::Int;
using sqltext::Number;
using sqltext::RowOf;
using sqltext::Time;

constexpr char kInsert[] =
    "INSERT INTO contact_move (service_id, service_create_time, version, role, old_contact,"
    " new_contact, cause, cause_id, time, staff) ";

}  // namespace

void InsertMoves(Session& session, const std::vector<ContactMove>& moves) {
  std::vector<std::string> rows;
  for (const ContactMove& move : moves) {
    rows.push_back(
        RowOf({sqltext::Id(move.service), Time(move.service_create_time), Int(move.version),
               Number(move.role), sqltext::Id(move.old_contact), sqltext::Id(move.new_contact),
               Number(move.origin.cause), sqltext::Id(move.origin.cause_id), Time(move.origin.time),
               Ascii(move.origin.staff)}));
  }
  QueueRows(session, absl::StrCat(kInsert, "VALUES "), rows);
}

void InsertMovesTo(Session& session, const std::vector<ServiceId>& services, Role role,
                   const AccountId& account, const MoveOrigin& origin) {
  if (services.empty()) return;
  session.Queue(
      absl::StrCat(kInsert,
                   Fill(absl::StrCat("SELECT id, create_time, version + 1, ?, ", Name(role),
                                     ", ?, ?, ?, ?, ? FROM service WHERE id IN "),
                        {Number(role), sqltext::Id(account), Number(origin.cause),
                         sqltext::Id(origin.cause_id), Time(origin.time), Ascii(origin.staff)}),
                   sqltext::ListOf(services)));
}

void InsertRemoval(Session& session, const ServiceId& service, const MoveOrigin& origin) {
  std::vector<std::string> roles;
  for (Role role : kRoles) {
    roles.push_back(Fill(absl::StrCat("SELECT id, create_time, version + 1, ?, ", Name(role),
                                      ", '', ?, ?, ?, ? FROM service WHERE id = ?"),
                         {Number(role), Number(origin.cause), sqltext::Id(origin.cause_id),
                          Time(origin.time), Ascii(origin.staff), sqltext::Id(service)}));
  }
  session.Queue(absl::StrCat(kInsert, absl::StrJoin(roles, " UNION ALL ")));
}

std::vector<ContactMove> ListMoves(Session& session, const ServiceId& service,
                                   const std::optional<absl::Time>& registration,
                                   const MovePlace& before, int64_t limit) {
  // A read of the primary key for each part of the place, so that none begins at the newest move:
  // the engines use only the first column of a comparison by several.
  std::vector<std::string> reads;
  std::vector<Param> params;
  const auto read = [&](const char* where, const std::vector<Param>& values) {
    reads.push_back(absl::StrCat("(SELECT * FROM contact_move WHERE service_id = ? AND ", where,
                                 " ORDER BY service_id DESC, service_create_time DESC,"
                                 " version DESC, role DESC LIMIT ?)"));
    params.push_back(Bind(service));
    params.insert(params.end(), values.begin(), values.end());
    params.push_back(Bind(limit));
  };
  const absl::Time newest = before.service_create_time;
  if (newest == absl::InfiniteFuture()) {
    if (registration) {
      read("service_create_time = ?", {Bind(*registration)});
    } else {
      read("service_create_time < ?", {Bind(std::numeric_limits<int64_t>::max())});
    }
  } else {
    // A place in another registration has no moves of this one before it that are to be shown.
    if (registration && newest != *registration) return {};
    read("service_create_time = ? AND version = ? AND role < ?",
         {Bind(newest), Bind(before.version), Bind(before.role)});
    read("service_create_time = ? AND version < ?", {Bind(newest), Bind(before.version)});
    if (!registration) read("service_create_time < ?", {Bind(newest)});
  }
  params.push_back(Bind(limit));
  Rows rows = session.Select(
      "m.service_id, m.role, m.old_contact, m.new_contact, m.cause, HEX(m.cause_id), m.time, "
      "{m.staff},"
      " m.service_create_time, m.version",
      absl::StrCat(" FROM (", absl::StrJoin(reads, " UNION ALL "),
                   ") m ORDER BY m.service_create_time DESC, m.version DESC, m.role DESC LIMIT ?"),
      params);
  std::vector<ContactMove> moves;
  while (rows.Next()) {
    ContactMove& move = moves.emplace_back();
    move.service = rows.Service();
    move.role = rows.As<Role>();
    move.old_contact = rows.Account();
    move.new_contact = rows.Account();
    move.origin.cause = rows.As<MoveCause>();
    move.origin.cause_id = rows.Id();
    move.origin.time = rows.Time();
    move.origin.staff = rows.String();
    move.service_create_time = rows.Time();
    move.version = rows.Int();
  }
  return moves;
}

}  // namespace contacts::store
