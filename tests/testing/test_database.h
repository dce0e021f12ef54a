#ifndef CONTACTS_TESTS_TESTING_TEST_DATABASE_H_
#define CONTACTS_TESTS_TESTING_TEST_DATABASE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/mysql/database.h"

namespace contacts::testing {

// A new database with the schema, on the server or cluster with the URI `server`, by default the
// environment variable CONTACTS_TEST_MYSQL. The destructor drops it. If the variable is missing,
// aborts with the command to run. The schema is that of the contactsd in the environment variable
// CONTACTS_TEST_MIGRATE_BY, if it is set.
class TestDatabase {
 public:
  explicit TestDatabase(const std::string& server = "", std::size_t endpoint = 0);
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  const std::string& uri() const { return uri_; }
  const DatabaseOptions& options() const { return options_; }
  // The URI for the user that servers use, which cannot change the schema.
  std::string server_uri() const;

  // Applies the schema of a contactsd, by its path.
  void Migrate(const std::string& program) const;

  // Sends further statements to another member of the cluster.
  void UseEndpoint(std::size_t endpoint) { endpoint_ = endpoint; }

  // Runs a select and returns the first column of each row, as text.
  std::vector<std::string> Query(const std::string& sql) const;
  int64_t Count(const std::string& sql) const { return std::stoll(Query(sql).at(0)); }
  void Execute(const std::string& sql) const;
  // Every value of every table, as text: what a dump of the database shows.
  std::string Dump() const;

 private:
  std::string uri_;
  DatabaseOptions options_;
  std::size_t endpoint_;
};

}  // namespace contacts::testing

#endif  // CONTACTS_TESTS_TESTING_TEST_DATABASE_H_
