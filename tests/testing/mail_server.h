#ifndef CONTACTS_TESTS_TESTING_MAIL_SERVER_H_
#define CONTACTS_TESTS_TESTING_MAIL_SERVER_H_

#include <string>
#include <vector>

#include "tests/testing/server_process.h"

namespace contacts::testing {

// A mail server on loopback, in its own process (smtp_server.py). The address of a recipient
// says how well it is treated. Ends with the test.
class MailServer {
 public:
  explicit MailServer(std::vector<std::string> flags = {});
  ~MailServer();
  MailServer(const MailServer&) = delete;
  MailServer& operator=(const MailServer&) = delete;

  int port() const { return port_; }
  // The accepted messages, in order of arrival, each with its envelope in X-From and X-To.
  std::vector<std::string> Taken() const;
  // The events on its connections, one a line.
  std::string Log() const { return ReadFile(directory_.path() + "/log"); }
  // The number of events that begin with `word`.
  int64_t CountInLog(const std::string& word) const;

 private:
  TemporaryDirectory directory_;
  int port_ = 0;
  int pid_ = -1;
  int input_ = -1;  // The process ends when this is closed.
};

// A self-signed certificate with its key, in one PEM file, which is also the CA's.
// `names`: as in subjectAltName.
void MakeCertificate(const std::string& path, const std::string& names, int days = 2);

}  // namespace contacts::testing

#endif  // CONTACTS_TESTS_TESTING_MAIL_SERVER_H_
