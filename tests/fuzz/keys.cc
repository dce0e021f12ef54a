// Files of token keys, tokens as typed, and the encoder of values into SQL text.

#include <cstdint>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/domain/token.h"
#include "core/mysql/encoder.h"
#include "tests/fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace contacts;  // NOLINT(google-build-using-namespace)
  const std::string text(reinterpret_cast<const char*>(data), size);

  // A literal is digits between quotes, and holds the value.
  absl::string_view literal;
  const std::string encoded = sqltext::Text(text).text;
  literal = encoded;
  FUZZ_CHECK(absl::ConsumePrefix(&literal, "_utf8mb4 x'"));
  FUZZ_CHECK(absl::ConsumeSuffix(&literal, "'"));
  FUZZ_CHECK(literal.find_first_not_of("0123456789abcdef") == absl::string_view::npos);
  FUZZ_CHECK(absl::HexStringToBytes(literal) == text);

  const auto parsed = TokenKeys::Parse(text);
  if (parsed.ok()) FUZZ_CHECK(!parsed->active_id().empty());

  // Nobody types a token by chance.
  static const auto& keys = *new TokenKeys(*TokenKeys::Parse(TokenKeys::Generate()));
  FUZZ_CHECK(!keys.Matches(text, keys.active_id(), Uuid(), AccountId("aa1-ovh"), 1));
  return 0;
}
