#ifndef CONTACTS_SERVER_RELOADED_FILE_H_
#define CONTACTS_SERVER_RELOADED_FILE_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/periodic.h"

namespace contacts::server {

// Reads the whole of a file that says whom to trust; 1 MiB at most. FAILED_PRECONDITION where
// it cannot be read or where anyone may write it.
absl::StatusOr<std::string> ReadTrustedFile(const std::string& path);

// Follows such a file: looks each second and hands over new text. What is refused stays
// without effect, and the log says so once.
class ReloadedFile {
 public:
  using Take = std::function<absl::Status(const std::string& text)>;

  // `text` is what is in use. `take` is called by a thread of its own, until this ends.
  ReloadedFile(std::string path, std::string text, Take take);

 private:
  void Look();

  const std::string path_;
  const Take take_;
  absl::StatusOr<std::string> last_;  // What the last look found; the thread's own.
  Periodic looks_;
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_RELOADED_FILE_H_
