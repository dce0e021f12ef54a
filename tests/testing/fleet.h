#ifndef CONTACTS_TESTS_TESTING_FLEET_H_
#define CONTACTS_TESTS_TESTING_FLEET_H_

#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "contacts/v1/contact_service.grpc.pb.h"
#include "contacts/v1/directory_service.grpc.pb.h"
#include "core/domain/token.h"
#include "tests/testing/server_process.h"
#include "tests/testing/test_database.h"

namespace contacts::testing {

inline constexpr char kFleetAdmin[] = "aa1-ovh";
inline constexpr char kFleetFirst[] = "bb2-ovh";
inline constexpr char kFleetSecond[] = "cc3-ovh";

// Reason of the status's ErrorInfo. "OK", or "status N" if there is no ErrorInfo.
std::string ReasonOf(const grpc::Status& status);
// Whether the status says when to try again.
bool HasRetryInfo(const grpc::Status& status);
// Whether a call failed because its server was killed, or its connection with it.
bool MayTryAgain(const grpc::Status& status);
std::string NewRequestId();
// A call's context for an acting account, with a deadline.
std::unique_ptr<grpc::ClientContext> ActingAs(const std::string& account);

// Three servers, or as many as are asked for, over one database, with three accounts and services
// s0.example, s1.example and so on: kFleetAdmin is admin and billing, kFleetFirst tech.
class Fleet {
 public:
  static constexpr int kServers = 3;

  // `database`: see TestDatabase.
  explicit Fleet(int services, const std::vector<std::string>& flags = {}, int servers = kServers,
                 const std::string& database = "", std::size_t endpoint = 0);
  // Fails the test if a server logged a defect or the report of a sanitizer.
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  static std::string ServiceName(int i);

  ServerProcess& server(int i) { return *servers_[static_cast<std::size_t>(i) % servers_.size()]; }
  std::unique_ptr<v1::ContactService::Stub> Stub(int i) {
    return v1::ContactService::NewStub(server(i).Channel());
  }
  const TestDatabase& database() const { return database_; }
  TestDatabase& database() { return database_; }
  const std::string& directory() const { return directory_.path(); }
  std::string mail_directory() const { return directory_.path() + "/mail"; }
  std::string log() const { return ReadFile(directory_.path() + "/log"); }
  // The token of the validator's first e-mail about the change.
  std::string Token(const std::string& change, const std::string& account) const;
  // The account's address, if a test has changed it.
  void KnowAddress(const std::string& account, const std::string& address) {
    addresses_[account] = address;
  }

  // As kFleetAdmin, asks for the tech role of `service` to go to `to`.
  static grpc::Status Ask(v1::ContactService::Stub& stub, const std::string& service,
                          const std::string& to, const std::string& request_id,
                          v1::ChangeContactsResponse& response);
  grpc::Status Accept(v1::ContactService::Stub& stub, const std::string& account,
                      const std::string& change, const std::string& request_id,
                      v1::AcceptContactChangeResponse& response) const;

  // Waits until the outbox is empty.
  void WaitForMails() const;
  // Fails the test if the database or a log contains a token that was ever derived.
  void ExpectNoTokenAnywhere() const;

 private:
  TestDatabase database_;
  TemporaryDirectory directory_;
  std::vector<std::unique_ptr<ServerProcess>> servers_;
  std::optional<TokenKeys> keys_;
  std::map<std::string, std::string> addresses_;
};

}  // namespace contacts::testing

#endif  // CONTACTS_TESTS_TESTING_FLEET_H_
