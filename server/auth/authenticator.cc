#include "server/auth/authenticator.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/domain/errors.h"

namespace contacts::server {
namespace {

constexpr char kAccountKey[] = "contacts-account";
constexpr char kCallerKey[] = "contacts-caller";
constexpr char kTokenKey[] = "authorization";
constexpr absl::string_view kBearer = "Bearer ";
// Account ids are in lower case, so none begins like this.
constexpr absl::string_view kCallerPrefix = "mTLS:";

// The value of a key that may occur at most once.
absl::StatusOr<std::optional<std::string>> Single(const Metadata& metadata, const char* key) {
  const auto [first, last] = metadata.equal_range(key);
  if (first == last) return std::nullopt;
  if (std::next(first) != last) {
    return errors::Unauthenticated(absl::StrCat("metadata ", key, ": several; want one"));
  }
  return std::string(first->second.data(), first->second.size());
}

// Reads contacts-account into a caller. Fails if the value is not an account id.
absl::Status ReadAccount(const std::string& text, const AccountIdForm& form, Caller& caller) {
  caller.account = AccountId(Lower(text));
  if (form.Matches(caller.account.text())) return absl::OkStatus();
  return errors::Unauthenticated(
      absl::StrCat("metadata ", kAccountKey, ": ", Echo(text), "; want an account id"));
}

}  // namespace

std::string Caller::policy_name() const {
  return std::string(absl::StripPrefix(name, kCallerPrefix));
}

DevelopmentAuthenticator::DevelopmentAuthenticator(AccountIdForm account_id)
    : account_id_(std::move(account_id)) {}

absl::StatusOr<Caller> DevelopmentAuthenticator::Identify(const Metadata& metadata,
                                                          const PeerNames& /*peer*/) const {
  const auto account = Single(metadata, kAccountKey);
  if (!account.ok()) return account.status();
  const auto role = Single(metadata, kCallerKey);
  if (!role.ok()) return role.status();
  if (!account->has_value() && !role->has_value()) {
    return errors::Unauthenticated(
        absl::StrCat("no credentials; want metadata ", kAccountKey, " or ", kCallerKey));
  }
  Caller caller;
  if (account->has_value()) {
    if (auto read = ReadAccount(**account, account_id_, caller); !read.ok()) return read;
  }
  if (role->has_value()) {
    caller.is_operator = **role == "operator";
    caller.is_observer = **role == "observer";
    caller.is_support = **role == "support";
    if (!caller.is_operator && !caller.is_observer && !caller.is_support) {
      return errors::Unauthenticated(absl::StrCat("metadata ", kCallerKey, ": ", Echo(**role),
                                                  "; want operator, observer or support"));
    }
    caller.name = **role;
  }
  return caller;
}

JwtAuthenticator::JwtAuthenticator(const JwtVerifier* verifier, Clock clock)
    : verifier_(verifier), clock_(std::move(clock)) {}

absl::StatusOr<Caller> JwtAuthenticator::Identify(const Metadata& metadata,
                                                  const PeerNames& /*peer*/) const {
  const auto token = Single(metadata, kTokenKey);
  if (!token.ok()) return token.status();
  // The scheme's name is compared without regard to case (RFC 9110, 11.1).
  if (!token->has_value() || !absl::StartsWithIgnoreCase(**token, kBearer)) {
    return errors::Unauthenticated(
        absl::StrCat("no session; want metadata ", kTokenKey, ": ", kBearer, "TOKEN"));
  }
  auto session = verifier_->Verify(absl::string_view(**token).substr(kBearer.size()), clock_());
  if (!session.ok()) return session.status();
  const auto account = Single(metadata, kAccountKey);
  if (!account.ok()) return account.status();
  if (account->has_value() && Lower(**account) != session->account.text()) {
    return errors::CallerNotAllowed(
        absl::StrCat("metadata ", kAccountKey, ": want the session's own account, or none"));
  }
  if (metadata.count(kCallerKey) > 0) {
    return errors::CallerNotAllowed(absl::StrCat("metadata ", kCallerKey,
                                                 ": a customer's session is no operator and no "
                                                 "observer; want none"));
  }
  return Caller{.account = std::move(session->account), .expires = session->expires};
}

CertificateAuthenticator::CertificateAuthenticator(AccountIdForm account_id,
                                                   const Authenticator* sessions)
    : account_id_(std::move(account_id)),
      sessions_(sessions),
      policy_(std::make_shared<const CallerPolicy>()) {}

void CertificateAuthenticator::Replace(CallerPolicy policy) {
  auto fresh = std::make_shared<const CallerPolicy>(std::move(policy));
  const std::lock_guard lock(mutex_);
  policy_ = std::move(fresh);
}

std::shared_ptr<const CallerPolicy> CertificateAuthenticator::policy() const {
  const std::lock_guard lock(mutex_);
  return policy_;
}

bool CertificateAuthenticator::MayReadMetrics(const PeerNames& peer) const {
  const auto policy = this->policy();
  const PolicyEntry* entry = policy->Find(peer);
  return entry != nullptr && entry->is_metrics_reader;
}

absl::StatusOr<Caller> CertificateAuthenticator::Identify(const Metadata& metadata,
                                                          const PeerNames& peer) const {
  if (peer.uris.empty() && peer.dns.empty()) {
    return errors::Unauthenticated("want a client certificate with a URI or a DNS name");
  }
  const auto policy = this->policy();
  const PolicyEntry* entry = policy->Find(peer);
  if (entry == nullptr) {
    return errors::CallerNotAllowed(
        "the client certificate is of no caller that the policy names, or of several");
  }
  Caller caller{.is_operator = entry->is_operator,
                .is_observer = entry->is_observer,
                .is_support = entry->is_support,
                .name = absl::StrCat(kCallerPrefix, entry->name),
                .policy = policy};
  const auto claim = Single(metadata, kCallerKey);
  if (!claim.ok()) return claim.status();
  if (claim->has_value() && !(**claim == "operator" && entry->is_operator) &&
      !(**claim == "observer" && entry->is_observer) &&
      !(**claim == "support" && entry->is_support)) {
    return errors::CallerNotAllowed(
        absl::StrCat("metadata ", kCallerKey, ": the policy does not make ", entry->name, " one"));
  }
  const bool names_account =
      metadata.count(kAccountKey) > 0 || (sessions_ != nullptr && metadata.count(kTokenKey) > 0);
  if (!names_account) return caller;
  if (!entry->is_front_end) {
    return errors::CallerNotAllowed(
        absl::StrCat("the policy does not make ", entry->name,
                     " a front end, so it acts for no account; want no metadata ", kAccountKey));
  }
  if (auto read = ReadActingAccount(metadata, peer, caller); !read.ok()) return read;
  return caller;
}

absl::Status CertificateAuthenticator::ReadActingAccount(const Metadata& metadata,
                                                         const PeerNames& peer,
                                                         Caller& caller) const {
  if (sessions_ == nullptr) {
    const auto account = Single(metadata, kAccountKey);
    if (!account.ok()) return account.status();
    return ReadAccount(**account, account_id_, caller);
  }
  auto session = sessions_->Identify(metadata, peer);
  if (!session.ok()) return session.status();
  caller.account = std::move(session->account);
  caller.expires = session->expires;
  return absl::OkStatus();
}

absl::Status Authorize(const Caller& caller, Audience audience) {
  if (audience == Audience::kAccounts && caller.account.empty()) {
    return errors::CallerNotAllowed("this method acts for an account, and the caller named none");
  }
  if (audience == Audience::kOperators && !caller.is_operator) {
    return errors::CallerNotAllowed("this method is for directory operators");
  }
  if (audience == Audience::kSupport && !caller.is_support) {
    return errors::CallerNotAllowed("this method is for the support desk");
  }
  if (audience == Audience::kWatchers && caller.account.empty() && !caller.is_observer) {
    return errors::CallerNotAllowed("this method acts for an account, or is for observers");
  }
  return absl::OkStatus();
}

}  // namespace contacts::server
