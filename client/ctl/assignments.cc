#include "client/ctl/assignments.h"

#include <cstddef>
#include <istream>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/ctl/enum_names.h"

namespace contacts::client {
namespace {

absl::StatusOr<v1::ContactAssignment> MakeAssignment(absl::string_view service,
                                                     absl::string_view role,
                                                     absl::string_view account) {
  const std::optional<v1::ContactRole> known = EnumFromName<v1::ContactRole>(role);
  if (!known.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "role \"", role, "\": want one of ", absl::StrJoin(EnumNames<v1::ContactRole>(), ", ")));
  }
  v1::ContactAssignment assignment;
  assignment.set_service(std::string(service));
  assignment.set_role(*known);
  assignment.set_new_contact(std::string(account));
  return assignment;
}

}  // namespace

absl::StatusOr<v1::ContactAssignment> ParseAssignment(absl::string_view typed) {
  const auto colon = typed.find(':');
  const auto equals = typed.find('=', colon == absl::string_view::npos ? 0 : colon);
  if (colon == absl::string_view::npos || equals == absl::string_view::npos || colon == 0 ||
      equals + 1 == typed.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("assignment \"", typed, "\": want SERVICE:ROLE=ACCOUNT"));
  }
  return MakeAssignment(typed.substr(0, colon), typed.substr(colon + 1, equals - colon - 1),
                        typed.substr(equals + 1));
}

absl::StatusOr<std::vector<v1::ContactAssignment>> ReadAssignments(std::istream& in,
                                                                   absl::string_view source) {
  std::vector<v1::ContactAssignment> assignments;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    const absl::string_view content = absl::string_view(line).substr(0, line.find('#'));
    const std::vector<absl::string_view> cells =
        absl::StrSplit(content, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
    if (cells.empty()) continue;
    absl::StatusOr<v1::ContactAssignment> assignment =
        cells.size() == 3 ? MakeAssignment(cells[0], cells[1], cells[2])
                          : absl::InvalidArgumentError(
                                absl::StrCat(cells.size(), " values; want SERVICE ROLE ACCOUNT"));
    if (!assignment.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(source, ":", number, ": ", assignment.status().message()));
    }
    assignments.push_back(*std::move(assignment));
  }
  if (in.bad()) return absl::InvalidArgumentError(absl::StrCat("cannot read ", source));
  return assignments;
}

std::vector<std::string> DescribeAssignments(
    const std::vector<v1::ContactAssignment>& assignments) {
  std::vector<std::string> descriptions;
  for (const v1::ContactAssignment& assignment : assignments) {
    descriptions.push_back(absl::StrCat(assignment.service(), " ", EnumName(assignment.role()),
                                        " -> ", assignment.new_contact()));
  }
  return descriptions;
}

}  // namespace contacts::client
