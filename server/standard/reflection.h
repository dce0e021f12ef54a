#ifndef CONTACTS_SERVER_STANDARD_REFLECTION_H_
#define CONTACTS_SERVER_STANDARD_REFLECTION_H_

#include <grpcpp/impl/service_type.h>

#include <memory>
#include <string>
#include <vector>

namespace contacts::server {

// grpc.reflection.v1.ServerReflection and, for older tools, v1alpha. Both list `services` (full
// names) and describe every message that the program was built with, google.rpc's error details
// among them. Their callers are not authenticated, so at most 32 streams are open at once; further
// streams get UNAVAILABLE. A request of more than 1,024 bytes ends its stream with
// INVALID_ARGUMENT. Thread safe.
std::vector<std::unique_ptr<grpc::Service>> MakeReflection(
    const std::vector<std::string>& services);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_STANDARD_REFLECTION_H_
