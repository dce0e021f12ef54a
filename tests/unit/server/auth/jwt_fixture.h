#ifndef CONTACTS_TESTS_UNIT_SERVER_AUTH_JWT_FIXTURE_H_
#define CONTACTS_TESTS_UNIT_SERVER_AUTH_JWT_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_split.h"
#include "core/domain/errors.h"
#include "server/auth/jwt.h"
#include "tests/testing/bearer_tokens.h"

namespace contacts::server {

using ::contacts::testing::IssuerKey;
using ::contacts::testing::Jwks;
using ::contacts::testing::SessionClaims;
using ::testing::HasSubstr;
using ::testing::Not;

inline constexpr char kAccount[] = "aa123456-ovh";
inline const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

inline JwtOptions Options() { return {.issuer = "https://login.example", .audience = "contacts"}; }

// A verifier with one key of each algorithm.
class JwtTest : public ::testing::Test {
 protected:
  JwtTest() : verifier_(Options(), AccountIdForm()) {
    EXPECT_TRUE(verifier_.ReplaceKeys(Jwks({ec_.Jwk(), ed_.Jwk(), rsa().Jwk()})).ok());
  }

  // Made once, because making a key takes long.
  static const IssuerKey& rsa() {
    static const auto& key = *new IssuerKey(IssuerKey::Rs256("rsa-1"));
    return key;
  }

  std::string Good(absl::string_view more = "") const {
    return ec_.Sign(SessionClaims(kAccount, kNow, more));
  }

  // The account, or the text of the error.
  std::string Outcome(absl::string_view token, absl::Time now = kNow) const {
    return OutcomeOf(verifier_, token, now);
  }

  static std::string OutcomeOf(const JwtVerifier& verifier, absl::string_view token,
                               absl::Time now = kNow) {
    const auto session = verifier.Verify(token, now);
    if (session.ok()) return session->account.text();
    EXPECT_EQ(session.status().code(), absl::StatusCode::kUnauthenticated);
    EXPECT_EQ(errors::Reason(session.status()), "UNAUTHENTICATED");
    // The error repeats no part of the token.
    for (absl::string_view part : absl::StrSplit(token, '.')) {
      if (part.size() < 8) continue;
      EXPECT_THAT(session.status().ToString(), Not(HasSubstr(std::string(part))));
    }
    return std::string(session.status().message());
  }

  void ExpectClaimsRefused(const std::string& claims, const std::string& wanted) const {
    EXPECT_THAT(Outcome(ec_.Sign(claims)), HasSubstr(wanted)) << claims;
  }

  const IssuerKey ec_ = IssuerKey::Es256("ec-1");
  const IssuerKey ed_ = IssuerKey::EdDsa("ed-1");
  JwtVerifier verifier_;
};

}  // namespace contacts::server

#endif  // CONTACTS_TESTS_UNIT_SERVER_AUTH_JWT_FIXTURE_H_
