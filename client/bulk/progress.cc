#include "client/bulk/progress.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/lib/time_text.h"

namespace contacts::client {
namespace {

constexpr int kBarWidth = 24;
constexpr absl::Duration kRedraw = absl::Milliseconds(100);
constexpr absl::Duration kPlainLines = absl::Seconds(5);
constexpr char kClearLine[] = "\r\x1b[K";

std::string Bar(double fraction) {
  const int filled = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * kBarWidth);
  return absl::StrCat("[", std::string(static_cast<std::size_t>(filled), '#'),
                      std::string(static_cast<std::size_t>(kBarWidth - filled), ' '), "] ");
}

}  // namespace

std::string Grouped(int64_t count) {
  std::string text = absl::StrCat(count);
  for (std::size_t at = text.size(); at > 3 && text[at - 4] != '-';) text.insert(at -= 3, ",");
  return text;
}

std::string RateOf(const ProgressState& progress) {
  const double seconds = absl::ToDoubleSeconds(progress.elapsed);
  if (seconds <= 0) return "";
  return Grouped(static_cast<int64_t>(static_cast<double>(progress.records) / seconds)) + "/s";
}

std::string ProgressLine(const ProgressState& progress, bool bar) {
  std::string line;
  if (progress.fraction) {
    if (bar) line = Bar(*progress.fraction);
    absl::StrAppend(&line, static_cast<int>(*progress.fraction * 100), " %  ");
  }
  absl::StrAppend(&line, Grouped(progress.records), " records");
  if (const std::string rate = RateOf(progress); !rate.empty()) absl::StrAppend(&line, "  ", rate);
  if (progress.fraction && *progress.fraction > 0) {
    const absl::Duration left = progress.elapsed * (1 / *progress.fraction - 1);
    absl::StrAppend(&line, "  ", InWords(absl::Ceil(left, absl::Seconds(1))), " left");
  }
  return line;
}

ProgressDisplay::ProgressDisplay(std::ostream& err, bool terminal, std::function<absl::Time()> now)
    : err_(err), terminal_(terminal), now_(std::move(now)), start_(now_()), shown_(start_) {}

ProgressState ProgressDisplay::At(int64_t records, std::optional<double> fraction) const {
  return {records, fraction, now_() - start_};
}

void ProgressDisplay::Show(int64_t records, std::optional<double> fraction) {
  const absl::Time now = now_();
  if (now - shown_ < (terminal_ ? kRedraw : kPlainLines)) return;
  shown_ = now;
  const std::string line = ProgressLine(At(records, fraction), terminal_);
  if (terminal_) {
    err_ << kClearLine << line << std::flush;
    drawn_ = true;
  } else {
    err_ << line << std::endl;
  }
}

void ProgressDisplay::Clear() {
  if (drawn_) err_ << kClearLine << std::flush;
  drawn_ = false;
}

}  // namespace contacts::client
