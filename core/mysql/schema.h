#ifndef CONTACTS_CORE_MYSQL_SCHEMA_H_
#define CONTACTS_CORE_MYSQL_SCHEMA_H_

#include <string>
#include <vector>

namespace contacts {

// One step of the schema. Each statement may run again without harm, so a
// migration broken off in the middle is simply run again.
struct Migration {
  int version;
  std::vector<std::string> statements;
};

// All steps, oldest first; the last one's version is what this program needs.
const std::vector<Migration>& Migrations();

}  // namespace contacts

#endif  // CONTACTS_CORE_MYSQL_SCHEMA_H_
