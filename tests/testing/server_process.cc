#include "tests/testing/server_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace contacts::testing {

ServerProcess::ServerProcess(std::string mysql_uri, std::string directory,
                             std::vector<std::string> flags, std::vector<std::string> environment)
    : mysql_uri_(std::move(mysql_uri)),
      directory_(std::move(directory)),
      flags_(std::move(flags)),
      environment_(std::move(environment)) {}

ServerProcess::~ServerProcess() {
  if (pid_ > 0) Kill();
}

void ServerProcess::Start() {
  if (build_.empty()) {
    const char* build = std::getenv("CONTACTS_TEST_BIN_DIR");
    if (build == nullptr) {
      std::fprintf(stderr,
                   "CONTACTS_TEST_BIN_DIR is not set: start this test through tests/run.sh\n");
      std::abort();
    }
    build_ = build;
  }
  std::vector<std::string> arguments = {absl::StrCat(build_, "/server/contactsd"),
                                        absl::StrCat("--listen=127.0.0.1:", port_),
                                        absl::StrCat("--mysql=", mysql_uri_)};
  const auto by_default = [&](const char* flag, const std::string& value) {
    if (std::none_of(flags_.begin(), flags_.end(),
                     [&](const std::string& given) { return absl::StartsWith(given, flag); })) {
      arguments.push_back(flag + value);
    }
  };
  by_default("--auth=", "development");
  by_default("--mail=", absl::StrCat("maildir:", directory_, "/mail"));
  by_default("--mail_from=", "contacts@example.org");
  by_default("--link_url=",
             "https://x.example/changes/{contact_change_id}?token={token}&answer={answer}");
  by_default("--max_asks_per_minute=", "1000000");  // Tests ask as fast as they can.
  arguments.insert(arguments.end(), flags_.begin(), flags_.end());
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const std::string log = directory_ + "/log";

  int out[2];
  if (pipe2(out, O_CLOEXEC) != 0) std::abort();
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out[1], STDOUT_FILENO);
    const int error = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(error, STDERR_FILENO);
    // Tests ask for the same few accounts. Servers of the version before do not know the flag.
    setenv("CONTACTS_MAX_MAILS_PER_DAY", "1000000", /*replace=*/0);
    // In the environment, because servers of earlier versions reject a flag that they do not know.
    setenv("CONTACTS_CONFIRM_URL", "https://x.example/confirm?token={token}", 0);
    for (std::string& variable : environment_) putenv(variable.data());
    if (chdir(directory_.c_str()) != 0) _exit(127);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(out[1]);
  std::string line;
  for (char c = 0; read(out[0], &c, 1) == 1 && c != '\n';) line += c;
  close(out[0]);
  int port = 0;
  if (!absl::SimpleAtoi(line.substr(line.rfind(':') + 1), &port)) {
    std::fprintf(stderr, "contactsd did not start: \"%s\"\n%s\n", line.c_str(),
                 ReadFile(log).c_str());
    std::abort();
  }
  if (port_ == 0) port_ = port;  // Never changed later, because other threads read it.
}

int ServerProcess::Wait() {
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return status;
}

void ServerProcess::Kill() {
  kill(pid_, SIGKILL);
  Wait();
}

std::string ServerProcess::CommandLine() const {
  return ReadFile(absl::StrCat("/proc/", pid_, "/cmdline"));
}

int ServerProcess::Terminate() {
  kill(pid_, SIGTERM);
  const int status = Wait();
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int64_t ServerProcess::Told(const std::string& what) const {
  std::ifstream status(absl::StrCat("/proc/", pid_, "/status"));
  int64_t number = 0;
  for (std::string word; status >> word;) {
    if (word == what) status >> number;
  }
  return number;
}

std::shared_ptr<grpc::Channel> ServerProcess::Channel() const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, 1 << 20);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
  return grpc::CreateCustomChannel(address(), grpc::InsecureChannelCredentials(), arguments);
}

TemporaryDirectory::TemporaryDirectory() {
  path_ = ::testing::TempDir() + "/contacts-test.XXXXXX";
  if (mkdtemp(path_.data()) == nullptr) std::abort();
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<std::string> ReadMaildir(const std::string& directory) {
  std::vector<std::string> mails;
  for (const auto& entry : std::filesystem::directory_iterator(directory + "/new")) {
    mails.push_back(ReadFile(entry.path()));
  }
  return mails;
}

}  // namespace contacts::testing
