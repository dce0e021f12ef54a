#include "core/letter/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/letter/design.h"

namespace contacts {
namespace {

using ::testing::HasSubstr;

const Catalogue& In(const char* language) { return Design::Shipped()->For(language); }

TEST(Catalogue, WritesDatesInUtcAsTheLanguageDoes) {
  const absl::Time time = absl::FromUnixSeconds(1780322759);
  EXPECT_EQ(In("en").Date(time), "Monday, 1 June 2026 at 14:05 UTC");
  EXPECT_EQ(In("fr").Date(time), "lundi 1 juin 2026 à 14:05 UTC");
  EXPECT_EQ(In("de").Date(time), "Montag, 1. Juni 2026 um 14:05 UTC");
  EXPECT_EQ(In("en").Date(time + absl::Hours(13)), "Tuesday, 2 June 2026 at 03:05 UTC");
}

TEST(Catalogue, WritesNumbersAndListsAsTheLanguageDoes) {
  EXPECT_EQ(In("en").Number(999), "999");
  EXPECT_EQ(In("en").Number(1000), "1,000");
  EXPECT_EQ(In("fr").Number(1234567), "1\u202f234\u202f567");
  EXPECT_EQ(In("de").Number(1000), "1.000");
  EXPECT_EQ(In("en").List({"a"}), "a");
  EXPECT_EQ(In("en").List({"a", "b", "c"}), "a, b and c");
  EXPECT_EQ(In("pl").List({"a", "b", "c"}), "a, b i c");
}

TEST(Catalogue, TakesThePluralFormOfTheLanguage) {
  std::set<std::string> forms;
  for (const int64_t count : {1, 2, 5, 22, 25}) {
    forms.insert(In("pl").Text(N("and {count} more service ({total} in all)",
                                 "and {count} more services ({total} in all)", count,
                                 {{"count", "N"}, {"total", "M"}})));
  }
  EXPECT_EQ(forms.size(), 3U);
  EXPECT_EQ(In("en").Text(N("{count} service", "{count} services", 1, {{"count", "1"}})),
            "1 service");
  EXPECT_EQ(In("en").Text(N("{count} service", "{count} services", 2, {{"count", "2"}})),
            "2 services");
}

TEST(Catalogue, NeverLooksForNamesInsideAValue) {
  const auto parts = In("en").Parts(T("{a} and {b}{", {{"a", "{b}"}, {"b", "2"}, {"unused", "3"}}));
  ASSERT_EQ(parts.size(), 4U);
  EXPECT_EQ(parts[0].text, "{b}");
  EXPECT_TRUE(parts[0].is_value);
  EXPECT_EQ(parts[1].text, " and ");
  EXPECT_EQ(parts[2].text, "2");
  EXPECT_EQ(parts[3].text, "{");
}

TEST(Catalogue, IsInEnglishWhereAMessageIsUnknown) {
  EXPECT_EQ(In("fr").Text(T("no message of the catalogues")), "no message of the catalogues");
}

TEST(Catalogue, IsRefusedIfMsgfmtDidNotMakeIt) {
  for (const std::string& bytes : {std::string("msgid \"a\"\nmsgstr \"b\"\n"), std::string(3, '\0'),
                                   std::string("\xde\x12\x04\x95") + std::string(24, '\xff')}) {
    const auto made = Catalogue::Make("sv", bytes);
    EXPECT_TRUE(absl::IsInvalidArgument(made.status())) << made.status();
    EXPECT_THAT(std::string(made.status().message()), HasSubstr("msgfmt"));
  }
}

}  // namespace
}  // namespace contacts
