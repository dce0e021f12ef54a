#include "core/mail/maildir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace contacts {
namespace {

std::string ErrorText(const std::string& what) {
  return absl::StrCat(what, ": ", std::error_code(errno, std::generic_category()).message());
}

// A file descriptor that closes itself.
class File {
 public:
  File(const std::string& path, int flags, mode_t mode = 0)
      : descriptor_(open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool ok() const { return descriptor_ >= 0; }
  bool Write(absl::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }
  bool Sync() const { return fsync(descriptor_) == 0; }

 private:
  const int descriptor_;
};

std::string HostName() {
  char name[256] = "localhost";
  gethostname(name, sizeof(name) - 1);
  std::string text;
  for (const char* c = name; *c != '\0'; ++c) text += *c == '/' || *c == ':' ? '_' : *c;
  return text;
}

}  // namespace

absl::Status Maildir::Create() const {
  for (const char* folder : {"", "/tmp", "/new", "/cur"}) {
    const std::string path = directory_ + folder;
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) continue;
    std::filesystem::create_directories(path, error);
    if (error) return absl::UnavailableError(absl::StrCat(path, ": ", error.message()));
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  }
  return absl::OkStatus();
}

DeliveryResult Maildir::Deliver(const std::string&, const std::string&,
                                const std::string& message) {
  static const auto& host = *new std::string(HostName());
  const std::string name =
      absl::StrCat(absl::ToUnixMicros(absl::Now()), ".", getpid(), "_", ++deliveries_, ".", host);
  const std::string temporary = absl::StrCat(directory_, "/tmp/", name);
  const auto fail = [&](const std::string& what) -> DeliveryResult {
    std::string text = ErrorText(what);
    unlink(temporary.c_str());
    return {DeliveryResult::Kind::kTryLater, std::move(text)};
  };
  {
    const File file(temporary, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (!file.ok()) {
      DeliveryResult result = {DeliveryResult::Kind::kTryLater, ErrorText("maildir: create")};
      // The Maildir may have been removed. The next try makes it again.
      if (const absl::Status status = Create(); !status.ok()) {
        absl::StrAppend(&result.text, "; ", status.message());
      }
      return result;
    }
    if (!file.Write(message) || !file.Sync()) return fail("maildir: write");
  }
  if (rename(temporary.c_str(), absl::StrCat(directory_, "/new/", name).c_str()) != 0) {
    return fail("maildir: rename");
  }
  // The name must be durable too.
  const File folder(directory_ + "/new", O_RDONLY | O_DIRECTORY);
  if (!folder.ok() || !folder.Sync()) {
    return {DeliveryResult::Kind::kTryLater, ErrorText("maildir: sync")};
  }
  return {};
}

}  // namespace contacts
