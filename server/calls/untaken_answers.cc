#include "server/calls/untaken_answers.h"

#include <utility>

#include "absl/time/clock.h"

namespace contacts::server {
namespace {

constexpr absl::Duration kLookInterval = absl::Seconds(1);
// Memory of a call beside its answer.
constexpr std::size_t kCallBytes = 8 * 1024;

}  // namespace

UntakenAnswers::UntakenAnswers(Limits limits)
    : limits_(limits), looks_([this] {
        CancelLate();
        return kLookInterval;
      }) {}

bool UntakenAnswers::HasRoom(const std::string& whose) const {
  const std::lock_guard lock(mutex_);
  if (total_ >= limits_.bytes) return false;
  const auto held = held_.find(whose);
  return held == held_.end() || held->second < (limits_.bytes - total_) / 4;
}

UntakenAnswers::Handle UntakenAnswers::Add(const std::string& whose, std::size_t bytes,
                                           grpc::CallbackServerContext* context) {
  const std::lock_guard lock(mutex_);
  bytes += kCallBytes;
  held_[whose] += bytes;
  total_ += bytes;
  return waiting_.insert(waiting_.end(), {.whose = whose,
                                          .bytes = bytes,
                                          .context = context,
                                          .since = absl::Now(),
                                          .cancelled = false});
}

void UntakenAnswers::Remove(Handle answer) {
  const std::lock_guard lock(mutex_);
  const auto held = held_.find(answer->whose);
  held->second -= answer->bytes;
  if (held->second == 0) held_.erase(held);
  total_ -= answer->bytes;
  (answer->cancelled ? cancelled_ : waiting_).erase(answer);
}

void UntakenAnswers::CancelLate() {
  const std::lock_guard lock(mutex_);
  const absl::Time late = absl::Now() - limits_.patience;
  while (!waiting_.empty() && waiting_.front().since <= late) {
    cancelled_.splice(cancelled_.end(), waiting_, waiting_.begin());
    cancelled_.back().cancelled = true;
    cancelled_.back().context->TryCancel();
  }
}

}  // namespace contacts::server
