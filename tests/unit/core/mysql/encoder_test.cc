// No byte of a value can be read as SQL.

#include "core/mysql/encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace contacts::sqltext {
namespace {

using ::testing::MatchesRegex;

// Whether `literal` is `prefix`, then a hexadecimal literal that decodes to `value`.
void ExpectHexOf(const std::string& literal, const std::string& prefix, const std::string& value) {
  ASSERT_EQ(literal.substr(0, prefix.size() + 2), prefix + "x'");
  ASSERT_EQ(literal.back(), '\'');
  const std::string hex = literal.substr(prefix.size() + 2, literal.size() - prefix.size() - 3);
  EXPECT_EQ(hex.find_first_not_of("0123456789abcdef"), std::string::npos) << hex;
  EXPECT_EQ(absl::HexStringToBytes(hex), value);
}

std::vector<std::string> HostileStrings() {
  std::vector<std::string> strings = {
      "",
      "'",
      "''",
      "\"",
      "`",
      "\\",
      "\\'",
      "' OR '1'='1",
      "'; DROP TABLE account; --",
      "*/ UNION SELECT 1 /*",
      "x'00'",
      "0x27",
      "?",
      "%s %d ?, ?, ?",
      "line\r\nline",
      "\xbf\x27 OR 1=1",        // A quote behind the first half of a GBK character.
      "\xc0\xa7",               // An overlong quote.
      "\xca\xbc \xef\xbc\x87",  // Equal to a quote in some collations.
      "\xf0\x9f\x92\xa9",
      std::string("\0", 1),
      std::string("a\0'b", 4),
      "\x1a",
      std::string(100'000, '\''),
  };
  for (int byte = 0; byte < 256; ++byte) {
    strings.emplace_back(1, static_cast<char>(byte));
    strings.push_back(absl::StrCat("a", std::string(1, static_cast<char>(byte)), "b"));
  }
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) {
    std::string text(random() % 64, '\0');
    for (char& c : text) c = static_cast<char>(random());
    strings.push_back(text);
  }
  return strings;
}

TEST(Encoder, EveryStringComesOutAsAHexadecimalLiteralOnly) {
  for (const std::string& text : HostileStrings()) {
    ExpectHexOf(Binary(text).text, "", text);
    ExpectHexOf(Ascii(text).text, "_ascii ", text);
    ExpectHexOf(Utf8(text).text, "_utf8mb4 ", text);
    ExpectHexOf(Id(ServiceId(text)).text, "_ascii ", text);
    ExpectHexOf(Id(AccountId(text)).text, "_ascii ", text);
  }
}

TEST(Encoder, QuestionMarkInsideAValueIsNotFilled) {
  EXPECT_EQ(Fill("a = ? AND b = ?", {Utf8("?"), Int(2)}), "a = _utf8mb4 x'3f' AND b = 2");
}

TEST(Encoder, FilledStatementHoldsNoByteOfAHostileValue) {
  for (const std::string& text : HostileStrings()) {
    const std::string sql = Fill("UPDATE t SET a = ? WHERE b = ?", {Utf8(text), Ascii(text)});
    EXPECT_THAT(sql, MatchesRegex("UPDATE t SET a = _utf8mb4 x'[0-9a-f]*' WHERE b = _ascii "
                                  "x'[0-9a-f]*'"));
  }
}

TEST(Encoder, NumbersTimesAndNull) {
  EXPECT_EQ(Int(-5).text, "-5");
  EXPECT_EQ(Int(INT64_MIN).text, "-9223372036854775808");
  EXPECT_EQ(Int(INT64_MAX).text, "9223372036854775807");
  enum class Colour { kRed = 7 };
  EXPECT_EQ(Number(Colour::kRed).text, "7");
  EXPECT_EQ(Time(absl::FromUnixMicros(1'790'000'000'000'001)).text, "1790000000000001");
  EXPECT_EQ(Time(std::optional<absl::Time>()).text, "NULL");
  EXPECT_EQ(Null().text, "NULL");
}

TEST(Encoder, UuidIsItsSixteenBytes) {
  EXPECT_EQ(Id(*Uuid::Parse("01890a5d-ac96-774b-bcce-b302099a8057")).text,
            "x'01890a5dac96774bbcceb302099a8057'");
}

TEST(Encoder, RowsAndListsAreParenthesised) {
  EXPECT_EQ(RowOf({Int(1), Null(), Binary("'")}), "(1,NULL,x'27')");
  EXPECT_EQ(RowOf({Int(1)}), "(1)");
  EXPECT_EQ(ListOf(std::vector<ServiceId>{ServiceId("a"), ServiceId("'b")}),
            "(_ascii x'61',_ascii x'2762')");
}

}  // namespace
}  // namespace contacts::sqltext
