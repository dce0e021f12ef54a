#include <string>

#include "absl/time/time.h"
#include "client/lib/terminal_text.h"
#include "client/lib/time_text.h"
#include "client/lib/uuid.h"
#include "gtest/gtest.h"

namespace contacts::client {
namespace {

TEST(PrintableText, KeepsLettersOfEveryScript) {
  EXPECT_EQ(Printable("Élodie 日本 🙂"), "Élodie 日本 🙂");
}

TEST(PrintableText, LosesWhatSteersATerminal) {
  EXPECT_EQ(Printable("a\033[31mb"), "a\uFFFD[31mb");
  EXPECT_EQ(Printable("a\u009Bb"), "a\uFFFDb");
  EXPECT_EQ(Printable("a\u202Eb"), "a\uFFFDb");
  EXPECT_EQ(Printable("a\nb\tc"), "a b c");
  EXPECT_EQ(Printable("a\x7f"), "a\uFFFD");
}

TEST(PrintableText, LosesBytesThatAreNotUtf8) {
  EXPECT_EQ(Printable("a\xff"), "a\uFFFD");
  EXPECT_EQ(Printable("\xc3"), "\uFFFD");
  EXPECT_FALSE(IsUtf8("\xc0\xaf"));
  EXPECT_FALSE(IsUtf8("\xed\xa0\x80"));
  EXPECT_TRUE(IsUtf8("Élodie 🙂"));
}

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(DisplayWidth("abc"), 3U);
  EXPECT_EQ(DisplayWidth("Élodie"), 6U);
  EXPECT_EQ(DisplayWidth("E\u0301"), 1U);
  EXPECT_EQ(DisplayWidth("日本"), 4U);
}

TEST(RelativeTime, GivesTheTwoLargestUnits) {
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  EXPECT_EQ(Relative(now + absl::Hours(7 * 24) - absl::Seconds(1), now), "in 6 d 23 h");
  EXPECT_EQ(Relative(now - absl::Seconds(125), now), "2 min 5 s ago");
  EXPECT_EQ(Relative(now + absl::Hours(24) + absl::Seconds(3), now), "in 1 d");
  EXPECT_EQ(Relative(now + absl::Milliseconds(300), now), "now");
}

TEST(LocalTime, NamesItsZone) {
  absl::TimeZone paris;
  if (!absl::LoadTimeZone("Europe/Paris", &paris)) GTEST_SKIP() << "no time zone data";
  EXPECT_EQ(LocalTime(absl::FromUnixSeconds(1'767'225'600), paris), "2026-01-01 01:00:00 CET");
}

TEST(Uuids, AreOfVersionFourAndDiffer) {
  const std::string id = NewUuid();
  EXPECT_TRUE(IsUuid(id)) << id;
  EXPECT_EQ(id[14], '4');
  EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos) << id;
  EXPECT_NE(id, NewUuid());
}

TEST(Uuids, AreTellableFromOtherText) {
  EXPECT_TRUE(IsUuid("01920000-0000-7000-8000-00000000000A"));
  EXPECT_FALSE(IsUuid("01920000-0000-7000-8000-00000000000"));
  EXPECT_FALSE(IsUuid("01920000-0000-7000-8000-00000000000g"));
  EXPECT_FALSE(IsUuid("019200000000-7000-8000-000000000001-"));
}

}  // namespace
}  // namespace contacts::client
