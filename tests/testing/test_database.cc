#include "tests/testing/test_database.h"

#include <cppconn/connection.h>
#include <cppconn/driver.h>
#include <cppconn/exception.h>
#include <cppconn/resultset.h>
#include <cppconn/resultset_metadata.h>
#include <cppconn/statement.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/domain/ids.h"

namespace contacts::testing {
namespace {

std::unique_ptr<sql::Connection> Connect(const DatabaseOptions& options, std::size_t endpoint) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  sql::ConnectOptionsMap map;
  map["hostName"] = sql::SQLString(options.socket.empty()
                                       ? absl::StrCat("tcp://", options.endpoints[endpoint].host,
                                                      ":", options.endpoints[endpoint].port)
                                       : absl::StrCat("unix://", options.socket));
  map["userName"] = sql::SQLString(options.user);
  map["password"] = sql::SQLString(options.password);
  map["schema"] = sql::SQLString(options.database);
  return std::unique_ptr<sql::Connection>(get_driver_instance()->connect(map));
}

void Run(const DatabaseOptions& options, std::size_t endpoint, const std::string& sql) {
  const std::unique_ptr<sql::Connection> connection = Connect(options, endpoint);
  const std::unique_ptr<sql::Statement> statement(connection->createStatement());
  statement->execute(sql);
}

}  // namespace

TestDatabase::TestDatabase(const std::string& given, std::size_t endpoint) : endpoint_(endpoint) {
  const char* server = given.empty() ? std::getenv("CONTACTS_TEST_MYSQL") : given.c_str();
  if (server == nullptr) {
    std::fprintf(stderr, "CONTACTS_TEST_MYSQL is not set: start this test through tests/run.sh\n");
    std::abort();
  }
  const auto options = DatabaseOptions::Parse(server);
  if (!options.ok()) {
    std::fprintf(stderr, "CONTACTS_TEST_MYSQL: %s\n",
                 std::string(options.status().message()).c_str());
    std::abort();
  }
  options_ = *options;
  std::string name = absl::StrCat("contacts_test_", Uuid::Version4().text().substr(0, 8));
  Run(options_, endpoint_, absl::StrCat("CREATE DATABASE ", name));
  const std::string text(server);
  const std::size_t query = text.find('?');
  const std::size_t slash = text.rfind('/', query);
  uri_ = absl::StrCat(text.substr(0, slash + 1), name,
                      query == std::string::npos ? "" : text.substr(query));
  options_.database = name;
  const char* program = std::getenv("CONTACTS_TEST_MIGRATE_BY");
  const absl::Status migrated =
      program != nullptr ? absl::OkStatus() : Database(options_).Migrate();
  if (!migrated.ok()) {
    std::fprintf(stderr, "%s\n", migrated.ToString().c_str());
    std::abort();
  }
  if (program != nullptr) Migrate(program);
}

void TestDatabase::Migrate(const std::string& program) const {
  const std::string command =
      absl::StrCat(program, " --migrate_only '--mysql=", uri_, "' >/dev/null");
  if (std::system(command.c_str()) != 0) {  // NOLINT(cert-env33-c): words of the test alone.
    std::fprintf(stderr, "%s failed\n", command.c_str());
    std::abort();
  }
}

std::string TestDatabase::server_uri() const {
  return absl::StrReplaceAll(uri_, {{"//contacts:", "//contacts_server:"}});
}

TestDatabase::~TestDatabase() {
  try {
    Run(options_, endpoint_, absl::StrCat("DROP DATABASE ", options_.database));
  } catch (const sql::SQLException& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
}

std::vector<std::string> TestDatabase::Query(const std::string& sql) const {
  const std::unique_ptr<sql::Connection> connection = Connect(options_, endpoint_);
  const std::unique_ptr<sql::Statement> statement(connection->createStatement());
  const std::unique_ptr<sql::ResultSet> rows(statement->executeQuery(sql));
  std::vector<std::string> values;
  while (rows->next()) values.push_back(rows->getString(1).asStdString());
  return values;
}

void TestDatabase::Execute(const std::string& sql) const { Run(options_, endpoint_, sql); }

std::string TestDatabase::Dump() const {
  const std::unique_ptr<sql::Connection> connection = Connect(options_, endpoint_);
  std::string dump;
  for (const std::string& table : Query("SHOW TABLES")) {
    const std::unique_ptr<sql::Statement> statement(connection->createStatement());
    const std::unique_ptr<sql::ResultSet> rows(
        statement->executeQuery(absl::StrCat("SELECT * FROM ", table)));
    const unsigned int columns = rows->getMetaData()->getColumnCount();
    while (rows->next()) {
      for (unsigned int i = 1; i <= columns; ++i) {
        const sql::SQLString value = rows->getString(i);
        absl::StrAppend(&dump, std::string(value.c_str(), value.length()), "\n");
      }
    }
  }
  return dump;
}

}  // namespace contacts::testing
