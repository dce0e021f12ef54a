#ifndef CONTACTS_TESTS_TESTING_HTTP_H_
#define CONTACTS_TESTS_TESTING_HTTP_H_

#include <optional>
#include <string>
#include <vector>

#include "tests/testing/certificates.h"

namespace contacts::testing {

// A port of loopback that nobody listens on.
int FreePort();

// What http://127.0.0.1:PORT/PATH?NAME=VALUE answers, whichever its status; empty where
// nobody does.
std::string HttpGet(int port, const std::string& path, const std::string& name = "",
                    const std::string& value = "");

// The status line and headers that HEAD gets there, followed by the body, if it comes with one.
std::string HttpHead(int port, const std::string& path);

// What https://127.0.0.1:PORT/PATH answers to the certificate `own`, if any, where `authority`
// signed the server's: its status and body; status 0 where there is no connection.
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
