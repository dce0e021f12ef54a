#ifndef CONTACTS_SERVER_CONFIG_DATABASE_FLAGS_H_
#define CONTACTS_SERVER_CONFIG_DATABASE_FLAGS_H_

#include <string>

#include "core/mysql/database.h"
#include "server/config/flags.h"

namespace contacts::server {

// The flags that say where the database is and how it is talked to.
class DatabaseFlags {
 public:
  // This must outlive the parsing.
  void Add(Flags& flags);
  // Reads the password's file and sees that the others can be read. Refuses what does not go
  // together, and what would send the password unencrypted beyond loopback.
  DatabaseOptions Check() const;

 private:
  void CheckPassword(bool local, DatabaseOptions& options) const;
  void CheckTls(bool local, DatabaseOptions& options) const;

  std::string uri_;
  std::string password_file_;
  std::string tls_;
  std::string ca_file_;
  std::string cert_file_;
  std::string key_file_;
};

// Overwrites the password of a --mysql on the command line, so that the process list does not show
// it.
void HidePassword(int argc, char** argv);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CONFIG_DATABASE_FLAGS_H_
