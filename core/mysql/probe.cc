#include "core/mysql/probe.h"

#include <cppconn/exception.h>
#include <cppconn/resultset.h>
#include <cppconn/statement.h>

#include <chrono>
#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "core/mysql/connection.h"
#include "core/mysql/failure.h"

namespace contacts {
namespace {

constexpr int kLostConnection = 2013;
// For connecting and for each answer. A member that takes longer counts as silent.
constexpr absl::Duration kLookLimit = absl::Seconds(2);

// An SQL expression: 1 if the member's group or cluster goes on with it, else 0.
std::string InCluster(MemberKind kind) {
  switch (kind) {
    case MemberKind::kAlone: return "1";
    case MemberKind::kGroup:
      return "(SELECT COALESCE(SUM(member_id = @@server_uuid AND member_state = 'ONLINE') = 1"
             " AND 2 * SUM(member_state <> 'UNREACHABLE') > COUNT(*), 0)"
             " FROM performance_schema.replication_group_members)";
    case MemberKind::kGalera:
      return "(SELECT COUNT(*) = 3 FROM information_schema.global_status WHERE"
             " (variable_name = 'wsrep_ready' AND variable_value = 'ON') OR"
             " (variable_name = 'wsrep_cluster_status' AND variable_value = 'Primary') OR"
             " (variable_name = 'wsrep_local_state' AND variable_value = '4'))";
  }
  return "0";
}

const char* WhyNot(MemberKind kind) {
  switch (kind) {
    case MemberKind::kAlone: return "is read only";
    case MemberKind::kGroup: return "is not the primary of a group of which it sees the majority";
    case MemberKind::kGalera: return "is read only, or not ready in a primary component";
  }
  return "";
}

}  // namespace

std::string UsableExpression(MemberKind kind) {
  return absl::StrCat("(@@global.read_only = 0 AND ", InCluster(kind),
                      kind == MemberKind::kGroup
                          ? " AND (SELECT COUNT(*) FROM "
                            "performance_schema.replication_group_members"
                            " WHERE member_id = @@server_uuid AND member_role = 'PRIMARY') = 1)"
                          : ")");
}

MemberView Probe::Look() {
  while (true) {
    const bool fresh = dialled_.connection == nullptr;
    const absl::Time begin = absl::Now();
    try {
      if (fresh) Connect();
      return Ask();
    } catch (const sql::SQLException& error) {
      HangUp();
      // Only the connection may be gone, unless the time limit ended it.
      if (!fresh && absl::Now() - begin < kLookLimit / 2) continue;
      MemberView seen;
      seen.code = error.getErrorCode();
      // An encrypted connection that breaks may say the same as one that cannot be encrypted.
      if (!fresh && IsDenied(seen.code)) seen.code = kLostConnection;
      seen.kind = kind_;
      seen.trouble = Describe(options_, seen.code, error.what());
      constexpr int kNotReady = 1047;
      if (seen.code == kNotReady) seen.answered = seen.left_behind = true;
      return seen;
    }
  }
}

void Probe::HangUp() {
  entry_.reset();
  dialled_ = {};
}

void Probe::Connect() {
  dialled_ = Dial(options_, member_, kLookLimit, kLookLimit);
  entry_.emplace(sockets_, dialled_.socket, MemberName(member_));
  const std::unique_ptr<sql::Statement> statement(dialled_.connection->createStatement());
  const std::unique_ptr<sql::ResultSet> rows(statement->executeQuery(
      "SHOW GLOBAL VARIABLES WHERE variable_name IN ('wsrep_on', 'hostname', 'port',"
      " 'server_id', 'server_uuid', 'group_replication_group_name')"));
  std::map<std::string, std::string> variables;
  while (rows->next()) {
    variables[rows->getString(1).asStdString()] = rows->getString(2).asStdString();
  }
  kind_ = !variables["group_replication_group_name"].empty() ? MemberKind::kGroup
          : variables["wsrep_on"] == "ON"                    ? MemberKind::kGalera
                                                             : MemberKind::kAlone;
  identity_ = absl::StrJoin(
      {variables["hostname"], variables["port"], variables["server_id"], variables["server_uuid"]},
      "/");
}

MemberView Probe::Ask() {
  MemberView seen;
  seen.kind = kind_;
  seen.identity = identity_;
  const std::unique_ptr<sql::Statement> statement(dialled_.connection->createStatement());
  seen.time.before = std::chrono::steady_clock::now();
  const std::unique_ptr<sql::ResultSet> rows(statement->executeQuery(absl::StrCat(
      "SELECT ", Connection::kMicrosNow, ", ", UsableExpression(kind_), ", ", InCluster(kind_))));
  seen.time.after = std::chrono::steady_clock::now();
  rows->next();
  seen.time.database = absl::FromUnixMicros(rows->getInt64(1));
  seen.answered = true;
  seen.usable = rows->getInt(2) != 0;
  seen.left_behind = rows->getInt(3) == 0;
  if (!seen.usable) seen.trouble = WhyNot(kind_);
  return seen;
}

}  // namespace contacts
