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

// Reads the whole of a file that says whom to trust; 1 MiB at most. FAILED_PRECONDITION where
// it cannot be read or where anyone may write it.
absl::StatusOr<std::string> ReadTrustedFile(const std::string& path);
// As above for a file that holds a secret: where its group or others may read it.
absl::StatusOr<std::string> ReadSecretFile(const std::string& path);

inline constexpr absl::Duration kReloadInterval = absl::Seconds(1);
// Says in the log what became of a change of `what`.
void LogReload(const std::string& what, const absl::Status& taken);

// Follows one such file, or several that belong together: looks each second and hands over
// what changed. What is refused stays without effect, and the log says so once; where what is
// in use comes back, the log says that alone. `Value` is what the files hold, and can be
// compared.
template <typename Value>
class Reloaded {
 public:
  using Read = std::function<absl::StatusOr<Value>()>;
  using Take = std::function<absl::Status(const Value& value)>;

  // `what` is what the log calls it, `value` what is in use. `read` and `take` are called by a
  // thread of its own, until this ends.
  Reloaded(std::string what, Value value, Read read, Take take)
      : what_(std::move(what)),
        read_(std::move(read)),
        take_(std::move(take)),
        used_(value),
        last_(std::move(value)),
        looks_([this] {
          Look();
          return kReloadInterval;
        }) {}

 private:
  void Look() {
    auto read = read_();
    if (read == last_) return;
    last_ = std::move(read);
    LogReload(what_, last_.ok() ? Use(*last_) : last_.status());
  }
  absl::Status Use(const Value& value) {
    if (value == used_) return absl::OkStatus();
    absl::Status taken = take_(value);
    if (taken.ok()) used_ = value;
    return taken;
  }

  const std::string what_;
  const Read read_;
  const Take take_;
  // The thread's own:
  Value used_;
  absl::StatusOr<Value> last_;  // What the last look found.
  Periodic looks_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_SUPPORT_RELOADED_FILE_H_
