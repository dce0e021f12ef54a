#ifndef CONTACTS_TESTS_TESTING_HTTP_H_
#define CONTACTS_TESTS_TESTING_HTTP_H_

#include <string>
#include <vector>

namespace contacts::testing {

// A port of loopback that nobody listens on.
int FreePort();

// What http://127.0.0.1:PORT/PATH?NAME=VALUE answers, whichever its status; empty where
// nobody does.
std::string HttpGet(int port, const std::string& path, const std::string& name = "",
                    const std::string& value = "");

// The lines of a server's metrics.
std::vector<std::string> Scrape(int port);

}  // namespace contacts::testing

#endif  // CONTACTS_TESTS_TESTING_HTTP_H_
