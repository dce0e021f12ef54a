#include "server/calls/health.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "contacts/v1/contact_service.grpc.pb.h"
#include "contacts/v1/directory_service.grpc.pb.h"
#include "contacts/v1/support_service.grpc.pb.h"

namespace contacts::server {
namespace {

constexpr absl::Duration kPingLimit = absl::Seconds(1);
// Also the time between two pings while the state is NOT_SERVING.
constexpr absl::Duration kWatchInterval = absl::Milliseconds(250);

constexpr absl::Duration kStuckLimit = absl::Seconds(5);

}  // namespace

Health::Health(Database* database, const WorkQueue* workers,
               grpc::HealthCheckServiceInterface* service, absl::Duration interval)
    : database_(database), workers_(workers), service_(service) {
  service_->SetServingStatus(kLiveness, true);
  SetDatabaseNames(true);
  pings_ = std::make_unique<Periodic>([this, interval] {
    PingDatabase();
    return serving() ? interval : std::min(interval, kWatchInterval);
  });
  loss_checks_ = std::make_unique<Periodic>([this] {
    DetectLoss();
    return kWatchInterval;
  });
}

Health::~Health() = default;

void Health::Drain() {
  const std::lock_guard lock(mutex_);
  SetServing(false);
  draining_ = true;
}

bool Health::serving() const {
  const std::lock_guard lock(mutex_);
  return serving_;
}

void Health::PingDatabase() {
  {
    const std::lock_guard lock(mutex_);
    ping_start_ = absl::Now();
  }
  const bool answered = database_->Ping({.deadline = absl::Now() + kPingLimit}).ok();
  const std::lock_guard lock(mutex_);
  ping_start_.reset();
  SetServing(answered && !CallsAreStuck());
}

void Health::DetectLoss() {
  const bool lost = !database_->HasMember() || CallsAreStuck();
  const std::lock_guard lock(mutex_);
  if (lost || (ping_start_ && absl::Now() - *ping_start_ > kPingLimit)) SetServing(false);
}

bool Health::CallsAreStuck() const { return workers_->stuck() > kStuckLimit; }

void Health::SetDatabaseNames(bool serving) {
  for (const char* name :
       {"", v1::ContactService::service_full_name(), v1::DirectoryService::service_full_name(),
        v1::SupportService::service_full_name()}) {
    service_->SetServingStatus(name, serving);
  }
}

void Health::SetServing(bool serving) {
  if (draining_ || serving == serving_) return;
  serving_ = serving;
  SetDatabaseNames(serving);
  spdlog::warn("health: {}", serving ? "SERVING" : "NOT_SERVING");
}

}  // namespace contacts::server
