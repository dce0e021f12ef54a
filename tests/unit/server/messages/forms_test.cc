#include "server/messages/forms.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"

namespace contacts::server {
namespace {

std::string Times(int count, const std::string& text) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

TEST(FormsTest, PlainTextHasNoControls) {
  EXPECT_TRUE(IsPlainText("Zo\xc3\xab \xf0\x9f\x98\x80", 5));
  EXPECT_FALSE(IsPlainText("abcdef", 5));
  EXPECT_TRUE(IsPlainText(Times(5, "\xc3\xa9"), 5));
  EXPECT_FALSE(IsPlainText("a\nb", 5));
  EXPECT_TRUE(IsPlainText("a\nb", 5, true));
  EXPECT_FALSE(IsPlainText("a\r\nb", 5, true));
  EXPECT_TRUE(IsPlainText("a\tb", 5));
  EXPECT_EQ(WithLineFeeds("a\r\n\r\nb\rc\nd\r"), "a\n\nb\nc\nd\n");
  EXPECT_FALSE(IsPlainText("\xc2\x9b", 5));
  EXPECT_FALSE(IsPlainText(std::string("a\0", 2), 5));
}

TEST(FormsTest, TakesRealEmailAddresses) {
  for (const std::string& good : std::vector<std::string>{
           "jane@example.com", "j.o'brien+x@mail.example.co", "a@b.fr", "JANE_1@EXAMPLE.COM",
           "a@xn--caf-dma.fr", "a@1.example", "a@b.1-2", "a@" + Times(63, "b") + ".fr",
           "!#$%&'*+-/=?^_`{|}~@b.fr", "a..b@docomo.ne.jp", "a.@docomo.ne.jp", ".a@docomo.ne.jp",
           "\"a..b\"@docomo.ne.jp", "\"jane doe\"@c.fr", "\"a,b;c:(d)[e]\"@c.fr"}) {
    EXPECT_TRUE(IsEmailAddress(good)) << good;
  }
  for (const char* bad : {"",
                          "jane",
                          "@b.fr",
                          "a@",
                          "a@b",
                          "a@b@c.fr",
                          "a b@c.fr",
                          "a@c.fr ",
                          "<a@c.fr>",
                          "\"\"@c.fr",
                          "\"a@c.fr",
                          "a\"@c.fr",
                          "\"a\"b\"@c.fr",
                          "\"a\\\"b\"@c.fr",
                          "\"a@b\"@c.fr",
                          "\"<a>\"@c.fr",
                          "\"a\nb\"@c.fr",
                          "a,b@c.fr",
                          "a@c..fr",
                          "..@c.fr",
                          "a@-c.fr",
                          "a@c-.fr",
                          "a@c.fr-",
                          "a@c_d.fr",
                          "a@c.123",
                          "a@c.fr\n",
                          "a@[1.2.3.4]",
                          "a@1.2.3.4"}) {
    EXPECT_FALSE(IsEmailAddress(bad)) << bad;
  }
  EXPECT_TRUE(IsEmailAddress(Times(64, "a") + "@b.fr"));
  EXPECT_FALSE(IsEmailAddress(Times(65, "a") + "@b.fr"));
  EXPECT_FALSE(IsEmailAddress("a@" + Times(64, "b") + ".fr"));
  EXPECT_FALSE(IsEmailAddress("a@" + Times(130, "b.") + "fr"));
}

TEST(FormsTest, EmailAddressesBeyondAsciiHaveLettersAndADomainWithALabels) {
  for (const char* good :
       {"jos\u00e9@ex\u00e4mple.fr", "jose@ex\u00e4mple.fr", "jos\u00e9@example.fr",
        "jos\u00e9+tag.x@xn--exmple-cua.fr", "\u0434\u043c\u0438@\u043f\u0440.\u0440\u0444",
        "\u7528\u6237@\u4f8b\u3048.jp", "\u0645@\u0645\u062b\u0627\u0644.eg",
        "\"a b\"@ex\u00e4mple.fr", "a@\u0dc1\u0dca\u200d\u0dbb\u0dd3.lk"}) {
    EXPECT_TRUE(IsEmailAddress(good)) << good;
  }
  for (const char* bad : {"jo\u202es\u00e9@b.fr",
                          "jo\u200bs\u00e9@b.fr",
                          "jo\u200ds\u00e9@b.fr",
                          "jo s\u00e9@b.fr",
                          "jo\u00a0s\u00e9@b.fr",
                          "jos\u00e9\n@b.fr",
                          "jos\u00e9\u0085@b.fr",
                          "jos\u00e9<@b.fr",
                          "jos\u00e9@b",
                          "jos\u00e9@c@b.fr",
                          "\u00e9\u20ac@b.fr",
                          "jos\u00e9@1.2.3.4",
                          "jos\u00e9@c..fr",
                          "\"\u00e9\"@c.fr",
                          "jos\xe9@b.fr",
                          "@\u00e4.fr",
                          "\u00e4.fr",
                          "a@\u00e4_b.fr",
                          "a@-\u00e4.fr",
                          "a@\u05d0b.fr",
                          "a@\u00e4\u202e.fr",
                          "a@\u00e4.123",
                          "a\u3164\u00e9@b.fr",
                          "\u00e9\ufe0f@b.fr",
                          "\u0301a@b.fr",
                          "a@\u00e4\u00ad.fr",
                          "a@\u00e4\u200b.fr"}) {
    EXPECT_FALSE(IsEmailAddress(bad)) << bad;
  }
  EXPECT_TRUE(IsEmailAddress(Times(32, "\u00e9") + "@b.fr"));
  EXPECT_FALSE(IsEmailAddress(Times(32, "\u00e9") + "a@b.fr"));
  EXPECT_FALSE(IsEmailAddress("a@" + Times(61, "\u00e4") + ".fr"));
  EXPECT_FALSE(IsEmailAddress("a@" + Times(50, "\u4f8b.") + "fr"));
}

TEST(FormsTest, ServiceIdsAreHostLike) {
  for (const char* good : {"example.com", "vps-4f2a.example.net", "_dmarc.a", "a"}) {
    EXPECT_TRUE(IsServiceId(good)) << good;
  }
  for (const char* bad : {"", ".", "a.", ".a", "a..b", "A", "a b", "caf\xc3\xa9"}) {
    EXPECT_FALSE(IsServiceId(bad)) << bad;
  }
  EXPECT_TRUE(IsServiceId(Times(253, "a")));
  EXPECT_FALSE(IsServiceId(Times(254, "a")));
  EXPECT_TRUE(IsServiceIdPrefix(""));
  EXPECT_TRUE(IsServiceIdPrefix("a."));
  EXPECT_FALSE(IsServiceIdPrefix("a%"));
}

TEST(FormsTest, CountryCodesKindsAndNumbersHaveTheirForm) {
  EXPECT_TRUE(IsCountryCode("FR"));
  for (const char* bad : {"", "F", "fr", "FRA", "F1", "FR\n"})
    EXPECT_FALSE(IsCountryCode(bad)) << bad;
  EXPECT_TRUE(IsServiceKind("web-hosting_2"));
  for (const char* bad : {"", "-a", "A", "a b"}) EXPECT_FALSE(IsServiceKind(bad)) << bad;
  EXPECT_TRUE(IsPhoneNumber("+33123456789"));
  for (const char* bad : {"", "33123456789", "+0123", "+3", "+33 1"}) {
    EXPECT_FALSE(IsPhoneNumber(bad)) << bad;
  }
}

TEST(FormsTest, LanguageTagsGetTheirUsualCase) {
  EXPECT_EQ(CanonicalLanguage("FR"), "fr");
  EXPECT_EQ(CanonicalLanguage("EN-gb"), "en-GB");
  EXPECT_EQ(CanonicalLanguage("zh-hANT-tw"), "zh-Hant-TW");
  EXPECT_FALSE(IsLanguageTag("f"));
  EXPECT_FALSE(IsLanguageTag("fr_FR"));
  EXPECT_FALSE(IsLanguageTag("fr-"));
  EXPECT_FALSE(IsLanguageTag("-fr"));
  EXPECT_FALSE(IsLanguageTag("fr--CA"));
}

TEST(FormsTest, EchoIsShortAndPrintable) {
  EXPECT_EQ(Echo("a\"\n"), "\"a\\\"\\n\"");
  EXPECT_EQ(Echo(std::string(9999, 'a')).size(), 66U);
  EXPECT_LE(Echo(std::string(9999, '\x01')).size(), 66U);
}

TEST(FormsTest, AccountIdsFollowTheSetting) {
  EXPECT_TRUE(AccountIdForm().Matches("aa123456-ovh"));
  EXPECT_FALSE(AccountIdForm().Matches("AA123456-ovh"));
  EXPECT_FALSE(AccountIdForm().Matches("aa" + Times(27, "1") + "-ovh"));
  const auto other = AccountIdForm::Parse("c[0-9]+");
  ASSERT_TRUE(other.ok());
  EXPECT_TRUE(other->Matches("c12"));
  EXPECT_FALSE(other->Matches("c12x"));
  EXPECT_FALSE(AccountIdForm::Parse("(").ok());
}

}  // namespace
}  // namespace contacts::server
