#include "core/letter/wording.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace contacts {
namespace {

constexpr std::size_t kLongestSubjectName = 60;

}  // namespace

std::vector<absl::Span<const ChangeItem* const>> ByService(const Items& items) {
  std::vector<absl::Span<const ChangeItem* const>> services;
  for (auto begin = items.begin(); begin != items.end();) {
    const auto end = std::find_if(begin, items.end(), [&](const ChangeItem* item) {
      return item->service != (*begin)->service;
    });
    services.emplace_back(&*begin, static_cast<std::size_t>(end - begin));
    begin = end;
  }
  return services;
}

std::set<Role> RolesOf(const Items& items) {
  std::set<Role> roles;
  for (const ChangeItem* item : items) roles.insert(item->role);
  return roles;
}

std::set<Role> CommonRoles(const Items& items) {
  std::set<Role> roles = RolesOf(items);
  for (const auto& service : ByService(items)) {
    // A service has a role once.
    if (service.size() != roles.size()) return {};
  }
  return roles;
}

Services ServicesOf(const Items& items) {
  if (items.empty()) return {};
  return {.count = static_cast<int64_t>(ByService(items).size()),
          .first = items.front()->service.text()};
}

Message RoleWord(Role role) {
  switch (role) {
    // Translators: a kind of contact, as in "example.com (administrator, technical)" and in "the
    // administrator and technical contact roles".
    case Role::kAdmin: return T("administrator");
    case Role::kTech: return T("technical");
    case Role::kBilling: return T("billing");
  }
  return {.id = ""};
}

std::string InShort(const std::set<Role>& roles, const Catalogue& say) {
  if (roles.empty()) return say.Text(T("the contact roles listed below"));
  std::vector<std::string> words;
  words.reserve(roles.size());
  for (const Role role : roles) words.push_back(say.Text(RoleWord(role)));
  // Translators: a direct object. {roles} is a list such as "administrator and billing".
  return say.Text(N("the {roles} contact role", "the {roles} contact roles",
                    static_cast<int64_t>(roles.size()), {{"roles", say.List(words)}}));
}
std::string InShort(const Services& services, const Catalogue& say) {
  if (services.count == 1) return services.first;
  return say.Text(N("{count} service", "{count} services", services.count,
                    {{"count", say.Number(services.count)}}));
}

std::string Matter(const Services& services, const std::set<Role>& roles, const Catalogue& say) {
  if (services.count == 0) return "";
  std::string matter = services.first;
  if (matter.size() > kLongestSubjectName) {
    const std::size_t half = (kLongestSubjectName - 1) / 2;
    matter = absl::StrCat(matter.substr(0, half), "…", matter.substr(matter.size() - half));
  }
  if (const int64_t others = services.count - 1; others > 0) {
    // Translators: for subjects. {count} further services.
    matter = say.Text(N("{service} and {count} more", "{service} and {count} more", others,
                        {{"service", matter}, {"count", say.Number(others)}}));
  }
  std::string words;
  for (const Role role : roles) {
    absl::StrAppend(&words, words.empty() ? "" : ", ", say.Text(RoleWord(role)));
  }
  return absl::StrCat(matter, " (", words, ")");
}

std::string SkipReason(const ChangeItem& item, const Catalogue& say) {
  switch (item.outcome) {
    case ItemOutcome::kSkippedContactChanged:
      return say.Text(T("the contact has changed in the meantime"));
    case ItemOutcome::kSkippedAuthorityLost:
      return say.Text(T("the requester may no longer change it"));
    case ItemOutcome::kSkippedServiceRemoved: return say.Text(T("the service no longer exists"));
    case ItemOutcome::kWithdrawn:
      return say.Text(T("withdrawn by {account}", {{"account", item.withdrawn_by.text()}}));
    case ItemOutcome::kPending:
    case ItemOutcome::kApplied:
    case ItemOutcome::kNotApplied: return "";
  }
  return "";
}

}  // namespace contacts
