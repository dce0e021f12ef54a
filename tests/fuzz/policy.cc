// Policy files, and the names of certificates. A first line "uri NAME" or "dns NAME" is a
// name.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/auth/caller_policy.h"
#include "tests/fuzz/check.h"

namespace contacts::server {
namespace {

using nlohmann::json;

// The roles of `caller`'s entry, by another reader of the file.
std::set<std::string> Granted(const json& file, const PolicyEntry& caller, const std::string& uri,
                              const std::string& dns) {
  for (const json& entry : file.at("callers")) {
    if (entry.at("name") != caller.name) continue;
    if ((!uri.empty() && entry.value("uri", "") == uri) ||
        (!dns.empty() && entry.value("dns", "") == absl::AsciiStrToLower(dns))) {
      return entry.at("may").get<std::set<std::string>>();
    }
  }
  return {"none such"};
}

void Fuzz(absl::string_view text) {
  std::string uri;
  std::string dns;
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('\n', 1));
  absl::string_view name = parts.first;
  if (absl::ConsumePrefix(&name, "uri ")) {
    uri = std::string(name);
  } else if (absl::ConsumePrefix(&name, "dns ")) {
    dns = std::string(name);
  }
  const absl::string_view file = uri.empty() && dns.empty() ? text : parts.second;
  const auto policy = CallerPolicy::Parse(file);
  if (!policy.ok()) return;
  PeerNames peer;
  if (!uri.empty()) peer.uris.push_back(uri);
  if (!dns.empty()) peer.dns.push_back(dns);
  const PolicyEntry* caller = policy->Find(peer);
  if (caller == nullptr) return;
  const auto granted = Granted(json::parse(file), *caller, uri, dns);
  FUZZ_CHECK(caller->is_front_end == granted.contains("front_end"));
  FUZZ_CHECK(caller->is_operator == granted.contains("operator"));
  FUZZ_CHECK(caller->is_observer == granted.contains("observer"));
  FUZZ_CHECK(caller->is_metrics_reader == granted.contains("metrics_reader"));
  FUZZ_CHECK(!granted.contains("none such"));
}

}  // namespace
}  // namespace contacts::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  contacts::server::Fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
