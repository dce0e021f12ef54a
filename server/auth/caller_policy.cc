#include "server/auth/caller_policy.h"

#include <re2/re2.h>

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/auth/jwks.h"
#include "server/messages/forms.h"

namespace contacts::server {
namespace {

using nlohmann::json;

constexpr char kCallers[] = "callers";
constexpr std::size_t kMaxUri = 2048;  // Bytes of a SPIFFE id.

// Thrown only within this file: ends the reading, with the reason.
struct MalformedPolicy {
  std::string why;
};

[[noreturn]] void Reject(const std::string& place, absl::string_view why) {
  throw MalformedPolicy{absl::StrCat(place, ": ", why)};
}

std::string StringAt(const json& value, const std::string& place) {
  if (!value.is_string()) Reject(place, "want a text");
  return value.get<std::string>();
}

void AddRole(const json& role, const std::string& place, PolicyEntry& caller) {
  const std::string text = StringAt(role, place);
  bool* may = text == "front_end"        ? &caller.is_front_end
              : text == "operator"       ? &caller.is_operator
              : text == "observer"       ? &caller.is_observer
              : text == "support"        ? &caller.is_support
              : text == "metrics_reader" ? &caller.is_metrics_reader
                                         : nullptr;
  if (may == nullptr) {
    Reject(place, absl::StrCat(Echo(text),
                               "; want front_end, operator, observer, support or metrics_reader"));
  }
  if (std::exchange(*may, true)) Reject(place, absl::StrCat(Echo(text), " is listed twice"));
}

PolicyEntry ReadCaller(const json& entry, const std::string& place) {
  static const LazyRE2 kName = {"[a-z0-9][a-z0-9._-]{0,47}"};
  if (!entry.is_object()) Reject(place, "want an object");
  for (const auto& [name, value] : entry.items()) {
    static const std::set<std::string> kKnown = {"name", "uri", "dns", "may"};
    if (!kKnown.contains(name)) {
      Reject(place, absl::StrCat(Echo(name), "; want name, may, and uri or dns"));
    }
  }
  if (!entry.contains("name") || !entry.contains("may")) Reject(place, "want name and may");
  if (entry.contains("uri") == entry.contains("dns")) Reject(place, "want one of uri and dns");
  PolicyEntry caller{.name = StringAt(entry["name"], place + ".name")};
  if (!RE2::FullMatch(caller.name, *kName)) {
    Reject(place + ".name", absl::StrCat(Echo(caller.name),
                                         "; want 1 to 48 lower-case letters, digits, '.', '_', "
                                         "'-'"));
  }
  const json& may = entry["may"];
  if (!may.is_array() || may.empty()) Reject(place + ".may", "want a list, not empty");
  for (const json& role : may) AddRole(role, place + ".may", caller);
  return caller;
}

std::string ReadUri(const json& value, const std::string& place) {
  static const LazyRE2 kUri = {"[a-z][a-z0-9+.-]*:[!-)+-~]+"};
  std::string uri = StringAt(value, place);
  if (uri.size() > kMaxUri || !RE2::FullMatch(uri, *kUri)) {
    Reject(place, absl::StrCat(Echo(uri), "; want a whole URI, without *, in visible ASCII"));
  }
  return uri;
}

std::string ReadDns(const json& value, const std::string& place) {
  static const LazyRE2 kDns = {R"([a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*)"};
  std::string dns = StringAt(value, place);
  if (dns.size() > 253 || !RE2::FullMatch(dns, *kDns)) {
    Reject(place, absl::StrCat(Echo(dns), "; want a whole DNS name, without *, in lower case"));
  }
  return dns;
}

}  // namespace

absl::StatusOr<CallerPolicy> CallerPolicy::Parse(absl::string_view text) {
  const auto file = ReadJsonObject(text);
  if (!file || file->size() != 1 || !file->contains(kCallers) || !(*file)[kCallers].is_array()) {
    return absl::InvalidArgumentError(
        "want a JSON object with a list \"callers\", nothing else and no name twice");
  }
  CallerPolicy policy;
  try {
    std::size_t i = 0;
    for (const json& entry : (*file)[kCallers]) {
      const std::string place = absl::StrCat("callers[", i++, "]");
      PolicyEntry caller = ReadCaller(entry, place);
      const bool fresh =
          entry.contains("uri")
              ? policy.by_uri_.emplace(ReadUri(entry["uri"], place + ".uri"), std::move(caller))
                    .second
              : policy.by_dns_.emplace(ReadDns(entry["dns"], place + ".dns"), std::move(caller))
                    .second;
      if (!fresh) Reject(place, "its uri or dns is that of an earlier caller");
    }
  } catch (const MalformedPolicy& error) {
    return absl::InvalidArgumentError(error.why);
  }
  return policy;
}

const PolicyEntry* CallerPolicy::Find(const PeerNames& names) const {
  const PolicyEntry* found = nullptr;
  int matches = 0;
  const auto count = [&](const auto& callers, const std::string& name) {
    const auto entry = callers.find(name);
    if (entry == callers.end()) return;
    found = &entry->second;
    ++matches;
  };
  for (const std::string& uri : names.uris) count(by_uri_, uri);
  for (const std::string& dns : names.dns) count(by_dns_, absl::AsciiStrToLower(dns));
  return matches == 1 ? found : nullptr;
}

}  // namespace contacts::server
