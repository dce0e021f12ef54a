#ifndef CONTACTS_CLIENT_WEB_HTTP_SERVER_H_
#define CONTACTS_CLIENT_WEB_HTTP_SERVER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace contacts::web {

using Parameters = std::vector<std::pair<std::string, std::string>>;  // Names and values in order.

// Value of the first parameter with this name. Empty if there is none.
std::string Get(const Parameters& parameters, const std::string& name);
// `parameters` as a query or a form has them.
std::string Encoded(const Parameters& parameters);

struct Request {
  std::string method;  // GET, which HEAD becomes, or POST.
  std::string path;    // Without the query, as it was sent.
  Parameters query;    // Decoded, UTF-8.
  Parameters form;
  const Parameters& sent() const { return method == "POST" ? form : query; }
  std::map<std::string, std::string> headers;  // By their names in lower case.
  std::map<std::string, std::string> cookies;
};

// Whether a browser takes `path` for one of the same site: "//host" and "/\host" are other sites.
bool IsOwnPath(const std::string& path);

// Value of a header or cookie. Empty if there is none.
std::string Get(const std::map<std::string, std::string>& values, const std::string& name);

// A response that goes on. Functions may be called by any thread, also after the client has gone.
class EventStream {
 public:
  virtual ~EventStream() = default;
  virtual void Send(std::string text) = 0;
  virtual void End() = 0;
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // If set, called once the headers are sent. Returns the function to call when the client has gone
  // or `stream_time` is over.
  std::function<std::function<void()>(std::shared_ptr<EventStream>)> stream;
  std::chrono::seconds stream_time{0};
};

struct HttpLimits {
  std::size_t connections = 2000;  // Beyond it, the connection that is idle longest is closed.
  std::uint32_t header_bytes = 32 << 10;
  std::size_t body_bytes = 256 << 10;
  std::size_t parameters = 4000;      // Of a query or a form.
  std::chrono::seconds idle{30};      // Wait for the first byte of a request.
  std::chrono::seconds request{10};   // From its first byte to its last.
  std::chrono::seconds response{30};  // Until the client has read it.
  std::size_t threads = 32;           // That run the handler, which waits for gRPC.
};

// Serves HTTP/1.1 on `address`, an IP address, and `port` (0 chooses one) until SIGTERM or SIGINT;
// then ends streams and idle connections, and waits up to 10 s for the rest. One thread serves all
// connections; `handler` runs in threads of its own. Calls `listening` with the port once it
// serves. Returns why the address cannot be used, or "".
std::string ServeHttp(const HttpLimits& limits, const std::string& address, std::uint16_t port,
                      const std::function<Response(const Request&)>& handler,
                      const std::function<void(std::uint16_t)>& listening);

}  // namespace contacts::web

#endif  // CONTACTS_CLIENT_WEB_HTTP_SERVER_H_
