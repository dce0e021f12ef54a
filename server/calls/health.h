#ifndef CONTACTS_SERVER_CALLS_HEALTH_H_
#define CONTACTS_SERVER_CALLS_HEALTH_H_

#include <grpcpp/health_check_service_interface.h>

#include <memory>
#include <mutex>
#include <optional>

#include "absl/time/time.h"
#include "core/mysql/database.h"
#include "server/calls/work_queue.h"
#include "server/support/periodic.h"

namespace contacts::server {

// The service's name for which health describes the process alone, not the database.
inline constexpr char kLiveness[] = "liveness";

// Sets grpc.health.v1: SERVING while the database answers within a second and calls go on. A second
// thread sets NOT_SERVING as soon as no member is in use, if the ping itself hangs, or if no thread
// has taken a waiting call for five seconds, such as when a table is locked.
class Health {
 public:
  // All must outlive this object. Pings the database every `interval`,
  // and more often while the state is NOT_SERVING.
  Health(Database* database, const WorkQueue* workers, grpc::HealthCheckServiceInterface* service,
         absl::Duration interval);
  ~Health();

  // Sets NOT_SERVING for good.
  void Drain();
  bool serving() const;

 private:
  void PingDatabase();
  void DetectLoss();
  bool CallsAreStuck() const;
  void SetServing(bool serving);  // With the lock held.
  // For "" and the contract's services, whose health follows the database.
  void SetDatabaseNames(bool serving);

  Database* const database_;
  const WorkQueue* const workers_;
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
