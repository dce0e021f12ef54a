#include "server/auth/jwt.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/domain/errors.h"

namespace contacts::server {
namespace {

using nlohmann::json;

constexpr double kLastSecond = 253402300799;  // Of the year 9999.

// `wanted` must not repeat any part of the token.
absl::Status InvalidToken(absl::string_view wanted) {
  return errors::Unauthenticated(absl::StrCat("bearer token: ", wanted));
}

bool IsText(const json& object, const char* name, absl::string_view wanted) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() &&
         found->get_ref<const std::string&>() == wanted;
}

// Checks a token's protected header, except its algorithm and key. "jwk", "jku", "x5c" and "x5u"
// are ignored: they are the sender's own claim about which key to trust.
absl::Status CheckHeader(const json& header) {
  // Extensions that would change what the token means: encrypted, nested, detached, compressed.
  for (const char* name : {"crit", "b64", "cty", "enc", "zip"}) {
    if (header.contains(name)) {
      return InvalidToken(
          absl::StrCat("want a plain signed JWT, without \"", name, "\" in its header"));
    }
  }
  // The same issuer may sign other kinds of tokens, such as those that end a session.
  const auto type = header.find("typ");
  if (type == header.end()) return absl::OkStatus();
  if (type->is_string()) {
    for (const char* known : {"JWT", "at+jwt", "application/at+jwt"}) {
      if (absl::EqualsIgnoreCase(type->get_ref<const std::string&>(), known)) {
        return absl::OkStatus();
      }
    }
  }
  return InvalidToken("want \"typ\" JWT or at+jwt, or none");
}

absl::StatusOr<const VerificationKey*> FindKey(const std::vector<VerificationKey>& keys,
                                               const json& header) {
  if (!header.contains("kid")) {
    if (keys.size() == 1) return &keys.front();
    return InvalidToken("want a \"kid\" in its header, as there are several keys");
  }
  for (const VerificationKey& key : keys) {
    if (!key.id().empty() && IsText(header, "kid", key.id())) return &key;
  }
  return InvalidToken("want the \"kid\" of a current key");
}

// The time in a claim. Nothing if it is missing, UNAUTHENTICATED if it is not a time.
absl::StatusOr<std::optional<absl::Time>> TimeClaim(const json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end()) return std::nullopt;
  const double seconds = found->is_number() ? found->get<double>() : -1;
  if (seconds < 0 || seconds > kLastSecond) {
    return InvalidToken(absl::StrCat("want \"", name, "\" in seconds since 1970"));
  }
  return absl::UnixEpoch() + absl::Seconds(seconds);
}

// Returns the time of its expiry, including skew.
absl::StatusOr<absl::Time> CheckTimes(const json& claims, const JwtOptions& options,
                                      absl::Time now) {
  const auto expires = TimeClaim(claims, "exp");
  if (!expires.ok()) return expires.status();
  if (!expires->has_value()) return InvalidToken("want \"exp\"");
  if (now >= **expires + options.skew) return InvalidToken("expired; want a fresh one");
  const auto not_before = TimeClaim(claims, "nbf");
  if (!not_before.ok()) return not_before.status();
  if (not_before->value_or(now) > now + options.skew) {
    return InvalidToken("not valid yet; want \"nbf\" in the past");
  }
  const auto issued = TimeClaim(claims, "iat");
  if (!issued.ok()) return issued.status();
  if (issued->value_or(now) > now + options.skew) {
    return InvalidToken("not issued yet; want \"iat\" in the past");
  }
  if (**expires - issued->value_or(now) > options.max_lifetime) {
    return InvalidToken(
        absl::StrCat("want a life of at most ", absl::FormatDuration(options.max_lifetime)));
  }
  return **expires + options.skew;
}

bool IsFor(const json& claims, const std::string& audience) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  if (found->is_string()) return *found == audience;
  return found->is_array() && std::find(found->begin(), found->end(), audience) != found->end() &&
         std::all_of(found->begin(), found->end(), [](const json& one) { return one.is_string(); });
}

absl::StatusOr<absl::Time> CheckClaims(const json& claims, const JwtOptions& options,
                                       absl::Time now) {
  if (!IsText(claims, "iss", options.issuer))
    return InvalidToken("want \"iss\" as configured here");
  if (!IsFor(claims, options.audience)) return InvalidToken("want \"aud\" to name this service");
  // RFC 9449, 7.2: such a token needs a proof, which this server does not ask for.
  if (claims.contains("cnf")) return InvalidToken("want one that is not bound to a key (\"cnf\")");
  return CheckTimes(claims, options, now);
}

}  // namespace

JwtVerifier::JwtVerifier(JwtOptions options, AccountIdForm account_id)
    : options_(std::move(options)),
      account_id_(std::move(account_id)),
      keys_(std::make_shared<const Keys>()) {}

std::shared_ptr<const JwtVerifier::Keys> JwtVerifier::keys() const {
  const std::lock_guard lock(mutex_);
  return keys_;
}

absl::StatusOr<std::size_t> JwtVerifier::ReplaceKeys(absl::string_view jwks) {
  auto keys = ReadJwks(jwks, options_.algorithms);
  if (!keys.ok()) return keys.status();
  auto replaced = std::make_shared<const Keys>(*std::move(keys));
  const std::size_t count = replaced->size();
  const std::lock_guard lock(mutex_);
  keys_.swap(replaced);
  return count;
}

absl::StatusOr<JwtSession> JwtVerifier::Verify(absl::string_view token, absl::Time now) const {
  if (token.size() > kMaxTokenSize) {
    return InvalidToken(absl::StrCat("want at most ", kMaxTokenSize, " bytes"));
  }
  // The form: three parts of base64url.
  const std::vector<absl::string_view> parts = absl::StrSplit(token, '.');
  const char* form =
      "want a signed JWT in compact form: three parts of base64url with dots between";
  if (parts.size() != 3) return InvalidToken(form);
  const auto header_text = DecodeBase64Url(parts[0]);
  const auto claims_text = DecodeBase64Url(parts[1]);
  const auto signature = DecodeBase64Url(parts[2]);
  if (!header_text || !claims_text || !signature) return InvalidToken(form);

  // The key, its algorithm, the signature.
  const auto header = ReadJsonObject(*header_text);
  if (!header) return InvalidToken("want a JSON object as header");
  if (auto plain = CheckHeader(*header); !plain.ok()) return plain;
  const auto keys = this->keys();
  const auto key = FindKey(*keys, *header);
  if (!key.ok()) return key.status();
  if (!IsText(*header, "alg", (*key)->algorithm())) {
    return InvalidToken(absl::StrCat("want the \"alg\" that its key is for, one of ",
                                     absl::StrJoin(options_.algorithms, ", ")));
  }
  const std::size_t signed_size = parts[0].size() + 1 + parts[1].size();
  if (!(*key)->Verifies(token.substr(0, signed_size), *signature)) {
    return InvalidToken("want a signature of its key");
  }

  // The claims. No claim was read before this point.
  const auto claims = ReadJsonObject(*claims_text);
  if (!claims) return InvalidToken("want a JSON object of claims");
  const auto expires = CheckClaims(*claims, options_, now);
  if (!expires.ok()) return expires.status();
  const auto account = claims->find(options_.account_claim);
  if (account != claims->end() && account->is_string()) {
    AccountId id(Lower(account->get_ref<const std::string&>()));
    if (account_id_.Matches(id.text())) return JwtSession{std::move(id), *expires};
  }
  return InvalidToken(absl::StrCat("want an account id as \"", options_.account_claim, "\""));
}

}  // namespace contacts::server
