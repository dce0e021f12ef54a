// What Prometheus is told by a server of its own process.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "tests/testing/fleet.h"

namespace contacts {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.

int BoundSocket(int port, bool listening) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  const int failed = listening ? bind(socket, generic, sizeof(address))
                               : connect(socket, generic, sizeof(address));
  EXPECT_EQ(failed, 0);
  return socket;
}

int FreePort() {
  const int socket = BoundSocket(0, true);
  sockaddr_in address = {};
  socklen_t size = sizeof(address);
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  close(socket);
  return ntohs(address.sin_port);
}

// The lines of /metrics.
std::vector<std::string> Scrape(int port) {
  const int socket = BoundSocket(port, false);
  const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
  EXPECT_EQ(send(socket, request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  std::string answer;
  char buffer[4096];
  for (ssize_t size = 1; (size = recv(socket, buffer, sizeof(buffer), 0)) > 0;) {
    answer.append(buffer, static_cast<std::size_t>(size));
  }
  close(socket);
  return absl::StrSplit(answer, '\n');
}

TEST(Metrics, TellOfCallsQueueDatabaseAndMails) {
  const TestDatabase database;
  const TemporaryDirectory directory;
  const int port = FreePort();
  ServerProcess server(database.uri(), directory.path(),
                       {absl::StrCat("--metrics=127.0.0.1:", port)});
  server.Start();
  const auto stub = v1::ContactService::NewStub(server.Channel());
  v1::GetProfileResponse response;
  EXPECT_EQ(ReasonOf(stub->GetProfile(ActingAs("zz9-ovh").get(), {}, &response)),
            "ACCOUNT_NOT_FOUND");

  const std::vector<std::string> lines = Scrape(port);
  EXPECT_THAT(lines, Contains("grpc_server_handled_total{grpc_code=\"NOT_FOUND\","
                              "grpc_method=\"GetProfile\","
                              "grpc_service=\"contacts.v1.ContactService\","
                              "reason=\"ACCOUNT_NOT_FOUND\"} 1"));
  EXPECT_THAT(lines, Contains(HasSubstr("grpc_server_handling_seconds_bucket{grpc_method="
                                        "\"GetProfile\",grpc_service=\"contacts.v1."
                                        "ContactService\",le=\"0.001\"}")));
  EXPECT_THAT(lines, Contains("contacts_queue_length 0"));
  EXPECT_THAT(lines, Contains(HasSubstr("contacts_queue_wait_seconds_count 1")));
  EXPECT_THAT(lines, Contains("contacts_mails_total{outcome=\"delivered\"} 0"));
  EXPECT_THAT(lines, Contains("contacts_outbox_mails 0"));
  EXPECT_THAT(lines, Contains(HasSubstr("contacts_build_info{version=")));
  EXPECT_THAT(lines, Contains(HasSubstr("contacts_database_round_trips_total ")));
  // Nothing that a caller chooses.
  EXPECT_THAT(lines, Not(Contains(HasSubstr("zz9"))));
  EXPECT_EQ(server.Terminate(), 0);
}

}  // namespace
}  // namespace contacts
