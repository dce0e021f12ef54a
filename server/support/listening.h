#ifndef CONTACTS_SERVER_SUPPORT_LISTENING_H_
#define CONTACTS_SERVER_SUPPORT_LISTENING_H_

#include <sys/types.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace contacts::server {

// Sockets that listen on HOST:PORT, one for each address that HOST stands for; port 0 picks one,
// the same for all. UNAVAILABLE where one cannot be had.
absl::StatusOr<std::vector<boost::asio::ip::tcp::acceptor>> ListenOn(boost::asio::io_context& io,
                                                                     const std::string& address);

// Accepts connections and hands them on. gRPC 1.51 could by itself, but stops for good when no
// file descriptor is left (https://github.com/grpc/grpc/issues/31080): whoever opens enough
// connections would end the service.
class Acceptor {
 public:
  // Takes over the descriptors of connections, which do not block, from `listener`.
  using Take = std::function<void(int listener, int connection)>;

  // Raises this process's limit of file descriptors as far as it may, so that there is room for
  // `max_connections` and for `reserve` of others; where there is not, fewer are let in.
  Acceptor(std::size_t max_connections, int64_t reserve);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // Returns the address with its port. Before Start alone. UNAVAILABLE where it cannot listen,
  // FAILED_PRECONDITION where there are too few file descriptors to let anybody in.
  absl::StatusOr<std::string> Listen(const std::string& address);
  // Accepts, in a thread of its own, until StopListening.
  void Start(Take take);
  // Refuses new connections from now on.
  void StopListening();
  // Shuts the connections that were handed on for reading, so that gRPC reads the bytes that have
  // arrived and then closes them. Waits for that up to `limit`. Only after StopListening.
  void EndConnections(absl::Duration limit);
  // Connections that were closed at once, as there were too many.
  int64_t refused() const { return refused_; }

 private:
  void AcceptNext(boost::asio::ip::tcp::acceptor& listener);
  void HandOn(boost::asio::ip::tcp::acceptor& listener, boost::asio::ip::tcp::socket socket);

  bool HasRoom();

  const std::size_t max_connections_;
  const int64_t reserve_;
  const int64_t max_descriptors_;
  std::atomic<int64_t> refused_ = 0;
  // The thread's own:
  // Connections handed on, by descriptor, with what the kernel calls each: nobody tells when one
  // ends, and its descriptor may by then be something else's.
  std::unordered_map<int, ino_t> given_;
  absl::Time counted_ = absl::InfinitePast();
  absl::Time warned_ = absl::InfinitePast();
  Take take_;
  boost::asio::io_context io_{1};
  std::vector<boost::asio::ip::tcp::acceptor> listeners_;
  std::thread thread_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_SUPPORT_LISTENING_H_
