#ifndef CONTACTS_CORE_MYSQL_FAILURE_H_
#define CONTACTS_CORE_MYSQL_FAILURE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "core/mysql/database.h"

namespace contacts {

// Kinds of errors of the database, by their meaning for the work that met them.
enum class Failure {
  kConflict,   // Deadlock, lock wait or certification. The transaction must be rolled back.
  kDuplicate,  // A key is taken. Deciding again with fresh data tells why.
  kLost,       // The server or its network is gone, or the server is not the writable one.
  kFull,       // A limit of the database: connections, statements, memory, disk. Other work may
               // succeed.
  kTooLarge,   // A statement is longer than max_allowed_packet.
  kDenied,     // The login, or access to the database.
  kKilled,     // Stopped by a time limit or by the watchdog.
  kDefect,     // Anything else.
};

// `code`: the error's number in MySQL or MariaDB, or the client library's.
Failure Classify(int code);

// The member answers, and has no room for one more connection.
bool IsFull(int code);
// The database stopped a statement: an operator's KILL, a time limit, or Galera.
bool IsInterrupted(int code);
// The member denies access until somebody changes the login, the database or a right.
bool IsDenied(int code);

// The error in one line, for the log and for an operator. `text`: the database's own message.
std::string Describe(const DatabaseOptions& options, int code, absl::string_view text);

// The message to a caller about a kFull, kTooLarge, kDenied or kLost failure.
std::string ForCaller(int code);

}  // namespace contacts

#endif  // CONTACTS_CORE_MYSQL_FAILURE_H_
