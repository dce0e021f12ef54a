#ifndef CONTACTS_CORE_MYSQL_SCHEMA_H_
#define CONTACTS_CORE_MYSQL_SCHEMA_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace contacts {

class Connection;

// One step of the schema. After a migration that was broken off, the whole step runs again, so each
// statement must do no harm when it runs twice: CREATE TABLE IF NOT EXISTS, INSERT IGNORE, an
// UPDATE that finds nothing left to do. ALTER TABLE with ADD or DROP, CREATE INDEX and DROP INDEX
// may be written plainly: the error that the column or key already exists, or is gone, counts as
// success. Both engines do one statement as a whole or not at all.
struct Migration {
  int version;
  std::vector<std::string> statements;
  // The oldest program that may run on the schema after this step, by the last version that the
  // program knows. 1: every program.
  int oldest_program = 1;
};

// All steps, oldest first. The program needs the version of the last one.
const std::vector<Migration>& Migrations();

// Applies those of `steps` that are missing, and records each with the time `now`. Must not run
// twice at the same time. Throws sql::SQLException.
void ApplyMigrations(Connection& connection, const std::vector<Migration>& steps, absl::Time now);

// The record that the database keeps of its schema.
struct SchemaState {
  int64_t version = 0;         // Of the last step. 0: there is no schema.
  int64_t oldest_program = 1;  // The newest that a step after `known` asks for.
};
// `known`: the last version that this program knows. Throws sql::SQLException.
SchemaState ReadSchemaState(Connection& connection, int64_t known);

// OK if a program that knows the versions up to `known` may run on the schema, else
// FAILED_PRECONDITION with one line that says what to do.
absl::Status CheckSchemaState(const SchemaState& state, int64_t known);

}  // namespace contacts

#endif  // CONTACTS_CORE_MYSQL_SCHEMA_H_
