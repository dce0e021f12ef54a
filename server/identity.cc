#include "server/identity.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/domain/errors.h"

namespace contacts::server {
namespace {

constexpr char kAccountKey[] = "contacts-account";
constexpr char kCallerKey[] = "contacts-caller";
constexpr char kTokenKey[] = "authorization";
constexpr absl::string_view kBearer = "Bearer ";

// The value of a key that may come once at most.
absl::StatusOr<std::optional<std::string>> Single(const Metadata& metadata, const char* key) {
  const auto [first, last] = metadata.equal_range(key);
  if (first == last) return std::nullopt;
  if (std::next(first) != last) {
    return errors::Unauthenticated(absl::StrCat("metadata ", key, ": several; want one"));
  }
  return std::string(first->second.data(), first->second.size());
}

}  // namespace

DevelopmentAuthenticator::DevelopmentAuthenticator(AccountIdForm account_id)
    : account_id_(std::move(account_id)) {}

absl::StatusOr<Identity> DevelopmentAuthenticator::Identify(const Metadata& metadata) const {
  const auto account = Single(metadata, kAccountKey);
  if (!account.ok()) return account.status();
  const auto caller = Single(metadata, kCallerKey);
  if (!caller.ok()) return caller.status();
  if (!account->has_value() && !caller->has_value()) {
    return errors::Unauthenticated(
        absl::StrCat("no credentials; want metadata ", kAccountKey, " or ", kCallerKey));
  }
  Identity identity;
  if (account->has_value()) {
    identity.account = AccountId(Lower(**account));
    if (!account_id_.Matches(identity.account.text())) {
      return errors::Unauthenticated(
          absl::StrCat("metadata ", kAccountKey, ": ", Echo(**account), "; want an account id"));
    }
  }
  if (caller->has_value()) {
    identity.is_operator = **caller == "operator";
    identity.is_observer = **caller == "observer";
    if (!identity.is_operator && !identity.is_observer) {
      return errors::Unauthenticated(absl::StrCat("metadata ", kCallerKey, ": ", Echo(**caller),
                                                  "; want operator or observer"));
    }
  }
  return identity;
}

JwtAuthenticator::JwtAuthenticator(const JwtVerifier* verifier, Clock clock)
    : verifier_(verifier), clock_(std::move(clock)) {}

absl::StatusOr<Identity> JwtAuthenticator::Identify(const Metadata& metadata) const {
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
  return Identity{.account = std::move(session->account), .expires = session->expires};
}

absl::Status Authorize(const Identity& identity, Audience audience) {
  if (audience == Audience::kAccounts && identity.account.empty()) {
    return errors::CallerNotAllowed("this method acts for an account, and the caller named none");
  }
  if (audience == Audience::kOperators && !identity.is_operator) {
    return errors::CallerNotAllowed("this method is for directory operators");
  }
  if (audience == Audience::kWatchers && identity.account.empty() && !identity.is_observer) {
    return errors::CallerNotAllowed("this method acts for an account, or is for observers");
  }
  return absl::OkStatus();
}

}  // namespace contacts::server
