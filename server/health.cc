#include "server/health.h"

#include <spdlog/spdlog.h>

#include "contacts/v1/contact_service.grpc.pb.h"
#include "contacts/v1/directory_service.grpc.pb.h"

namespace contacts::server {
namespace {

constexpr absl::Duration kPingLimit = absl::Seconds(1);

}  // namespace

Health::Health(Database* database, grpc::HealthCheckServiceInterface* service,
               absl::Duration interval)
    : database_(database), service_(service) {
  service_->SetServingStatus(true);
  for (const char* name :
       {v1::ContactService::service_full_name(), v1::DirectoryService::service_full_name()}) {
    service_->SetServingStatus(name, true);
  }
  pings_ = std::make_unique<Periodic>([this, interval] {
    Tell(database_->Ping({.deadline = absl::Now() + kPingLimit}).ok());
    return interval;
  });
}

Health::~Health() = default;

void Health::Drain() {
  Tell(false);
  const std::lock_guard lock(mutex_);
  draining_ = true;
}

void Health::Tell(bool serving) {
  const std::lock_guard lock(mutex_);
  if (draining_ || serving == serving_) return;
  serving_ = serving;
  // All of the names that were set: "" and both services.
  service_->SetServingStatus(serving);
  spdlog::warn("health: {}", serving ? "SERVING" : "NOT_SERVING");
}

}  // namespace contacts::server
