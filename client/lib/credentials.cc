#include "client/lib/credentials.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "absl/strings/ascii.h"

namespace contacts::client {

bool IsMetadataValue(absl::string_view value) {
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); });
}

std::string ReadBearerToken(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  const std::string whole = content.str();
  const absl::string_view token = absl::StripAsciiWhitespace(whole);
  return IsMetadataValue(token) ? std::string(token) : "";
}

void AddMetadata(const Caller& caller, const std::string& call_id, grpc::ClientContext& context) {
  if (!caller.account.empty()) context.AddMetadata("contacts-account", caller.account);
  if (caller.is_operator) context.AddMetadata("contacts-caller", "operator");
  if (caller.is_observer) context.AddMetadata("contacts-caller", "observer");
  if (caller.is_support) context.AddMetadata("contacts-caller", "support");
  if (!caller.bearer_token.empty()) {
    context.AddMetadata("authorization", "Bearer " + caller.bearer_token);
  }
  context.AddMetadata("x-request-id", call_id);
}

}  // namespace contacts::client
