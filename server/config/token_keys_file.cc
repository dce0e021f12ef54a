#include "server/config/token_keys_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "core/domain/ids.h"
#include "server/support/reloaded_file.h"

namespace contacts::server {
namespace {

absl::Status SystemError(const std::string& path) {
  return absl::FailedPreconditionError(
      absl::StrCat(path, ": ", std::generic_category().message(errno)));
}

absl::Status WriteNew(const std::string& path, const std::string& text) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return SystemError(path);
  const absl::Cleanup closer = [file] { close(file); };
  const bool written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  return written && fsync(file) == 0 ? absl::OkStatus() : SystemError(path);
}

}  // namespace

absl::Status MakeTokenKeysFile(const std::string& path) {
  if (access(path.c_str(), F_OK) == 0) return absl::OkStatus();
  // Written under another name first, so that no reader sees half a key.
  const std::string draft = absl::StrCat(path, ".", Uuid::Version4().text());
  const absl::Cleanup remover = [&] { unlink(draft.c_str()); };
  if (auto written = WriteNew(draft, TokenKeys::Generate()); !written.ok()) return written;
  if (link(draft.c_str(), path.c_str()) != 0 && errno != EEXIST) return SystemError(path);
  return absl::OkStatus();
}

absl::StatusOr<TokenKeys> ReadTokenKeysFile(const std::string& path) {
  const auto text = ReadSecretFile(path);
  if (!text.ok()) return text.status();
  auto keys = TokenKeys::Parse(*text);
  if (keys.ok()) return keys;
  return absl::Status(keys.status().code(), absl::StrCat(path, ": ", keys.status().message()));
}

}  // namespace contacts::server
