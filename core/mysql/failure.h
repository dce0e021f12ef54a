#ifndef CONTACTS_CORE_MYSQL_FAILURE_H_
#define CONTACTS_CORE_MYSQL_FAILURE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "core/mysql/database.h"

namespace contacts {

// What an error of the database means for the work that met it.
enum class Failure {
  kConflict,   // Deadlock, lock wait, certification: the transaction was or must
               // be rolled back.
  kDuplicate,  // A key is taken: deciding again with fresh data tells why.
  kLost,       // The server or the way to it is gone, or it is not the writable one.
  kFull,       // A limit of the database's: connections, statements, disk. Others may
               // go on.
  kTooLarge,   // A statement beyond max_allowed_packet.
  kRefused,    // The login or the database.
  kKilled,     // Stopped by a time limit or by the watchdog.
  kDefect,
};

Failure Classify(int code);

// The member is there and has no room for one more connection.
bool IsFull(int code);
// What a member answers, when it is asked what it is, until somebody changes
// the login, the database or a right.
bool IsRefusal(int code);

// An error for the log and for an operator, in one line. `text`: what the
// database said.
std::string Describe(const DatabaseOptions& options, int code, absl::string_view text);

// What a caller is told of a kFull, kTooLarge, kRefused or kLost failure.
std::string ForCaller(int code);

}  // namespace contacts

#endif  // CONTACTS_CORE_MYSQL_FAILURE_H_
