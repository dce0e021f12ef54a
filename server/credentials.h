#ifndef CONTACTS_SERVER_CREDENTIALS_H_
#define CONTACTS_SERVER_CREDENTIALS_H_

#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/config.h"
#include "server/identity.h"
#include "server/jwt.h"
#include "server/reloaded_file.h"
#include "server/tls.h"

namespace contacts::server {

// How connections are made and who calls on them, as a Config says: TLS, policy and sessions'
// keys, each followed in its files. Outlives the server.
class Credentials {
 public:
  // `config` must outlive it.
  explicit Credentials(const Config& config);

  // Takes what the files held when the Config was read, and follows them. INVALID_ARGUMENT
  // where they do not hold what they should.
  absl::Status Start();

  const Authenticator& authenticator() const;
  std::shared_ptr<grpc::ServerCredentials> ForPorts();
  // Null without TLS.
  const Tls* tls() const { return tls_ ? &*tls_ : nullptr; }
  // False without a policy.
  bool MayReadMetrics(const PeerNames& peer) const;
  // When the server's own certificate ends; never without TLS.
  absl::Time certificate_expires() const;

 private:
  absl::Status TakePolicy(const std::string& text);
  absl::Status TakeJwks(const std::string& text);

  const Config& config_;
  std::optional<Tls> tls_;
  const DevelopmentAuthenticator development_;
  std::optional<JwtVerifier> jwt_;
  std::optional<JwtAuthenticator> sessions_;
  std::optional<CertificateAuthenticator> certificates_;
  // Last, so that they end first.
  std::optional<Reloaded<TlsTexts>> tls_files_;
  std::optional<Reloaded<std::string>> policy_file_;
  std::optional<Reloaded<std::string>> jwks_file_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CREDENTIALS_H_
