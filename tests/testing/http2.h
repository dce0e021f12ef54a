#ifndef CONTACTS_TESTS_TESTING_HTTP2_H_
#define CONTACTS_TESTS_TESTING_HTTP2_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/time/clock.h"

// HTTP/2 frame by frame, including frames that a library would refuse to send.
namespace contacts::testing::http2 {

inline constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// RFC 9113, 6.
enum FrameType : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kReset = 3,
  kSettings = 4,
  kPing = 6,
  kWindowUpdate = 8,
  kContinuation = 9,
};
inline constexpr uint8_t kEndStream = 1;
inline constexpr uint8_t kEndHeaders = 4;

inline std::string Number(uint32_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

inline int64_t Read(const std::string& text, std::size_t at, int bytes) {
  int64_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value * 256 + static_cast<uint8_t>(text.at(at++));
  return value;
}

inline std::string Frame(FrameType type, uint8_t flags, uint32_t stream,
                         const std::string& payload) {
  return Number(static_cast<uint32_t>(payload.size()), 3) + static_cast<char>(type) +
         static_cast<char>(flags) + Number(stream, 4) + payload;
}

inline std::string Begin() { return kPreface + Frame(kSettings, 0, 0, ""); }

// HPACK (RFC 7541): a length with a prefix of 7 bits, and a literal that is not put into the table.
inline std::string HpackString(const std::string& text) {
  std::string out;
  std::size_t rest = text.size();
  if (rest < 127) {
    out += static_cast<char>(rest);
  } else {
    out += static_cast<char>(127);
    for (rest -= 127; rest >= 128; rest /= 128) out += static_cast<char>(128 + rest % 128);
    out += static_cast<char>(rest);
  }
  return out + text;
}
inline std::string Literal(const std::string& name, const std::string& value) {
  return std::string(1, '\0') + HpackString(name) + HpackString(value);
}

inline std::string Message(const std::string& bytes) {
  return std::string(1, '\0') + Number(static_cast<uint32_t>(bytes.size()), 4) + bytes;
}

class Connection {
 public:
  // `host`: last byte of the caller's own address, 127.0.0.`host`.
  explicit Connection(const std::string& address, uint32_t host = 1)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host);
    if (host != 1) {
      EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&place), sizeof place), 0);
    }
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    place.sin_port =
        htons(static_cast<uint16_t>(std::atoi(address.substr(address.rfind(':') + 1).c_str())));
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&place), sizeof place), 0);
  }
  virtual ~Connection() { close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Returns false once the server has hung up, or has read nothing for three seconds.
  bool Send(const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      pollfd ready = {.fd = fd_, .events = POLLOUT, .revents = 0};
      if (poll(&ready, 1, 3000) != 1) return false;
      const ssize_t count = WriteSome(bytes.data() + sent, bytes.size() - sent);
      if (count < 0) return false;
      sent += static_cast<std::size_t>(count);
    }
    return true;
  }
  // Reads and ignores. Returns whether the server hung up within the limit.
  bool EndsWithin(absl::Duration limit) {
    const absl::Time deadline = absl::Now() + limit;
    char buffer[65536];
    while (absl::Now() < deadline) {
      pollfd ready = {.fd = fd_, .events = POLLIN, .revents = 0};
      if (poll(&ready, 1, 100) != 1) continue;
      if (ReadSome(buffer, sizeof buffer) < 0) return true;
    }
    return false;
  }

  // Reads the bytes that have arrived, and calls take(type, stream, payload) for each whole frame.
  // Returns false once the server has hung up.
  template <typename Take>
  bool Receive(const Take& take) {
    pollfd ready = {.fd = fd_, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, 5) == 1) {
      char buffer[65536];
      const ssize_t count = ReadSome(buffer, sizeof buffer);
      if (count < 0) return false;
      received_.append(buffer, static_cast<std::size_t>(count));
    }
    constexpr std::size_t kHead = 9;
    while (received_.size() >= kHead) {
      const auto size = static_cast<std::size_t>(Read(received_, 0, 3));
      if (received_.size() < kHead + size) break;
      take(static_cast<FrameType>(received_[3]), static_cast<uint32_t>(Read(received_, 5, 4)),
           received_.substr(kHead, size));
      received_.erase(0, kHead + size);
    }
    return true;
  }

 protected:
  // Number of bytes. Zero if there are none at present, negative once the peer has hung up.
  virtual ssize_t ReadSome(char* buffer, std::size_t size) {
    const ssize_t count = recv(fd_, buffer, size, MSG_DONTWAIT);
    return count == 0 ? -1 : count;
  }
  virtual ssize_t WriteSome(const char* bytes, std::size_t size) {
    return send(fd_, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  int fd() const { return fd_; }

 private:
  const int fd_;
  std::string received_;
};

}  // namespace contacts::testing::http2

#endif  // CONTACTS_TESTS_TESTING_HTTP2_H_
