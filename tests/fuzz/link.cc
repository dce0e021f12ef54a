// Links and tokens as people paste them into the client.

#include <cstdint>
#include <string>

#include "client/ctl/link.h"
#include "tests/fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace contacts::client;  // NOLINT(google-build-using-namespace)
  const std::string text(reinterpret_cast<const char*>(data), size);
  LooksLikeLink(text);
  const std::string trimmed = TrimToken(text);
  FUZZ_CHECK(TrimToken(trimmed) == trimmed);
  const auto link = ParseLink(text);
  if (link.ok()) {
    FUZZ_CHECK(link->contact_change_id.size() == 36);
    FUZZ_CHECK(!link->token.empty());
  } else {
    CheckTellsNothing(link.status());
  }
  const auto confirmation = ParseConfirmLink(text);
  if (confirmation.ok()) {
    FUZZ_CHECK(!confirmation->empty() && TrimToken(*confirmation) == *confirmation);
  } else {
    CheckTellsNothing(confirmation.status());
  }
  return 0;
}
