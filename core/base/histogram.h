#ifndef CONTACTS_CORE_BASE_HISTOGRAM_H_
#define CONTACTS_CORE_BASE_HISTOGRAM_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace contacts {

// Counts durations by their size. Thread safe. Adding a duration takes no lock.
class DurationHistogram {
 public:
  // The upper bound of each bucket, in microseconds: from a read of a warm database to the longest
  // calls. One more bucket has all longer durations.
  static constexpr std::array<int64_t, 17> kBounds = {
      100,     250,     500,     1'000,     2'500,     5'000,     10'000,     25'000,    50'000,
      100'000, 250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000, 30'000'000};
  using Counts = std::array<int64_t, kBounds.size() + 1>;

  // A negative duration, such as after a clock was set, counts as zero.
  void Add(absl::Duration duration) {
    const int64_t micros =
        std::max<int64_t>(0, absl::ToInt64Microseconds(duration + absl::Nanoseconds(500)));
    const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), micros);
    counts_[static_cast<std::size_t>(bucket - kBounds.begin())].fetch_add(
        1, std::memory_order_relaxed);
    sum_.fetch_add(micros, std::memory_order_relaxed);
  }

  // The count of each bucket, not cumulative.
  Counts counts() const {
    Counts counts;
    std::transform(counts_.begin(), counts_.end(), counts.begin(),
                   [](const auto& count) { return count.load(std::memory_order_relaxed); });
    return counts;
  }
  absl::Duration sum() const { return absl::Microseconds(sum_.load(std::memory_order_relaxed)); }

 private:
  std::array<std::atomic<int64_t>, kBounds.size() + 1> counts_ = {};
  std::atomic<int64_t> sum_ = 0;  // Microseconds.
};

}  // namespace contacts

#endif  // CONTACTS_CORE_BASE_HISTOGRAM_H_
