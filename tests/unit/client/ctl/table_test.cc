#include "client/ctl/table.h"

#include <sstream>
#include <string>

#include "client/ctl/enum_names.h"
#include "contacts/v1/contacts.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace contacts::client {
namespace {

TEST(Tables, AlignColumnsAndLeaveOutEmptyOnes) {
  Table table({"NAME", "NOTHING", "LAST"});
  table.Add({std::string("日本"), std::string(), std::string("x")});
  table.Add({std::string("é"), std::string(), std::string()});
  std::ostringstream out;
  table.Print(out, /*colour=*/false, /*width=*/0);
  EXPECT_EQ(out.str(), "NAME  LAST\n日本  x\né\n");
}

TEST(Tables, UseColoursOnlyWhereWanted) {
  EXPECT_EQ(Styled("x", Style::kGood, false), "x");
  EXPECT_EQ(Styled("x", Style::kGood, true), "\033[32mx\033[0m");
}

TEST(EnumNames, AreTheContractsOwn) {
  EXPECT_EQ(EnumName(v1::BILLING_STANDING_UP_TO_DATE), "up-to-date");
  EXPECT_EQ(EnumName(v1::BILLING_STANDING_UP_TO_DATE, " "), "up to date");
  EXPECT_EQ(EnumName(v1::CONTACT_ROLE_UNSPECIFIED), "");
  EXPECT_EQ(EnumName(static_cast<v1::ContactRole>(99)), "99");
  EXPECT_EQ(EnumFromName<v1::BillingStanding>("Up-To-Date"), v1::BILLING_STANDING_UP_TO_DATE);
  EXPECT_EQ(EnumFromName<v1::ContactRole>("unspecified"), std::nullopt);
  EXPECT_EQ(EnumNames<v1::ContactRole>(), (std::vector<std::string>{"admin", "tech", "billing"}));
}

// A table whose lines have 18 columns.
Table WideTable() {
  Table table({"NAME", "NOTHING", "REASON"});
  table.Add({std::string("first"), std::string(), std::string("not mine\t")});
  table.Add({std::string("second"), std::string(), {"no", Style::kBad}});
  return table;
}

std::string Printed(const Table& table, bool colour, std::size_t width) {
  std::ostringstream out;
  table.Print(out, colour, width);
  return out.str();
}

TEST(Tables, AsWideAsTheTerminalHaveColumns) {
  const std::string columns = "NAME    REASON\nfirst   not mine \nsecond  no\n";
  EXPECT_EQ(Printed(WideTable(), false, 0), columns);
  EXPECT_EQ(Printed(WideTable(), false, 17), columns);
}

TEST(Tables, WiderThanTheTerminalShowEachRowAsLinesAndCutNothing) {
  EXPECT_EQ(Printed(WideTable(), false, 16),
            "NAME    first\nREASON  not mine\n        \n\nNAME    second\nREASON  no\n");
  EXPECT_THAT(Printed(WideTable(), true, 16), ::testing::HasSubstr("\033[31mno\033[0m\n"));
}

TEST(Fields, AreWrappedAtSpacesAndLongWordsStayWhole) {
  std::ostringstream out;
  PrintFields({{"Id", Cell("0123456789abcdef")},
               {"None", Cell("")},
               {"Why", Cell("one two Élodie 日本 five")}},
              out, /*colour=*/false, /*width=*/16);
  EXPECT_EQ(out.str(),
            "Id   0123456789abcdef\n"
            "Why  one two\n"
            "     Élodie 日本\n"
            "     five\n");
}

}  // namespace
}  // namespace contacts::client
