// Limits of the database give callers UNAVAILABLE, never INTERNAL.

#include <cppconn/exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/domain/errors.h"
#include "core/mysql/connection.h"
#include "core/mysql/session.h"
#include "tests/testing/reasons.h"
#include "tests/testing/test_database.h"

namespace contacts {
namespace {

using ::testing::HasSubstr;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.

class Limit : public ::testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Of, Limit,
                         ::testing::Values(3, 28, 1021, 1026, 1030, 1037, 1041, 1114, 1153, 1461,
                                           2020),
                         [](const auto& code) { return absl::StrCat("Error", code.param); });

TEST_P(Limit, IsUnavailableAndTheConnectionsStay) {
  const TestDatabase test;
  Database database(test.options());
  const absl::Status status = database.Write(
      {.deadline = absl::Now() + absl::Milliseconds(200)}, [](Session& session) -> absl::Status {
        session.Query("SELECT last_position FROM feed_head FOR UPDATE", {});
        throw sql::SQLException("told so", "", GetParam());
      });
  EXPECT_THAT(status, HasReason("UNAVAILABLE"));
  // Its locks are released.
  EXPECT_EQ(database.Write({},
                           [](Session& session) {
                             session.Query("SELECT last_position FROM feed_head FOR UPDATE", {});
                             return absl::OkStatus();
                           }),
            absl::OkStatus());
}

TEST(DatabaseLimits, AStatementThatIsTooLargeIsToldBeforeItIsSent) {
  const TestDatabase test;
  Database database(test.options());
  const int64_t limit = test.Count("SELECT @@global.max_allowed_packet");
  const absl::Status status = database.Write({}, [&](Session& session) {
    session.Queue(absl::StrCat("UPDATE feed_head SET last_position = 7 WHERE '' = '",
                               std::string(static_cast<std::size_t>(limit), 'x'), "'"));
    return absl::OkStatus();
  });
  EXPECT_THAT(status, HasReason("UNAVAILABLE"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("max_allowed_packet"));
}

TEST(DatabaseLimits, AWrongPasswordAndAnUnknownDatabaseAreToldInOneLine) {
  const TestDatabase test;
  DatabaseOptions options = test.options();
  options.password = "wrong";
  EXPECT_THAT(std::string(Database(options).CheckSchema().message()),
              HasSubstr("refuses the login of user \"contacts\" (1045)"));
  EXPECT_THAT(Database(options).Ping({.deadline = absl::Now() + absl::Seconds(20)}),
              HasReason("UNAVAILABLE"));
  options = test.options();
  options.database = "contacts_no_such";
  EXPECT_THAT(std::string(Database(options).CheckSchema().message()),
              HasSubstr("has no database \"contacts_no_such\""));
}

TEST(DatabaseLimits, AnIpv6AddressIsConnectedTo) {
  const TestDatabase test;
  DatabaseOptions options = test.options();
  // An IPv4 address as an IPv6 one.
  options.endpoints[0].host = "::ffff:127.0.0.1";
  EXPECT_EQ(Database(options).Ping({.deadline = absl::Now() + absl::Seconds(20)}),
            absl::OkStatus());
}

}  // namespace
}  // namespace contacts
