#include "core/mail/texts.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"

namespace contacts {

Language LanguageOf(const std::string& tag) {
  return absl::EqualsIgnoreCase(tag, "fr") || absl::StartsWithIgnoreCase(tag, "fr-")
             ? Language::kFrench
             : Language::kEnglish;
}

const char* RoleName(Role role, Language language) {
  switch (role) {
    case Role::kAdmin: return Phrase{"administrative", "administrateur"}.in(language);
    case Role::kTech: return Phrase{"technical", "technique"}.in(language);
    case Role::kBilling: return Phrase{"billing", "facturation"}.in(language);
  }
  return "";
}

std::string WriteTime(absl::Time time, Language language) {
  static constexpr Phrase kMonths[] = {
      {"January", "janvier"},     {"February", "février"}, {"March", "mars"},
      {"April", "avril"},         {"May", "mai"},          {"June", "juin"},
      {"July", "juillet"},        {"August", "août"},      {"September", "septembre"},
      {"October", "octobre"},     {"November", "novembre"}, {"December", "décembre"}};
  const absl::CivilMinute at = absl::ToCivilMinute(time, absl::UTCTimeZone());
  const char* month = kMonths[at.month() - 1].in(language);
  if (language == Language::kEnglish) {
    return absl::StrFormat("%d %s %d at %02d:%02d UTC", at.day(), month, at.year(), at.hour(),
                           at.minute());
  }
  const std::string day = at.day() == 1 ? "1er" : absl::StrCat(at.day());
  return absl::StrFormat("%s %s %d à %02d h %02d UTC", day, month, at.year(), at.hour(),
                         at.minute());
}

}  // namespace contacts
