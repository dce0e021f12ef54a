// mysql:// addresses.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/mysql/database.h"

namespace contacts {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

DatabaseOptions Parsed(const std::string& uri) {
  const auto options = DatabaseOptions::Parse(uri);
  EXPECT_TRUE(options.ok()) << uri;
  return options.value_or(DatabaseOptions());
}

TEST(MysqlUri, NamesUserPasswordHostPortAndDatabase) {
  const DatabaseOptions options = Parsed("mysql://contacts:secret@db.example:3307/contacts_db");
  EXPECT_EQ(options.user, "contacts");
  EXPECT_EQ(options.password, "secret");
  EXPECT_EQ(options.database, "contacts_db");
  ASSERT_THAT(options.endpoints, SizeIs(1));
  EXPECT_EQ(options.endpoints[0].host, "db.example");
  EXPECT_EQ(options.endpoints[0].port, 3307);
  EXPECT_THAT(options.socket, IsEmpty());
}

TEST(MysqlUri, PortIs3306AndPasswordEmptyWhereLeftOut) {
  const DatabaseOptions options = Parsed("mysql://root@localhost/contacts");
  EXPECT_EQ(options.user, "root");
  EXPECT_EQ(options.password, "");
  ASSERT_THAT(options.endpoints, SizeIs(1));
  EXPECT_EQ(options.endpoints[0].port, 3306);
}

TEST(MysqlUri, ListsTheMembersOfACluster) {
  const DatabaseOptions options = Parsed("mysql://u:p@a.example,b.example:3307,10.0.0.3/c");
  ASSERT_THAT(options.endpoints, SizeIs(3));
  EXPECT_EQ(options.endpoints[0].host, "a.example");
  EXPECT_EQ(options.endpoints[0].port, 3306);
  EXPECT_EQ(options.endpoints[1].host, "b.example");
  EXPECT_EQ(options.endpoints[1].port, 3307);
  EXPECT_EQ(options.endpoints[2].host, "10.0.0.3");
}

TEST(MysqlUri, AnIpv6AddressStandsInBrackets) {
  const DatabaseOptions options = Parsed("mysql://u:p@[::1],[2001:db8::2]:3307/c");
  ASSERT_THAT(options.endpoints, SizeIs(2));
  EXPECT_EQ(options.endpoints[0].host, "::1");
  EXPECT_EQ(options.endpoints[0].port, 3306);
  EXPECT_EQ(options.endpoints[1].host, "2001:db8::2");
  EXPECT_EQ(options.endpoints[1].port, 3307);
  for (const char* wrong : {"mysql://u:p@[::1/c", "mysql://u:p@[]/c", "mysql://u:p@[db.example]/c",
                            "mysql://u:p@[::1]3306/c", "mysql://u:p@[::1]:0/c"}) {
    EXPECT_FALSE(DatabaseOptions::Parse(wrong).ok()) << wrong;
  }
}

TEST(MysqlUri, UserAndPasswordArePercentDecoded) {
  const DatabaseOptions options = Parsed("mysql://us%40er:p%2Fa%3As%25s%3f%00@h/db");
  EXPECT_EQ(options.user, "us@er");
  EXPECT_EQ(options.password, std::string("p/a:s%s?\0", 9));
}

TEST(MysqlUri, ColonInPasswordBelongsToIt) {
  EXPECT_EQ(Parsed("mysql://u:a:b@h/db").password, "a:b");
}

TEST(MysqlUri, SocketMayStandForTheHost) {
  const DatabaseOptions options = Parsed("mysql://u:p@/db?socket=/run/db%20one.sock");
  EXPECT_EQ(options.socket, "/run/db one.sock");
  EXPECT_EQ(options.database, "db");
  EXPECT_THAT(options.endpoints, IsEmpty());
  EXPECT_EQ(Parsed("mysql://u@h/db?socket=/s").socket, "/s");
}

TEST(MysqlUri, AnythingElseIsRefusedWithoutShowingThePassword) {
  for (const std::string& bad : {
           std::string(),
           std::string("mysql"),
           std::string("mysql://"),
           std::string("postgres://u:hunter2@h/db"),
           std::string("u:hunter2@h/db"),
           std::string("mysql://h/db"),
           std::string("mysql://:hunter2@h/db"),
           std::string("mysql://u:hunter2@h"),
           std::string("mysql://u:hunter2@h/"),
           std::string("mysql://u:hunter2@/db"),
           std::string("mysql://u:hunter2@h,/db"),
           std::string("mysql://u:hunter2@,h/db"),
           std::string("mysql://u:hunter2@:3306/db"),
           std::string("mysql://u:hunter2@h:/db"),
           std::string("mysql://u:hunter2@h:0/db"),
           std::string("mysql://u:hunter2@h:65536/db"),
           std::string("mysql://u:hunter2@h:33x/db"),
           std::string("mysql://u:hunter2@h:-1/db"),
           std::string("mysql://u:hunter2@h:99999999999/db"),
           std::string("mysql://u:hunter2%@h/db"),
           std::string("mysql://u:hunter2%2@h/db"),
           std::string("mysql://u:hunter2%zz@h/db"),
           std::string("mysql://u%:hunter2@h/db"),
           std::string("mysql://u:hunter2@h/db?"),
           std::string("mysql://u:hunter2@h/db?socket="),
           std::string("mysql://u:hunter2@h/db?socket=%zz"),
           std::string("mysql://u:hunter2@h/db?ssl=off"),
       }) {
    const absl::Status status = DatabaseOptions::Parse(bad).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hunter2"))) << bad;
  }
}

}  // namespace
}  // namespace contacts
