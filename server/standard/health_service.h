#ifndef CONTACTS_SERVER_STANDARD_HEALTH_SERVICE_H_
#define CONTACTS_SERVER_STANDARD_HEALTH_SERVICE_H_

#include <grpcpp/health_check_service_interface.h>

#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <string>

#include "grpc/health/v1/health.grpc.pb.h"

namespace contacts::server {

// grpc.health.v1 with a bound on the streams of Watch. gRPC 1.51's own service has none, and its
// callers are not authenticated. Thread safe. Must outlive its gRPC server.
class HealthService final : public grpc::health::v1::Health::CallbackService,
                            public grpc::HealthCheckServiceInterface {
 public:
  // Streams of Watch. Further ones get UNIMPLEMENTED: gRPC's clients then use the connection
  // without watching its health. With any other status they would not use it.
  static constexpr std::size_t kMaxStreams = 1000;

  // Names that were never set are unknown to callers.
  void SetServingStatus(const std::string& name, bool serving) override;
  void SetServingStatus(bool serving) override;  // Of all names.
  void Shutdown() override {}                    // The states hold until the end.

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::health::v1::HealthCheckRequest* request,
                                  grpc::health::v1::HealthCheckResponse* response) override;
  grpc::ServerWriteReactor<grpc::health::v1::HealthCheckResponse>* Watch(
      grpc::CallbackServerContext* context,
      const grpc::health::v1::HealthCheckRequest* request) override;

 private:
  class Stream;
  using State = grpc::health::v1::HealthCheckResponse::ServingStatus;

  // With the mutex held.
  void Set(std::map<std::string, State>::iterator name, bool serving);

  std::mutex mutex_;
  std::map<std::string, State> states_;  // By name.
  std::list<Stream*> streams_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_STANDARD_HEALTH_SERVICE_H_
