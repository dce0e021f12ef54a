// Steps of the schema are applied once and resumed. A schema that does not fit the program is
// refused.

#include "core/mysql/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "core/mysql/connection.h"
#include "tests/testing/test_database.h"

namespace contacts {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.

int64_t Known() { return Migrations().back().version; }

struct Schema {
  // A step that this program does not know.
  void AddNewerStep(int64_t oldest_program) const {
    test.Execute(
        absl::StrCat("INSERT INTO schema_version (version, apply_time, oldest_program)"
                     " VALUES (",
                     Known() + 1, ", 0, ", oldest_program, ")"));
  }

  TestDatabase test;
  Database database{test.options()};
};

TEST(Schema, ANewerOneThatThisProgramMayRunOnFits) {
  const Schema schema;
  schema.AddNewerStep(Known());
  EXPECT_EQ(Database(schema.test.options()).CheckSchema(), absl::OkStatus());
  EXPECT_EQ(Database(schema.test.options()).Migrate(), absl::OkStatus());
}

TEST(Schema, ANewerOneThatThisProgramMayNotRunOnIsRefusedInOneLine) {
  const Schema schema;
  schema.AddNewerStep(Known() + 1);
  for (const absl::Status& status :
       {Database(schema.test.options()).CheckSchema(), Database(schema.test.options()).Migrate()}) {
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("run a newer contactsd"), Not(HasSubstr("\n"))));
  }
}

TEST(Schema, AnOlderOneIsRefusedUntilItIsMigrated) {
  const Schema schema;
  schema.test.Execute(absl::StrCat("DELETE FROM schema_version WHERE version = ", Known()));
  Database database(schema.test.options());
  EXPECT_THAT(std::string(database.CheckSchema().message()), HasSubstr("--migrate_only"));
  EXPECT_EQ(database.Migrate(), absl::OkStatus());
  EXPECT_EQ(database.CheckSchema(), absl::OkStatus());
}

TEST(Schema, OneOfATimeBeforeStepsNamedTheirOldestProgramIsMigrated) {
  const Schema schema;
  schema.test.Execute("ALTER TABLE schema_version DROP COLUMN oldest_program");
  schema.test.Execute(absl::StrCat("DELETE FROM schema_version WHERE version = ", Known()));
  Database database(schema.test.options());
  EXPECT_EQ(database.Migrate(), absl::OkStatus());
  EXPECT_EQ(database.CheckSchema(), absl::OkStatus());
}

TEST(Schema, AStepThatWasBrokenOffIsGoneOnWith) {
  const Schema schema;
  const std::vector<Migration> steps = {
      {1000,
       {"CREATE TABLE IF NOT EXISTS stepped (id INT NOT NULL, gone INT NOT NULL, PRIMARY KEY (id))",
        "ALTER TABLE stepped ADD COLUMN more INT NOT NULL DEFAULT 7",
        "CREATE INDEX by_more ON stepped (more)", "ALTER TABLE stepped DROP COLUMN gone",
        "INSERT IGNORE INTO stepped (id) VALUES (1)"},
       /*oldest_program=*/999}};
  // Broken off after each of its statements.
  for (std::size_t done = 0; done <= steps[0].statements.size(); ++done) {
    schema.test.Execute("DROP TABLE IF EXISTS stepped");
    schema.test.Execute("DELETE FROM schema_version WHERE version = 1000");
    for (std::size_t i = 0; i < done; ++i) schema.test.Execute(steps[0].statements[i]);
    Sockets sockets;
    std::atomic<int64_t> round_trips = 0;
    Connection connection(schema.test.options(), schema.test.options().endpoints.at(0),
                          MemberKind::kAlone, /*autocommit=*/true, &sockets, &round_trips);
    ApplyMigrations(connection, steps, absl::FromUnixSeconds(1));
    EXPECT_THAT(schema.test.Query("SELECT more FROM stepped"), ElementsAre("7"));
    EXPECT_THAT(schema.test.Query("SELECT oldest_program FROM schema_version WHERE version = 1000"),
                ElementsAre("999"));
  }
}

TEST(Schema, AWrongStatementFailsAndItsStepIsNotRecorded) {
  const Schema schema;
  Sockets sockets;
  std::atomic<int64_t> round_trips = 0;
  Connection connection(schema.test.options(), schema.test.options().endpoints.at(0),
                        MemberKind::kAlone, /*autocommit=*/true, &sockets, &round_trips);
  EXPECT_ANY_THROW(ApplyMigrations(
      connection, {{1000, {"ALTER TABLE no_such ADD COLUMN more INT"}}}, absl::FromUnixSeconds(1)));
  EXPECT_EQ(schema.test.Count("SELECT COUNT(*) FROM schema_version WHERE version = 1000"), 0);
}

TEST(Schema, ServersThatMigrateAtOnceWaitForEachOther) {
  const Schema schema;
  for (const std::string& table : schema.test.Query("SHOW TABLES")) {
    schema.test.Execute("DROP TABLE " + table);
  }
  std::vector<std::thread> servers;
  for (int i = 0; i < 6; ++i) {
    servers.emplace_back([&] {
      Database database(schema.test.options());
      EXPECT_EQ(database.Migrate(), absl::OkStatus());
      EXPECT_EQ(database.CheckSchema(), absl::OkStatus());
    });
  }
  for (std::thread& server : servers) server.join();
}

TEST(Schema, AMigrationWaitsForOneThatIsUnderWay) {
  const Schema schema;
  schema.test.Execute(absl::StrCat("DELETE FROM schema_version WHERE version = ", Known()));
  Sockets sockets;
  std::atomic<int64_t> round_trips = 0;
  Connection other(schema.test.options(), schema.test.options().endpoints.at(0), MemberKind::kAlone,
                   /*autocommit=*/false, &sockets, &round_trips);
  other.Query("SELECT id FROM schema_lock WHERE id = 1 FOR UPDATE", {});
  std::thread server(
      [&] { EXPECT_EQ(Database(schema.test.options()).Migrate(), absl::OkStatus()); });
  absl::SleepFor(absl::Milliseconds(500));
  EXPECT_EQ(schema.test.Count("SELECT MAX(version) FROM schema_version"), Known() - 1);
  other.Execute("ROLLBACK");
  server.join();
  EXPECT_EQ(schema.test.Count("SELECT MAX(version) FROM schema_version"), Known());
}

}  // namespace
}  // namespace contacts
