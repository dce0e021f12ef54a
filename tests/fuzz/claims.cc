// Bearer tokens with a valid signature. The input is a payload, or a header, a line end and a
// payload.

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_split.h"
#include "server/auth/jwt.h"
#include "tests/fuzz/check.h"
#include "tests/testing/bearer_tokens.h"

namespace contacts::server {
namespace {

using contacts::testing::IssuerKey;
using nlohmann::json;

constexpr int64_t kNow = 1'790'000'000;
constexpr int64_t kSkew = 30;

void Fuzz(absl::string_view text) {
  static const auto& key = *new IssuerKey(IssuerKey::Es256("k1"));
  static const auto& verifier = *[] {
    auto* made = new JwtVerifier({.issuer = "https://login.example", .audience = "contacts"},
                                 AccountIdForm());
    FUZZ_CHECK(made->ReplaceKeys(contacts::testing::Jwks({key.Jwk()})).ok());
    return made;
  }();
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('\n', 1));
  const bool has_header = text.find('\n') != absl::string_view::npos;
  const std::string header = has_header ? std::string(parts.first) : key.Header();
  const absl::string_view payload = has_header ? parts.second : text;
  const auto session = verifier.Verify(key.Sign(header, payload), absl::FromUnixSeconds(kNow));
  if (!session.ok()) {
    CheckTellsNothing(session.status());
    return;
  }
  const json head = json::parse(header);
  FUZZ_CHECK(head.at("alg") == "ES256");
  FUZZ_CHECK(!head.contains("crit"));
  const json claims = json::parse(payload);
  FUZZ_CHECK(claims.at("iss") == "https://login.example");
  const json& audience = claims.at("aud");
  FUZZ_CHECK(audience == "contacts" ||
             (audience.is_array() &&
              std::find(audience.begin(), audience.end(), "contacts") != audience.end()));
  FUZZ_CHECK(claims.at("exp").get<double>() > kNow - kSkew);
  if (claims.contains("nbf")) FUZZ_CHECK(claims.at("nbf").get<double>() <= kNow + kSkew);
  if (claims.contains("iat")) FUZZ_CHECK(claims.at("iat").get<double>() <= kNow + kSkew);
  FUZZ_CHECK(claims.at("sub").get<std::string>().size() == session->account.text().size());
  FUZZ_CHECK(session->expires >= absl::FromUnixSeconds(kNow));
}

}  // namespace
}  // namespace contacts::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  contacts::server::Fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
