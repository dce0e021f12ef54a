#include "core/domain/ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/domain/account.h"

namespace contacts {
namespace {

using ::testing::MatchesRegex;

const absl::Time kNow = absl::FromUnixMillis(1'790'000'000'123);
constexpr char kText[] = "01890a5d-ac96-774b-bcce-b302099a8057";

TEST(UuidVersion7, HasVersionAndVariantOfRfc9562) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(Uuid::Version7(kNow).text(),
                MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                             "[0-9a-f]{12}"));
  }
}

TEST(UuidVersion7, BeginsWithMillisecondsOfItsTime) {
  const std::string hex = absl::StrReplaceAll(Uuid::Version7(kNow).text(), {{"-", ""}});
  uint64_t millis = 0;
  ASSERT_TRUE(absl::SimpleHexAtoi(hex.substr(0, 12), &millis));
  EXPECT_EQ(millis, 1'790'000'000'123U);
}

TEST(UuidVersion7, OrdersByTime) {
  Uuid last = Uuid::Version7(kNow);
  for (int i = 1; i <= 300; ++i) {
    const Uuid next = Uuid::Version7(kNow + absl::Milliseconds(i));
    EXPECT_LT(last, next);
    EXPECT_LT(last.text(), next.text());
    EXPECT_LT(last.bytes(), next.bytes());
    last = next;
  }
}

TEST(UuidVersion7, OfOneMillisecondAreAllDifferent) {
  std::set<Uuid> ids;
  for (int i = 0; i < 10'000; ++i) ids.insert(Uuid::Version7(kNow));
  EXPECT_EQ(ids.size(), 10'000U);
}

TEST(UuidVersion7, TimeBeforeTheEpochIsTakenAsTheEpoch) {
  EXPECT_EQ(Uuid::Version7(absl::FromUnixSeconds(-5)).text().substr(0, 13), "00000000-0000");
}

TEST(UuidVersion4, HasVersionAndVariantAndIsFresh) {
  std::set<Uuid> ids;
  for (int i = 0; i < 1000; ++i) {
    const Uuid id = Uuid::Version4();
    EXPECT_THAT(id.text(), MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                                        "[0-9a-f]{12}"));
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 1000U);
}

TEST(UuidParse, ReadsAnyCaseAndWritesLowerCase) {
  for (const std::string& text : {std::string(kText), absl::AsciiStrToUpper(kText),
                                  std::string("01890A5d-aC96-774B-bcCe-b302099A8057")}) {
    const auto id = Uuid::Parse(text);
    ASSERT_TRUE(id.has_value()) << text;
    EXPECT_EQ(id->text(), kText);
  }
}

TEST(UuidParse, ReadsBackWhatTextWrites) {
  for (int i = 0; i < 100; ++i) {
    const Uuid id = Uuid::Version4();
    EXPECT_EQ(Uuid::Parse(id.text()), id);
    EXPECT_EQ(Uuid::FromBytes(id.bytes()), id);
  }
}

TEST(UuidParse, RefusesEveryOtherForm) {
  const std::string text = kText;
  std::string with_nul = text;
  with_nul[3] = '\0';
  for (const std::string& bad :
       {std::string(), std::string("x"), text.substr(1), text + "0", text + " ", " " + text,
        "{" + text + "}", "urn:uuid:" + text, absl::StrReplaceAll(text, {{"-", ""}}),
        absl::StrReplaceAll(text, {{"-", "_"}}), std::string(text).replace(0, 1, "g"),
        std::string(text).replace(0, 1, "-"), std::string(text).replace(8, 1, "0"), with_nul,
        std::string("01890a5-dac96-774b-bcce-b302099a8057"), std::string(36, '-'),
        std::string(36, '0')}) {
    EXPECT_FALSE(Uuid::Parse(bad).has_value()) << bad;
  }
}

TEST(UuidFromBytes, AnythingButSixteenBytesGivesTheNilUuid) {
  EXPECT_TRUE(Uuid::FromBytes("").is_nil());
  EXPECT_TRUE(Uuid::FromBytes(std::string(15, 'x')).is_nil());
  EXPECT_TRUE(Uuid::FromBytes(std::string(17, 'x')).is_nil());
  EXPECT_FALSE(Uuid::FromBytes(std::string(16, 'x')).is_nil());
  EXPECT_EQ(Uuid().text(), "00000000-0000-0000-0000-000000000000");
}

TEST(MaskEmail, KeepsFirstCharacterAndDomainAlone) {
  EXPECT_EQ(MaskEmail("jean@example.com"), "j***@example.com");
  EXPECT_EQ(MaskEmail("j@example.com"), "j***@example.com");
  EXPECT_EQ(MaskEmail("\xc3\xa9lodie@example.com"), "\xc3\xa9***@example.com");
  EXPECT_EQ(MaskEmail("\"a@b\"@example.com"), "\"***@example.com");
  EXPECT_EQ(MaskEmail("@example.com"), "***");
  EXPECT_EQ(MaskEmail("no address"), "***");
  EXPECT_EQ(MaskEmail(""), "***");
}

}  // namespace
}  // namespace contacts
