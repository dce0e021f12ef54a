#ifndef CONTACTS_SERVER_SERVER_H_
#define CONTACTS_SERVER_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/mysql/database.h"
#include "server/config/config.h"

namespace contacts::server {

// Waits a few seconds for an unreachable database, then applies the schema (`migrate`) or checks
// it. UNAVAILABLE if the database stays unreachable. FAILED_PRECONDITION, with the remedy, if the
// schema or the settings of the database are unusable.
absl::Status PrepareDatabase(Database& database, bool migrate);

// One server: the gRPC services, their workers, the mail relay, timers, health and metrics. The
// process itself is main.cc's, so a test may run several servers.
class Server {
 public:
  explicit Server(Config config);
  // Calls Stop().
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Returns when calls are served. Call it once. Errors of PrepareDatabase, and of files, addresses
  // or e-mail folders that cannot be used.
  absl::Status Start();

  // Says NOT_SERVING, accepts no more connections and answers new calls with UNAVAILABLE. Waits up
  // to Config::drain_timeout for the calls under way, then ends all connections and threads. Does
  // nothing when called again.
  void Stop();

  // Returns HOST:PORT of each address, with its real port.
  const std::vector<std::string>& addresses() const { return addresses_; }

 private:
  class Impl;

  const Config config_;
  std::vector<std::string> addresses_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_SERVER_H_
