// Files of token keys, and tokens as typed.

#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "core/domain/token.h"
#include "tests/fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace contacts;  // NOLINT(google-build-using-namespace)
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto parsed = TokenKeys::Parse(text);
  if (parsed.ok()) {
    FUZZ_CHECK(!parsed->active().empty());
  } else if (!absl::EndsWith(parsed.status().message(), "is there twice")) {  // With its id.
    CheckTellsNothing(parsed.status());  // An invalid secret may still be a secret.
  }
  // No input is a valid token by chance.
  static const auto& keys = *new TokenKeys(*TokenKeys::Parse(TokenKeys::Generate()));
  const AccountId account("aa1-ovh");
  const std::string digest = AddressDigest(account, text);
  for (const Uuid& change : {Uuid(), Uuid::FromBytes("0123456789abcdef")}) {
    const TokenSource source{
        .change = change, .account = account, .generation = 2, .address = digest};
    FUZZ_CHECK(keys.Check(text, keys.active(), source) == TokenCheck::kWrong);
    FUZZ_CHECK(!keys.IsSuperseded(text, source, {digest}));
  }
  return 0;
}
