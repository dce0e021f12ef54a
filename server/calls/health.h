#ifndef CONTACTS_SERVER_CALLS_HEALTH_H_
#define CONTACTS_SERVER_CALLS_HEALTH_H_

#include <grpcpp/health_check_service_interface.h>

#include <memory>
#include <mutex>
#include <optional>

#include "absl/time/time.h"
#include "core/mysql/database.h"
#include "server/support/periodic.h"

namespace contacts::server {

// Sets grpc.health.v1: SERVING while the database answers within a second. A database that hangs
// holds up the ping itself, so a second thread watches for that.
class Health {
 public:
  // Both must outlive this object. Asks the database every `interval`.
  Health(Database* database, grpc::HealthCheckServiceInterface* service, absl::Duration interval);
  ~Health();

  // Sets NOT_SERVING for good.
  void Drain();
  bool serving() const;

 private:
  void PingDatabase();
  void DetectHang();
  void SetServing(bool serving);  // With the lock held.

  Database* const database_;
  grpc::HealthCheckServiceInterface* const service_;
  mutable std::mutex mutex_;
  bool serving_ = true;
  bool draining_ = false;
  std::optional<absl::Time> ping_start_;  // Begin of the ping in progress.
  std::unique_ptr<Periodic> pings_;
  std::unique_ptr<Periodic> hang_checks_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CALLS_HEALTH_H_
