#include "server/calls/health.h"

#include <spdlog/spdlog.h>

#include "contacts/v1/contact_service.grpc.pb.h"
#include "contacts/v1/directory_service.grpc.pb.h"

namespace contacts::server {
namespace {

constexpr absl::Duration kPingLimit = absl::Seconds(1);
constexpr absl::Duration kWatchInterval = absl::Milliseconds(250);

}  // namespace

Health::Health(Database* database, grpc::HealthCheckServiceInterface* service,
               absl::Duration interval)
    : database_(database), service_(service) {
  service_->SetServingStatus(true);
  for (const char* name :
       {v1::ContactService::service_full_name(), v1::DirectoryService::service_full_name()}) {
    service_->SetServingStatus(name, true);
  }
  asking_ = std::make_unique<Periodic>([this, interval] {
    Ask();
    return interval;
  });
  watching_ = std::make_unique<Periodic>([this] {
    NoticeHang();
    return kWatchInterval;
  });
}

Health::~Health() = default;

void Health::Drain() {
  const std::lock_guard lock(mutex_);
  Tell(false);
  draining_ = true;
}

bool Health::serving() const {
  const std::lock_guard lock(mutex_);
  return serving_;
}

void Health::Ask() {
  {
    const std::lock_guard lock(mutex_);
    asked_ = absl::Now();
  }
  const bool answered = database_->Ping({.deadline = absl::Now() + kPingLimit}).ok();
  const std::lock_guard lock(mutex_);
  asked_.reset();
  Tell(answered);
}

void Health::NoticeHang() {
  const std::lock_guard lock(mutex_);
  if (asked_ && absl::Now() - *asked_ > kPingLimit) Tell(false);
}

void Health::Tell(bool serving) {
  if (draining_ || serving == serving_) return;
  serving_ = serving;
  // Sets all names: "" and both services.
  service_->SetServingStatus(serving);
  spdlog::warn("health: {}", serving ? "SERVING" : "NOT_SERVING");
}

}  // namespace contacts::server
