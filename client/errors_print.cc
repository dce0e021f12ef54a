#include <algorithm>
#include <cstddef>
#include <ostream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "client/errors.h"
#include "client/table.h"
#include "client/text.h"
#include "nlohmann/json.hpp"

namespace contacts::client {
namespace {

constexpr std::size_t kViolationsShown = 20;
constexpr absl::string_view kAssignments = "assignments[";

// What the person wrote for a path such as "assignments[3].role". Empty where
// the path is none of an assignment.
std::string Written(absl::string_view path, const Task& task) {
  if (!absl::StartsWith(path, kAssignments)) return "";
  path.remove_prefix(kAssignments.size());
  std::size_t index = 0;
  const bool known = absl::SimpleAtoi(path.substr(0, path.find(']')), &index);
  return known && index < task.assignments.size() ? ToText(task.assignments[index]) : "";
}

void PrintViolation(const Violation& violation, const Task& task, std::ostream& err) {
  const std::string written = Written(violation.where, task);
  err << "  " << Printable(violation.where);
  if (!written.empty()) err << " (" << Printable(written) << ")";
  if (!violation.what.empty()) err << ": " << Printable(violation.what);
  err << '\n';
}

// `total`: how many there are, as the server counts them; it lists what fits into an answer.
void PrintViolations(const std::vector<Violation>& violations, const std::string& total,
                     const Task& task, std::ostream& err) {
  // A last one without a place is the server's note on those that it left out.
  const bool noted = !violations.empty() && violations.back().where.empty();
  const std::size_t count = violations.size() - (noted ? 1 : 0);
  for (std::size_t i = 0; i < count && i < kViolationsShown; ++i) {
    PrintViolation(violations[i], task, err);
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

}  // namespace

void PrintFailure(const Failure& failure, const Task& task, std::ostream& err, bool colour) {
  const std::string tag = failure.reason.empty() ? CodeName(failure.code) : failure.reason;
  err << Styled("contactctl:", Style::kBad, colour) << " could not " << Printable(task.action)
      << ": " << Printable(failure.words) << " [" << Printable(tag) << "]\n";
  const auto total = [&](const char* key) {
    const auto found = failure.metadata.find(key);
    return found == failure.metadata.end() ? "" : found->second;
  };
  PrintViolations(failure.fields, total("violations"), task, err);
  PrintViolations(failure.preconditions, total("accounts"), task, err);
  // Where violations are listed, the server's message only sums them up.
  const bool listed = !failure.fields.empty() || !failure.preconditions.empty();
  if (!listed && !failure.detail.empty()) {
    err << "  details: " << Printable(failure.detail) << '\n';
  }
  if (!failure.next.empty()) {
    err << Styled("  next:", Style::kBold, colour) << ' ' << Printable(failure.next) << '\n';
  }
}

void PrintFailureAsJson(const Failure& failure, const Task& task, const std::string& call_id,
                        std::ostream& err) {
  nlohmann::json error = {
      {"action", task.action},
      {"code", CodeName(failure.code)},
      {"reason", failure.reason},
      {"explanation", failure.words},
      {"message", failure.detail},
      {"metadata", failure.metadata},
      {"field_violations", ToJson(failure.fields, "field", "description")},
      {"precondition_violations", ToJson(failure.preconditions, "subject", "description")},
      {"next", failure.next},
      {"x_request_id", call_id},
      {"exit_status", static_cast<int>(failure.exit_status)},
  };
  if (!task.request_id.empty()) error["request_id"] = task.request_id;
  if (failure.retry_after.has_value()) {
    error["retry_after_seconds"] = absl::ToDoubleSeconds(*failure.retry_after);
  }
  // Bytes that are not UTF-8 become replacement characters instead of a throw.
  err << nlohmann::json({{"error", error}})
             .dump(2, ' ', false, nlohmann::json::error_handler_t::replace)
      << '\n';
}

}  // namespace contacts::client
