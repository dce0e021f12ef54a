#include "core/workflow/quota.h"

#include "core/domain/errors.h"

namespace contacts {
namespace {

constexpr absl::Duration kWindow = absl::Minutes(1);

}  // namespace

absl::StatusOr<AskWindow> TakeQuota(const QuotaUse& use, int64_t changes, absl::Time now,
                                    const Settings& settings) {
  if (use.pending_changes + changes > settings.max_pending_changes) {
    return errors::QuotaExceeded(settings.max_pending_changes);
  }
  // A window that begins later than now was written by a clock ahead of this one.
  const bool over = now >= use.window.start + kWindow || use.window.start > now + kWindow;
  if (over) return AskWindow{.start = now, .asks = 1};
  if (use.window.asks >= settings.max_asks_per_minute) {
    return errors::AskedTooOften(settings.max_asks_per_minute, use.window.start + kWindow - now);
  }
  return AskWindow{.start = use.window.start, .asks = use.window.asks + 1};
}

}  // namespace contacts
