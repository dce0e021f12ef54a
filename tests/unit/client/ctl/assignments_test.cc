#include <sstream>
#include <string>

#include "client/ctl/assignments.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace contacts::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ParsingAnAssignment, GivesServiceRoleAndAccount) {
  EXPECT_THAT(DescribeAssignments({*ParseAssignment("example.com:tech=bb222222-ovh")}),
              ElementsAre("example.com tech -> bb222222-ovh"));
  EXPECT_EQ(ParseAssignment("Example.COM:ADMIN=AA1-ovh")->role(), v1::CONTACT_ROLE_ADMIN);
}

TEST(ParsingAnAssignment, RefusesWhatIsIncomplete) {
  for (const char* text : {"", "example.com", "example.com:tech", "example.com=bb", ":tech=bb",
                           "example.com:tech=", "example.com:=bb", "example.com:owner=bb",
                           "example.com:unspecified=bb", "a=b:tech"}) {
    EXPECT_FALSE(ParseAssignment(text).ok()) << text;
  }
}

TEST(ReadingAssignments, TakesLinesCommentsAndTabs) {
  std::istringstream in("# moves\nexample.com tech bb1-ovh\r\n\n  b.example\tbilling  cc2-ovh # x");
  const auto read = ReadAssignments(in, "moves.txt");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_THAT(DescribeAssignments(*read),
              ElementsAre("example.com tech -> bb1-ovh", "b.example billing -> cc2-ovh"));
}

TEST(ReadingAssignments, NamesTheLineThatIsWrong) {
  std::istringstream wrong_role("example.com tech bb1-ovh\nexample.com boss bb1-ovh\n");
  EXPECT_THAT(std::string(ReadAssignments(wrong_role, "moves.txt").status().message()),
              HasSubstr("moves.txt:2: role \"boss\": want one of admin, tech, billing"));
  std::istringstream too_short("example.com tech\n");
  EXPECT_THAT(std::string(ReadAssignments(too_short, "-").status().message()), HasSubstr("-:1: "));
}

}  // namespace
}  // namespace contacts::client
