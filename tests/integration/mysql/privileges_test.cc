// The server's database user can do all of the server's work and cannot change the schema.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/mysql/database.h"
#include "tests/testing/fleet.h"

namespace contacts {
namespace {

using ::testing::HasSubstr;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.

TEST(Privileges, TheServersUserCannotChangeTheSchema) {
  const TestDatabase database;
  const auto options = DatabaseOptions::Parse(database.server_uri());
  ASSERT_TRUE(options.ok()) << options.status();
  ASSERT_NE(options->user, database.options().user);
  Database as_server(*options);
  EXPECT_TRUE(as_server.CheckSchema().ok());
  database.Execute("DELETE FROM schema_version WHERE version >= 3");
  database.Execute("DROP TABLE ask_window");
  EXPECT_FALSE(as_server.Migrate().ok());
  EXPECT_EQ(database.Count("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema ="
                           " DATABASE() AND table_name = 'ask_window'"),
            0);
  EXPECT_THAT(std::string(as_server.CheckSchema().message()), HasSubstr("--migrate_only"));
}

TEST(Privileges, TheServersUserDoesAWholeChangeAndItsEmails) {
  Fleet fleet(1);
  auto stub = fleet.Stub(0);
  v1::ChangeContactsResponse asked;
  ASSERT_EQ(ReasonOf(Fleet::Ask(*stub, Fleet::ServiceName(0), kFleetSecond, NewRequestId(), asked)),
            "OK");
  const std::string change = asked.contact_changes(0).id();
  v1::AcceptContactChangeResponse accepted;
  EXPECT_EQ(ReasonOf(fleet.Accept(*stub, kFleetAdmin, change, "", accepted)), "OK");
  EXPECT_EQ(ReasonOf(fleet.Accept(*stub, kFleetSecond, change, "", accepted)), "OK");
  EXPECT_EQ(fleet.database().Query("SELECT tech FROM service").at(0), kFleetSecond);
  fleet.WaitForMails();
}

}  // namespace
}  // namespace contacts
