#include "server/support/reloaded_file.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace contacts::server {
namespace {

constexpr std::size_t kMaxSize = 1024 * 1024;

absl::Status Unreadable(const std::string& path, absl::string_view why) {
  return absl::FailedPreconditionError(absl::StrCat(path, ": ", why));
}

absl::Status SystemError(const std::string& path) {
  return Unreadable(path, std::generic_category().message(errno));
}

// Returns why the file must not be used, or an empty text.
using Objection = absl::string_view (*)(const struct stat& about);

absl::string_view ToTrusted(const struct stat& about) {
  return (about.st_mode & S_IWOTH) != 0 ? "anyone may write it; want mode 0644 or less" : "";
}

absl::string_view ToSecret(const struct stat& about) {
  if ((about.st_mode & S_IRWXO) != 0) return "others may use it; want mode 0600 or 0440";
  if ((about.st_mode & S_IRWXG) == 0) return "";
  if ((about.st_mode & S_IRWXG) != S_IRGRP) {
    return "its group may write or run it; want mode 0600 or 0440";
  }
  return about.st_uid == 0 || about.st_uid == geteuid()
             ? ""
             : "its group may read it, and neither root nor this user owns it; want mode 0600";
}

absl::StatusOr<std::string> ReadFile(const std::string& path, Objection objection) {
  // Does not block, because a named pipe in the file's place would hold the thread for ever.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return SystemError(path);
  const absl::Cleanup closer = [file] { close(file); };
  struct stat about {};
  if (fstat(file, &about) != 0) return SystemError(path);
  if (!S_ISREG(about.st_mode)) return Unreadable(path, "want a file");
  if (const absl::string_view why = objection(about); !why.empty()) return Unreadable(path, why);
  std::string text;
  char part[4096];
  ssize_t size = 0;
  while ((size = read(file, part, sizeof(part))) > 0) {
    text.append(part, static_cast<std::size_t>(size));
    if (text.size() > kMaxSize) return Unreadable(path, "want at most 1 MiB");
  }
  if (size < 0) return SystemError(path);
  return text;
}

}  // namespace

absl::StatusOr<std::string> ReadTrustedFile(const std::string& path) {
  return ReadFile(path, ToTrusted);
}

absl::StatusOr<std::string> ReadSecretFile(const std::string& path) {
  return ReadFile(path, ToSecret);
}

void LogReload(const std::string& what, const absl::Status& result) {
  if (result.ok()) {
    spdlog::info("reloaded {}", what);
  } else {
    spdlog::error("{}; what was read before stays in use", std::string(result.message()));
  }
}

}  // namespace contacts::server
