#ifndef CONTACTS_TESTS_TESTING_SERVER_PROCESS_H_
#define CONTACTS_TESTS_TESTING_SERVER_PROCESS_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace contacts::testing {

// A contactsd in its own process, from the build folder in the environment variable
// CONTACTS_TEST_BIN_DIR unless the test names another.
class ServerProcess {
 public:
  // Servers with the same `directory` share their token keys and Maildir
  // (DIRECTORY/mail, unless a flag says --mail); each appends to DIRECTORY/log. They run with
  // --auth=development, unless a flag says otherwise.
  // `environment`: NAME=VALUE, in addition to the test's own.
  ServerProcess(std::string mysql_uri, std::string directory, std::vector<std::string> flags = {},
                std::vector<std::string> environment = {});
  ~ServerProcess();

  // Starts the server and waits until it serves. Its port stays the same from start to start. It
  // ends with the thread that calls this.
  void Start();
  // Later starts run the contactsd of another build folder.
  void UseBuild(std::string directory) { build_ = std::move(directory); }
  void Kill();      // SIGKILL.
  int Terminate();  // SIGTERM; returns the exit status.
  std::shared_ptr<grpc::Channel> Channel() const;
  int64_t ResidentKilobytes() const { return Told("VmRSS:"); }
  // As the process list shows it: each argument ends with a NUL.
  std::string CommandLine() const;
  int64_t Threads() const { return Told("Threads:"); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  int Wait();
  // Measures of the process from the kernel.
  int64_t Told(const std::string& what) const;

  const std::string mysql_uri_;
  const std::string directory_;
  const std::vector<std::string> flags_;
  std::vector<std::string> environment_;
  std::string build_;
  int port_ = 0;
  int pid_ = -1;
};

// A new folder in the tests' temporary folder. The destructor removes it with its content.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Whole text of a file. Empty if the file does not exist.
std::string ReadFile(const std::string& path);
// Texts of the e-mails in a Maildir's new/.
std::vector<std::string> ReadMaildir(const std::string& directory);

}  // namespace contacts::testing

#endif  // CONTACTS_TESTS_TESTING_SERVER_PROCESS_H_
