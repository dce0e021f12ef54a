#include "client/web/http_server.h"

#include <glib.h>
#include <re2/re2.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <csignal>
#include <iostream>
#include <list>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace contacts::web {
namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::beast::tcp_stream;
using Error = boost::beast::error_code;
using net::ip::tcp;

constexpr std::chrono::seconds kIdle{30};      // Wait for the first byte of a request.
constexpr std::chrono::seconds kResponse{30};  // Until the client has read it.
constexpr std::chrono::seconds kHeartbeat{15};
constexpr std::chrono::seconds kDrain{10};
constexpr std::uint32_t kHeaderBytes = 32 << 10;
constexpr std::size_t kBodyBytes = 256 << 10;
constexpr std::size_t kMostUnsent = 256 << 10;
constexpr std::size_t kMostParameters = 4000;  // Of a query or a form.
constexpr std::size_t kThreads = 32;           // That run the handler, which waits for gRPC.
constexpr rlim_t kOtherFiles = 100;

// For co_await: the operation's error goes to `error`, not into an exception.
auto Into(Error& error) { return net::redirect_error(net::use_awaitable, error); }

// Returns false if `text` is malformed or not UTF-8, or has too many parameters.
bool ReadParameters(absl::string_view text, Parameters& parameters) {
  GUriParamsIter pairs;
  g_uri_params_iter_init(&pairs, text.data(), static_cast<gssize>(text.size()), "&",
                         G_URI_PARAMS_WWW_FORM);
  GError* malformed = nullptr;
  gchar* name = nullptr;
  gchar* value = nullptr;
  while (parameters.size() <= kMostParameters &&
         g_uri_params_iter_next(&pairs, &name, &value, &malformed) != 0) {
    parameters.emplace_back(name, value);
    g_free(name);
    g_free(value);
  }
  const bool valid = malformed == nullptr && parameters.size() <= kMostParameters;
  g_clear_error(&malformed);
  return valid;
}

// Returns the status to answer with: 200 if `request` is filled.
int ReadRequest(const http::request<http::string_body>& message, Request& request) {
  const auto view = [](boost::beast::string_view text) {
    return absl::string_view(text.data(), text.size());
  };
  const bool post = message.method() == http::verb::post;
  if (!post && message.method() != http::verb::get && message.method() != http::verb::head) {
    return 405;
  }
  request.method = post ? "POST" : "GET";
  const std::pair<absl::string_view, absl::string_view> target =
      absl::StrSplit(view(message.target()), absl::MaxSplits('?', 1));
  request.path = std::string(target.first);
  if (!IsOwnPath(request.path)) return 400;
  for (const auto& field : message) {
    request.headers.emplace_back(absl::AsciiStrToLower(view(field.name_string())),
                                 view(field.value()));
  }
  for (const absl::string_view part : absl::StrSplit(Get(request.headers, "cookie"), "; ")) {
    request.cookies.push_back(absl::StrSplit(part, absl::MaxSplits('=', 1)));
  }
  if (!ReadParameters(target.second, request.query)) return 400;
  if (!post) return 200;
  const std::string type = Get(request.headers, "content-type");
  if (type.substr(0, type.find(';')) != "application/x-www-form-urlencoded") return 415;
  return ReadParameters(message.body(), request.form) ? 200 : 400;
}

// The text that waits for one client. Only the thread of the server uses it.
struct Outlet {
  void Add(const std::string& text) {
    unsent += text;
    ended = ended || text.empty() || unsent.size() > kMostUnsent;
    changed.cancel();
  }

  net::steady_timer changed;  // Cancelled after each change.
  std::string unsent{};
  bool ended = false;
  char unwanted = 0;  // The client sends nothing more: a read tells that it has gone.
};

class Server {
 public:
  Server(const HttpOptions& options, const std::function<Response(const Request&)>& handler)
      : options_(options),
        handler_(handler),
        acceptor_(io_, {net::ip::make_address(options.address), options.port}) {
    // Each connection is a file. The kernel's hard limit may be lower than wanted.
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, options.connections + kOtherFiles);
    setrlimit(RLIMIT_NOFILE, &files);
    const rlim_t room = files.rlim_cur - std::min(files.rlim_cur / 2, kOtherFiles);
    options_.connections = std::min<std::size_t>(options.connections, room);
  }

  void Run() {
    std::cout << "listening on " << acceptor_.local_endpoint() << std::endl;
    net::signal_set signals(io_, SIGTERM, SIGINT);
    signals.async_wait([this](const Error&, int) { io_.stop(); });
    net::co_spawn(io_, Accept(), net::detached);
    io_.run();
    stopping_ = true;
    acceptor_.close();
    for (tcp_stream* idle : idle_) idle->cancel();
    for (Outlet* outlet : outlets_) outlet->Add("");
    io_.restart();
    io_.run_for(kDrain);
    pool_.join();
  }

 private:
  net::awaitable<void> Accept() {
    while (!stopping_) {
      Error error;
      tcp::socket socket = co_await acceptor_.async_accept(Into(error));
      if (error) {
        // Mostly that the process has no file left.
        net::steady_timer pause(io_, std::chrono::milliseconds(100));
        co_await pause.async_wait(Into(error));
      } else if (open_ < options_.connections || !idle_.empty()) {
        if (open_ >= options_.connections) {
          idle_.front()->cancel();
          idle_.pop_front();
        }
        ++open_;
        net::co_spawn(io_, Serve(tcp_stream(std::move(socket))),
                      [this](std::exception_ptr) { --open_; });
      }
    }
  }

  net::awaitable<void> Serve(tcp_stream stream) {
    stream.socket().set_option(tcp::no_delay(true));
    boost::beast::flat_buffer buffer(kHeaderBytes + kBodyBytes);
    Error error;
    for (bool keep = true; keep && !stopping_;) {
      if (buffer.size() == 0) {
        idle_.push_back(&stream);
        stream.expires_after(kIdle);
        buffer.commit(co_await stream.async_read_some(buffer.prepare(4096), Into(error)));
        idle_.remove(&stream);
        if (error) break;
      }
      http::request_parser<http::string_body> parser;
      parser.header_limit(kHeaderBytes);
      parser.body_limit(kBodyBytes);
      stream.expires_after(options_.request);
      co_await http::async_read(stream, buffer, parser, Into(error));
      if (error == boost::beast::error::timeout || error == http::error::end_of_stream) break;
      Request request;
      Response response;
      response.status = error == http::error::body_limit     ? 413
                        : error == http::error::header_limit ? 431
                        : error                              ? 400
                                                             : ReadRequest(parser.get(), request);
      keep = !error && parser.get().keep_alive();
      if (response.status == 200) {
        response =
            co_await net::co_spawn(pool_.get_executor(), Handle(request), net::use_awaitable);
      }
      keep = keep && !stopping_ && !response.stream;
      http::response<http::string_body> message;
      message.version(11);
      message.result(static_cast<unsigned>(response.status));
      for (const auto& [name, value] : response.headers) {
        name == "Set-Cookie" ? message.insert(name, value) : message.set(name, value);
      }
      message.keep_alive(keep);
      if (!response.stream) message.content_length(response.body.size());
      if (parser.get().method() != http::verb::head) message.body() = std::move(response.body);
      stream.expires_after(kResponse);
      co_await http::async_write(stream, message, Into(error));
      if (response.stream) co_await Stream(stream, response, error);
      keep = keep && !error;
    }
    stream.socket().shutdown(tcp::socket::shutdown_send, error);
  }

  net::awaitable<Response> Handle(const Request& request) { co_return handler_(request); }

  net::awaitable<void> Stream(tcp_stream& stream, const Response& response, Error& error) {
    const auto outlet = std::make_shared<Outlet>(net::steady_timer(io_));
    outlets_.insert(outlet.get());
    const std::function<void()> stop = response.stream([this, outlet](std::string text) {
      net::post(io_, [outlet, text = std::move(text)] { outlet->Add(text); });
    });
    stream.expires_never();
    stream.async_read_some(net::buffer(&outlet->unwanted, 1),
                           [outlet](const Error&, std::size_t) { outlet->Add(""); });
    const auto end = std::chrono::steady_clock::now() + response.stream_time;
    while (!error && std::chrono::steady_clock::now() < end) {
      if (outlet->unsent.empty() && outlet->ended) break;
      if (outlet->unsent.empty()) {
        Error awoken;
        outlet->changed.expires_after(kHeartbeat);
        co_await outlet->changed.async_wait(Into(awoken));
        // A comment, so that proxies keep the connection.
        if (!awoken) outlet->unsent = ":\n\n";
      }
      const std::string text = std::exchange(outlet->unsent, "");
      stream.expires_after(kResponse);
      co_await net::async_write(stream, net::buffer(text), Into(error));
    }
    stop();
    outlets_.erase(outlet.get());
    stream.cancel();
  }

  HttpOptions options_;
  const std::function<Response(const Request&)>& handler_;
  net::io_context io_{1};
  tcp::acceptor acceptor_;
  net::thread_pool pool_{kThreads};
  // Used only by the thread of io_:
  std::list<tcp_stream*> idle_;  // The longest idle first.
  std::set<Outlet*> outlets_;
  std::size_t open_ = 0;
  bool stopping_ = false;
};

}  // namespace

bool IsOwnPath(const std::string& path) {
  return RE2::FullMatch(path, R"(/([^/\\[:^graph:]][[:graph:]]*)?)");
}

std::string Get(const Parameters& parameters, absl::string_view name) {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [&](const auto& each) { return each.first == name; });
  return found == parameters.end() ? "" : found->second;
}

std::string Encoded(const Parameters& parameters) {
  std::string encoded;
  const auto append = [&encoded](const std::string& text, char before) {
    char* escaped = g_uri_escape_string(text.c_str(), nullptr, FALSE);
    absl::StrAppend(&encoded, std::string(encoded.empty() ? 0 : 1, before), escaped);
    g_free(escaped);
  };
  for (const auto& [name, value] : parameters) {
    append(name, '&');
    append(value, '=');
  }
  return encoded;
}

void ServeHttp(const HttpOptions& options, const std::function<Response(const Request&)>& handler) {
  Server(options, handler).Run();
}

}  // namespace contacts::web
