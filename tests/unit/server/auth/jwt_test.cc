// The form, key and signature of bearer tokens, and each way to forge one.

#include "server/auth/jwt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tests/testing/bearer_tokens.h"
#include "tests/unit/server/auth/jwt_fixture.h"

namespace contacts::server {
namespace {

using ::contacts::testing::Base64Url;

std::string Hs256(absl::string_view secret, absl::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
  return {reinterpret_cast<const char*>(digest), size};
}

constexpr char kWantForm[] = "three parts of base64url";
constexpr char kWantAlgorithm[] = "want the \"alg\" that its key is for";
constexpr char kWantSignature[] = "want a signature of its key";

TEST_F(JwtTest, TakesEveryAlgorithm) {
  const std::string claims = SessionClaims(kAccount, kNow);
  EXPECT_EQ(Outcome(ec_.Sign(claims)), kAccount);
  EXPECT_EQ(Outcome(ed_.Sign(claims)), kAccount);
  EXPECT_EQ(Outcome(rsa().Sign(claims)), kAccount);
}

TEST_F(JwtTest, RefusesAlgorithmsThatAreNotAllowed) {
  JwtOptions options = Options();
  options.algorithms = {"EdDSA"};
  JwtVerifier verifier(options, AccountIdForm());
  ASSERT_TRUE(verifier.ReplaceKeys(Jwks({ec_.Jwk(), ed_.Jwk(), rsa().Jwk()})).ok());
  const std::string claims = SessionClaims(kAccount, kNow);
  EXPECT_EQ(OutcomeOf(verifier, ed_.Sign(claims)), kAccount);
  EXPECT_THAT(OutcomeOf(verifier, ec_.Sign(claims)), HasSubstr("kid"));
  EXPECT_THAT(OutcomeOf(verifier, rsa().Sign(claims)), HasSubstr("kid"));
}

TEST_F(JwtTest, RefusesEverythingWithoutKeys) {
  EXPECT_THAT(OutcomeOf(JwtVerifier(Options(), AccountIdForm()), Good()), HasSubstr("kid"));
}

TEST_F(JwtTest, RefusesAlgNoneInAnyCase) {
  const std::string claims = Base64Url(SessionClaims(kAccount, kNow));
  const std::string signature = Base64Url(std::string(64, 's'));
  for (const char* none : {"none", "None", "NONE", "nOnE"}) {
    for (const std::string& kid : {std::string(), std::string(R"(,"kid":"ec-1")")}) {
      const std::string header = Base64Url(absl::StrCat(R"({"alg":")", none, "\"", kid, "}"));
      EXPECT_THAT(Outcome(absl::StrCat(header, ".", claims, ".")), HasSubstr("want"));
      EXPECT_THAT(Outcome(absl::StrCat(header, ".", claims)), HasSubstr(kWantForm));
      EXPECT_THAT(Outcome(absl::StrCat(header, ".", claims, ".", signature)), HasSubstr("want"));
    }
  }
  // Nor if the key needs no name.
  JwtVerifier single(Options(), AccountIdForm());
  ASSERT_TRUE(single.ReplaceKeys(Jwks({ec_.Jwk()})).ok());
  EXPECT_THAT(OutcomeOf(single, absl::StrCat(Base64Url(R"({"alg":"none"})"), ".", claims, ".")),
              HasSubstr(kWantAlgorithm));
}

TEST_F(JwtTest, RefusesAPublicKeyTakenForASecret) {
  const std::string header = R"({"alg":"HS256","kid":"rsa-1"})";
  const std::string text =
      absl::StrCat(Base64Url(header), ".", Base64Url(SessionClaims(kAccount, kNow)));
  for (const std::string& secret : {rsa().Pem(), rsa().Jwk(), std::string()}) {
    EXPECT_THAT(Outcome(absl::StrCat(text, ".", Base64Url(Hs256(secret, text)))),
                HasSubstr(kWantAlgorithm));
  }
}

TEST_F(JwtTest, RefusesAnAlgorithmThatIsNotTheKeys) {
  const std::string claims = SessionClaims(kAccount, kNow);
  for (const char* algorithm :
       {"RS256", "EdDSA", "ES384", "RS512", "PS256", "HS256", "es256", "", "ES256 "}) {
    const std::string header = absl::StrCat(R"({"alg":")", algorithm, R"(","kid":"ec-1"})");
    EXPECT_THAT(Outcome(ec_.Sign(header, claims)), HasSubstr(kWantAlgorithm)) << algorithm;
  }
  for (const char* header : {R"({"kid":"ec-1"})", R"({"alg":null,"kid":"ec-1"})",
                             R"({"alg":["ES256"],"kid":"ec-1"})", R"({"alg":1,"kid":"ec-1"})"}) {
    EXPECT_THAT(Outcome(ec_.Sign(header, claims)), HasSubstr(kWantAlgorithm)) << header;
  }
}

TEST_F(JwtTest, RefusesAnUnknownKey) {
  const std::string claims = SessionClaims(kAccount, kNow);
  for (const char* kid : {"\"ec-2\"", "\"EC-1\"", "\"\"", "null", "1", "[\"ec-1\"]",
                          "\"../../../../dev/null\"", "\"ec-1\\u0000\""}) {
    const std::string header = absl::StrCat(R"({"alg":"ES256","kid":)", kid, "}");
    EXPECT_THAT(Outcome(ec_.Sign(header, claims)), HasSubstr("\"kid\" of a current key")) << kid;
  }
  EXPECT_THAT(Outcome(ec_.Sign(R"({"alg":"ES256"})", claims)), HasSubstr("several keys"));
}

TEST_F(JwtTest, RefusesAStrangersKeyUnderAKnownName) {
  const std::string claims = SessionClaims(kAccount, kNow);
  EXPECT_THAT(Outcome(IssuerKey::Es256("ec-1").Sign(claims)), HasSubstr(kWantSignature));
  EXPECT_THAT(Outcome(IssuerKey::EdDsa("ed-1").Sign(claims)), HasSubstr(kWantSignature));
  EXPECT_THAT(Outcome(IssuerKey::Rs256("rsa-1").Sign(claims)), HasSubstr(kWantSignature));
}

TEST_F(JwtTest, OneKeyAloneNeedsNoName) {
  JwtVerifier verifier(Options(), AccountIdForm());
  const IssuerKey unnamed = IssuerKey::EdDsa("");
  ASSERT_TRUE(verifier.ReplaceKeys(Jwks({unnamed.Jwk()})).ok());
  const std::string claims = SessionClaims(kAccount, kNow);
  EXPECT_EQ(OutcomeOf(verifier, unnamed.Sign(claims)), kAccount);
  EXPECT_THAT(OutcomeOf(verifier, unnamed.Sign(R"({"alg":"EdDSA","kid":""})", claims)),
              HasSubstr("kid"));
  ASSERT_TRUE(verifier.ReplaceKeys(Jwks({ed_.Jwk()})).ok());
  EXPECT_EQ(OutcomeOf(verifier, ed_.Sign(R"({"alg":"EdDSA"})", claims)), kAccount);
  EXPECT_THAT(OutcomeOf(verifier, ed_.Sign(R"({"alg":"EdDSA","kid":"ed-2"})", claims)),
              HasSubstr("kid"));
}

TEST_F(JwtTest, IgnoresKeysThatATokenBringsAlong) {
  const IssuerKey stranger = IssuerKey::Es256("ec-1");
  const std::string claims = SessionClaims(kAccount, kNow);
  const std::string more[] = {
      absl::StrCat(R"("jwk":)", stranger.Jwk()), R"("jku":"https://attacker.example/jwks")",
      R"("x5u":"https://attacker.example/x5u")", R"("x5c":["MIIB"])", R"("x5t":"abcd")"};
  for (const std::string& one : more) {
    const std::string header = absl::StrCat(R"({"alg":"ES256","kid":"ec-1",)", one, "}");
    EXPECT_THAT(Outcome(stranger.Sign(header, claims)), HasSubstr(kWantSignature)) << one;
    EXPECT_EQ(Outcome(ec_.Sign(header, claims)), kAccount) << one;
  }
}

TEST_F(JwtTest, RefusesHeadersThatChangeWhatATokenIs) {
  const std::string claims = SessionClaims(kAccount, kNow);
  for (const char* more : {R"("crit":["exp"])", R"("crit":[])", R"("b64":false)", R"("cty":"JWT")",
                           R"("enc":"A256GCM")", R"("zip":"DEF")"}) {
    const std::string header = absl::StrCat(R"({"alg":"ES256","kid":"ec-1",)", more, "}");
    EXPECT_THAT(Outcome(ec_.Sign(header, claims)), HasSubstr("plain signed JWT")) << more;
  }
}

TEST_F(JwtTest, TakesSessionTokensAlone) {
  const std::string claims = SessionClaims(kAccount, kNow);
  const auto typed = [&](const std::string& type) {
    return Outcome(
        ec_.Sign(absl::StrCat(R"({"alg":"ES256","kid":"ec-1","typ":)", type, "}"), claims));
  };
  for (const char* type : {"\"JWT\"", "\"jwt\"", "\"at+jwt\"", "\"application/at+jwt\""}) {
    EXPECT_EQ(typed(type), kAccount) << type;
  }
  for (const char* type : {"\"logout+jwt\"", "\"dpop+jwt\"", "\"secevent+jwt\"", "\"\"", "1"}) {
    EXPECT_THAT(typed(type), HasSubstr("typ")) << type;
  }
}

TEST_F(JwtTest, RefusesTamperedTokens) {
  const std::string token = Good();
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  const std::string other = Base64Url(SessionClaims("bb222222-ovh", kNow));
  EXPECT_THAT(Outcome(absl::StrCat(parts[0], ".", other, ".", parts[2])),
              HasSubstr(kWantSignature));
  const std::string header = Base64Url(R"({"alg":"ES256","kid":"ec-1","x":1})");
  EXPECT_THAT(Outcome(absl::StrCat(header, ".", parts[1], ".", parts[2])),
              HasSubstr(kWantSignature));
  for (const IssuerKey* key : {&ec_, &ed_, &rsa()}) {
    const std::string text =
        absl::StrCat(Base64Url(key->Header()), ".", Base64Url(SessionClaims(kAccount, kNow)));
    const std::string signature = key->Signature(text);
    for (std::size_t at = 0; at < signature.size(); ++at) {
      std::string flipped = signature;
      flipped[at] = static_cast<char>(flipped[at] ^ 1);
      EXPECT_THAT(Outcome(absl::StrCat(text, ".", Base64Url(flipped))), HasSubstr(kWantSignature));
    }
  }
}

TEST_F(JwtTest, RefusesSignaturesOfAnotherForm) {
  for (const IssuerKey* key : {&ec_, &ed_, &rsa()}) {
    const std::string text =
        absl::StrCat(Base64Url(key->Header()), ".", Base64Url(SessionClaims(kAccount, kNow)));
    const std::string good = key->Signature(text);
    ASSERT_EQ(Outcome(absl::StrCat(text, ".", Base64Url(good))), kAccount);
    const std::string zero(1, '\0');
    const std::string wrong[] = {"",
                                 good.substr(1),
                                 good.substr(0, good.size() - 1),
                                 zero + good,
                                 good + zero,
                                 std::string(good.size(), '\0'),
                                 std::string(good.size(), '\xff'),
                                 good + good};
    for (const std::string& signature : wrong) {
      EXPECT_THAT(Outcome(absl::StrCat(text, ".", Base64Url(signature))),
                  HasSubstr(kWantSignature));
    }
  }
  const std::string text =
      absl::StrCat(Base64Url(ec_.Header()), ".", Base64Url(SessionClaims(kAccount, kNow)));
  EXPECT_THAT(Outcome(absl::StrCat(text, ".", Base64Url(ec_.Signature(text, /*der=*/true)))),
              HasSubstr(kWantSignature));
}

TEST_F(JwtTest, RefusesAnyFormButTheCompactOne) {
  const std::string token = Good();
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  const std::string rows[] = {
      "",
      ".",
      "..",
      "...",
      "token",
      parts[0],
      absl::StrCat(parts[0], ".", parts[1]),
      absl::StrCat(parts[0], parts[1], parts[2]),
      absl::StrCat(parts[0], ".", parts[1], parts[2]),
      absl::StrCat(token, "."),
      absl::StrCat(token, ".e30"),
      absl::StrCat(token, ".e30.e30"),         // JWE.
      absl::StrCat(parts[0], "..", parts[2]),  // Detached.
      absl::StrCat(R"({"protected":")", parts[0], R"(","payload":")", parts[1],
                   R"(","signature":")", parts[2], R"("})"),
  };
  for (const std::string& row : rows) EXPECT_THAT(Outcome(row), HasSubstr("want")) << row;
  for (std::size_t size = 0; size < token.size(); ++size) {
    EXPECT_THAT(Outcome(token.substr(0, size)), HasSubstr("want")) << size;
  }
}

TEST_F(JwtTest, RefusesBase64ThatIsNotCanonical) {
  const std::string token = Good();
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  for (const char* stray : {"=", "==", " ", "\n", "\t", "+", "/", "\u00e9", "\xff", "%"}) {
    EXPECT_THAT(Outcome(absl::StrCat(token, stray)), HasSubstr("want"));
    EXPECT_THAT(Outcome(absl::StrCat(stray, token)), HasSubstr("want"));
    EXPECT_THAT(Outcome(absl::StrCat(parts[0], stray, ".", parts[1], ".", parts[2])),
                HasSubstr("want"));
    EXPECT_THAT(Outcome(absl::StrCat(parts[0], ".", parts[1], stray, ".", parts[2])),
                HasSubstr("want"));
  }
  EXPECT_THAT(Outcome(token + std::string(1, '\0')), HasSubstr(kWantForm));
  // 64 bytes leave four bits of the last character over.
  std::string stray_bits = token;
  stray_bits.back() = static_cast<char>(stray_bits.back() + 1);
  EXPECT_THAT(Outcome(stray_bits), HasSubstr("want"));
  EXPECT_FALSE(DecodeBase64Url("QR").has_value());
  EXPECT_EQ(DecodeBase64Url("QQ"), "A");
}

TEST_F(JwtTest, RefusesOversizedTokens) {
  const auto of_size = [&](std::size_t filler) {
    return Good(absl::StrCat(R"(,"x":")", std::string(filler, 'x'), "\""));
  };
  const std::string largest = of_size(5868);
  ASSERT_LE(largest.size(), JwtVerifier::kMaxTokenSize);
  ASSERT_GT(largest.size(), JwtVerifier::kMaxTokenSize - 200);
  EXPECT_EQ(Outcome(largest), kAccount);
  EXPECT_THAT(Outcome(of_size(6100)), HasSubstr("at most 8192 bytes"));
  EXPECT_THAT(Outcome(std::string(1'000'000, 'a')), HasSubstr("at most 8192 bytes"));
}

TEST_F(JwtTest, RefusesNamesGivenTwice) {
  ExpectClaimsRefused(SessionClaims(kAccount, kNow, R"(,"sub":"bb222222-ovh")"), "JSON object");
  ExpectClaimsRefused(SessionClaims(kAccount, kNow, R"(,"s\u0075b":"bb222222-ovh")"),
                      "JSON object");
  ExpectClaimsRefused(SessionClaims(kAccount, kNow, R"(,"x":{"y":1,"y":2})"), "JSON object");
  EXPECT_EQ(Outcome(Good(R"(,"x":{"sub":1,"y":{"sub":1}},"y":[{"sub":1},{"sub":1}])")), kAccount);
  EXPECT_THAT(Outcome(ec_.Sign(R"({"alg":"none","alg":"ES256","kid":"ec-1"})",
                               SessionClaims(kAccount, kNow))),
              HasSubstr("header"));
}

TEST_F(JwtTest, RefusesMalformedJson) {
  const std::string claims = SessionClaims(kAccount, kNow);
  const std::string rows[] = {"",
                              "null",
                              "[]",
                              "1",
                              "\"text\"",
                              "{",
                              "{}}",
                              claims + claims,
                              claims + ",",
                              claims + std::string(1, '\0'),
                              claims + std::string(1, '\0') + "x",
                              "/* */" + claims,
                              absl::StrReplaceAll(claims, {{"aa123456", "aa\xff"}}),
                              absl::StrReplaceAll(claims, {{"\"", "'"}}),
                              absl::StrReplaceAll(claims, {{"}", ",}"}}),
                              absl::StrReplaceAll(claims, {{"600}", "600,\"x\":NaN}"}})};
  for (const std::string& row : rows) {
    ExpectClaimsRefused(row, "JSON object");
    EXPECT_THAT(Outcome(ec_.Sign(row, claims)), HasSubstr("want"));
  }
}

// The JSON parser skips it, other readers do not.
TEST_F(JwtTest, RefusesAByteOrderMark) {
  constexpr char kMark[] = "\xef\xbb\xbf";
  const std::string claims = SessionClaims(kAccount, kNow);
  ExpectClaimsRefused(kMark + claims, "JSON object");
  const std::string header = R"({"alg":"ES256","kid":"ec-1"})";
  EXPECT_EQ(Outcome(ec_.Sign(header, claims)), kAccount);
  EXPECT_THAT(Outcome(ec_.Sign(kMark + header, claims)), HasSubstr("JSON object as header"));
}

TEST_F(JwtTest, RefusesDeepNesting) {
  const auto nested = [](std::size_t depth, const char* open, const char* close) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) absl::StrAppend(&text, open);
    absl::StrAppend(&text, "1");
    for (std::size_t i = 0; i < depth; ++i) absl::StrAppend(&text, close);
    return text;
  };
  EXPECT_EQ(Outcome(Good(absl::StrCat(R"(,"x":)", nested(31, "[", "]")))), kAccount);
  for (const std::size_t depth : {40, 500, 2900}) {
    ExpectClaimsRefused(
        SessionClaims(kAccount, kNow, absl::StrCat(",\"x\":", nested(depth, "[", "]"))),
        "JSON object");
  }
  ExpectClaimsRefused(
      SessionClaims(kAccount, kNow, absl::StrCat(",\"x\":", nested(900, "{\"a\":", "}"))),
      "JSON object");
  ExpectClaimsRefused(std::string(6000, '['), "JSON object");
  EXPECT_THAT(Outcome(ec_.Sign(std::string(5900, '['), "{}")), HasSubstr("header"));
  EXPECT_FALSE(ReadJsonObject(absl::StrCat("{\"x\":", nested(1'000'000, "[", "]"), "}")));
}

TEST_F(JwtTest, TakesNewKeysAndForgetsOldOnes) {
  const IssuerKey next = IssuerKey::Es256("ec-2");
  const std::string claims = SessionClaims(kAccount, kNow);
  ASSERT_TRUE(verifier_.ReplaceKeys(Jwks({ec_.Jwk(), next.Jwk()})).ok());
  EXPECT_EQ(Outcome(ec_.Sign(claims)), kAccount);
  EXPECT_EQ(Outcome(next.Sign(claims)), kAccount);
  EXPECT_EQ(*verifier_.ReplaceKeys(Jwks({next.Jwk()})), 1U);
  EXPECT_THAT(Outcome(ec_.Sign(claims)), HasSubstr("kid"));
  EXPECT_EQ(Outcome(next.Sign(claims)), kAccount);
}

TEST_F(JwtTest, KeepsItsKeysWhereNewOnesAreWrong) {
  for (const char* wrong : {"", "{}", "{\"keys\":[]}", "-----BEGIN PUBLIC KEY-----"}) {
    EXPECT_FALSE(verifier_.ReplaceKeys(wrong).ok());
    EXPECT_EQ(Outcome(Good()), kAccount);
  }
}

TEST_F(JwtTest, VerifiesWhileItsKeysAreReplaced) {
  const std::string token = Good();
  std::atomic<bool> stop = false;
  std::atomic<int> refused = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([&] {
      while (!stop) refused += verifier_.Verify(token, kNow).ok() ? 0 : 1;
    });
  }
  for (int i = 0; i < 200; ++i) {
    EXPECT_TRUE(
        verifier_.ReplaceKeys(Jwks({ec_.Jwk(), i % 2 == 0 ? ed_.Jwk() : rsa().Jwk()})).ok());
  }
  stop = true;
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(refused, 0);
}

}  // namespace
}  // namespace contacts::server
