#include <arpa/inet.h>

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/mysql/database.h"

namespace contacts {
namespace {

absl::Status InvalidUri() {
  return absl::InvalidArgumentError(
      "want "
      "mysql://USER[:PASSWORD]@HOST[:PORT][,HOST[:PORT]...]/"
      "DATABASE[?socket=PATH]");
}

std::optional<std::string> PercentDecoded(absl::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || !absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 1])) ||
        !absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 2]))) {
      return std::nullopt;
    }
    out += absl::HexStringToBytes(text.substr(i + 1, 2));
    i += 2;
  }
  return out;
}

std::optional<DatabaseOptions::Endpoint> ParseEndpoint(absl::string_view text) {
  DatabaseOptions::Endpoint endpoint;
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "[")) {
    const std::size_t end = rest.find(']');
    if (end == absl::string_view::npos) return std::nullopt;
    endpoint.host = std::string(rest.substr(0, end));
    in6_addr address;
    if (inet_pton(AF_INET6, endpoint.host.c_str(), &address) != 1) return std::nullopt;
    rest.remove_prefix(end + 1);
  } else {
    endpoint.host = std::string(rest.substr(0, rest.find(':')));
    if (endpoint.host.empty()) return std::nullopt;
    rest.remove_prefix(endpoint.host.size());
  }
  if (rest.empty()) return endpoint;
  if (!absl::ConsumePrefix(&rest, ":") || !absl::SimpleAtoi(rest, &endpoint.port) ||
      endpoint.port < 1 || endpoint.port > 65535) {
    return std::nullopt;
  }
  return endpoint;
}

}  // namespace

absl::StatusOr<DatabaseOptions> DatabaseOptions::Parse(const std::string& uri) {
  absl::string_view rest = uri;
  if (!absl::ConsumePrefix(&rest, "mysql://")) return InvalidUri();
  DatabaseOptions options;

  const std::size_t question = rest.find('?');
  if (question != absl::string_view::npos) {
    absl::string_view query = rest.substr(question + 1);
    if (!absl::ConsumePrefix(&query, "socket=") || query.empty()) return InvalidUri();
    const auto socket = PercentDecoded(query);
    if (!socket) return InvalidUri();
    options.socket = *socket;
    rest = rest.substr(0, question);
  }

  const std::size_t slash = rest.rfind('/');
  const std::size_t at = rest.substr(0, slash).rfind('@');
  if (slash == absl::string_view::npos || at == absl::string_view::npos) return InvalidUri();
  options.database = std::string(rest.substr(slash + 1));
  const std::pair<absl::string_view, absl::string_view> login =
      absl::StrSplit(rest.substr(0, at), absl::MaxSplits(':', 1));
  const auto user = PercentDecoded(login.first);
  const auto password = PercentDecoded(login.second);
  if (!user || user->empty() || !password || options.database.empty()) return InvalidUri();
  options.user = *user;
  options.password = *password;

  const absl::string_view hosts = rest.substr(at + 1, slash - at - 1);
  if (hosts.empty() && !options.socket.empty()) return options;
  for (absl::string_view host : absl::StrSplit(hosts, ',')) {
    const auto endpoint = ParseEndpoint(host);
    if (!endpoint) return InvalidUri();
    options.endpoints.push_back(*endpoint);
  }
  return options;
}

}  // namespace contacts
