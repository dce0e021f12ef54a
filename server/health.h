#ifndef CONTACTS_SERVER_HEALTH_H_
#define CONTACTS_SERVER_HEALTH_H_

#include <grpcpp/health_check_service_interface.h>

#include <memory>
#include <mutex>

#include "absl/time/time.h"
#include "core/mysql/database.h"
#include "server/periodic.h"

namespace contacts::server {

// Tells the truth through grpc.health.v1: SERVING while the database answers.
class Health {
 public:
  // Both must outlive it. Asks the database every `interval`.
  Health(Database* database, grpc::HealthCheckServiceInterface* service, absl::Duration interval);
  ~Health();

  // NOT_SERVING from now on.
  void Drain();

 private:
  void Tell(bool serving);

  Database* const database_;
  grpc::HealthCheckServiceInterface* const service_;
  std::mutex mutex_;
  bool serving_ = true;
  bool draining_ = false;
  std::unique_ptr<Periodic> pings_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_HEALTH_H_
