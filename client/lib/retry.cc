#include "client/lib/retry.h"

#include <algorithm>
#include <random>

#include "absl/strings/match.h"
#include "client/lib/errors.h"

namespace contacts::client {
namespace {

constexpr absl::Duration kLongestWait = absl::Seconds(2);

absl::Duration WithJitter(absl::Duration wait) {
  std::random_device device;
  return wait * std::uniform_real_distribution<double>(0.5, 1.0)(device);
}

}  // namespace

bool IsWorthRetrying(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE &&
         !absl::StrContains(status.error_message(), "Ssl handshake failed");
}

bool IsWorthReopening(const grpc::Status& status) {
  return IsWorthRetrying(status) || status.error_code() == grpc::StatusCode::CANCELLED;
}

absl::Duration Backoff::NextWait(const grpc::Status& status) {
  const absl::Duration own = WithJitter(next_);
  next_ = std::min(next_ * 2, longest_);
  return std::max(RetryDelay(status).value_or(absl::ZeroDuration()), own);
}

grpc::Status CallWithRetries(absl::Duration timeout, Retry retry, const RetryClock& clock,
                             const std::function<grpc::Status(absl::Time deadline)>& attempt) {
  const absl::Time deadline = clock.now() + timeout;
  Backoff backoff(kLongestWait);
  for (;;) {
    grpc::Status status = attempt(deadline);
    if (retry == Retry::kNever || !IsWorthRetrying(status)) return status;
    const absl::Duration wait = backoff.NextWait(status);
    if (clock.now() + wait >= deadline) return status;
    if (clock.on_retry) clock.on_retry(wait);
    clock.sleep(wait);
  }
}

}  // namespace contacts::client
