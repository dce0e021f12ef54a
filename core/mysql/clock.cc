#include "core/mysql/clock.h"

#include <spdlog/spdlog.h>

#include "absl/time/clock.h"

namespace contacts {
namespace {

constexpr absl::Duration kHostOff = absl::Seconds(1);
constexpr absl::Duration kLongestStandstill = absl::Seconds(1);
// Two good clocks drift apart by less than 100 microseconds a second.
constexpr double kDrift = 1e-4;

absl::Duration Between(DatabaseClock::Steady from, DatabaseClock::Steady to) {
  return absl::FromChrono(to - from);
}

absl::Duration RoundTrip(const DatabaseClock::Sample& sample) {
  return Between(sample.before, sample.after);
}

// The database's time at `at`, if the sample was taken in the middle of its round trip.
absl::Time TimeAt(const DatabaseClock::Sample& sample, DatabaseClock::Steady at) {
  return sample.database + Between(sample.before, at) - RoundTrip(sample) / 2;
}

// The greatest possible error of TimeAt.
absl::Duration ErrorAt(const DatabaseClock::Sample& sample, DatabaseClock::Steady at) {
  return RoundTrip(sample) / 2 + Between(sample.after, at) * kDrift;
}

}  // namespace

void DatabaseClock::Add(const Sample& sample) {
  {
    const std::lock_guard lock(mutex_);
    const absl::Duration error = ErrorAt(sample, sample.after);
    const bool better =
        !has_sample_ || error <= ErrorAt(kept_, sample.after) ||
        absl::AbsDuration(TimeAt(sample, sample.after) - TimeAt(kept_, sample.after)) >
            error + ErrorAt(kept_, sample.after);
    if (!better) return;
    kept_ = sample;
    has_sample_ = true;
  }
  const absl::Duration host = HostError();
  const bool off = absl::AbsDuration(host) > kHostOff;
  {
    const std::lock_guard lock(mutex_);
    if (off == host_is_off_) return;
    host_is_off_ = off;
  }
  spdlog::warn("clock: this host's clock minus the database's is {}: {}",
               absl::FormatDuration(absl::Trunc(host, absl::Milliseconds(1))),
               off ? "more than 1s; only deadlines, sessions and certificates are checked by it"
                   : "less than 1s again");
}

absl::Time DatabaseClock::Now(Steady now) {
  const std::lock_guard lock(mutex_);
  const absl::Time time = has_sample_ ? TimeAt(kept_, now) : absl::Now();
  if (time >= last_ || last_ - time > kLongestStandstill) last_ = time;
  return last_;
}

absl::Duration DatabaseClock::HostError() {
  const std::lock_guard lock(mutex_);
  if (!has_sample_) return absl::ZeroDuration();
  return absl::Now() - TimeAt(kept_, std::chrono::steady_clock::now());
}

}  // namespace contacts
