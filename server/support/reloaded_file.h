#ifndef CONTACTS_SERVER_SUPPORT_RELOADED_FILE_H_
#define CONTACTS_SERVER_SUPPORT_RELOADED_FILE_H_

#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/support/periodic.h"

namespace contacts::server {

// Reads a whole file that decides which callers to trust. At most 1 MiB. Returns
// FAILED_PRECONDITION if the file cannot be read or if others may write it.
absl::StatusOr<std::string> ReadTrustedFile(const std::string& path);
// The same for a file with a secret. Also returns FAILED_PRECONDITION if others may use it, or if
// its group may, except that the group may read a file of root or of this process's user:
// Kubernetes and systemd hand over secrets in this way.
absl::StatusOr<std::string> ReadSecretFile(const std::string& path);

inline constexpr absl::Duration kReloadInterval = absl::Seconds(1);
// Logs the outcome of a change of `what`.
void LogReload(const std::string& what, const absl::Status& result);

// Follows one such file, or several that belong together: reads them once a second and hands over a
// changed value. A rejected value has no effect, and the log says so once. If the value in use
// comes back, the log says only that. `Value` is the content of the files and is comparable.
template <typename Value>
class FileReloader {
 public:
  using Read = std::function<absl::StatusOr<Value>()>;
  using Apply = std::function<absl::Status(const Value& value)>;

  // `what`: its name in the log. `value`: the value in use. `read` and `apply` are called by this
  // object's own thread, until the destructor returns.
  FileReloader(std::string what, Value value, Read read, Apply apply)
      : what_(std::move(what)),
        read_(std::move(read)),
        apply_(std::move(apply)),
        used_(value),
        last_(std::move(value)),
        checks_([this] {
          Check();
          return kReloadInterval;
        }) {}

 private:
  void Check() {
    auto read = read_();
    if (read == last_) return;
    last_ = std::move(read);
    LogReload(what_, last_.ok() ? Use(*last_) : last_.status());
  }
  absl::Status Use(const Value& value) {
    if (value == used_) return absl::OkStatus();
    absl::Status result = apply_(value);
    if (result.ok()) used_ = value;
    return result;
  }

  const std::string what_;
  const Read read_;
  const Apply apply_;
  // Used only by the thread:
  Value used_;
  absl::StatusOr<Value> last_;  // Result of the last read.
  Periodic checks_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_SUPPORT_RELOADED_FILE_H_
