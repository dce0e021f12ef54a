#include "client/lib/time_text.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace contacts::client {

absl::Time ToTime(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

bool ParseTime(const std::string& text, google::protobuf::Timestamp& timestamp) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) return false;
  timestamp.set_seconds(absl::ToUnixSeconds(time));
  timestamp.set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(timestamp.seconds()))));
  return true;
}

std::string LocalTime(absl::Time time, absl::TimeZone zone) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S %Z", time, zone);
}

std::string InWords(absl::Duration duration) {
  const std::int64_t seconds = absl::ToInt64Seconds(duration);
  const std::vector<std::pair<std::int64_t, absl::string_view>> parts = {
      {seconds / 86400, " d"},
      {seconds / 3600 % 24, " h"},
      {seconds / 60 % 60, " min"},
      {seconds % 60, " s"},
  };
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].first == 0) continue;
    std::string words = absl::StrCat(parts[i].first, parts[i].second);
    if (i + 1 < parts.size() && parts[i + 1].first != 0) {
      absl::StrAppend(&words, " ", parts[i + 1].first, parts[i + 1].second);
    }
    return words;
  }
  return "0 s";
}

std::string Relative(absl::Time time, absl::Time now) {
  const absl::Duration distance = time - now;
  if (absl::AbsDuration(distance) < absl::Seconds(1)) return "now";
  if (distance > absl::ZeroDuration()) return absl::StrCat("in ", InWords(distance));
  return absl::StrCat(InWords(-distance), " ago");
}

}  // namespace contacts::client
