#include "core/letter/texts.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace contacts {
namespace {

constexpr Wording kRoleWords[] = {
    {"administrator", "administrateur"}, {"technical", "technique"}, {"billing", "facturation"}};

constexpr Wording kSkippedContactChanged = {"the contact has changed in the meantime",
                                            "le contact a changé entre-temps"};
constexpr Wording kSkippedAuthorityLost = {"the requester may no longer change it",
                                           "le demandeur n’a plus le droit de le modifier"};
constexpr Wording kSkippedServiceRemoved = {"the service no longer exists",
                                            "le service n’existe plus"};

constexpr Wording kOneRole = {"the $0 contact role", "le rôle de contact $0"};
constexpr Wording kSeveralRoles = {"the $0 contact roles", "les rôles de contact $0"};
constexpr Wording kRolesBelow = {"the contact roles listed below",
                                 "les rôles de contact indiqués ci-dessous"};
constexpr Wording kAnd = {" and ", " et "};
constexpr Wording kServices = {"$0 services", "$0\u00a0services"};
constexpr Wording kAndOthers = {"$0 and $1 more", "$0 et $1\u00a0autres"};
constexpr Wording kAndOneOther = {"$0 and 1 more", "$0 et 1\u00a0autre"};
constexpr std::size_t kLongestSubjectName = 60;

constexpr Wording kWeekdays[] = {{"Monday", "lundi"},       {"Tuesday", "mardi"},
                                 {"Wednesday", "mercredi"}, {"Thursday", "jeudi"},
                                 {"Friday", "vendredi"},    {"Saturday", "samedi"},
                                 {"Sunday", "dimanche"}};
constexpr Wording kMonths[] = {
    {"January", "janvier"}, {"February", "février"},  {"March", "mars"},
    {"April", "avril"},     {"May", "mai"},           {"June", "juin"},
    {"July", "juillet"},    {"August", "août"},       {"September", "septembre"},
    {"October", "octobre"}, {"November", "novembre"}, {"December", "décembre"}};

}  // namespace

Language LanguageOf(absl::string_view tag) {
  const std::string lower = absl::AsciiStrToLower(tag);
  return lower == "fr" || absl::StartsWith(lower, "fr-") ? Language::kFrench : Language::kEnglish;
}

std::string FillIn(absl::string_view format, const std::vector<std::string>& values) {
  std::string filled;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] == '$' && i + 1 < format.size() &&
        absl::ascii_isdigit(static_cast<unsigned char>(format[i + 1]))) {
      const auto place = static_cast<std::size_t>(format[++i] - '0');
      if (place < values.size()) filled += values[place];
    } else {
      filled += format[i];
    }
  }
  return filled;
}

std::string DateAndTime(absl::Time time, Language language) {
  const absl::CivilMinute at = absl::ToCivilMinute(time, absl::UTCTimeZone());
  const char* weekday =
      kWeekdays[static_cast<int>(absl::GetWeekday(absl::CivilDay(at)))].in(language);
  const char* month = kMonths[at.month() - 1].in(language);
  if (language == Language::kFrench) {
    return absl::StrFormat("%s %d%s %s %d à %d\u00a0h\u00a0%02d\u00a0(UTC)", weekday, at.day(),
                           at.day() == 1 ? "er" : "", month, at.year(), at.hour(), at.minute());
  }
  return absl::StrFormat("%s %d %s %d at %02d:%02d\u00a0UTC", weekday, at.day(), month, at.year(),
                         at.hour(), at.minute());
}

std::string Count(std::size_t count, Language language) {
  std::string digits = absl::StrCat(count);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, language == Language::kFrench ? "\u00a0" : ",");
  }
  return digits;
}

std::string ServicesInShort(const std::vector<ServiceId>& services, Language language) {
  if (services.size() == 1) return services.front().text();
  return FillIn(kServices.in(language), {Count(services.size(), language)});
}

std::string SubjectMatter(const std::vector<ServiceId>& services, const std::vector<Role>& roles,
                          Language language) {
  if (services.empty()) return "";
  std::string matter = services.front().text();
  if (matter.size() > kLongestSubjectName) {
    const std::size_t half = (kLongestSubjectName - 1) / 2;
    matter = absl::StrCat(matter.substr(0, half), "…", matter.substr(matter.size() - half));
  }
  const std::size_t others = services.size() - 1;
  if (others > 0) {
    matter = FillIn((others == 1 ? kAndOneOther : kAndOthers).in(language),
                    {matter, Count(others, language)});
  }
  const auto append = [&](std::string* out, Role role) {
    absl::StrAppend(out, RoleWord(role, language));
  };
  return absl::StrCat(matter, " (", absl::StrJoin(roles, ", ", append), ")");
}

const char* RoleWord(Role role, Language language) {
  return kRoleWords[static_cast<int>(role) - 1].in(language);
}

std::string RolesInShort(const std::vector<Role>& roles, Language language) {
  if (roles.empty()) return kRolesBelow.in(language);
  std::vector<std::string> words;
  words.reserve(roles.size());
  for (const Role role : roles) words.emplace_back(RoleWord(role, language));
  const std::string last = words.back();
  words.pop_back();
  if (words.empty()) return FillIn(kOneRole.in(language), {last});
  return FillIn(kSeveralRoles.in(language),
                {absl::StrCat(absl::StrJoin(words, ", "), kAnd.in(language), last)});
}

std::string SkipReason(ItemOutcome outcome, Language language) {
  switch (outcome) {
    case ItemOutcome::kSkippedContactChanged: return kSkippedContactChanged.in(language);
    case ItemOutcome::kSkippedAuthorityLost: return kSkippedAuthorityLost.in(language);
    case ItemOutcome::kSkippedServiceRemoved: return kSkippedServiceRemoved.in(language);
    case ItemOutcome::kPending:
    case ItemOutcome::kApplied:
    case ItemOutcome::kNotApplied:
    case ItemOutcome::kWithdrawn: return "";  // The e-mail names the admin.
  }
  return "";
}

}  // namespace contacts
