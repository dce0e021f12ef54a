#include "core/mysql/sockets.h"

#include <cppconn/driver.h>
#include <cppconn/exception.h>
#include <cppconn/resultset.h>
#include <cppconn/statement.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

// Of libmariadb, on which Debian's connector is built. Its development package
// is not needed for two functions.
struct st_mysql;

namespace contacts {
namespace {

using RegisterFunction = int (*)(char on, void (*seen)(int mode, st_mysql* mysql,
                                                       const unsigned char* bytes, size_t size));
using SocketFunction = int (*)(st_mysql* mysql);

// The connector does not tell the socket of a connection. libmariadb calls this
// for each packet, the greeting of a new connection included.
thread_local st_mysql* last_seen = nullptr;
// Whether this thread is to end a connection whose greeting offers no TLS. libmariadb would log
// in without it, and send the password as it is if the other side asked for that.
thread_local bool wants_tls = false;
thread_local bool ended_unencrypted = false;

// Null where the connector is another.
SocketFunction socket_of = nullptr;

// Whether the first bytes that a server sent are a greeting that does not offer TLS. Their
// layout: 4 bytes of length and number, the protocol (10), the server's version and a NUL,
// 13 bytes, then the lower 2 bytes of what it is capable of.
bool OffersNoTls(absl::string_view bytes) {
  constexpr std::size_t kHeader = 4;
  constexpr char kProtocol = 10;
  constexpr std::size_t kBetween = 13;
  constexpr unsigned kTls = 0x08;  // Of the second byte.
  if (bytes.size() <= kHeader || bytes[kHeader] != kProtocol) return false;
  const std::size_t end = bytes.find('\0', kHeader + 1);
  if (end == absl::string_view::npos || end + kBetween + 2 >= bytes.size()) return true;
  return (static_cast<unsigned char>(bytes[end + kBetween + 2]) & kTls) == 0;
}

void See(int /*mode*/, st_mysql* mysql, const unsigned char* bytes, size_t size) {
  if (last_seen == nullptr && wants_tls &&
      OffersNoTls({reinterpret_cast<const char*>(bytes), size})) {
    ended_unencrypted = true;
    shutdown(socket_of(mysql), SHUT_RDWR);
  }
  last_seen = mysql;
}

bool WatchSockets() {
  const auto watch =
      reinterpret_cast<RegisterFunction>(dlsym(RTLD_DEFAULT, "ma_pvio_register_callback"));
  socket_of = reinterpret_cast<SocketFunction>(dlsym(RTLD_DEFAULT, "mysql_get_socket"));
  if (watch == nullptr || socket_of == nullptr || watch(1, See) != 0) socket_of = nullptr;
  return socket_of != nullptr;
}

// The connector takes a misspelt option without a word, so what these lead to is looked at
// after connecting.
void AddTls(const DatabaseOptions& options, sql::ConnectOptionsMap& map) {
  if (options.tls == DatabaseTls::kDisabled) return;
  // As the client programs do: nothing on a local socket is readable by others.
  if (options.tls == DatabaseTls::kPreferred && !options.socket.empty()) return;
  map["sslEnforce"] = true;
  // The only option that the newer connector knows. Its numbers begin at 1.
  map["OPT_SSL_MODE"] = static_cast<int>(options.tls) + 1;
  if (!options.tls_cert_file.empty()) {
    map["sslCert"] = sql::SQLString(options.tls_cert_file);
    map["sslKey"] = sql::SQLString(options.tls_key_file);
  }
  if (options.tls < DatabaseTls::kVerifyCa) return;
  if (!options.tls_ca_file.empty()) {
    map["sslCA"] = sql::SQLString(options.tls_ca_file);
  } else {
    map["sslCAPath"] = sql::SQLString(X509_get_default_cert_dir());
  }
  if (options.tls == DatabaseTls::kVerifyIdentity) map["sslVerify"] = true;
}

constexpr int kTlsError = 2026;  // The client library's own.

// Throws kTlsError unless the connection is encrypted.
void CheckEncrypted(sql::Connection& connection) {
  const std::unique_ptr<sql::Statement> statement(connection.createStatement());
  const std::unique_ptr<sql::ResultSet> rows(
      statement->executeQuery("SHOW SESSION STATUS LIKE 'Ssl_cipher'"));
  if (rows->next() && rows->getString(2).length() != 0) return;
  throw sql::SQLException("the connection is not encrypted", "", kTlsError);
}

sql::ConnectOptionsMap ConnectOptions(const DatabaseOptions& options,
                                      const DatabaseOptions::Endpoint& member,
                                      absl::Duration connect_limit, absl::Duration answer_limit) {
  sql::ConnectOptionsMap map;
  map["hostName"] =
      sql::SQLString(options.socket.empty() ? absl::StrCat("tcp://", MemberName(member))
                                            : absl::StrCat("unix://", options.socket));
  map["userName"] = sql::SQLString(options.user);
  map["password"] = sql::SQLString(options.password);
  map["schema"] = sql::SQLString(options.database);
  map["OPT_CHARSET_NAME"] = sql::SQLString("utf8mb4");
  map["CLIENT_MULTI_STATEMENTS"] = true;
  map["CLIENT_FOUND_ROWS"] = true;
  map["OPT_CONNECT_TIMEOUT"] = WholeSeconds(connect_limit);
  map["OPT_READ_TIMEOUT"] = WholeSeconds(answer_limit);
  map["OPT_WRITE_TIMEOUT"] = WholeSeconds(answer_limit);
  AddTls(options, map);
  return map;
}

}  // namespace

int WholeSeconds(absl::Duration duration) {
  return static_cast<int>(
      std::max<int64_t>(1, absl::ToInt64Seconds(absl::Ceil(duration, absl::Seconds(1)))));
}

std::string MemberName(const DatabaseOptions::Endpoint& member) {
  return absl::StrContains(member.host, ':') ? absl::StrCat("[", member.host, "]:", member.port)
                                             : absl::StrCat(member.host, ":", member.port);
}

Sockets::Entry::Entry(Sockets* sockets, int socket, std::string member)
    : sockets_(sockets), socket_(socket < 0 ? -1 : fcntl(socket, F_DUPFD_CLOEXEC, 0)) {
  if (socket_ < 0) return;
  const std::lock_guard lock(sockets_->mutex_);
  sockets_->open_.insert_or_assign(socket_, std::move(member));
}

Sockets::Entry::~Entry() {
  if (socket_ < 0) return;
  {
    const std::lock_guard lock(sockets_->mutex_);
    sockets_->open_.erase(socket_);
  }
  close(socket_);
}

void Sockets::Entry::Shut() {
  if (socket_ >= 0) shutdown(socket_, SHUT_RDWR);
}

void Sockets::ShutAll(const std::string& member) {
  const std::lock_guard lock(mutex_);
  for (const auto& [socket, of] : open_) {
    if (of == member) shutdown(socket, SHUT_RDWR);
  }
}

Dialled Dial(const DatabaseOptions& options, const DatabaseOptions::Endpoint& member,
             absl::Duration connect_limit, absl::Duration answer_limit) {
  static const bool watched = WatchSockets();
  sql::ConnectOptionsMap map = ConnectOptions(options, member, connect_limit, answer_limit);
  Dialled dialled;
  last_seen = nullptr;
  ended_unencrypted = false;
  wants_tls = options.tls >= DatabaseTls::kRequired;
  try {
    dialled.connection.reset(get_driver_instance()->connect(map));
  } catch (const sql::SQLException&) {
    if (!ended_unencrypted) throw;
    throw sql::SQLException("the database offers no TLS", "", kTlsError);
  }
  if (watched && last_seen != nullptr) dialled.socket = socket_of(last_seen);
  if (wants_tls) CheckEncrypted(*dialled.connection);
  return dialled;
}

}  // namespace contacts
