#ifndef CONTACTS_CLIENT_LIB_HEALTH_H_
#define CONTACTS_CLIENT_LIB_HEALTH_H_

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "grpcpp/channel.h"
#include "grpcpp/support/status.h"

namespace contacts::client {

inline constexpr char kServing[] = "SERVING";

// Asks once for the health of `service` (grpc.health.v1.Health/Check); "" is the whole server. Sets
// `state` to "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN" or "UNKNOWN" if the status is OK. Returns
// NOT_FOUND if the server does not know `service`, and UNAVAILABLE or DEADLINE_EXCEEDED if it does
// not answer.
grpc::Status CheckHealth(const std::shared_ptr<grpc::Channel>& channel, const std::string& service,
                         absl::Time deadline, std::string& state);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_LIB_HEALTH_H_
