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

// The service's name for which health describes the process alone, not the database.
inline constexpr char kLiveness[] = "liveness";

// Sets grpc.health.v1: SERVING while the database answers within a second. A second thread sets
// NOT_SERVING as soon as no member is in use, or if the ping itself hangs.
class Health {
 public:
  // Both must outlive this object. Pings the database every `interval`,
  // and more often while the state is NOT_SERVING.
  Health(Database* database, grpc::HealthCheckServiceInterface* service, absl::Duration interval);
  ~Health();

  // Sets NOT_SERVING for good.
  void Drain();
  bool serving() const;

 private:
  void PingDatabase();
  void DetectLoss();
  void SetServing(bool serving);  // With the lock held.
  // For "" and the contract's services, whose health follows the database.
  void SetDatabaseNames(bool serving);

  Database* const database_;
  grpc::HealthCheckServiceInterface* const service_;
  mutable std::mutex mutex_;
  bool serving_ = true;
  bool draining_ = false;
  std::optional<absl::Time> ping_start_;  // Begin of the ping in progress.
  std::unique_ptr<Periodic> pings_;
  std::unique_ptr<Periodic> loss_checks_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CALLS_HEALTH_H_
