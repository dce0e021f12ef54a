#include "server/messages/status.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/utf8.h"
#include "core/domain/errors.h"
#include "core/domain/ids.h"

namespace contacts::server {
namespace {

using google::rpc::BadRequest;
using google::rpc::PreconditionFailure;
using google::rpc::RetryInfo;

// Bytes of a message as gRPC writes it into a header.
constexpr std::size_t kMaxMessage = 512;
constexpr std::size_t kShortDescription = 24;
// The bytes that a detail adds to its own: its type's URL, tags and sizes.
constexpr std::size_t kDetailOverhead = 64;

// The first `end` bytes of `text`, or fewer, so that no character of UTF-8 is cut.
std::string WholeCharacters(absl::string_view text, std::size_t end) {
  while (end > 0 && end < text.size() && IsContinuationByte(text[end])) --end;
  return std::string(text.substr(0, end));
}

// Cuts `text` so that it has at most kMaxMessage bytes once gRPC has percent-encoded it.
std::string Truncate(absl::string_view text) {
  std::size_t encoded = 0;
  std::size_t end = 0;
  for (; end < text.size(); ++end) {
    const auto c = static_cast<unsigned char>(text[end]);
    encoded += absl::ascii_isprint(c) && c != '%' ? 1 : 3;
    if (encoded > kMaxMessage) break;
  }
  return WholeCharacters(text, end);
}

// Keeps the reason that a description begins with, or else its beginning.
void ShortenDescription(std::string& description) {
  if (description.size() <= kShortDescription) return;
  const std::size_t reason = description.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
  if (reason > 0 && description[reason] == ':') {
    description.resize(reason);
  } else {
    description = absl::StrCat(WholeCharacters(description, kShortDescription - 3), "...");
  }
}

// Shortens descriptions, then cuts the list off, so that the detail has at most `budget` bytes.
template <typename Detail, typename List>
void ShortenToFit(Detail& detail, List& list, std::size_t budget) {
  if (detail.ByteSizeLong() <= budget) return;
  for (auto& violation : list) ShortenDescription(*violation.mutable_description());
  int kept = 0;
  for (std::size_t size = 0; kept < list.size(); ++kept) {
    const auto bytes = static_cast<uint32_t>(list[kept].ByteSizeLong());
    size += 1 + google::protobuf::io::CodedOutputStream::VarintSize32(bytes) + bytes;
    if (size > budget) break;
  }
  list.DeleteSubrange(kept, list.size() - kept);
}

// Room for one more detail.
std::size_t RemainingBytes(const google::rpc::Status& packed, std::size_t max_details) {
  const std::size_t used = packed.ByteSizeLong() + kDetailOverhead;
  return max_details - std::min(used, max_details);
}

}  // namespace

absl::Status PublicStatus(const absl::Status& status) {
  if (status.ok() || absl::IsCancelled(status) || !errors::Reason(status).empty()) return status;
  const std::string incident = Uuid::Version4().text();
  spdlog::error("incident {}: {}", incident,
                status.ToString(absl::StatusToStringMode::kWithNoExtraData));
  return errors::Internal(incident);
}

std::optional<absl::Duration> RetryDelay(const absl::Status& status) {
  std::optional<absl::Duration> delay;
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& cord) {
    RetryInfo info;
    if (!absl::EndsWith(url, RetryInfo::descriptor()->full_name()) ||
        !info.ParseFromString(std::string(cord))) {
      return;
    }
    delay = absl::Ceil(
        absl::Seconds(info.retry_delay().seconds()) + absl::Nanoseconds(info.retry_delay().nanos()),
        absl::Milliseconds(1));
  });
  return delay;
}

grpc::Status ToGrpcStatus(const absl::Status& status, std::size_t max_details) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::Status packed;
  packed.set_code(static_cast<int>(status.code()));
  packed.set_message(Truncate(status.message()));
  BadRequest bad;
  PreconditionFailure failure;
  std::map<std::string, std::string> others;  // Never long.
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& cord) {
    const std::string detail(cord);
    if (absl::EndsWith(url, BadRequest::descriptor()->full_name())) {
      bad.ParseFromString(detail);
    } else if (absl::EndsWith(url, PreconditionFailure::descriptor()->full_name())) {
      failure.ParseFromString(detail);
    } else {
      others[std::string(url)] = detail;
    }
  });
  for (auto& [url, detail] : others) {
    auto* any = packed.add_details();
    any->set_type_url(url);
    any->set_value(std::move(detail));
  }
  if (failure.violations_size() > 0) {
    // Half of the room is reserved for the other list, if that needs it.
    const std::size_t room = RemainingBytes(packed, max_details);
    const std::size_t reserved = std::min(room / 2, bad.ByteSizeLong() + kDetailOverhead);
    ShortenToFit(failure, *failure.mutable_violations(), room - reserved);
    packed.add_details()->PackFrom(failure);
  }
  if (bad.field_violations_size() > 0) {
    ShortenToFit(bad, *bad.mutable_field_violations(), RemainingBytes(packed, max_details));
    packed.add_details()->PackFrom(bad);
  }
  return {static_cast<grpc::StatusCode>(status.code()), packed.message(),
          packed.SerializeAsString()};
}

}  // namespace contacts::server
