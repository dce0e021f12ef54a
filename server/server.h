#ifndef CONTACTS_SERVER_SERVER_H_
#define CONTACTS_SERVER_SERVER_H_

#include <grpcpp/server_builder.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/mysql/database.h"
#include "server/config/config.h"

namespace contacts::server {

// Waits a few seconds for a database that is away, then applies the schema or checks that it is
// there. FAILED_PRECONDITION, saying what to do, where waiting does not help.
absl::Status PrepareDatabase(Database& database, bool migrate);

// Sets the limits and the channels' settings that every server has.
void AddLimits(grpc::ServerBuilder& builder, const Config& config);

// One whole server: the gRPC services, the workers behind them, the relay that
// sends e-mails, the timers and the health of it all. Everything but the process:
// tests run several in one.
class Server {
 public:
  explicit Server(Config config);
  // Stops.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Returns once calls are served. Called once.
  absl::Status Start();

  // Says NOT_SERVING, accepts no more connections and answers new calls with UNAVAILABLE. Waits up
  // to Config::drain_timeout for the calls under way, then ends all connections and threads. Does
  // nothing when called again.
  void Stop();

  // HOST:PORT of each address served on, with the ports that were picked.
  const std::vector<std::string>& addresses() const { return addresses_; }

 private:
  class Parts;

  const Config config_;
  std::vector<std::string> addresses_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_SERVER_H_
