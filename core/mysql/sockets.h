#ifndef CONTACTS_CORE_MYSQL_SOCKETS_H_
#define CONTACTS_CORE_MYSQL_SOCKETS_H_

#include <cppconn/connection.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/mysql/database.h"

namespace contacts {

// HOST:PORT, an IPv6 address in brackets.
std::string MemberName(const DatabaseOptions::Endpoint& member);

// The sockets of the open connections, so that another thread can shut them. A host that fell
// silent sends no reset, so a thread that waits for its answer would wait until the network's time
// limit. Thread safe.
class Sockets {
 public:
  // Keeps one connection's socket listed, by a descriptor of its own: libmariadb closes its own
  // descriptor when the connection breaks, and the number may then be given to another socket.
  class Entry {
   public:
    Entry(Sockets* sockets, int socket, std::string member);
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry();
    // Ends the connection; its reader gets error 2013 at once.
    void Shut();

   private:
    Sockets* const sockets_;
    const int socket_;  // A duplicate; -1: none.
  };

  // Shuts every socket to `member` (its MemberName).
  void ShutAll(const std::string& member);

 private:
  std::mutex mutex_;
  std::map<int, std::string> open_;  // Member by socket.
};

// The connector knows time limits in whole seconds. Rounds up; 1 at least.
int WholeSeconds(absl::Duration duration);

// A connection and its socket.
struct Dialled {
  std::unique_ptr<sql::Connection> connection;
  int socket = -1;  // -1: not known, as with a connector that is not built on libmariadb.
};

// Connects to `member`. `limit`: of connecting and of each answer; in whole
// seconds, 1 at least. Throws sql::SQLException, with code 2026 where the connection would be less
// safe than `options.tls` wants.
Dialled Dial(const DatabaseOptions& options, const DatabaseOptions::Endpoint& member,
             absl::Duration connect_limit, absl::Duration answer_limit);

}  // namespace contacts

#endif  // CONTACTS_CORE_MYSQL_SOCKETS_H_
