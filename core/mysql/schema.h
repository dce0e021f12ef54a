#ifndef CONTACTS_CORE_MYSQL_SCHEMA_H_
#define CONTACTS_CORE_MYSQL_SCHEMA_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace contacts {

class Connection;

// One step of the schema. A migration that was broken off runs the whole step again, so a
// statement must do no harm when it runs twice: CREATE TABLE IF NOT EXISTS, INSERT IGNORE, an
// UPDATE that finds nothing left to do. ALTER TABLE … ADD or DROP of one column or key, and
// CREATE or DROP INDEX, may be written plainly: the error that it is there, or gone, already is
// taken for success. One change a statement, as both engines do a statement as a whole or not.
struct Migration {
  int version;
  std::vector<std::string> statements;
  // The oldest program, by the last version that it knows, that may run on the schema after this
  // step. Leave it out where every program may.
  int oldest_program = 1;
};

// All steps, oldest first; the last one's version is what this program needs.
const std::vector<Migration>& Migrations();

// Applies those of `steps` that are missing, and records each with its time `now`. Nobody else
// may do so at the same time. Throws sql::SQLException.
void ApplyMigrations(Connection& connection, const std::vector<Migration>& steps, absl::Time now);

// The schema as it was recorded.
struct SchemaState {
  int64_t version = 0;         // 0: none.
  int64_t oldest_program = 1;  // Over the steps that the asking program does not know.
};
// `known`: the last version that the asking program knows. Throws sql::SQLException.
SchemaState ReadSchemaState(Connection& connection, int64_t known);

// FAILED_PRECONDITION, in one line that says what to do, unless a program that knows the versions
// up to `known` may run on it.
absl::Status CheckSchemaState(const SchemaState& state, int64_t known);

}  // namespace contacts

#endif  // CONTACTS_CORE_MYSQL_SCHEMA_H_
