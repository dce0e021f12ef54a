#include "tests/testing/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace contacts::testing {
namespace {

constexpr int kPollMilliseconds = 50;

sockaddr_in Address(int port, const std::string& host = "127.0.0.1") {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = inet_addr(host.c_str());
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// The bytes that can be read now. Empty once the peer is gone.
std::string Receive(int socket) {
  std::string bytes(1 << 16, '\0');
  const ssize_t size = recv(socket, bytes.data(), bytes.size(), 0);
  bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return bytes;
}

// Reads all further answers: each of several statements in a request has an answer.
void ReceiveRest(int socket) {
  constexpr int kQuietMilliseconds = 200;
  pollfd waiting = {.fd = socket, .events = POLLIN, .revents = 0};
  while (poll(&waiting, 1, kQuietMilliseconds) > 0 && !Receive(socket).empty()) {
  }
}

bool Send(int socket, const std::string& bytes) {
  return send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

}  // namespace

Proxy::Proxy(int target_port, Observer observer, const std::string& host, int port)
    : target_port_(target_port), observer_(std::move(observer)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Address(port, host);
  socklen_t size = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, SOMAXCONN) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

Proxy::~Proxy() {
  stopping_ = true;
  acceptor_.join();
  for (std::thread& relay : relays_) relay.join();
  close(listener_);
}

void Proxy::Arm(Fault fault, const std::string& text) {
  const std::lock_guard lock(mutex_);
  armed_ = fault;
  text_ = text;
}

void Proxy::Accept() {
  while (!stopping_) {
    pollfd waiting = {.fd = listener_, .events = POLLIN, .revents = 0};
    if (poll(&waiting, 1, kPollMilliseconds) <= 0) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const int connection = static_cast<int>(relays_.size());
    relays_.emplace_back([this, client, connection] { Relay(client, connection); });
  }
}

void Proxy::Relay(int client, int connection) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Address(target_port_);
  bool open = connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  while (open && !stopping_) {
    pollfd waiting[] = {{.fd = client, .events = POLLIN, .revents = 0},
                        {.fd = server, .events = POLLIN, .revents = 0}};
    if (poll(waiting, 2, kPollMilliseconds) <= 0) continue;
    if (waiting[0].revents != 0) {
      const std::string request = Receive(client);
      if (observer_) observer_(connection, /*to_target=*/true, request);
      const Fault fault = Meet(request);
      open = !request.empty() && fault != Fault::kLoseRequest && Send(server, request);
      if (open && fault == Fault::kLoseAnswer) {
        ReceiveRest(server);
        open = false;
      }
      open = open && fault != Fault::kHangUp;
    }
    if (open && waiting[1].revents != 0) {
      const std::string answer = Receive(server);
      if (observer_) observer_(connection, /*to_target=*/false, answer);
      open = !answer.empty() && Send(client, answer);
    }
  }
  close(client);
  close(server);
}

Proxy::Fault Proxy::Meet(const std::string& request) {
  const std::lock_guard lock(mutex_);
  if (armed_ == Fault::kNone || request.find(text_) == std::string::npos) return Fault::kNone;
  ++faults_;
  return std::exchange(armed_, Fault::kNone);
}

}  // namespace contacts::testing
