#ifndef CONTACTS_CLIENT_LIB_TIME_TEXT_H_
#define CONTACTS_CLIENT_LIB_TIME_TEXT_H_

#include <string>

#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

namespace contacts::client {

// The moment that `timestamp` stands for.
absl::Time ToTime(const google::protobuf::Timestamp& timestamp);

// Reads a time as RFC 3339 writes it, such as "2026-03-01T14:05:00Z". Returns false for any other
// text.
bool ParseTime(const std::string& text, google::protobuf::Timestamp& timestamp);

// `time` to the second in `zone`, with the zone's name, such as
// "2026-03-01 14:05:00 CET".
std::string LocalTime(absl::Time time, absl::TimeZone zone);

// `duration`, at least 0, in its two largest units, such as "6 d 23 h" or "45 s". Smaller units are
// left out.
std::string InWords(absl::Duration duration);

// `time` relative to `now`: "in 6 d 23 h", "2 min 5 s ago", or "now".
std::string Relative(absl::Time time, absl::Time now);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_LIB_TIME_TEXT_H_
