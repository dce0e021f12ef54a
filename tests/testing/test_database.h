#ifndef CONTACTS_TESTS_TESTING_TEST_DATABASE_H_
#define CONTACTS_TESTS_TESTING_TEST_DATABASE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/mysql/database.h"

namespace contacts::testing {

// A fresh database, with the schema applied, on the server that the environment
// variable CONTACTS_TEST_MYSQL names; dropped at the end. Aborts, saying what to
// run, where the variable is missing.
class TestDatabase {
 public:
  TestDatabase();
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  const std::string& uri() const { return uri_; }
  const DatabaseOptions& options() const { return options_; }
  // The same database for the user that servers run as, which cannot change the schema.
  std::string server_uri() const;

  // Runs a select and returns the first column of each row, as text.
  std::vector<std::string> Query(const std::string& sql) const;
  int64_t Count(const std::string& sql) const { return std::stoll(Query(sql).at(0)); }
  void Execute(const std::string& sql) const;
  // Every value of every table, as text: what a dump of the database shows.
  std::string Dump() const;

 private:
  std::string uri_;
  DatabaseOptions options_;
};

}  // namespace contacts::testing

#endif  // CONTACTS_TESTS_TESTING_TEST_DATABASE_H_
