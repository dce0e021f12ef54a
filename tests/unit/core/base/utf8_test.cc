#include "core/base/utf8.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"

namespace contacts {
namespace {

TEST(Utf8Test, CountsCodePointsOfValidUtf8Only) {
  EXPECT_EQ(CountCodePoints(""), 0U);
  EXPECT_EQ(CountCodePoints("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), 4U);
  for (const char* bad : {"\x80", "\xc0\xaf", "\xc3", "\xe2\x82", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe0\x80\x80"}) {
    EXPECT_FALSE(CountCodePoints(bad).has_value()) << absl::CHexEscape(bad);
  }
}

TEST(Utf8Test, DecodesTheFirstCodePointAndItsSize) {
  const auto euro = DecodeCodePoint("\xe2\x82\xac!");
  ASSERT_TRUE(euro.has_value());
  EXPECT_EQ(euro->value, 0x20ACU);
  EXPECT_EQ(euro->size, 3U);
}

TEST(Utf8Test, TellsWhereTextMayBeCut) {
  EXPECT_FALSE(IsContinuationByte('a'));
  EXPECT_FALSE(IsContinuationByte('\xc3'));
  EXPECT_TRUE(IsContinuationByte('\xa9'));
}

}  // namespace
}  // namespace contacts
