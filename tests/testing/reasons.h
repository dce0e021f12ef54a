#ifndef CONTACTS_TESTS_TESTING_REASONS_H_
#define CONTACTS_TESTS_TESTING_REASONS_H_

#include <gmock/gmock.h>
#include <google/rpc/error_details.pb.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "core/domain/errors.h"

// The parts of an error that tests read: its reason and its google.rpc details.
namespace contacts::testing {

// "" for OK, else the ErrorInfo reason.
MATCHER_P(HasReason, reason, "") {
  *result_listener << arg;
  return arg.ok() ? std::string(reason).empty() : errors::Reason(arg) == reason;
}

template <typename Detail>
Detail DetailOf(const absl::Status& status) {
  Detail detail;
  const auto payload =
      status.GetPayload(absl::StrCat("type.googleapis.com/", Detail::descriptor()->full_name()));
  if (payload) detail.ParseFromString(std::string(*payload));
  return detail;
}

// One value of the ErrorInfo's metadata; "" without it.
inline std::string MetadataOf(const absl::Status& status, const std::string& key) {
  const auto info = DetailOf<google::rpc::ErrorInfo>(status);
  const auto found = info.metadata().find(key);
  return found == info.metadata().end() ? "" : found->second;
}

// "field REASON" of every violation that the error lists.
inline std::vector<std::string> ViolationsOf(const absl::Status& status) {
  std::vector<std::string> lines;
  const auto bad = DetailOf<google::rpc::BadRequest>(status);
  for (const auto& violation : bad.field_violations()) {
    const std::string& text = violation.description();
    lines.push_back(absl::StrCat(violation.field(), " ", text.substr(0, text.find(':'))));
  }
  return lines;
}

// The accounts that a BILLING_OVERDUE error names.
inline std::vector<std::string> OverdueOf(const absl::Status& status) {
  std::vector<std::string> accounts;
  const auto failure = DetailOf<google::rpc::PreconditionFailure>(status);
  for (const auto& violation : failure.violations()) {
    accounts.push_back(violation.subject());
  }
  return accounts;
}

// The time to wait in a RESEND_TOO_SOON error.
inline absl::Duration RetryDelayOf(const absl::Status& status) {
  const google::rpc::RetryInfo retry = DetailOf<google::rpc::RetryInfo>(status);
  return absl::Seconds(retry.retry_delay().seconds()) +
         absl::Nanoseconds(retry.retry_delay().nanos());
}

}  // namespace contacts::testing

#endif  // CONTACTS_TESTS_TESTING_REASONS_H_
