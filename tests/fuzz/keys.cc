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
    FUZZ_CHECK(!parsed->active_id().empty());
  } else if (!absl::EndsWith(parsed.status().message(), "is there twice")) {  // With its id.
    CheckTellsNothing(parsed.status());  // An invalid secret may still be a secret.
  }
  // No input is a valid token by chance.
  static const auto& keys = *new TokenKeys(*TokenKeys::Parse(TokenKeys::Generate()));
  FUZZ_CHECK(keys.Check(text, keys.active_id(), Uuid(), AccountId("aa1-ovh"), 1) ==
             TokenCheck::kWrong);
  return 0;
}
