#ifndef CONTACTS_CORE_MYSQL_PROBE_H_
#define CONTACTS_CORE_MYSQL_PROBE_H_

#include <optional>
#include <string>
#include <utility>

#include "core/mysql/clock.h"
#include "core/mysql/database.h"
#include "core/mysql/sockets.h"

namespace contacts {

// How a member's data is kept the same as that of the others.
enum class MemberKind {
  kAlone,   // By nothing that the member knows of. It may be used if it is not read only.
  kGroup,   // Group Replication. The primary may be used.
  kGalera,  // Galera. Every node accepts writes.
};

// An SQL expression: 1 if a member of this kind says that it may be used, else 0.
std::string UsableExpression(MemberKind kind);

// A member's answer.
struct MemberView {
  bool usable = false;
  bool answered = false;
  bool left_behind = false;  // Its group or cluster may go on without it.
  MemberKind kind = MemberKind::kAlone;
  std::string identity;  // The same for two addresses of one server.
  int code = 0;          // The error's, if it did not answer.
  std::string trouble;   // Why it is not usable.
  DatabaseClock::Sample time;
};

// Asks one member what it is, over a connection of its own. Used by one thread.
class Probe {
 public:
  // `options` and `sockets` must outlive this object.
  Probe(const DatabaseOptions* options, Sockets* sockets, DatabaseOptions::Endpoint member)
      : options_(*options), sockets_(sockets), member_(std::move(member)) {}

  // Asks the member, over the connection of the last look if that is still open. Takes up to 2 s
  // for connecting, and as long for each answer. An error of the database is part of the view.
  MemberView Look();

  // Closes the connection.
  void HangUp();

 private:
  void Connect();
  MemberView Ask();

  const DatabaseOptions& options_;
  Sockets* const sockets_;
  const DatabaseOptions::Endpoint member_;
  Dialled dialled_;
  std::optional<Sockets::Entry> entry_;
  MemberKind kind_ = MemberKind::kAlone;
  std::string identity_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_MYSQL_PROBE_H_
