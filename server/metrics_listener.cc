#include "server/metrics_listener.h"

#include <openssl/ssl.h>
#include <spdlog/spdlog.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "server/listening.h"

namespace contacts::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::use_awaitable;
using asio::ip::tcp;

constexpr auto kConnectionLimit = std::chrono::seconds(10);  // From its beginning to its end.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);
constexpr int kMaxConnections = 16;
constexpr std::size_t kMaxRequestBytes = 8192;

}  // namespace

class MetricsListener::Parts {
 public:
  Parts(std::string address, const Tls* tls, Source source)
      : address_(std::move(address)),
        tls_(tls),
        source_(std::move(source)),
        tls_context_(asio::ssl::context::tls_server) {}

  ~Parts() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Start() {
    if (tls_ != nullptr) tls_->Prepare(tls_context_.native_handle());
    auto listeners = ListenOn(io_, address_);
    if (!listeners.ok()) return listeners.status();
    listeners_ = *std::move(listeners);
    for (tcp::acceptor& listener : listeners_) {
      asio::co_spawn(io_, Accept(listener), asio::detached);
    }
    thread_ = std::thread([this] { io_.run(); });
    return absl::OkStatus();
  }

 private:
  asio::awaitable<void> Accept(tcp::acceptor& listener) {
    asio::steady_timer pause(io_);
    while (true) {
      boost::system::error_code error;
      if (connections_ < kMaxConnections) {
        tcp::socket socket =
            co_await listener.async_accept(asio::redirect_error(use_awaitable, error));
        if (!error) {
          asio::co_spawn(io_, Serve(std::move(socket)), asio::detached);
          continue;
        }
      }
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(asio::redirect_error(use_awaitable, error));
    }
  }

  asio::awaitable<void> Serve(tcp::socket socket) {
    ++connections_;
    const absl::Cleanup ended = [this] { --connections_; };
    beast::tcp_stream plain(std::move(socket));
    plain.expires_after(kConnectionLimit);
    try {
      if (tls_ == nullptr) {
        co_await Answer(plain, /*allowed=*/true);
      } else {
        beast::ssl_stream<beast::tcp_stream> stream(std::move(plain), tls_context_);
        co_await stream.async_handshake(asio::ssl::stream_base::server, use_awaitable);
        const bool allowed = source_.allows(NamesOfPeer(stream.native_handle()));
        if (!allowed) spdlog::warn("metrics: a caller that is no metrics_reader was refused");
        co_await Answer(stream, allowed);
        co_await stream.async_shutdown(use_awaitable);
      }
    } catch (const boost::system::system_error&) {
      // Who connects, and leaves or keeps silent, is no event of ours.
    }
  }

  template <typename Stream>
  asio::awaitable<void> Answer(Stream& stream, bool allowed) {
    beast::flat_buffer buffer(kMaxRequestBytes);
    http::request_parser<http::empty_body> request;
    request.header_limit(kMaxRequestBytes);
    co_await http::async_read_header(stream, buffer, request, use_awaitable);
    http::response<http::string_body> response;
    response.version(request.get().version());
    response.keep_alive(false);
    response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
    const auto target = request.get().target();
    if (!allowed) {
      response.result(http::status::forbidden);
      response.body() = "the policy does not make this caller a metrics_reader\n";
    } else if (request.get().method() != http::verb::get) {
      response.result(http::status::method_not_allowed);
      response.set(http::field::allow, "GET");
    } else if (target.substr(0, target.find('?')) != "/metrics") {
      response.result(http::status::not_found);
      response.body() = "want /metrics\n";
    } else {
      response.body() = source_.collect();
    }
    response.prepare_payload();
    co_await http::async_write(stream, response, use_awaitable);
  }

  const std::string address_;
  const Tls* const tls_;
  const Source source_;
  asio::ssl::context tls_context_;
  int connections_ = 0;     // The thread's own.
  asio::io_context io_{1};  // Ends with its connections before what they use.
  std::vector<tcp::acceptor> listeners_;
  std::thread thread_;
};

MetricsListener::MetricsListener(std::string address, const Tls* tls, Source source)
    : parts_(std::make_unique<Parts>(std::move(address), tls, std::move(source))) {}

MetricsListener::~MetricsListener() = default;

absl::Status MetricsListener::Start() { return parts_->Start(); }

}  // namespace contacts::server
