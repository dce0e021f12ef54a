#include "client/lib/health.h"

#include <array>
#include <future>

#include "google/protobuf/wrappers.pb.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/impl/codegen/proto_utils.h"

namespace contacts::client {
namespace {

// Debian has no health.proto. On the wire, HealthCheckRequest (string service = 1) is a StringValue
// and HealthCheckResponse (enum status = 1) an Int32Value.
using Request = google::protobuf::StringValue;
using Response = google::protobuf::Int32Value;

// The names of HealthCheckResponse.ServingStatus, by number.
constexpr std::array<const char*, 4> kStates = {"UNKNOWN", kServing, "NOT_SERVING",
                                                "SERVICE_UNKNOWN"};

}  // namespace

grpc::Status CheckHealth(const std::shared_ptr<grpc::Channel>& channel, const std::string& service,
                         absl::Time deadline, std::string& state) {
  grpc::TemplatedGenericStub<Request, Response> stub(channel);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(deadline));
  Request request;
  request.set_value(service);
  Response response;
  std::promise<grpc::Status> answered;
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", grpc::StubOptions(), &request, &response,
                 [&answered](grpc::Status status) { answered.set_value(std::move(status)); });
  grpc::Status status = answered.get_future().get();
  const auto number = static_cast<std::size_t>(response.value());
  state = number < kStates.size() ? kStates.at(number) : kStates[0];
  return status;
}

}  // namespace contacts::client
