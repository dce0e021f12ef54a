// Bearer tokens and key sets. The input is read as a token, and as a key set.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "server/auth/jwks.h"
#include "server/auth/jwt.h"
#include "tests/fuzz/check.h"

namespace {

// P-256's base point: a public key with the private key 1, which no corpus signs with.
constexpr char kKeys[] = R"({"keys":[{"kty":"EC","crv":"P-256","kid":"k1",)"
                         R"("x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",)"
                         R"("y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}]})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace contacts::server;  // NOLINT(google-build-using-namespace)
  static const auto& verifier = *[] {
    auto* made =
        new JwtVerifier({.issuer = "https://id.example", .audience = "contacts"}, AccountIdForm());
    FUZZ_CHECK(made->ReplaceKeys(kKeys).ok());
    return made;
  }();
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto session = verifier.Verify(text, absl::FromUnixSeconds(1'790'000'000));
  FUZZ_CHECK(!session.ok());
  CheckTellsNothing(session.status());
  ReadJwks(text, JwtAlgorithms()).IgnoreError();
  return 0;
}
