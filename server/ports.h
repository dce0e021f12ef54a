#ifndef CONTACTS_SERVER_PORTS_H_
#define CONTACTS_SERVER_PORTS_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/auth/credentials.h"
#include "server/config/config.h"
#include "server/support/listening.h"

namespace contacts::server {

// Sets the limits and channel arguments of gRPC.
void AddLimits(grpc::ServerBuilder& builder, const Config& config);

// The ports of one server, and gRPC behind them. Used by one thread; refused() by any.
class Ports {
 public:
  // Listens on Config::listen and serves `services`, which must outlive this object. Returns
  // HOST:PORT of each address, with its real port. `reserved_descriptors`: file descriptors that
  // other parts of the server need. Call it once. Returns the errors of Acceptor::Listen, or
  // INTERNAL if gRPC does not start.
  absl::StatusOr<std::vector<std::string>> Start(const Config& config, Credentials& credentials,
                                                 int64_t reserved_descriptors,
                                                 const std::vector<grpc::Service*>& services);
  // Whether Start has succeeded. The functions below may be called only then.
  bool started() const { return server_ != nullptr; }

  // Rejects new connections from now on.
  void StopListening() { acceptor_->StopListening(); }
  // Ends all connections, then all calls, and waits for both: 2 s at most, if every call ends when
  // it is cancelled. Only after StopListening.
  void End();
  // Number of connections that were closed at once because there were too many.
  int64_t refused() const { return acceptor_->refused(); }

 private:
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> connections_;
  std::unique_ptr<grpc::Server> server_;
  std::optional<Acceptor> acceptor_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_PORTS_H_
