// Page and resume tokens: only tokens that the server made are opened.

#include <cstdint>
#include <string>

#include "contacts/v1/contact_service.pb.h"
#include "server/messages/page_token.h"
#include "tests/fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace contacts::server;  // NOLINT(google-build-using-namespace)
  const std::string token(reinterpret_cast<const char*>(data), size);
  contacts::v1::ListServicesRequest request;
  request.set_page_size(10);
  request.set_page_token(token);
  if (const auto cursor = OpenPageToken(request); cursor && !token.empty()) {
    contacts::v1::ListServicesRequest first = request;
    first.clear_page_token();
    FUZZ_CHECK(MakePageToken(first, *cursor) == token);
    // For another request the token is invalid.
    request.set_id_prefix("other");
    FUZZ_CHECK(!OpenPageToken(request));
  }
  if (const auto place = OpenResumeToken(token)) FUZZ_CHECK(place->position >= 0);
  return 0;
}
