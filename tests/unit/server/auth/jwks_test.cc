// Key sets of the issuer of sessions: which keys are accepted and which are refused.

#include "server/auth/jwks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/testing/bearer_tokens.h"

namespace contacts::server {
namespace {

using ::contacts::testing::IssuerKey;
using ::contacts::testing::Jwks;
using ::testing::HasSubstr;

std::string JwksError(const std::string& jwks) {
  const auto keys = ReadJwks(jwks, JwtAlgorithms());
  return keys.ok() ? "" : std::string(keys.status().message());
}

TEST(JwksTest, ReadsTheExampleKeysOfTheStandards) {
  // RFC 7517 A.1 (P-256 and RSA) and RFC 8037 A.2 (Ed25519).
  const char* jwks = R"({"keys":[
    {"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
     "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"sig","kid":"1"},
    {"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
     "e":"AQAB","alg":"RS256","kid":"2011-04-29"},
    {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"3"}]})";
  const auto keys = ReadJwks(jwks, JwtAlgorithms());
  ASSERT_TRUE(keys.ok()) << keys.status();
  ASSERT_EQ(keys->size(), 3U);
  EXPECT_EQ((*keys)[0].algorithm(), "ES256");
  EXPECT_EQ((*keys)[1].algorithm(), "RS256");
  // RFC 8037 A.4.
  EXPECT_EQ((*keys)[2].algorithm(), "EdDSA");
  EXPECT_TRUE((*keys)[2].Verifies(
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
      *DecodeBase64Url("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sV"
                       "vpAr_MuM0KAg")));
}

TEST(JwksTest, RefusesWeakRsaKeys) {
  const std::string strong = IssuerKey::Rs256("b").Jwk();
  EXPECT_THAT(JwksError(Jwks({strong, IssuerKey::Rs256("a", 1024).Jwk()})),
              HasSubstr("keys[1]: no sound key; want RSA of 2048"));
  EXPECT_THAT(JwksError(Jwks({IssuerKey::Rs256("a", 2047).Jwk()})), HasSubstr("2048"));
  // Anyone can sign for an exponent of 1: the signature is the padded digest itself.
  for (const char* exponent : {"AQ", "AA", "Ag", "", "AQAA"}) {
    const std::string weak =
        absl::StrReplaceAll(strong, {{R"("e":"AQAB")", absl::StrCat(R"("e":")", exponent, "\"")}});
    ASSERT_NE(weak, strong);
    EXPECT_THAT(JwksError(Jwks({weak})), HasSubstr("no sound key")) << exponent;
  }
}

TEST(JwksTest, RefusesPrivateAndSymmetricKeys) {
  const IssuerKey ec = IssuerKey::Es256("a");
  const std::string other = IssuerKey::EdDsa("b").Jwk();
  for (const std::string& secret :
       {ec.Jwk(R"(,"d":"AAAA")"), ec.Jwk(R"(,"use":"enc","d":"AAAA")"),
        std::string(R"({"kty":"oct","k":"c2VjcmV0","alg":"HS256","kid":"c"})")}) {
    EXPECT_THAT(JwksError(Jwks({other, secret})), HasSubstr("keys[1]: holds a private"));
  }
}

TEST(JwksTest, PassesOverKeysForSomethingElse) {
  const std::string used = IssuerKey::EdDsa("used").Jwk();
  const IssuerKey ec = IssuerKey::Es256("other");
  const std::string others[] = {ec.Jwk(R"(,"use":"enc")"),
                                ec.Jwk(R"(,"use":1)"),
                                ec.Jwk(R"(,"key_ops":["encrypt"])"),
                                ec.Jwk(R"(,"key_ops":"sign")"),
                                ec.Jwk(R"(,"alg":"ES384")"),
                                ec.Jwk(R"(,"alg":"RS256")"),
                                ec.Jwk(R"(,"alg":1)"),
                                R"({"kty":"EC","crv":"P-521","x":"AA","y":"AA","kid":"p"})",
                                R"({"kty":"OKP","crv":"X25519","x":"AA","kid":"p"})",
                                R"({"kty":"new"})",
                                "{}"};
  for (const std::string& other : others) {
    const auto keys = ReadJwks(Jwks({other, used}), JwtAlgorithms());
    ASSERT_TRUE(keys.ok()) << keys.status();
    ASSERT_EQ(keys->size(), 1U) << other;
    EXPECT_EQ(keys->front().id(), "used");
    EXPECT_THAT(JwksError(Jwks({other})), HasSubstr("no key to verify with"));
  }
  for (const char* more :
       {R"(,"use":"sig")", R"(,"key_ops":["sign","verify"])", R"(,"alg":"ES256")"}) {
    EXPECT_EQ(JwksError(Jwks({ec.Jwk(more)})), "") << more;
  }
}

TEST(JwksTest, RefusesWhatIsNoKey) {
  const std::string point = IssuerKey::Es256("a").Jwk();
  const std::size_t x = point.find("\"x\":\"") + 5;
  std::string moved = point;
  moved[x + 3] = moved[x + 3] == 'A' ? 'B' : 'A';  // Almost certainly not on the curve.
  EXPECT_THAT(JwksError(Jwks({moved})), HasSubstr("a point of P-256"));
  std::string cut = point;
  cut.erase(x, 4);
  EXPECT_THAT(JwksError(Jwks({cut})), HasSubstr("a point of P-256"));
  for (const char* broken :
       {R"({"kty":"EC","crv":"P-256"})", R"({"kty":"EC","crv":"P-256","x":1,"y":2})",
        R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})", R"({"kty":"RSA","n":"AQAB","e":"AQAB"})",
        R"({"kty":"RSA"})"}) {
    EXPECT_THAT(JwksError(Jwks({broken})), HasSubstr("keys[0]: no sound key")) << broken;
  }
  EXPECT_THAT(JwksError(Jwks({"1"})), HasSubstr("keys[0]: want an object"));
}

TEST(JwksTest, RefusesKeysThatCannotBeToldApart) {
  const std::string named = IssuerKey::Es256("a").Jwk();
  EXPECT_THAT(JwksError(Jwks({named, IssuerKey::EdDsa("a").Jwk()})), HasSubstr("same \"kid\""));
  EXPECT_THAT(JwksError(Jwks({named, IssuerKey::EdDsa("").Jwk()})), HasSubstr("want a \"kid\""));
  for (const char* id : {R"(,"kid":"")", R"(,"kid":1)", R"(,"kid":null)"}) {
    EXPECT_THAT(JwksError(Jwks({IssuerKey::EdDsa("").Jwk(id)})), HasSubstr("\"kid\"")) << id;
  }
}

TEST(JwksTest, RefusesWhatIsNoKeySet) {
  const std::string key = IssuerKey::EdDsa("a").Jwk();
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("{\"keys\":{}}"), key,
        absl::StrCat("[", key, "]"), absl::StrCat("{\"keys\":[", key, "],\"keys\":[]}"),
        absl::StrReplaceAll(Jwks({key}), {{"\"kty\":", "\"x\":\"AA\",\"kty\":"}})}) {
    EXPECT_THAT(JwksError(text), HasSubstr("no JSON Web Key Set")) << text;
  }
}

}  // namespace
}  // namespace contacts::server
