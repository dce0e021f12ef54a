#include "server/calls/unread_answers.h"

#include <utility>

#include "absl/time/clock.h"

namespace contacts::server {
namespace {

constexpr absl::Duration kCheckInterval = absl::Seconds(1);
// Memory of a call beside its answer.
constexpr std::size_t kCallBytes = 8 * 1024;

}  // namespace

UnreadAnswers::UnreadAnswers(Limits limits)
    : limits_(limits), checks_([this] {
        CancelLate();
        return kCheckInterval;
      }) {}

bool UnreadAnswers::HasRoom(const std::string& tenant) const {
  const std::lock_guard lock(mutex_);
  if (total_bytes_ >= limits_.bytes) return false;
  const auto held = bytes_of_.find(tenant);
  return held == bytes_of_.end() || held->second < (limits_.bytes - total_bytes_) / 4;
}

UnreadAnswers::Handle UnreadAnswers::Add(const std::string& tenant, std::size_t bytes,
                                         grpc::CallbackServerContext* context) {
  const std::lock_guard lock(mutex_);
  bytes += kCallBytes;
  bytes_of_[tenant] += bytes;
  total_bytes_ += bytes;
  return waiting_.insert(waiting_.end(), {.tenant = tenant,
                                          .bytes = bytes,
                                          .context = context,
                                          .since = absl::Now(),
                                          .cancelled = false});
}

void UnreadAnswers::Remove(Handle answer) {
  const std::lock_guard lock(mutex_);
  const auto held = bytes_of_.find(answer->tenant);
  held->second -= answer->bytes;
  if (held->second == 0) bytes_of_.erase(held);
  total_bytes_ -= answer->bytes;
  (answer->cancelled ? cancelled_ : waiting_).erase(answer);
}

void UnreadAnswers::CancelLate() {
  const std::lock_guard lock(mutex_);
  const absl::Time late = absl::Now() - limits_.max_age;
  while (!waiting_.empty() && waiting_.front().since <= late) {
    cancelled_.splice(cancelled_.end(), waiting_, waiting_.begin());
    cancelled_.back().cancelled = true;
    cancelled_.back().context->TryCancel();
  }
}

}  // namespace contacts::server
