// The bytes of a request of any method. The first byte chooses the method.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/domain/settings.h"
#include "server/messages/field_rules.h"
#include "server/messages/page_token.h"
#include "server/messages/parse.h"
#include "server/messages/validation.h"
#include "tests/fuzz/check.h"

namespace contacts::server {
namespace {

using google::protobuf::Message;

std::unique_ptr<Message> New(const google::protobuf::Descriptor* type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

std::vector<std::string> Fields(const FieldViolations& violations) {
  std::vector<std::string> fields;
  for (const auto& violation : violations) fields.push_back(violation.field);
  return fields;
}

void Fuzz(const uint8_t* data, std::size_t size) {
  static const auto& validator = *new RequestValidator(FieldRules(AccountIdForm(), Settings()));
  static const auto& requests = *new std::vector(RequestMessages());
  if (size == 0) return;
  const auto request = New(requests[data[0] % requests.size()]);
  const std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const FieldViolations unread = ParseRequest(bytes, *request);
  if (!unread.empty() && unread.front().field.empty()) return;
  const FieldViolations malformed = validator.Validate(*request, AccountId("aa1-ovh"));
  // Normalising a second time changes nothing.
  const std::string canonical = request->SerializeAsString();
  const FieldViolations again = validator.Validate(*request, AccountId("aa1-ovh"));
  FUZZ_CHECK(request->SerializeAsString() == canonical);
  FUZZ_CHECK(Fields(again) == Fields(malformed));
  // Only UTF-8 text gets this far.
  FUZZ_CHECK(New(request->GetDescriptor())->ParseFromString(canonical));
  Fingerprint("contacts.v1.Any/Method", *request);
}

}  // namespace
}  // namespace contacts::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  contacts::server::Fuzz(data, size);
  return 0;
}
