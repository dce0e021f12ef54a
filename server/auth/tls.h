#ifndef CONTACTS_SERVER_AUTH_TLS_H_
#define CONTACTS_SERVER_AUTH_TLS_H_

#include <grpcpp/security/server_credentials.h>
#include <openssl/types.h>

#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/auth/policy.h"

namespace contacts::server {

// Where the server's certificate is.
struct TlsFiles {
  std::string certificate;  // PEM: the server's certificate and what leads to its authority.
  std::string key;          // PEM, mode 0600.
  std::string client_ca;    // PEM: authorities of callers' certificates. Empty: none is asked for.
};

// What stands in them.
struct TlsTexts {
  std::string certificate;
  std::string key;
  std::string client_ca;
  friend bool operator==(const TlsTexts&, const TlsTexts&) = default;
};

// Reads the files. FAILED_PRECONDITION, which names the file, where one cannot be read or
// others may use it; INVALID_ARGUMENT where it holds no certificate or key or one that OpenSSL
// refuses, where the key is not the certificate's, or the certificate's time is over.
absl::StatusOr<TlsTexts> ReadTls(const TlsFiles& files);

// What a server shows those who connect, and asks of them: TLS 1.2 or later and, where there
// are authorities of callers' certificates, one that they signed. Outlives the server.
class Tls {
 public:
  // `context_life`: for how long a connection may go on from an earlier one's session, which
  // spares both a handshake, and a look at the caller's certificate too.
  explicit Tls(TlsTexts texts, absl::Duration context_life = absl::Minutes(1));
  ~Tls();
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  // For connections from now on; those that are open stay as they are. Safe for any thread.
  void Replace(TlsTexts texts);
  // When the certificate's time is over.
  absl::Time expires() const;
  std::shared_ptr<grpc::ServerCredentials> Credentials();
  // The same for a server beside gRPC's: what is made from `context` shows and asks for what
  // is current as each connection begins.
  void Prepare(SSL_CTX* context) const;

 private:
  static int Show(SSL* connection, void* tls);

  class Port;
  class PortCredentials;

  std::shared_ptr<const TlsTexts> texts() const;

  const absl::Duration context_life_;
  mutable std::mutex mutex_;
  std::shared_ptr<const TlsTexts> texts_;  // Guarded by mutex_; what it points to never changes.
  std::deque<std::unique_ptr<Port>> ports_;
};

// The names of the certificate that a connection's peer showed and that was verified.
PeerNames NamesOfPeer(const SSL* connection);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_AUTH_TLS_H_
