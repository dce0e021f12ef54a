#ifndef CONTACTS_CLIENT_WEB_HTTP_SERVER_H_
#define CONTACTS_CLIENT_WEB_HTTP_SERVER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace contacts::web {

using Parameters = std::vector<std::pair<std::string, std::string>>;  // Names and values in order.

// Value of the first parameter with this name. Empty if there is none.
std::string Get(const Parameters& parameters, absl::string_view name);
// `parameters` as a query or a form has them.
std::string Encoded(const Parameters& parameters);
// Whether a browser takes `path` for one of the same site: "//host" and "/\host" are other sites.
bool IsOwnPath(const std::string& path);

struct Request {
  std::string method;  // GET, which HEAD becomes, or POST.
  std::string path;    // Without the query, as it was sent.
  Parameters query;    // Decoded, UTF-8.
  Parameters form;
  Parameters headers;  // By their names in lower case.
  Parameters cookies;
  const Parameters& sent() const { return method == "POST" ? form : query; }
};

// Sends a part of a response that goes on. An empty text ends the response. May be called by any
// thread, also after the client has gone.
using EventStream = std::function<void(std::string text)>;

struct Response {
  int status = 200;
  Parameters headers;  // The last one of a name holds. There may be several Set-Cookie.
  std::string body{};
  // If set, called once the headers are sent. Returns the function to call when the client has gone
  // or `stream_time` is over.
  std::function<std::function<void()>(EventStream)> stream{};
  std::chrono::seconds stream_time{0};
};

struct HttpOptions {
  std::string address;               // An IP address.
  std::uint16_t port = 0;            // 0 chooses one.
  std::size_t connections = 2000;    // Beyond it, the connection that is idle longest is closed.
  std::chrono::seconds request{10};  // From its first byte to its last.
};

// Serves HTTP/1.1 until SIGTERM or SIGINT; then ends streams and idle connections, and waits up to
// 10 s for the rest. One thread serves all connections; `handler` runs in threads of its own.
// Prints its address once it serves. Throws if it cannot use the address.
void ServeHttp(const HttpOptions& options, const std::function<Response(const Request&)>& handler);

}  // namespace contacts::web

#endif  // CONTACTS_CLIENT_WEB_HTTP_SERVER_H_
