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

// Tells the truth through grpc.health.v1: SERVING while the database answers, and
// answers within a second. A database that hangs holds up the asking itself, so
// that another thread watches for that.
class Health {
 public:
  // Both must outlive it. Asks the database every `interval`.
  Health(Database* database, grpc::HealthCheckServiceInterface* service, absl::Duration interval);
  ~Health();

  // NOT_SERVING from now on.
  void Drain();
  bool serving() const;

 private:
  void Ask();
  void NoticeHang();
  void Tell(bool serving);  // With the lock held.

  Database* const database_;
  grpc::HealthCheckServiceInterface* const service_;
  mutable std::mutex mutex_;
  bool serving_ = true;
  bool draining_ = false;
  std::optional<absl::Time> asked_;  // When the question under way was put.
  std::unique_ptr<Periodic> asking_;
  std::unique_ptr<Periodic> watching_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CALLS_HEALTH_H_
