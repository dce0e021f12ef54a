#include "core/mysql/failure.h"

#include "absl/strings/str_cat.h"

namespace contacts {

Failure Classify(int code) {
  switch (code) {
    case 1205:  // Lock wait timeout.
    case 1213:  // Deadlock.
    case 3101:  // Group Replication: another member's transaction came first.
    case 3572:  // NOWAIT or SKIP LOCKED found a lock.
    case 1020:  // MariaDB: the record changed since the last read.
    case 1615:  // A prepared statement whose tables change.
      return Failure::kConflict;
    case 1062: return Failure::kDuplicate;
    case 1290:  // Read only.
    case 1792:  // A transaction that is read only.
    case 1836:  // Read only.
    case 1047:  // Galera: not part of the primary component.
    case 1129:  // Host blocked.
    case 1053:  // Shutdown in progress.
    case 1927:  // Connection killed.
    case 3100:  // Group Replication: could not certify.
    case 1180:  // Error during COMMIT, which may have been done.
    case 3032:  // Offline mode.
    case 3169:  // The session was killed.
    case 3168:  // Not available.
    case 3797:  // Group Replication: the wait for what came before a new primary failed.
    case 3799:  // Group Replication is stopping.
    case 1158:  // Network.
    case 1159:  // Network.
    case 1160:  // Network.
    case 1161:  // Network.
    case 4031:  // Disconnected for inactivity.
      return Failure::kLost;
    case 1040:  // Connections of all users.
    case 1203:  // Connections of this user.
    case 1226:  // Another limit of this user.
    case 1461:  // Prepared statements.
    case 1037:  // Memory.
    case 1041:  // Memory.
    case 1038:  // Memory for sorting.
    case 1135:  // Threads.
    case 1197:  // The binary log's cache.
    case 1206:  // Locks.
    case 1637:  // Transactions at once.
    case 5:     // Memory.
    case 1:     // A file could not be made.
    case 2:     // A file could not be read.
    case 20:    // Disk.
    case 23:    // Open files.
    case 1004:  // A file could not be made.
    case 1016:  // A file could not be opened.
    case 3:     // A file could not be written.
    case 28:    // Disk.
    case 1021:  // Disk.
    case 1026:  // A file could not be written.
    case 1030:  // An error of the storage engine, usually 28.
    case 1114:  // Disk: a table is full.
      return Failure::kFull;
    case 1153:  // The server's.
    case 2020:  // The client's.
      return Failure::kTooLarge;
    case 1044:  // No right to the database.
    case 1045:  // Wrong password, or no such user.
    case 1049:  // No such database.
    case 1251:  // A login method that this client does not know.
    case 1698:  // A user that logs in only by the socket.
    case 2059:  // A login method that this client does not know.
    case 2061:  // A login method that needs an encrypted connection.
    case 3118:  // Account locked.
    case 1820:  // Password expired.
    case 1862:  // Password expired.
    case 3159:  // require_secure_transport.
      return Failure::kDenied;
    case 1317:  // Interrupted.
    case 1028:  // Interrupted while it sorted.
    case 1969:  // max_statement_time.
    case 3024:  // max_execution_time.
      return Failure::kKilled;
    default:
      // The client library's own errors are 2xxx, or 0 if it has no number.
      return code == 0 || (code >= 2000 && code < 3000) ? Failure::kLost : Failure::kDefect;
  }
}

bool IsDenied(int code) {
  constexpr int kNoRightToTable = 1142;  // The table of a group's members.
  constexpr int kTls = 2026;             // Also if an encrypted connection is lost.
  return code == kNoRightToTable || code == kTls || Classify(code) == Failure::kDenied;
}

bool IsFull(int code) { return code == 1040 || code == 1203 || code == 1226; }

bool IsInterrupted(int code) { return code == 1317 || code == 1028; }

std::string Describe(const DatabaseOptions& options, int code, absl::string_view text) {
  switch (code) {
    case 1045:
    case 1698:
      return absl::StrCat("refuses the login of user \"", options.user, "\" (", code,
                          "): check --mysql and --mysql_password_file");
    case 1044:
    case 1049:
      return absl::StrCat("has no database \"", options.database, "\", or user \"", options.user,
                          "\" has no right to it (", code, ")");
    case 1142:
      return absl::StrCat(
          "does not say what it is in its group: GRANT SELECT ON"
          " performance_schema.replication_group_members to user \"",
          options.user, "\" (", code, ")");
    case 2026: return absl::StrCat("is not as safe to talk to as wanted (", code, "): ", text);
    case 3159: return "takes encrypted connections only (3159)";
    default: return absl::StrCat("fails: ", code, " ", text);
  }
}

std::string ForCaller(int code) {
  switch (code) {
    case 1040:
    case 1203:
    case 1226: return "the database has no room for more connections";
    case 1461: return "the database has no room for more prepared statements";
    case 1:
    case 3:
    case 20:
    case 28:
    case 1004:
    case 1021:
    case 1026:
    case 1114: return "the database's disk is full";
    case 1030: return "the database's storage fails";
    case 5:
    case 1037:
    case 1038:
    case 1041: return "the database is out of memory";
    case 1153:
    case 2020:
      return "what this call writes is larger than the database takes: its max_allowed_packet "
             "must be raised";
    default:
      switch (Classify(code)) {
        case Failure::kDenied: return "the database refuses this server";
        case Failure::kFull: return "the database has reached a limit of its own";
        default: return "the database is out of reach";
      }
  }
}

}  // namespace contacts
