#include "client/call.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <random>
#include <sstream>

#include "absl/strings/match.h"
#include "client/errors.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace contacts::client {
namespace {

constexpr absl::Duration kFirstBackoff = absl::Milliseconds(200);
constexpr absl::Duration kLongestBackoff = absl::Seconds(2);
constexpr int kMaxMetadataBytes = 1 << 20;
constexpr int kMaxReceiveBytes = 64 << 20;
constexpr char kSystemAuthorities[] = "/etc/ssl/certs/ca-certificates.crt";

std::string ReadAll(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const ClientTls& tls) {
  if (!tls.enabled) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  // gRPC would take a bundle of its own, which Debian does not install.
  options.pem_root_certs = ReadAll(tls.ca.empty() ? kSystemAuthorities : tls.ca);
  if (!tls.certificate.empty()) {
    options.pem_cert_chain = ReadAll(tls.certificate);
    options.pem_private_key = ReadAll(tls.key);
  }
  return grpc::SslCredentials(options);
}

}  // namespace

absl::Duration Jittered(absl::Duration backoff) {
  std::random_device device;
  return backoff * std::uniform_real_distribution<double>(0.5, 1.0)(device);
}

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& server, const ClientTls& tls) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  arguments.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  // Reconnects within the pace of retries, which gRPC's own second would outlast.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 2000);
  // Notices a server that is gone without a word.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  return grpc::CreateCustomChannel(server, CredentialsOf(tls), arguments);
}

void AddMetadata(const Identity& identity, const std::string& call_id,
                 grpc::ClientContext& context) {
  if (!identity.account.empty()) context.AddMetadata("contacts-account", identity.account);
  if (identity.is_operator) context.AddMetadata("contacts-caller", "operator");
  if (identity.is_observer) context.AddMetadata("contacts-caller", "observer");
  if (!identity.token.empty()) context.AddMetadata("authorization", "Bearer " + identity.token);
  context.AddMetadata("x-request-id", call_id);
}

bool MayHelpToRetry(const grpc::Status& status) {
  // Certificates do not become right by waiting.
  return status.error_code() == grpc::StatusCode::UNAVAILABLE &&
         !absl::StrContains(status.error_message(), "Ssl handshake failed");
}

bool MayResume(const grpc::Status& status) {
  return MayHelpToRetry(status) || status.error_code() == grpc::StatusCode::CANCELLED;
}

grpc::Status CallWithRetries(absl::Duration timeout, Repeat repeat, const Pace& pace,
                             const std::function<grpc::Status(absl::Time deadline)>& attempt) {
  const absl::Time deadline = pace.now() + timeout;
  absl::Duration backoff = kFirstBackoff;
  for (;;) {
    grpc::Status status = attempt(deadline);
    if (repeat != Repeat::kSafe || !MayHelpToRetry(status)) return status;
    const absl::Duration wait =
        std::max(RetryDelay(status).value_or(absl::ZeroDuration()), Jittered(backoff));
    if (pace.now() + wait >= deadline) return status;
    if (pace.on_retry) pace.on_retry(wait);
    pace.sleep(wait);
    backoff = std::min(backoff * 2, kLongestBackoff);
  }
}

}  // namespace contacts::client
