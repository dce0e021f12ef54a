#include "server/status.h"

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <spdlog/spdlog.h>

#include <map>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/domain/errors.h"
#include "core/domain/ids.h"

namespace contacts::server {
namespace {

using google::rpc::BadRequest;

constexpr std::size_t kMaxMessage = 512;
constexpr std::size_t kShortDescription = 24;

// Shortens descriptions, then the list.
void Fit(BadRequest& bad, std::size_t budget) {
  if (bad.ByteSizeLong() <= budget) return;
  for (auto& violation : *bad.mutable_field_violations()) {
    std::string& text = *violation.mutable_description();
    const std::size_t word = text.find_first_of(" :;");
    if (text.size() > kShortDescription) text.resize(std::min(word, kShortDescription));
  }
  const int total = bad.field_violations_size();
  constexpr std::size_t kNote = 64;
  constexpr std::size_t kTagAndSize = 6;
  int kept = 0;
  for (std::size_t size = kNote; kept < total; ++kept) {
    size += kTagAndSize + bad.field_violations(kept).ByteSizeLong();
    if (size > budget) break;
  }
  if (kept == total) return;
  bad.mutable_field_violations()->DeleteSubrange(kept, total - kept);
  bad.add_field_violations()->set_description(absl::StrCat("and ", total - kept, " more"));
}

}  // namespace

absl::Status Presentable(const absl::Status& status) {
  if (status.ok() || absl::IsDeadlineExceeded(status) || absl::IsCancelled(status) ||
      !errors::Reason(status).empty()) {
    return status;
  }
  const std::string incident = Uuid::Version4().text();
  spdlog::error("incident {}: {}", incident,
                status.ToString(absl::StatusToStringMode::kWithNoExtraData));
  return errors::Internal(incident);
}

grpc::Status ToGrpcStatus(const absl::Status& status, std::size_t max_details) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::Status packed;
  packed.set_code(static_cast<int>(status.code()));
  packed.set_message(std::string(status.message().substr(0, kMaxMessage)));
  std::map<std::string, std::string> details;
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& detail) {
    details[std::string(url)] = std::string(detail);
  });
  const std::string bad_url =
      absl::StrCat("type.googleapis.com/", BadRequest::descriptor()->full_name());
  for (auto& [url, detail] : details) {
    BadRequest bad;
    if (url == bad_url && detail.size() > max_details && bad.ParseFromString(detail)) {
      Fit(bad, max_details);
      detail = bad.SerializeAsString();
    }
    auto* any = packed.add_details();
    any->set_type_url(url);
    any->set_value(std::move(detail));
  }
  return {static_cast<grpc::StatusCode>(status.code()), packed.message(),
          packed.SerializeAsString()};
}

}  // namespace contacts::server
