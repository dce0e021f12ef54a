#include "server/ports.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

#include "absl/time/time.h"

namespace contacts::server {
namespace {

constexpr absl::Duration kShutdownLimit = absl::Seconds(1);
constexpr absl::Duration kMaxAgeGrace = absl::Minutes(10);
constexpr int kMaxMetadataBytes = 16 * 1024;
// Bytes of requests and headers that gRPC may keep, over all connections.
constexpr std::size_t kMaxCallBytes = std::size_t{256} << 20;

}  // namespace

void AddLimits(grpc::ServerBuilder& builder, const Config& config) {
  constexpr int kMilliseconds = 1000;
  grpc::ResourceQuota quota;
  builder.SetResourceQuota(quota.Resize(kMaxCallBytes));
  // Admission rejects a larger request with a reason. gRPC itself rejects one of more than twice
  // the size.
  builder.SetMaxReceiveMessageSize(static_cast<int>(2 * config.max_message_bytes));
  builder.SetMaxSendMessageSize(-1);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             static_cast<int>(config.max_concurrent_streams));
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10 * kMilliseconds);
  // gRPC's size limit counts compressed bytes, so decompressed requests would have no limit.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60 * kMilliseconds);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20 * kMilliseconds);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             10 * kMilliseconds);
  // A client certificate is checked only when a connection begins. A call whose request never
  // arrives as a whole ends with its connection, as gRPC has no limit for that.
  const auto milliseconds = [](absl::Duration time) {
    return static_cast<int>(absl::ToInt64Milliseconds(time));
  };
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS,
                             milliseconds(config.max_connection_idle));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS,
                             milliseconds(config.max_connection_age));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS,
                             milliseconds(std::min(config.max_connection_age, kMaxAgeGrace)));
}

absl::StatusOr<std::vector<std::string>> Ports::Start(const Config& config,
                                                      Credentials& credentials,
                                                      int64_t reserved_descriptors,
                                                      const std::vector<grpc::Service*>& services) {
  grpc::ServerBuilder builder;
  AddLimits(builder, config);
  acceptor_.emplace(config.max_connections, reserved_descriptors);
  using Experimental = grpc::ServerBuilder::experimental_type;
  connections_ = builder.experimental().AddExternalConnectionAcceptor(
      Experimental::ExternalConnectionType::FROM_FD, credentials.ForPorts());
  std::vector<std::string> addresses;
  for (const std::string& address : config.listen) {
    auto listening = acceptor_->Listen(address);
    if (!listening.ok()) return listening.status();
    addresses.push_back(*std::move(listening));
  }
  for (grpc::Service* service : services) builder.RegisterService(service);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) return absl::InternalError("gRPC does not start its server");
  acceptor_->Start([this](int listener, int connection) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters accepted;
    accepted.listener_fd = listener;
    accepted.fd = connection;
    connections_->HandleNewConnection(&accepted);
  });
  return addresses;
}

void Ports::End() {
  // gRPC 1.51 sends GOAWAY only in Shutdown, and cancels calls that arrive afterwards without
  // handing them to a service. So the connections end first: the client then says UNAVAILABLE.
  acceptor_->EndConnections(kShutdownLimit);
  server_->Shutdown(std::chrono::system_clock::now() + absl::ToChronoSeconds(kShutdownLimit));
  server_->Wait();
}

}  // namespace contacts::server
