#include "server/standard/probe.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "server/support/reloaded_file.h"

namespace contacts::server {
namespace {

using grpc::experimental::IdentityKeyCertPair;
using grpc::health::v1::HealthCheckResponse;

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> Credentials(const ProbeOptions& options) {
  if (!options.tls) return grpc::InsecureChannelCredentials();
  const auto certificate = ReadTrustedFile(options.tls->certificate);
  if (!certificate.ok()) return certificate.status();
  const auto key = ReadSecretFile(options.tls->key);
  if (!key.ok()) return key.status();
  grpc::experimental::TlsChannelCredentialsOptions tls;
  tls.set_verify_server_certs(false);
  tls.set_check_call_host(false);
  tls.set_certificate_verifier(std::make_shared<grpc::experimental::NoOpCertificateVerifier>());
  if (!options.tls->client_ca.empty()) {
    tls.set_certificate_provider(
        std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
            std::vector<IdentityKeyCertPair>{{*key, *certificate}}));
    tls.watch_identity_key_cert_pairs();
  }
  return grpc::experimental::TlsCredentials(tls);
}

// Where this machine reaches a server that listens on `address`.
std::string Local(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  const std::string host = address.substr(0, colon);
  if (host == "0.0.0.0") return absl::StrCat("127.0.0.1", address.substr(colon));
  if (host == "[::]") return absl::StrCat("[::1]", address.substr(colon));
  return address;
}

}  // namespace

absl::Status Probe(const ProbeOptions& options) {
  const auto credentials = Credentials(options);
  if (!credentials.ok()) return credentials.status();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const auto stub = grpc::health::v1::Health::NewStub(
      grpc::CreateCustomChannel(Local(options.address), *credentials, arguments));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       absl::ToChronoMilliseconds(options.limit));
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(options.service);
  HealthCheckResponse response;
  const grpc::Status status = stub->Check(&context, request, &response);
  if (!status.ok()) {
    return absl::UnavailableError(absl::StrCat(options.address, ": ", status.error_message()));
  }
  if (response.status() == HealthCheckResponse::SERVING) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      options.address, ": ", HealthCheckResponse::ServingStatus_Name(response.status())));
}

}  // namespace contacts::server
