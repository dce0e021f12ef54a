#include "core/letter/texts.h"

#include <gtest/gtest.h>

namespace contacts {
namespace {

TEST(MailTexts, ChooseFrenchForItsVariantsAlone) {
  for (const char* tag : {"fr", "FR", "fr-CA"}) EXPECT_EQ(LanguageOf(tag), Language::kFrench);
  for (const char* tag : {"en", "de", "", "fry", "frx-FR"}) {
    EXPECT_EQ(LanguageOf(tag), Language::kEnglish) << tag;
  }
}

TEST(MailTexts, WriteDatesInUtcAsTheLanguageDoes) {
  const absl::Time time = absl::FromUnixSeconds(1780322759);
  EXPECT_EQ(DateAndTime(time, Language::kEnglish), "Monday 1 June 2026 at 14:05\u00a0UTC");
  EXPECT_EQ(DateAndTime(time, Language::kFrench),
            "lundi 1er juin 2026 à 14\u00a0h\u00a005\u00a0(UTC)");
  EXPECT_EQ(DateAndTime(time + absl::Hours(13), Language::kEnglish),
            "Tuesday 2 June 2026 at 03:05\u00a0UTC");
}

TEST(MailTexts, GroupTheDigitsOfLargeCounts) {
  EXPECT_EQ(Count(999, Language::kEnglish), "999");
  EXPECT_EQ(Count(1000, Language::kEnglish), "1,000");
  EXPECT_EQ(Count(1234567, Language::kFrench), "1\u00a0234\u00a0567");
}

TEST(MailTexts, NameRolesInASentence) {
  EXPECT_EQ(RolesInShort({Role::kTech}, Language::kEnglish), "the technical contact role");
  EXPECT_EQ(RolesInShort({Role::kAdmin, Role::kTech, Role::kBilling}, Language::kFrench),
            "les rôles de contact administrateur, technique et facturation");
  EXPECT_EQ(RolesInShort({}, Language::kEnglish), "the contact roles listed below");
}

TEST(MailTexts, NeverLookForPlacesInsideAValue) {
  EXPECT_EQ(FillIn("$1 and $0, $$ $9", {"$1", "b"}), "b and $1, $$ ");
}

}  // namespace
}  // namespace contacts
