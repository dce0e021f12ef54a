#ifndef CONTACTS_CLIENT_BULK_PROGRESS_H_
#define CONTACTS_CLIENT_BULK_PROGRESS_H_

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "absl/time/time.h"

namespace contacts::client {

// How far a long task has come.
struct ProgressState {
  int64_t records = 0;             // Done so far.
  std::optional<double> fraction;  // Of the whole, 0 to 1. Not set: unknown.
  absl::Duration elapsed;          // Since the task began.
};

// `count` with a comma between thousands, such as "1,234,567".
std::string Grouped(int64_t count);

// Records a second, such as "21,300/s"; empty if no time has passed.
std::string RateOf(const ProgressState& progress);

// One line with percentage, records, rate and time left, as far as they are known; with a bar in
// front if `bar`.
std::string ProgressLine(const ProgressState& progress, bool bar);

// Shows the progress of one task: on a terminal as a bar that is redrawn in place at most every
// 100 ms, elsewhere as a line every 5 s. Not thread-safe.
class ProgressDisplay {
 public:
  // `err` must outlive it. `now` returns the time.
  ProgressDisplay(std::ostream& err, bool terminal, std::function<absl::Time()> now);

  // `fraction` as in ProgressState. Draws nothing if the last drawing is too recent.
  void Show(int64_t records, std::optional<double> fraction);
  // Removes the bar, so that other lines can be written.
  void Clear();

  // The present state.
  ProgressState At(int64_t records, std::optional<double> fraction = std::nullopt) const;

 private:
  std::ostream& err_;
  const bool terminal_;
  const std::function<absl::Time()> now_;
  const absl::Time start_;
  absl::Time shown_;
  bool drawn_ = false;
};

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_BULK_PROGRESS_H_
