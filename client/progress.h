#ifndef CONTACTS_CLIENT_PROGRESS_H_
#define CONTACTS_CLIENT_PROGRESS_H_

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "absl/time/time.h"

namespace contacts::client {

// How far a long piece of work has come.
struct Advance {
  int64_t records = 0;             // Done so far.
  std::optional<double> fraction;  // Of the whole, 0 to 1; unset where that is not known.
  absl::Duration elapsed;
};

// `count` with its thousands apart, such as "1,234,567".
std::string Grouped(int64_t count);

// Records a second, such as "21,300/s"; empty where no time has passed.
std::string RateOf(const Advance& advance);

// One line about it, with rate and time left: with a bar for a terminal, plain
// otherwise.
std::string ProgressLine(const Advance& advance, bool bar);

// Shows the progress of one piece of work: on a terminal as a bar that is drawn again
// and again in its place, elsewhere as a line now and then. Not thread-safe.
class Progress {
 public:
  // `err` must outlive it. `now` tells the time.
  Progress(std::ostream& err, bool terminal, std::function<absl::Time()> now);

  // `fraction` as in Advance.
  void Show(int64_t records, std::optional<double> fraction);
  // Takes the bar away, so that other lines can be written.
  void Clear();

  Advance At(int64_t records, std::optional<double> fraction = std::nullopt) const;

 private:
  std::ostream& err_;
  const bool terminal_;
  const std::function<absl::Time()> now_;
  const absl::Time start_;
  absl::Time shown_;
  bool drawn_ = false;
};

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_PROGRESS_H_
