// The claims of bearer tokens: issuer, audience, times and account.

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/unit/server/auth/jwt_fixture.h"

namespace contacts::server {
namespace {

TEST_F(JwtTest, RefusesTheWrongIssuer) {
  const std::string claims = SessionClaims(kAccount, kNow);
  for (const char* issuer :
       {R"("iss":"https://login.example/")", R"("iss":"https://login.exampl")",
        R"("iss":"HTTPS://login.example")", R"("iss":["https://login.example"])", R"("iss":null)",
        R"("iss":"https://login.example\u0000")", R"("other":1)"}) {
    ExpectClaimsRefused(absl::StrReplaceAll(claims, {{R"("iss":"https://login.example")", issuer}}),
                        "\"iss\"");
  }
}

TEST_F(JwtTest, RefusesTheWrongAudience) {
  const std::string claims = SessionClaims(kAccount, kNow);
  const auto with = [&](const char* audience) {
    return absl::StrReplaceAll(claims, {{R"("aud":"contacts")", audience}});
  };
  for (const char* audience :
       {R"("aud":"billing")", R"("aud":"contacts2")", R"("aud":"Contacts")", R"("aud":[])",
        R"("aud":["billing","domains"])", R"("aud":["contacts",1])", R"("aud":[["contacts"]])",
        R"("aud":{"contacts":1})", R"("aud":null)", R"("other":1)"}) {
    ExpectClaimsRefused(with(audience), "\"aud\"");
  }
  EXPECT_EQ(Outcome(ec_.Sign(with(R"("aud":["billing","contacts"])"))), kAccount);
}

TEST_F(JwtTest, RefusesExpiredTokens) {
  const absl::Time expires = kNow + absl::Minutes(10);
  const std::string token = Good();
  EXPECT_EQ(Outcome(token, expires - absl::Seconds(1)), kAccount);
  EXPECT_EQ(Outcome(token, expires + absl::Seconds(29)), kAccount);
  EXPECT_THAT(Outcome(token, expires + absl::Seconds(30)), HasSubstr("expired"));
  EXPECT_THAT(Outcome(token, expires + absl::Hours(1)), HasSubstr("expired"));
  EXPECT_EQ(verifier_.Verify(token, kNow)->expires, expires + absl::Seconds(30));
  JwtOptions strict = Options();
  strict.skew = absl::ZeroDuration();
  JwtVerifier verifier(strict, AccountIdForm());
  ASSERT_TRUE(verifier.ReplaceKeys(Jwks({ec_.Jwk()})).ok());
  EXPECT_EQ(OutcomeOf(verifier, token, expires - absl::Milliseconds(1)), kAccount);
  EXPECT_THAT(OutcomeOf(verifier, token, expires), HasSubstr("expired"));
}

TEST_F(JwtTest, RefusesTokensThatAreNotValidYet) {
  const std::string token = Good(absl::StrCat(R"(,"nbf":)", absl::ToUnixSeconds(kNow)));
  EXPECT_EQ(Outcome(token, kNow - absl::Seconds(30)), kAccount);
  EXPECT_THAT(Outcome(token, kNow - absl::Seconds(31)), HasSubstr("not valid yet"));
  EXPECT_EQ(Outcome(Good(), kNow - absl::Seconds(30)), kAccount);
  EXPECT_THAT(Outcome(Good(), kNow - absl::Seconds(31)), HasSubstr("not issued yet"));
}

TEST_F(JwtTest, WantsAnExpiryThatIsATime) {
  const std::string claims = SessionClaims(kAccount, kNow);
  const std::string expires = absl::StrCat(R"("exp":)", absl::ToUnixSeconds(kNow) + 600);
  for (const char* wrong :
       {R"("other":1)", R"("exp":null)", R"("exp":"1800000600")", R"("exp":true)", R"("exp":[])",
        R"("exp":-1)", R"("exp":253402300800)", R"("exp":1e300)", R"("exp":99999999999999999999)",
        R"("exp":18446744073709551615)"}) {
    ExpectClaimsRefused(absl::StrReplaceAll(claims, {{expires, wrong}}), "\"exp\"");
  }
  ExpectClaimsRefused(absl::StrReplaceAll(claims, {{expires, R"("exp":0)"}}), "expired");
  EXPECT_EQ(Outcome(ec_.Sign(absl::StrReplaceAll(claims, {{expires, expires + ".5"}}))), kAccount);
  ExpectClaimsRefused(SessionClaims(kAccount, kNow, R"(,"nbf":"soon")"), "\"nbf\"");
  ExpectClaimsRefused(absl::StrReplaceAll(claims, {{"\"iat\":", "\"iat\":-"}}), "\"iat\"");
}

TEST_F(JwtTest, RefusesALifeThatIsTooLong) {
  const std::string claims = SessionClaims(kAccount, kNow);
  const int64_t now = absl::ToUnixSeconds(kNow);
  const auto until = [&](int64_t seconds, bool issued) {
    return ec_.Sign(absl::StrReplaceAll(
        claims, {{absl::StrCat(R"("exp":)", now + 600), absl::StrCat(R"("exp":)", now + seconds)},
                 {issued ? "\"-\"" : "\"iat\"", "\"x\""}}));
  };
  for (const bool issued : {true, false}) {
    EXPECT_EQ(Outcome(until(24 * 3600, issued)), kAccount);
    EXPECT_THAT(Outcome(until(24 * 3600 + 1, issued)), HasSubstr("life of at most 24h"));
  }
}

TEST_F(JwtTest, RefusesTokensBoundToAKey) {
  ExpectClaimsRefused(SessionClaims(kAccount, kNow, R"(,"cnf":{"jkt":"abc"})"), "cnf");
}

TEST_F(JwtTest, WantsAnAccountId) {
  EXPECT_EQ(Outcome(ec_.Sign(SessionClaims("AA123456-OVH", kNow))), kAccount);
  for (const char* account :
       {"", "aa", "operator", "aa1-ovh ", " aa1-ovh", "aa1-ovh\\n", "aa1-ovh\\u0000", "*",
        "aa1-ovh' OR ''='", "\u0430a1-ovh", "aa\uff11-ovh", "aa1-ovh,bb2-ovh"}) {
    ExpectClaimsRefused(SessionClaims(account, kNow), "account id");
  }
  const std::string claims = SessionClaims(kAccount, kNow);
  for (const char* subject : {R"("sub":["aa123456-ovh"])", R"("sub":1)", R"("sub":null)",
                              R"("sub":{"id":"aa123456-ovh"})", R"("Sub":"aa123456-ovh")"}) {
    ExpectClaimsRefused(absl::StrReplaceAll(claims, {{R"("sub":"aa123456-ovh")", subject}}),
                        "account id as \"sub\"");
  }
}

TEST_F(JwtTest, TakesTheAccountFromTheConfiguredClaim) {
  JwtOptions options = Options();
  options.account_claim = "https://example.com/account";
  JwtVerifier verifier(options, AccountIdForm());
  ASSERT_TRUE(verifier.ReplaceKeys(Jwks({ec_.Jwk()})).ok());
  EXPECT_EQ(OutcomeOf(verifier,
                      ec_.Sign(SessionClaims("someone", kNow,
                                             R"(,"https://example.com/account":"aa123456-ovh")"))),
            kAccount);
  EXPECT_THAT(OutcomeOf(verifier, Good()), HasSubstr("https://example.com/account"));
}

}  // namespace
}  // namespace contacts::server
