#include <sstream>
#include <string>

#include "client/assignments.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace contacts::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ParsingAnAssignment, GivesServiceRoleAndAccount) {
  EXPECT_EQ(*ParseAssignment("example.com:tech=bb222222-ovh"),
            (Assignment{"example.com", v1::CONTACT_ROLE_TECH, "bb222222-ovh"}));
  EXPECT_EQ(ParseAssignment("Example.COM:ADMIN=AA1-ovh")->role, v1::CONTACT_ROLE_ADMIN);
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
  EXPECT_THAT(*read, ElementsAre(Assignment{"example.com", v1::CONTACT_ROLE_TECH, "bb1-ovh"},
                                 Assignment{"b.example", v1::CONTACT_ROLE_BILLING, "cc2-ovh"}));
}

TEST(ReadingAssignments, NamesTheLineThatIsWrong) {
  std::istringstream wrong_role("example.com tech bb1-ovh\nexample.com boss bb1-ovh\n");
  EXPECT_THAT(std::string(ReadAssignments(wrong_role, "moves.txt").status().message()),
              HasSubstr("moves.txt:2: 'boss'"));
  std::istringstream too_short("example.com tech\n");
  EXPECT_THAT(std::string(ReadAssignments(too_short, "-").status().message()), HasSubstr("-:1: "));
}

}  // namespace
}  // namespace contacts::client
