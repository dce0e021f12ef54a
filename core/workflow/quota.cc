#include "core/workflow/quota.h"

#include <optional>

#include "core/domain/errors.h"

namespace contacts {
namespace {

constexpr absl::Duration kMinute = absl::Minutes(1);
constexpr absl::Duration kDay = absl::Hours(24);

// Adds one use. Returns nothing if there were `most` uses in the window, which lasts `length`.
std::optional<QuotaWindow> Use(const QuotaWindow& window, int64_t most, absl::Duration length,
                               absl::Time now) {
  // A window that begins after now was written with a clock ahead of this one.
  const bool over = now >= window.start + length || window.start > now + length;
  if (over) return QuotaWindow{.start = now, .uses = 1};
  if (window.uses >= most) return std::nullopt;
  return QuotaWindow{.start = window.start, .uses = window.uses + 1};
}

}  // namespace

absl::StatusOr<QuotaWindow> TakeQuota(const QuotaUse& use, int64_t changes, absl::Time now,
                                      const Settings& settings) {
  if (use.pending_changes + changes > settings.max_pending_changes) {
    return errors::QuotaExceeded(settings.max_pending_changes);
  }
  const auto used = Use(use.asks, settings.max_asks_per_minute, kMinute, now);
  if (used) return *used;
  return errors::AskedTooOften(settings.max_asks_per_minute, use.asks.start + kMinute - now);
}

absl::StatusOr<QuotaWindow> TakeAddressQuota(const QuotaWindow& changes, absl::Time now,
                                             const Settings& settings) {
  const auto used = Use(changes, settings.max_addresses_per_day, kDay, now);
  if (used) return *used;
  return errors::AddressChangedTooOften(settings.max_addresses_per_day, changes.start + kDay - now);
}

}  // namespace contacts
