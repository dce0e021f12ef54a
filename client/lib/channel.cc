#include "client/lib/channel.h"

#include <fstream>
#include <sstream>

#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace contacts::client {
namespace {

constexpr int kMaxMetadataBytes = 1 << 20;
constexpr int kMaxReceiveBytes = 64 << 20;
constexpr char kSystemAuthorities[] = "/etc/ssl/certs/ca-certificates.crt";

std::string ReadFile(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

std::shared_ptr<grpc::ChannelCredentials> ChannelCredentials(const TlsFiles& tls) {
  if (!tls.enabled) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  // gRPC's default is a bundle of its own, which Debian does not install.
  options.pem_root_certs = ReadFile(tls.ca.empty() ? kSystemAuthorities : tls.ca);
  if (!tls.certificate.empty()) {
    options.pem_cert_chain = ReadFile(tls.certificate);
    options.pem_private_key = ReadFile(tls.key);
  }
  return grpc::SslCredentials(options);
}

}  // namespace

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& server, const TlsFiles& tls,
                                           int connection) {
  grpc::ChannelArguments arguments;
  // Only channels with equal arguments share connections.
  arguments.SetInt("contacts.connection", connection);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  arguments.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  // gRPC waits 1 s before it reconnects: longer than the first waits of retries.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 2000);
  // Finds out that a server disappeared without closing its connection.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  return grpc::CreateCustomChannel(server, ChannelCredentials(tls), arguments);
}

}  // namespace contacts::client
