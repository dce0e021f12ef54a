#include "core/mysql/sockets.h"

#include <cppconn/driver.h>
#include <dlfcn.h>
#include <sys/socket.h>

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
void See(int /*mode*/, st_mysql* mysql, const unsigned char* /*bytes*/, size_t /*size*/) {
  last_seen = mysql;
}

// Null where the connector is another.
SocketFunction FindSocketFunction() {
  const auto watch =
      reinterpret_cast<RegisterFunction>(dlsym(RTLD_DEFAULT, "ma_pvio_register_callback"));
  const auto socket = reinterpret_cast<SocketFunction>(dlsym(RTLD_DEFAULT, "mysql_get_socket"));
  if (watch == nullptr || socket == nullptr || watch(1, See) != 0) return nullptr;
  return socket;
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
    : sockets_(sockets), socket_(socket) {
  if (socket_ < 0) return;
  const std::lock_guard lock(sockets_->mutex_);
  sockets_->open_.insert_or_assign(socket_, std::move(member));
}

Sockets::Entry::~Entry() {
  if (socket_ < 0) return;
  const std::lock_guard lock(sockets_->mutex_);
  sockets_->open_.erase(socket_);
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
  static const SocketFunction socket_of = FindSocketFunction();
  sql::ConnectOptionsMap map = ConnectOptions(options, member, connect_limit, answer_limit);
  Dialled dialled;
  last_seen = nullptr;
  dialled.connection.reset(get_driver_instance()->connect(map));
  if (socket_of != nullptr && last_seen != nullptr) dialled.socket = socket_of(last_seen);
  return dialled;
}

}  // namespace contacts
