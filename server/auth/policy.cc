#include "server/auth/policy.h"

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
struct Wrong {
  std::string why;
};

[[noreturn]] void Refuse(const std::string& place, absl::string_view why) {
  throw Wrong{absl::StrCat(place, ": ", why)};
}

std::string TextOf(const json& value, const std::string& place) {
  if (!value.is_string()) Refuse(place, "want a text");
  return value.get<std::string>();
}

void TakeRole(const json& role, const std::string& place, Caller& caller) {
  const std::string text = TextOf(role, place);
  bool* may = text == "front_end"        ? &caller.is_front_end
              : text == "operator"       ? &caller.is_operator
              : text == "observer"       ? &caller.is_observer
              : text == "metrics_reader" ? &caller.is_metrics_reader
                                         : nullptr;
  if (may == nullptr) {
    Refuse(place,
           absl::StrCat(Echo(text), "; want front_end, operator, observer or metrics_reader"));
  }
  if (std::exchange(*may, true)) Refuse(place, absl::StrCat(Echo(text), " stands twice"));
}

Caller ReadCaller(const json& entry, const std::string& place) {
  static const LazyRE2 kName = {"[a-z0-9][a-z0-9._-]{0,47}"};
  if (!entry.is_object()) Refuse(place, "want an object");
  for (const auto& [name, value] : entry.items()) {
    static const std::set<std::string> kKnown = {"name", "uri", "dns", "may"};
    if (!kKnown.contains(name)) {
      Refuse(place, absl::StrCat(Echo(name), "; want name, may, and uri or dns"));
    }
  }
  if (!entry.contains("name") || !entry.contains("may")) Refuse(place, "want name and may");
  if (entry.contains("uri") == entry.contains("dns")) Refuse(place, "want one of uri and dns");
  Caller caller{.name = TextOf(entry["name"], place + ".name")};
  if (!RE2::FullMatch(caller.name, *kName)) {
    Refuse(place + ".name", absl::StrCat(Echo(caller.name),
                                         "; want 1 to 48 lower-case letters, digits, '.', '_', "
                                         "'-'"));
  }
  const json& may = entry["may"];
  if (!may.is_array() || may.empty()) Refuse(place + ".may", "want a list, not empty");
  for (const json& role : may) TakeRole(role, place + ".may", caller);
  return caller;
}

std::string ReadUri(const json& value, const std::string& place) {
  static const LazyRE2 kUri = {"[a-z][a-z0-9+.-]*:[!-)+-~]+"};
  std::string uri = TextOf(value, place);
  if (uri.size() > kMaxUri || !RE2::FullMatch(uri, *kUri)) {
    Refuse(place, absl::StrCat(Echo(uri), "; want a whole URI, without *, in visible ASCII"));
  }
  return uri;
}

std::string ReadDns(const json& value, const std::string& place) {
  static const LazyRE2 kDns = {R"([a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*)"};
  std::string dns = TextOf(value, place);
  if (dns.size() > 253 || !RE2::FullMatch(dns, *kDns)) {
    Refuse(place, absl::StrCat(Echo(dns), "; want a whole DNS name, without *, in lower case"));
  }
  return dns;
}

}  // namespace

absl::StatusOr<Policy> Policy::Parse(absl::string_view text) {
  const auto file = ReadJsonObject(text);
  if (!file || file->size() != 1 || !file->contains(kCallers) || !(*file)[kCallers].is_array()) {
    return absl::InvalidArgumentError(
        "want a JSON object with a list \"callers\", nothing else and no name twice");
  }
  Policy policy;
  try {
    std::size_t i = 0;
    for (const json& entry : (*file)[kCallers]) {
      const std::string place = absl::StrCat("callers[", i++, "]");
      Caller caller = ReadCaller(entry, place);
      const bool fresh =
          entry.contains("uri")
              ? policy.by_uri_.emplace(ReadUri(entry["uri"], place + ".uri"), std::move(caller))
                    .second
              : policy.by_dns_.emplace(ReadDns(entry["dns"], place + ".dns"), std::move(caller))
                    .second;
      if (!fresh) Refuse(place, "its uri or dns stands before");
    }
  } catch (const Wrong& wrong) {
    return absl::InvalidArgumentError(wrong.why);
  }
  return policy;
}

const Caller* Policy::Find(const PeerNames& names) const {
  const Caller* found = nullptr;
  int matches = 0;
  const auto look = [&](const auto& callers, const std::string& name) {
    const auto entry = callers.find(name);
    if (entry == callers.end()) return;
    found = &entry->second;
    ++matches;
  };
  for (const std::string& uri : names.uris) look(by_uri_, uri);
  for (const std::string& dns : names.dns) look(by_dns_, absl::AsciiStrToLower(dns));
  return matches == 1 ? found : nullptr;
}

}  // namespace contacts::server
