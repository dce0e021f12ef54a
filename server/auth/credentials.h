#ifndef CONTACTS_SERVER_AUTH_CREDENTIALS_H_
#define CONTACTS_SERVER_AUTH_CREDENTIALS_H_

#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/auth/authenticator.h"
#include "server/auth/jwt.h"
#include "server/auth/tls.h"
#include "server/support/reloaded_file.h"

namespace contacts::server {

// The files for TLS and for authenticating callers, with their texts at the start. With neither
// `policy_file` nor `jwt`, the metadata is believed (development).
struct CredentialsOptions {
  std::optional<TlsFiles> tls;  // None: plain text.
  TlsPem tls_pem;
  std::string policy_file;  // Empty: client certificates are not used.
  std::string policy;
  std::optional<JwtOptions> jwt;  // None: session tokens are not used.
  std::string jwks_file;
  std::string jwks;
};

// TLS of the ports, the policy for client certificates and the keys of session tokens. Each is
// reloaded when its file changes. Must outlive the server.
class Credentials {
 public:
  // `options` must outlive this object.
  Credentials(const CredentialsOptions& options, const AccountIdForm& account_id);

  // Loads the texts of the options and begins to reload the files. Returns INVALID_ARGUMENT, with
  // the file's name, if a text is malformed.
  absl::Status Start();

  const Authenticator& authenticator() const;
  std::shared_ptr<grpc::ServerCredentials> ForPorts();
  // Null without TLS.
  const Tls* tls() const { return tls_ ? &*tls_ : nullptr; }
  // False without a policy.
  bool MayReadMetrics(const PeerNames& peer) const;
  // End of the server's own certificate. InfiniteFuture() without TLS.
  absl::Time certificate_expires() const;

 private:
  absl::Status ReplacePolicy(const std::string& text);
  absl::Status ReplaceJwks(const std::string& text);

  const CredentialsOptions& options_;
  std::optional<Tls> tls_;
  const DevelopmentAuthenticator development_;
  std::optional<JwtVerifier> jwt_;
  std::optional<JwtAuthenticator> sessions_;
  std::optional<CertificateAuthenticator> certificates_;
  // The last members, so that they end first.
  std::optional<FileReloader<TlsPem>> tls_files_;
  std::optional<FileReloader<std::string>> policy_file_;
  std::optional<FileReloader<std::string>> jwks_file_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_AUTH_CREDENTIALS_H_
