#include "tests/testing/mail_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace contacts::testing {

MailServer::MailServer(std::vector<std::string> flags) {
  flags.insert(flags.begin(), {CONTACTS_TESTING_DIR "/smtp_server.py",
                               absl::StrCat("--mailbox=", directory_.path())});
  std::vector<char*> argv;
  for (std::string& flag : flags) argv.push_back(flag.data());
  argv.push_back(nullptr);
  int in[2];
  int out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) std::abort();
  // It writes long messages about every handshake that fails.
  const std::string errors = directory_.path() + "/errors";
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(open(errors.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), STDERR_FILENO);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  input_ = in[1];
  std::string line;
  for (char c = 0; read(out[0], &c, 1) == 1 && c != '\n';) line += c;
  close(out[0]);
  if (!absl::SimpleAtoi(line, &port_)) {
    std::fprintf(stderr, "smtp_server.py did not start:\n%s", ReadFile(errors).c_str());
    std::abort();
  }
}

MailServer::~MailServer() {
  close(input_);
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::vector<std::string> MailServer::Taken() const {
  std::set<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
    if (entry.path().extension() == ".eml") paths.insert(entry.path());
  }
  std::vector<std::string> messages;
  for (const std::string& path : paths) messages.push_back(ReadFile(path));
  return messages;
}

int64_t MailServer::CountInLog(const std::string& word) const {
  const std::vector<std::string> lines = absl::StrSplit(Log(), '\n');
  return std::count_if(lines.begin(), lines.end(), [&](const std::string& line) {
    return line == word || absl::StartsWith(line, word + " ");
  });
}

void MakeCertificate(const std::string& path, const std::string& names, int days) {
  const std::string command = absl::StrCat(
      "(openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=test"
      " -addext basicConstraints=critical,CA:TRUE -addext subjectAltName=",
      names, " -keyout ", path, ".key -out ", path, ".csr && openssl x509 -req -in ", path,
      ".csr -copy_extensions copyall -signkey ", path, ".key -days ", days, " -out ", path, ") 2>",
      path, ".log && cat ", path, ".key >>", path);
  if (std::system(command.c_str()) != 0) {
    std::fprintf(stderr, "%s", ReadFile(path + ".log").c_str());
    std::abort();
  }
}

}  // namespace contacts::testing
