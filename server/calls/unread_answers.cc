#include "server/calls/unread_answers.h"

#include <algorithm>

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
  const auto held = tenants_.find(tenant);
  return held == tenants_.end() || held->second.bytes < limits_.bytes / 4;
}

void UnreadAnswers::Add(Answer& answer, const std::string& tenant, std::size_t bytes,
                        grpc::CallbackServerContext* context) {
  const std::lock_guard lock(mutex_);
  Insert(answer, tenant, bytes + kCallBytes, context);
  while (total_bytes_ > limits_.bytes) Cancel(*OldestOfLargest());
}

void UnreadAnswers::AddRejection(Answer& answer, grpc::CallbackServerContext* context) {
  const std::lock_guard lock(mutex_);
  Insert(answer, "", 0, context);
}

void UnreadAnswers::Drop(Answer& answer) {
  const std::lock_guard lock(mutex_);
  answer.dropped_ = true;
  Erase(answer);
}

void UnreadAnswers::Remove(Answer& answer) {
  const std::lock_guard lock(mutex_);
  Erase(answer);
}

std::size_t UnreadAnswers::bytes() const {
  const std::lock_guard lock(mutex_);
  return total_bytes_;
}

void UnreadAnswers::Insert(Answer& answer, const std::string& tenant, std::size_t bytes,
                           grpc::CallbackServerContext* context) {
  if (answer.dropped_) return;
  const auto held = tenants_.try_emplace(tenant).first;
  answer.tenant_ = &held->first;
  answer.bytes_ = bytes;
  answer.context_ = context;
  answer.since_ = absl::Now();
  answer.in_all_ = all_.insert(all_.end(), &answer);
  answer.in_tenant_ = held->second.answers.insert(held->second.answers.end(), &answer);
  held->second.bytes += bytes;
  total_bytes_ += bytes;
}

void UnreadAnswers::Erase(Answer& answer) {
  if (answer.tenant_ == nullptr) return;
  const auto held = tenants_.find(*answer.tenant_);
  answer.tenant_ = nullptr;
  all_.erase(answer.in_all_);
  held->second.answers.erase(answer.in_tenant_);
  held->second.bytes -= answer.bytes_;
  total_bytes_ -= answer.bytes_;
  if (held->second.answers.empty()) tenants_.erase(held);
}

void UnreadAnswers::Cancel(Answer& answer) {
  grpc::CallbackServerContext* const context = answer.context_;
  answer.dropped_ = true;
  Erase(answer);
  ++cancelled_;
  context->TryCancel();
}

UnreadAnswers::Answer* UnreadAnswers::OldestOfLargest() {
  return std::max_element(tenants_.begin(), tenants_.end(),
                          [](const auto& one, const auto& other) {
                            return one.second.bytes < other.second.bytes;
                          })
      ->second.answers.front();
}

void UnreadAnswers::CancelLate() {
  const std::lock_guard lock(mutex_);
  const absl::Time late = absl::Now() - limits_.max_age;
  while (!all_.empty() && all_.front()->since_ <= late) Cancel(*all_.front());
}

}  // namespace contacts::server
