#include "core/mysql/schema.h"

#include <cppconn/exception.h>
#include <cppconn/resultset.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/mysql/connection.h"
#include "core/mysql/encoder.h"

namespace contacts {
namespace {

// Replaces {…} by a column type. Each type names its character set, as the engines have different
// defaults. Times are in microseconds since the Unix epoch.
std::string Expand(const std::string& statement) {
  return absl::StrReplaceAll(
      statement,
      {{"{uuid}", "BINARY(16) NOT NULL"},
       {"{account}", "VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL"},
       {"{service}", "VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin NOT NULL"},
       {"{name}", "VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL"},
       {"{text}", "VARCHAR(640) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL"},
       {"{time}", "BIGINT NOT NULL"},
       {"{time?}", "BIGINT NULL"},
       {"{int}", "BIGINT NOT NULL"},
       {"{enum}", "TINYINT NOT NULL"},
       {"{table}", "ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"}});
}

// The columns of one validator. Both validators are in the change's row, requester_… and
// new_contact_…, so that one lock and one read cover every answer.
std::string ValidatorColumns(const std::string& who) {
  return absl::StrReplaceAll(
      "$_state {enum}, $_decide_time {time?}, $_refuse_reason {text}, $_email_send_time {time?}, "
      "$_email_hint {text}, $_generation {int}, $_token_key_id {name}, $_wrong_tokens {int}, "
      "$_last_request_time {time}, $_resend_day_start {time}, $_resends_in_day {int}, ",
      {{"$", who}});
}

std::string OtherResendColumns(const std::string& who) {
  return absl::StrReplaceAll(
      " ADD COLUMN $_other_last_request_time {time} DEFAULT 0,"
      " ADD COLUMN $_other_resend_day_start {time} DEFAULT 0,"
      " ADD COLUMN $_other_resends_in_day {int} DEFAULT 0",
      {{"$", who}});
}

std::vector<Migration> Build() {
  std::vector<Migration> migrations = {
      {1,
       {
           "CREATE TABLE IF NOT EXISTS account ("
           " id {account}, email {text}, language {name}, standing {enum}, version {int},"
           " create_time {time}, update_time {time}, PRIMARY KEY (id)) {table}",

           "CREATE TABLE IF NOT EXISTS service ("
           " id {service}, kind {name}, admin {account}, tech {account}, billing {account},"
           " owner_name {text}, owner_organisation {text}, owner_email {text}, owner_phone {name},"
           " owner_address_lines {text}, owner_city {text}, owner_postal_code {text},"
           " owner_country_code {name}, version {int}, create_time {time}, update_time {time},"
           " PRIMARY KEY (id), KEY by_admin (admin, id), KEY by_tech (tech, id),"
           " KEY by_billing (billing, id)) {table}",

           "CREATE TABLE IF NOT EXISTS contact_change ("
           " id {uuid}, batch_id {uuid}, requester {account}, new_contact {account}, state {enum},"
           " create_time {time}, expire_time {time}, close_time {time?}, remind_time {time?},"
           " timer_time {time?}, item_count {int}, event_count {int}, " +
               ValidatorColumns("requester") + ValidatorColumns("new_contact") +
               " PRIMARY KEY (id), KEY by_requester (requester, state, expire_time),"
               " KEY by_batch (batch_id), KEY by_timer (timer_time)) {table}",

           "CREATE TABLE IF NOT EXISTS contact_change_item ("
           " change_id {uuid}, service_id {service}, role {enum}, old_contact {account},"
           " outcome {enum}, PRIMARY KEY (change_id, service_id, role),"
           " KEY by_service (service_id, change_id)) {table}",

           // At most one pending change for a service and role: the primary key decides races.
           "CREATE TABLE IF NOT EXISTS pending_role ("
           " service_id {service}, role {enum}, change_id {uuid}, expire_time {time},"
           " PRIMARY KEY (service_id, role), KEY by_change (change_id)) {table}",

           // The accounts that a change may concern, to list an account's changes by one index.
           "CREATE TABLE IF NOT EXISTS involvement ("
           " account_id {account}, change_id {uuid}, open {enum},"
           " PRIMARY KEY (account_id, change_id), KEY by_open (account_id, open, change_id),"
           " KEY by_change (change_id)) {table}",

           "CREATE TABLE IF NOT EXISTS contact_change_event ("
           " change_id {uuid}, ordinal {int}, id {uuid}, type {enum}, actor {account},"
           " account {account}, time {time}, state {enum},"
           " PRIMARY KEY (change_id, ordinal)) {table}",

           "CREATE TABLE IF NOT EXISTS contact_override ("
           " id {uuid}, reason {text}, create_time {time}, PRIMARY KEY (id)) {table}",

           "CREATE TABLE IF NOT EXISTS contact_override_item ("
           " override_id {uuid}, service_id {service}, role {enum}, old_contact {account},"
           " new_contact {account}, PRIMARY KEY (override_id, service_id, role)) {table}",

           // A call's answer, written in the call's own transaction.
           "CREATE TABLE IF NOT EXISTS reply ("
           " actor {name}, request_id {uuid}, fingerprint BINARY(32) NOT NULL,"
           " reply MEDIUMBLOB NOT NULL, create_time {time},"
           " PRIMARY KEY (actor, request_id), KEY by_create_time (create_time)) {table}",

           // E-mails to deliver. A claim sets next_try_time to the end of its lease.
           "CREATE TABLE IF NOT EXISTS outbox ("
           " id {uuid}, kind {enum}, subject {uuid}, recipient {account}, address {text},"
           " generation {int}, create_time {time}, tries {int}, next_try_time {time},"
           " claim {name}, PRIMARY KEY (id), KEY by_next_try (next_try_time)) {table}",
       }},
      {2,
       {
           // Committed events without a position in the feed yet.
           "CREATE TABLE IF NOT EXISTS feed_queue ("
           " change_id {uuid}, ordinal {int}, PRIMARY KEY (change_id, ordinal)) {table}",

           // Events in the order in which they are streamed. Positions are given under the lock
           // of feed_head, so no position becomes visible before a lower one.
           "CREATE TABLE IF NOT EXISTS feed ("
           " position {int}, change_id {uuid}, ordinal {int}, time {time},"
           " PRIMARY KEY (position)) {table}",

           // One row: the last position given, and the last one removed.
           "CREATE TABLE IF NOT EXISTS feed_head ("
           " id {enum}, last_position {int}, removed_position {int}, PRIMARY KEY (id)) {table}",
           "INSERT IGNORE INTO feed_head (id, last_position, removed_position) VALUES (1, 0, 0)",
       }},
      {3,
       {
           // How often an account asked in the minute that begins at start_time.
           "CREATE TABLE IF NOT EXISTS ask_window ("
           " account_id {account}, start_time {time}, asks {int}, PRIMARY KEY (account_id)) "
           "{table}",
       }},
      {4,
       {
           // How often an account changed its own address in the day that begins at start_time.
           "CREATE TABLE IF NOT EXISTS address_window ("
           " account_id {account}, start_time {time}, changes {int}, PRIMARY KEY (account_id)) "
           "{table}",
       }},
      {5,
       {
           // The line of the outbox. waits: 0 for e-mails in line, ordered by priority and turn;
           // 1 for e-mails that are claimed or put back, which join the line at next_try_time.
           // cause: the account or operator that caused the e-mail. Servers of the version
           // before write the defaults, which are first in line.
           "ALTER TABLE outbox ADD COLUMN waits {enum} DEFAULT 0,"
           " ADD COLUMN priority {enum} DEFAULT 0, ADD COLUMN turn {int} DEFAULT 0,"
           " ADD COLUMN cause {name} DEFAULT '', ADD KEY by_turn (waits, priority, turn),"
           " ADD KEY by_cause (cause, priority, turn), ADD KEY by_wait (waits, next_try_time),"
           " ADD KEY by_subject (subject)",
           "UPDATE outbox SET waits = 1 WHERE turn = 0",
       }},
      {6,
       {
           // 0 if a server of an earlier version wrote the item.
           "ALTER TABLE contact_change_item"
           " ADD COLUMN service_create_time BIGINT NOT NULL DEFAULT 0",
       }},
      {7,
       {
           // How often an account did something in the day that begins at start_time. `other`: the
           // recipient of e-mails.
           "CREATE TABLE IF NOT EXISTS daily_use ("
           " account_id {account}, kind {enum}, other {account}, start_time {time}, uses {int},"
           " PRIMARY KEY (account_id, kind, other), KEY by_start (start_time)) {table}",
       }},
      {8,
       {
           // The history of each service's contacts. version: of the service after the move, which
           // orders the moves. Servers of the version before write no rows.
           "CREATE TABLE IF NOT EXISTS contact_move ("
           " service_id {service}, service_create_time {time}, version {int}, role {enum},"
           " old_contact {account}, new_contact {account}, cause {enum}, cause_id {uuid},"
           " time {time}, staff {name},"
           " PRIMARY KEY (service_id, service_create_time, version, role)) {table}",

           "ALTER TABLE contact_change_item ADD COLUMN withdrawn_by {account} DEFAULT '',"
           " ADD KEY by_old_contact (old_contact, change_id)",
           // The acts of the support desk and of operators, and indexes for the desk's searches.
           "ALTER TABLE contact_change ADD COLUMN abort_reason {text} DEFAULT '',"
           " ADD KEY by_requester_id (requester, id), ADD KEY by_new_contact (new_contact, id)",
           "ALTER TABLE contact_change_event ADD COLUMN by_staff {enum} DEFAULT 0,"
           " ADD COLUMN staff {name} DEFAULT '', ADD COLUMN detail {text} DEFAULT ''",
           "ALTER TABLE contact_override ADD COLUMN staff {name} DEFAULT ''",
           "ALTER TABLE contact_override_item ADD KEY by_service (service_id, override_id),"
           " ADD KEY by_old_contact (old_contact, override_id),"
           " ADD KEY by_new_contact (new_contact, override_id)",
       }},
      {9,
       {
           // Resends to a validator that another account asked for. Servers of the version before
           // count all resends in the columns without other_.
           "ALTER TABLE contact_change" + OtherResendColumns("requester") + "," +
               OtherResendColumns("new_contact"),
           // For the removal of closed changes.
           "ALTER TABLE contact_change ADD KEY by_close (close_time)",
           "ALTER TABLE feed ADD KEY by_change (change_id)",
       }},
      {10,
       {
           // Digests of the addresses that tokens of an account went to before replace_time.
           "CREATE TABLE IF NOT EXISTS earlier_address ("
           " account_id {account}, digest BINARY(32) NOT NULL, replace_time {time},"
           " PRIMARY KEY (account_id, digest), KEY by_replace_time (replace_time)) {table}",
       }},
      {11,
       {
           // The address that an account asked for and has not confirmed; '' for none.
           "ALTER TABLE account ADD COLUMN pending_email {text} DEFAULT '',"
           " ADD COLUMN pending_expire_time {time} DEFAULT 0,"
           " ADD COLUMN pending_generation {int} DEFAULT 0,"
           " ADD COLUMN pending_key_id {name} DEFAULT '',"
           " ADD COLUMN pending_wrong_tokens {int} DEFAULT 0",
           "ALTER TABLE outbox ADD COLUMN masked_address {text} DEFAULT ''",
       }},
      {12,
       {
           // Whether the account was deleted. One that is made later under its id is another one.
           "ALTER TABLE contact_change ADD COLUMN requester_gone {enum} DEFAULT 0,"
           " ADD COLUMN new_contact_gone {enum} DEFAULT 0",
           "ALTER TABLE contact_change_item ADD COLUMN old_contact_gone {enum} DEFAULT 0",
           "ALTER TABLE outbox ADD KEY by_recipient (recipient)",
       }},
      {13,
       {
           // For the latest move of a role.
           "ALTER TABLE contact_move"
           " ADD KEY by_role (service_id, role, service_create_time, version)",
           // For lists of services by two of their contacts.
           "ALTER TABLE service ADD KEY by_admin_tech (admin, tech, id),"
           " ADD KEY by_admin_billing (admin, billing, id),"
           " ADD KEY by_tech_billing (tech, billing, id)",
           // For the end of an account.
           "ALTER TABLE daily_use ADD KEY by_other (other)",
           // When an address was last in use; 0 if it was only asked for.
           "ALTER TABLE earlier_address ADD COLUMN use_end_time {time} DEFAULT 0",
           "UPDATE earlier_address SET use_end_time = replace_time",
       }},
  };
  for (Migration& migration : migrations) {
    for (std::string& statement : migration.statements) statement = Expand(statement);
  }
  return migrations;
}

// Whether the error says that the statement was run before.
bool WasRunBefore(int code) {
  return code == 1050 ||  // The table exists.
         code == 1060 ||  // The column exists.
         code == 1061 ||  // The key exists.
         code == 1091 ||  // The column or key to drop is gone.
         code == 1051;    // The table to drop is gone.
}

void ExecuteOnce(Connection& connection, const std::string& statement) {
  try {
    connection.Execute(statement);
  } catch (const sql::SQLException& error) {
    if (!WasRunBefore(error.getErrorCode())) throw;
  }
}

}  // namespace

void ApplyMigrations(Connection& connection, const std::vector<Migration>& steps, absl::Time now) {
  connection.Execute(
      "CREATE TABLE IF NOT EXISTS schema_version (version INT NOT NULL, apply_time BIGINT NOT NULL,"
      " oldest_program INT NOT NULL DEFAULT 1, PRIMARY KEY (version))"
      " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci");
  std::unique_ptr<sql::ResultSet> column = connection.Query(
      "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()"
      " AND table_name = 'schema_version' AND column_name = 'oldest_program'",
      {});
  column->next();
  if (column->getInt(1) == 0) {
    ExecuteOnce(connection,
                "ALTER TABLE schema_version ADD COLUMN oldest_program INT NOT NULL DEFAULT 1");
  }
  std::unique_ptr<sql::ResultSet> rows = connection.Query("SELECT version FROM schema_version", {});
  std::set<int64_t> applied;
  while (rows->next()) applied.insert(rows->getInt64(1));
  for (const Migration& step : steps) {
    if (applied.contains(step.version)) continue;
    for (const std::string& statement : step.statements) ExecuteOnce(connection, statement);
    connection.Execute(sqltext::Fill(
        "INSERT IGNORE INTO schema_version (version, apply_time, oldest_program) VALUES (?, ?, ?)",
        {sqltext::Int(step.version), sqltext::Time(now), sqltext::Int(step.oldest_program)}));
    spdlog::info("database: schema is at version {}", step.version);
  }
}

SchemaState ReadSchemaState(Connection& connection, int64_t known) {
  SchemaState state;
  std::unique_ptr<sql::ResultSet> tables = connection.Query(
      "SELECT COUNT(*) FROM information_schema.tables"
      " WHERE table_schema = DATABASE() AND table_name = 'schema_version'",
      {});
  if (!tables->next() || tables->getInt(1) == 0) {
    return state;
  }
  std::unique_ptr<sql::ResultSet> newest =
      connection.Query("SELECT COALESCE(MAX(version), 0) FROM schema_version", {});
  if (newest->next()) state.version = newest->getInt64(1);
  // The column exists if a step is applied that this program does not know.
  if (state.version <= known) return state;
  std::unique_ptr<sql::ResultSet> oldest = connection.Query(
      "SELECT COALESCE(MAX(oldest_program), 1) FROM schema_version WHERE version > ?", {known});
  if (oldest->next()) state.oldest_program = oldest->getInt64(1);
  return state;
}

absl::Status CheckSchemaState(const SchemaState& state, int64_t known) {
  if (state.version < known) {
    return absl::FailedPreconditionError(
        absl::StrCat("the database's schema is at version ", state.version, ", want ", known,
                     ": run contactsd --migrate_only, or start with --migrate"));
  }
  if (state.oldest_program > known) {
    return absl::FailedPreconditionError(
        absl::StrCat("the database's schema is at version ", state.version,
                     ", which wants a program for version ", state.oldest_program,
                     " or later; this one is for version ", known, ": run a newer contactsd"));
  }
  return absl::OkStatus();
}

const std::vector<Migration>& Migrations() {
  static const auto& migrations = *new std::vector<Migration>(Build());
  return migrations;
}

}  // namespace contacts
