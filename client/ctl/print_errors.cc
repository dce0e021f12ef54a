#include "client/ctl/print_errors.h"

#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "client/ctl/table.h"
#include "client/lib/terminal_text.h"
#include "nlohmann/json.hpp"

namespace contacts::client {
namespace {

constexpr std::size_t kViolationsShown = 20;
constexpr absl::string_view kAssignments = "assignments[";

// The assignment that a path such as "assignments[3].role" is about, as the person gave it. Empty
// for any other path.
std::string AssignmentAt(absl::string_view path, const CallPurpose& purpose) {
  if (!absl::StartsWith(path, kAssignments)) return "";
  path.remove_prefix(kAssignments.size());
  std::size_t index = 0;
  const bool known = absl::SimpleAtoi(path.substr(0, path.find(']')), &index);
  return known && index < purpose.assignments.size() ? purpose.assignments[index] : "";
}

void PrintViolation(const Violation& violation, const CallPurpose& purpose, std::ostream& err) {
  const std::string assignment = AssignmentAt(violation.where, purpose);
  err << "  " << Printable(violation.where);
  if (!assignment.empty()) err << " (" << Printable(assignment) << ")";
  if (!violation.what.empty()) err << ": " << Printable(violation.what);
  err << '\n';
}

// `total` is the number of violations that the server counted, which may be more than it lists;
// empty if it does not say.
void PrintViolations(const std::vector<Violation>& violations, const std::string& total,
                     const CallPurpose& purpose, std::ostream& err) {
  // A last violation without a path is the server's note on those that it left out.
  const bool noted = !violations.empty() && violations.back().where.empty();
  const std::size_t count = violations.size() - (noted ? 1 : 0);
  for (std::size_t i = 0; i < count && i < kViolationsShown; ++i) {
    PrintViolation(violations[i], purpose, err);
  }
  std::size_t all = 0;
  if (!absl::SimpleAtoi(total, &all) || all < count) all = count;
  if (const std::size_t shown = std::min(count, kViolationsShown); all > shown) {
    err << "  … and " << all - shown << " more, " << all << " in all";
    if (count > shown) err << "; --output=json lists " << (count < all ? "more" : "them");
    err << '\n';
  }
  if (noted) err << "  not listed by the server: " << Printable(violations.back().what) << '\n';
}

nlohmann::json ToJson(const std::vector<Violation>& violations, absl::string_view where,
                      absl::string_view what) {
  nlohmann::json list = nlohmann::json::array();
  for (const Violation& violation : violations) {
    list.push_back({{std::string(where), violation.where}, {std::string(what), violation.what}});
  }
  return list;
}

std::string MetadataValue(const Failure& failure, const std::string& key) {
  const auto found = failure.metadata.find(key);
  return found == failure.metadata.end() ? "" : found->second;
}

void PrintJson(const nlohmann::json& error, std::ostream& err) {
  // Bytes that are not UTF-8 become replacement characters instead of an exception.
  err << nlohmann::json({{"error", error}})
             .dump(2, ' ', false, nlohmann::json::error_handler_t::replace)
      << '\n';
}

void PrintFailureAsJson(const Failure& failure, const CallPurpose& purpose,
                        const std::string& call_id, std::ostream& err) {
  nlohmann::json error = {
      {"action", purpose.action},
      {"code", CodeName(failure.code)},
      {"reason", failure.reason},
      {"explanation", failure.explanation},
      {"message", failure.detail},
      {"metadata", failure.metadata},
      {"field_violations", ToJson(failure.fields, "field", "description")},
      {"precondition_violations", ToJson(failure.preconditions, "subject", "description")},
      {"next", failure.next},
      {"x_request_id", call_id},
      {"exit_status", static_cast<int>(failure.exit_status)},
  };
  if (!purpose.request_id.empty()) error["request_id"] = purpose.request_id;
  if (failure.retry_after.has_value()) {
    error["retry_after_seconds"] = absl::ToDoubleSeconds(*failure.retry_after);
  }
  PrintJson(error, err);
}

}  // namespace

void PrintError(absl::string_view code, absl::string_view message, ExitStatus exit_status,
                ErrorFormat format, std::ostream& err) {
  if (format.json) {
    PrintJson({{"code", std::string(code)},
               {"explanation", std::string(message)},
               {"exit_status", static_cast<int>(exit_status)}},
              err);
    return;
  }
  err << Styled("contactctl:", Style::kBad, format.colour) << ' ' << Printable(message) << '\n';
}

void PrintFailure(const Failure& failure, const CallPurpose& purpose, const std::string& call_id,
                  ErrorFormat format, std::ostream& err) {
  if (format.json) {
    PrintFailureAsJson(failure, purpose, call_id, err);
    return;
  }
  const std::string tag = failure.reason.empty() ? CodeName(failure.code) : failure.reason;
  err << Styled("contactctl:", Style::kBad, format.colour) << " could not "
      << Printable(purpose.action) << ": " << Printable(failure.explanation) << " ["
      << Printable(tag) << "]\n";
  PrintViolations(failure.fields, MetadataValue(failure, "violations"), purpose, err);
  PrintViolations(failure.preconditions, MetadataValue(failure, "accounts"), purpose, err);
  // The server's message only sums up the violations.
  const bool listed = !failure.fields.empty() || !failure.preconditions.empty();
  if (!listed && !failure.detail.empty()) {
    err << "  details: " << Printable(failure.detail) << '\n';
  }
  if (!failure.next.empty()) {
    err << Styled("  next:", Style::kBold, format.colour) << ' ' << Printable(failure.next) << '\n';
  }
}

}  // namespace contacts::client
