#ifndef CONTACTS_SERVER_STANDARD_REFLECTION_H_
#define CONTACTS_SERVER_STANDARD_REFLECTION_H_

#include <grpcpp/impl/service_type.h>

#include <memory>
#include <string>
#include <vector>

namespace contacts::server {

// grpc.reflection.v1.ServerReflection. Lists `services` (full names) and describes every message
// that the program was built with, google.rpc's error details among them. Thread safe.
std::unique_ptr<grpc::Service> MakeReflectionV1(std::vector<std::string> services);

// The same as grpc.reflection.v1alpha.ServerReflection, which older tools ask.
std::unique_ptr<grpc::Service> MakeReflectionV1Alpha(std::vector<std::string> services);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_STANDARD_REFLECTION_H_
