#include "client/assignments.h"

#include <cstddef>
#include <istream>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/words.h"

namespace contacts::client {
namespace {

absl::StatusOr<Assignment> Make(absl::string_view service, absl::string_view role,
                                absl::string_view account) {
  const std::optional<v1::ContactRole> known = FromWord<v1::ContactRole>(role);
  if (!known.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", role, "' is no role: it is one of ",
                     absl::StrJoin(AllWords<v1::ContactRole>(), ", ")));
  }
  return Assignment{std::string(service), *known, std::string(account)};
}

}  // namespace

absl::StatusOr<Assignment> ParseAssignment(absl::string_view text) {
  const auto colon = text.find(':');
  const auto equals = text.find('=', colon == absl::string_view::npos ? 0 : colon);
  if (colon == absl::string_view::npos || equals == absl::string_view::npos || colon == 0 ||
      equals + 1 == text.size()) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' is not SERVICE:ROLE=ACCOUNT"));
  }
  return Make(text.substr(0, colon), text.substr(colon + 1, equals - colon - 1),
              text.substr(equals + 1));
}

absl::StatusOr<std::vector<Assignment>> ReadAssignments(std::istream& in,
                                                        absl::string_view source) {
  std::vector<Assignment> assignments;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    const absl::string_view content = absl::string_view(line).substr(0, line.find('#'));
    const std::vector<absl::string_view> words =
        absl::StrSplit(content, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
    if (words.empty()) continue;
    absl::StatusOr<Assignment> assignment =
        words.size() == 3 ? Make(words[0], words[1], words[2])
                          : absl::InvalidArgumentError("a line is SERVICE ROLE ACCOUNT");
    if (!assignment.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(source, ":", number, ": ", assignment.status().message()));
    }
    assignments.push_back(*std::move(assignment));
  }
  if (in.bad()) return absl::InvalidArgumentError(absl::StrCat("cannot read ", source));
  return assignments;
}

std::string ToText(const Assignment& assignment) {
  return absl::StrCat(assignment.service, " ", Word(assignment.role), " -> ",
                      assignment.new_contact);
}

}  // namespace contacts::client
