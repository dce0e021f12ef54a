#include "server/telemetry/metrics_listener.h"

#include <openssl/ssl.h>
#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "server/messages/status.h"
#include "server/support/listening.h"

namespace contacts::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kConnectionLimit = std::chrono::seconds(10);  // From its beginning to its end.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);
constexpr int kMaxConnections = 16;
constexpr std::size_t kMaxRequestBytes = 8192;

http::response<http::string_body> Answer(const http::request<http::empty_body>& request,
                                         bool allowed, const MetricsListener::Source& source) {
  http::response<http::string_body> response;
  response.version(request.version());
  response.keep_alive(false);
  response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
  const auto target = request.target();
  if (!allowed) {
    response.result(http::status::forbidden);
    response.body() = "the policy does not make this caller a metrics_reader\n";
  } else if (request.method() != http::verb::get && request.method() != http::verb::head) {
    response.result(http::status::method_not_allowed);
    response.set(http::field::allow, "GET, HEAD");
  } else if (target.substr(0, target.find('?')) != "/metrics") {
    response.result(http::status::not_found);
    response.body() = "want /metrics\n";
  } else {
    const absl::Status collected = CatchExceptions([&] {
      response.body() = source.collect();
      return absl::OkStatus();
    });
    if (!collected.ok()) response.result(http::status::internal_server_error);
  }
  response.prepare_payload();
  // The answer to HEAD is the answer to GET, including its length, without the body.
  if (request.method() == http::verb::head) response.body().clear();
  return response;
}

// One connection with one request. A client that leaves or stays silent is not logged: any failure
// ends the connection.
template <typename Stream>
class Exchange : public std::enable_shared_from_this<Exchange<Stream>> {
 public:
  Exchange(Stream stream, const MetricsListener::Source& source, int& connections)
      : stream_(std::move(stream)), source_(source), connections_(connections) {
    ++connections_;
    beast::get_lowest_layer(stream_).expires_after(kConnectionLimit);
    request_.header_limit(kMaxRequestBytes);
  }
  ~Exchange() { --connections_; }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void Start() {
    if constexpr (kTls) {
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](const error_code& error) {
                                if (!error) self->Read();
                              });
    } else {
      Read();
    }
  }

 private:
  static constexpr bool kTls = !std::is_same_v<Stream, beast::tcp_stream>;

  void Read() {
    http::async_read_header(
        stream_, buffer_, request_,
        [self = this->shared_from_this()](const error_code& error, std::size_t /*bytes*/) {
          if (!error) self->Write();
        });
  }

  void Write() {
    bool allowed = true;
    if constexpr (kTls) {
      allowed = source_.allows(NamesOfPeer(stream_.native_handle()));
      if (!allowed) spdlog::warn("metrics: a caller that is no metrics_reader was refused");
    }
    response_ = Answer(request_.get(), allowed, source_);
    http::async_write(
        stream_, response_,
        [self = this->shared_from_this()](const error_code& error, std::size_t /*bytes*/) {
          if constexpr (kTls) {
            if (!error) self->stream_.async_shutdown([self](const error_code& /*ended*/) {});
          }
        });
  }

  Stream stream_;
  const MetricsListener::Source& source_;
  int& connections_;
  beast::flat_buffer buffer_{kMaxRequestBytes};
  http::request_parser<http::empty_body> request_;
  http::response<http::string_body> response_;
};

}  // namespace

class MetricsListener::Impl {
 public:
  Impl(std::string address, const Tls* tls, Source source)
      : address_(std::move(address)),
        tls_(tls),
        source_(std::move(source)),
        tls_context_(asio::ssl::context::tls_server) {}

  ~Impl() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Start() {
    if (tls_ != nullptr) tls_->Prepare(tls_context_.native_handle());
    auto listeners = ListenOn(io_, address_);
    if (!listeners.ok()) return listeners.status();
    listeners_ = *std::move(listeners);
    for (tcp::acceptor& listener : listeners_) AcceptNext(listener);
    thread_ = std::thread([this] { io_.run(); });
    return absl::OkStatus();
  }

 private:
  void AcceptNext(tcp::acceptor& listener) {
    if (connections_ >= kMaxConnections) {
      AcceptLater(listener);
      return;
    }
    listener.async_accept([this, &listener](const error_code& error, tcp::socket socket) {
      if (error) {
        AcceptLater(listener);
        return;
      }
      Begin(beast::tcp_stream(std::move(socket)));
      AcceptNext(listener);
    });
  }

  void AcceptLater(tcp::acceptor& listener) {
    const auto pause = std::make_shared<asio::steady_timer>(io_, kAcceptPause);
    pause->async_wait(
        [this, &listener, pause](const error_code& /*none*/) { AcceptNext(listener); });
  }

  void Begin(beast::tcp_stream stream) {
    if (tls_ == nullptr) {
      std::make_shared<Exchange<beast::tcp_stream>>(std::move(stream), source_, connections_)
          ->Start();
      return;
    }
    using Secure = beast::ssl_stream<beast::tcp_stream>;
    std::make_shared<Exchange<Secure>>(Secure(std::move(stream), tls_context_), source_,
                                       connections_)
        ->Start();
  }

  const std::string address_;
  const Tls* const tls_;
  const Source source_;
  asio::ssl::context tls_context_;
  int connections_ = 0;     // Used only by the thread.
  asio::io_context io_{1};  // Declared after the members that its connections use.
  std::vector<tcp::acceptor> listeners_;
  std::thread thread_;
};

MetricsListener::MetricsListener(std::string address, const Tls* tls, Source source)
    : impl_(std::make_unique<Impl>(std::move(address), tls, std::move(source))) {}

MetricsListener::~MetricsListener() = default;

absl::Status MetricsListener::Start() { return impl_->Start(); }

}  // namespace contacts::server
