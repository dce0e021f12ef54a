#include "server/support/listening.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"

namespace contacts::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kPause = std::chrono::milliseconds(100);  // After a failed accept.
constexpr absl::Duration kWarnInterval = absl::Minutes(1);
constexpr absl::Duration kCountInterval = absl::Milliseconds(100);
constexpr absl::Duration kEndLook = absl::Milliseconds(5);
// Connections that wait to be accepted. The kernel reduces it to its own limit.
constexpr int kBacklog = 4096;

// Whether no local interface has this address, such as ::1 on a host without IPv6.
bool IsNotLocal(const error_code& error) {
  return error == asio::error::address_family_not_supported ||
         error == error_code(EADDRNOTAVAIL, boost::system::system_category());
}

// Raises this process's limit of file descriptors up to `wanted`. Returns the limit, at most
// `wanted`.
int64_t RaiseDescriptors(int64_t wanted) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < static_cast<rlim_t>(wanted)) {
    limit.rlim_cur = std::min(static_cast<rlim_t>(wanted), limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  return static_cast<int64_t>(std::min(limit.rlim_cur, static_cast<rlim_t>(wanted)));
}

// Returns the inode of the socket behind a descriptor, which is unique while the socket is open; 0
// on failure.
ino_t SocketNumber(int descriptor) {
  struct stat about {};
  return fstat(descriptor, &about) == 0 ? about.st_ino : 0;
}

}  // namespace

absl::StatusOr<std::vector<tcp::acceptor>> ListenOn(asio::io_context& io,
                                                    const std::string& address) {
  const std::size_t colon = address.rfind(':');
  absl::string_view host = absl::string_view(address).substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) host.remove_suffix(1);
  std::vector<tcp::acceptor> listeners;
  error_code error;
  const auto places =
      tcp::resolver(io).resolve(std::string(host), address.substr(colon + 1), error);
  for (const auto& place : places) {
    tcp::endpoint endpoint = place.endpoint();
    if (endpoint.port() == 0 && !listeners.empty()) {
      endpoint.port(listeners.front().local_endpoint().port());
    }
    tcp::acceptor listener(io);
    listener.open(endpoint.protocol(), error);
    if (!error) listener.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) listener.bind(endpoint, error);
    if (!error) listener.listen(kBacklog, error);
    if (!error) {
      listeners.push_back(std::move(listener));
    } else if (!IsNotLocal(error)) {
      break;
    }
  }
  if (listeners.empty() || (error && !IsNotLocal(error))) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", address, ": ", error.message()));
  }
  return listeners;
}

// The reserve counts twice. The other descriptors may have the lowest numbers, and there must be
// room for as many above the last connection's number.
Acceptor::Acceptor(std::size_t max_connections, int64_t reserve)
    : max_connections_(max_connections),
      reserve_(reserve),
      max_descriptors_(RaiseDescriptors(static_cast<int64_t>(max_connections) + 2 * reserve) -
                       reserve) {
  if (max_descriptors_ < static_cast<int64_t>(max_connections) + reserve) {
    spdlog::warn("some {} connections at most: this process may have {} file descriptors",
                 max_descriptors_ - reserve, max_descriptors_ + reserve);
  }
}

Acceptor::~Acceptor() { StopListening(); }

void Acceptor::StopListening() {
  io_.stop();
  if (thread_.joinable()) thread_.join();
  listeners_.clear();
}

void Acceptor::EndConnections(absl::Duration limit) {
  // If a descriptor is closed and given to another file between the check and the shutdown, that
  // file is shut: a connection to the database or the mail server, which can be opened again.
  for (const auto& [descriptor, socket] : open_) {
    if (SocketNumber(descriptor) == socket) shutdown(descriptor, SHUT_RD);
  }
  const absl::Time until = absl::Now() + limit;
  while (absl::Now() < until) {
    std::erase_if(open_, [](const auto& one) { return SocketNumber(one.first) != one.second; });
    if (open_.empty()) return;
    absl::SleepFor(kEndLook);
  }
}

absl::StatusOr<std::string> Acceptor::Listen(const std::string& address) {
  if (max_descriptors_ <= reserve_) {
    return absl::FailedPreconditionError(
        absl::StrCat("this process may have ", max_descriptors_ + reserve_,
                     " file descriptors; want more than ", 2 * reserve_, " (ulimit -n)"));
  }
  auto listeners = ListenOn(io_, address);
  if (!listeners.ok()) return listeners.status();
  const int port = listeners->front().local_endpoint().port();
  for (tcp::acceptor& listener : *listeners) listeners_.push_back(std::move(listener));
  return absl::StrCat(address.substr(0, address.rfind(':')), ":", port);
}

void Acceptor::Start(ConnectionHandler handler) {
  handler_ = std::move(handler);
  for (tcp::acceptor& listener : listeners_) AcceptNext(listener);
  thread_ = std::thread([this] { io_.run(); });
}

void Acceptor::AcceptNext(tcp::acceptor& listener) {
  listener.async_accept([this, &listener](const error_code& error, tcp::socket socket) {
    if (!error) {
      HandOver(listener, std::move(socket));
      AcceptNext(listener);
      return;
    }
    const auto pause = std::make_shared<asio::steady_timer>(io_, kPause);
    pause->async_wait(
        [this, &listener, pause](const error_code& /*none*/) { AcceptNext(listener); });
  });
}

void Acceptor::HandOver(tcp::acceptor& listener, tcp::socket socket) {
  // The kernel uses the lowest free number, so at least this many descriptors are open.
  if (socket.native_handle() >= max_descriptors_ || !HasRoom()) {
    ++refused_;
    if (absl::Now() < warned_ + kWarnInterval) return;
    warned_ = absl::Now();
    spdlog::warn("connections are refused: there are too many; {} until now", refused_.load());
    return;
  }
  error_code error;
  socket.set_option(tcp::no_delay(true), error);
  socket.native_non_blocking(true, error);
  if (error) return;
  open_[socket.native_handle()] = SocketNumber(socket.native_handle());
  handler_(listener.native_handle(), socket.release());
}

bool Acceptor::HasRoom() {
  if (open_.size() < max_connections_) return true;
  if (absl::Now() < counted_ + kCountInterval) return false;
  counted_ = absl::Now();
  std::erase_if(open_, [](const auto& one) { return SocketNumber(one.first) != one.second; });
  return open_.size() < max_connections_;
}

}  // namespace contacts::server
