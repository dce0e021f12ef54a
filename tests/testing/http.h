#ifndef CONTACTS_TESTS_TESTING_HTTP_H_
#define CONTACTS_TESTS_TESTING_HTTP_H_

#include <optional>
#include <string>
#include <vector>

#include "tests/testing/certificates.h"

namespace contacts::testing {

// A loopback port without a listener.
int FreePort();

// The body of the answer of http://127.0.0.1:PORT/PATH?NAME=VALUE, with any status. Empty if
// there is no listener.
std::string HttpGet(int port, const std::string& path, const std::string& name = "",
                    const std::string& value = "");

// The status line and headers of the answer to HEAD, followed by the body if there is one.
std::string HttpHead(int port, const std::string& path);

// What https://127.0.0.1:PORT/PATH answers to the certificate `own`, if any, where `authority`
// signed the server's: its status and body. The status is 0 if there is no connection.
struct HttpsAnswer {
  long status = 0;  // NOLINT(google-runtime-int): libcurl's.
  std::string body;
};
HttpsAnswer HttpsGet(int port, const std::string& path, const CertificateAuthority& authority,
                     const std::optional<CertificateAndKey>& own);

// The lines of a server's metrics.
std::vector<std::string> Scrape(int port);

}  // namespace contacts::testing

#endif  // CONTACTS_TESTS_TESTING_HTTP_H_
