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

// Returns sockets that listen on HOST:PORT, one for each address of HOST. Port 0 picks a free port,
// the same for all. UNAVAILABLE if the host has no usable address or the port is taken.
absl::StatusOr<std::vector<boost::asio::ip::tcp::acceptor>> ListenOn(boost::asio::io_context& io,
                                                                     const std::string& address);

// Accepts connections for gRPC. gRPC 1.51's own listener stops accepting for good after EMFILE
// (https://github.com/grpc/grpc/issues/31080), so a client that opens enough connections would make
// the server unreachable. Thread safe after Start().
class Acceptor {
 public:
  // Called with each new connection, a non-blocking socket that the handler owns.
  using ConnectionHandler = std::function<void(int listener, int connection)>;

  // Raises this process's limit of file descriptors, if it may, to fit `max_connections` and a
  // `reserve` for other files. Under a lower limit fewer connections are accepted.
  Acceptor(std::size_t max_connections, int64_t reserve);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // Listens on HOST:PORT and returns the address with its real port. Call before Start().
  // UNAVAILABLE if it cannot listen. FAILED_PRECONDITION if the limit of file descriptors leaves no
  // room for connections.
  absl::StatusOr<std::string> Listen(const std::string& address);
  // Accepts connections on its own thread until the destructor.
  void Start(ConnectionHandler handler);
  // Accepts no new connections from now on.
  void StopListening();
  // Shuts the connections that were handed on for reading, so that gRPC reads the bytes that have
  // arrived and then closes them. Waits for that up to `limit`. Only after StopListening.
  void EndConnections(absl::Duration limit);
  // Returns the number of connections that were closed at once because there were too many.
  int64_t refused() const { return refused_; }

 private:
  void AcceptNext(boost::asio::ip::tcp::acceptor& listener);
  void HandOver(boost::asio::ip::tcp::acceptor& listener, boost::asio::ip::tcp::socket socket);

  bool HasRoom();

  const std::size_t max_connections_;
  const int64_t reserve_;
  const int64_t max_descriptors_;
  std::atomic<int64_t> refused_ = 0;
  // Used only by the thread. The inodes of open connections by descriptor: the acceptor is not told
  // when a connection ends, and its descriptor may be reused.
  std::unordered_map<int, ino_t> open_;
  absl::Time counted_ = absl::InfinitePast();
  absl::Time warned_ = absl::InfinitePast();
  ConnectionHandler handler_;
  boost::asio::io_context io_{1};
  std::vector<boost::asio::ip::tcp::acceptor> listeners_;
  std::thread thread_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_SUPPORT_LISTENING_H_
