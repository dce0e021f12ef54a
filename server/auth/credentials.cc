#include "server/auth/credentials.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/auth/caller_policy.h"

namespace contacts::server {
namespace {

absl::Status InFile(const std::string& path, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", status.message()));
}

}  // namespace

Credentials::Credentials(const CredentialsOptions& options, const AccountIdForm& account_id)
    : options_(options), development_(account_id) {
  if (options.tls) tls_.emplace(options.tls_pem);
  if (options.jwt) {
    jwt_.emplace(*options.jwt, account_id);
    sessions_.emplace(&*jwt_, absl::Now);
  }
  if (!options.policy_file.empty()) {
    certificates_.emplace(account_id, sessions_ ? &*sessions_ : nullptr);
  }
}

absl::Status Credentials::Start() {
  if (certificates_) {
    if (auto replaced = ReplacePolicy(options_.policy); !replaced.ok()) return replaced;
    policy_file_.emplace(
        options_.policy_file, options_.policy,
        [this] { return ReadTrustedFile(options_.policy_file); },
        [this](const std::string& text) { return ReplacePolicy(text); });
  }
  if (jwt_) {
    if (auto replaced = ReplaceJwks(options_.jwks); !replaced.ok()) return replaced;
    jwks_file_.emplace(
        options_.jwks_file, options_.jwks, [this] { return ReadTrustedFile(options_.jwks_file); },
        [this](const std::string& text) { return ReplaceJwks(text); });
  }
  if (tls_) {
    tls_files_.emplace(
        options_.tls->certificate, options_.tls_pem, [this] { return ReadTls(*options_.tls); },
        [this](const TlsPem& pem) {
          tls_->Replace(pem);
          return absl::OkStatus();
        });
  }
  return absl::OkStatus();
}

const Authenticator& Credentials::authenticator() const {
  if (certificates_) return *certificates_;
  if (sessions_) return *sessions_;
  return development_;
}

std::shared_ptr<grpc::ServerCredentials> Credentials::ForPorts() {
  return tls_ ? tls_->Credentials() : grpc::InsecureServerCredentials();
}

bool Credentials::MayReadMetrics(const PeerNames& peer) const {
  return certificates_ && certificates_->MayReadMetrics(peer);
}

absl::Time Credentials::certificate_expires() const {
  return tls_ ? tls_->expires() : absl::InfiniteFuture();
}

absl::Status Credentials::ReplacePolicy(const std::string& text) {
  auto policy = CallerPolicy::Parse(text);
  if (!policy.ok()) return InFile(options_.policy_file, policy.status());
  certificates_->Replace(*std::move(policy));
  return absl::OkStatus();
}

absl::Status Credentials::ReplaceJwks(const std::string& text) {
  return InFile(options_.jwks_file, jwt_->ReplaceKeys(text).status());
}

}  // namespace contacts::server
