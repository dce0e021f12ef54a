// What operators, their tools and the support desk see of a server: probes, checks, reflection,
// systemd's messages.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "contacts/v1/contact_service.grpc.pb.h"
#include "contacts/v1/directory_service.grpc.pb.h"
#include "contacts/v1/support_service.grpc.pb.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "tests/testing/certificates.h"
#include "tests/testing/fleet.h"
#include "tests/testing/proxy.h"
#include "tests/testing/server_process.h"
#include "tests/testing/test_database.h"

namespace contacts {
namespace {

using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using ReflectionRequest = grpc::reflection::v1::ServerReflectionRequest;
using ReflectionResponse = grpc::reflection::v1::ServerReflectionResponse;

void Write(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  chmod(path.c_str(), 0600);
}

class OperationsTest : public ::testing::Test {
 protected:
  // Runs contactsd to its end in the test's folder. Returns its exit status.
  int Run(const std::string& arguments) {
    const std::string command =
        absl::StrCat("cd ", directory_.path(), " && ", std::getenv("CONTACTS_TEST_BIN_DIR"),
                     "/server/contactsd ", arguments, " >out 2>&1");
    // NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): the program under test.
    const int status = std::system(command.c_str());
    out_ = ReadFile(directory_.path() + "/out");
    return WEXITSTATUS(status);
  }
  std::string Path(const std::string& name) const { return directory_.path() + "/" + name; }

  TestDatabase database_;
  TemporaryDirectory directory_;
  std::string out_;
};

TEST_F(OperationsTest, ProbesTellReadinessAndLivenessApart) {
  std::optional<Proxy> proxy(database_.options().endpoints.front().port);
  DatabaseOptions options = database_.options();
  const std::string uri = absl::StrCat("mysql://", options.user, ":", options.password,
                                       "@127.0.0.1:", proxy->port(), "/", options.database);
  ServerProcess server(uri, directory_.path(), {"--health_interval=100ms"});
  server.Start();
  const std::string at = absl::StrCat("--listen=", server.address());
  EXPECT_EQ(Run("--probe " + at), 0) << out_;
  EXPECT_EQ(Run("--probe=readiness " + at), 0) << out_;
  EXPECT_EQ(Run("--probe=liveness " + at), 0) << out_;
  EXPECT_EQ(Run("--probe=other " + at), 2);
  proxy.reset();
  int ready = 0;
  for (int i = 0; i < 100 && ready == 0; ++i) ready = Run("--probe " + at);
  EXPECT_EQ(ready, 1);
  EXPECT_THAT(out_, HasSubstr("NOT_SERVING"));
  EXPECT_EQ(Run("--probe=liveness " + at), 0) << out_;
  server.Kill();
  EXPECT_EQ(Run("--probe=liveness " + at), 1);
}

TEST_F(OperationsTest, ProbesReachAServerThatWantsCertificates) {
  const CertificateAuthority authority("ours");
  const auto own = authority.Issue("DNS:localhost");
  Write(Path("ca.pem"), authority.certificate());
  Write(Path("cert.pem"), own.certificate);
  Write(Path("key.pem"), own.key);
  Write(Path("policy.json"), R"({"callers": []})");
  ASSERT_EQ(Run("--make_token_key"), 0);
  Write(Path("token-keys"), out_);
  const std::string tls = "--tls_cert=cert.pem --tls_key=key.pem --tls_client_ca=ca.pem";
  ServerProcess server(
      database_.server_uri(), directory_.path(),
      {"--auth=mtls", "--tls_cert=cert.pem", "--tls_key=key.pem", "--tls_client_ca=ca.pem",
       "--policy_file=policy.json", "--token_keys_file=token-keys"});
  server.Start();
  const std::string at = absl::StrCat(" --listen=", server.address());
  EXPECT_EQ(Run("--probe " + tls + at), 0) << out_;
  EXPECT_EQ(Run("--probe" + at), 1) << "without TLS";
  EXPECT_EQ(Run("--probe --tls_cert=cert.pem --tls_key=key.pem" + at), 1) << "no certificate shown";
}

TEST_F(OperationsTest, ChecksWhatServingNeeds) {
  const std::string flags =
      absl::StrCat(" --auth=development --mail=maildir:m --mysql=", database_.server_uri());
  EXPECT_EQ(Run("--check" + flags), 0) << out_;
  EXPECT_THAT(out_, HasSubstr("are right"));
  EXPECT_EQ(Run("--check --workers=0" + flags), 2);
  EXPECT_THAT(out_, HasSubstr("--workers"));
  EXPECT_FALSE(std::filesystem::exists(Path("contacts-token-keys"))) << "a check writes nothing";
  database_.Execute("DELETE FROM schema_version");
  EXPECT_EQ(Run("--check --migrate" + flags), 1);
  EXPECT_EQ(Run("--check --migrate_only" + flags), 1);
  EXPECT_EQ(database_.Count("SELECT COUNT(*) FROM schema_version"), 0);
  EXPECT_EQ(Run("--check" + flags), 1);
  EXPECT_THAT(out_, HasSubstr("--migrate_only"));
}

TEST_F(OperationsTest, TellsItsVersion) {
  EXPECT_EQ(Run("--version"), 0);
  EXPECT_THAT(out_, ::testing::MatchesRegex("contactsd [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(OperationsTest, HidesThePasswordFromTheProcessList) {
  ServerProcess server(database_.server_uri(), directory_.path());
  server.Start();
  EXPECT_THAT(server.CommandLine(), HasSubstr("--mysql=mysql://"));
  EXPECT_THAT(server.CommandLine(), Not(HasSubstr(database_.options().password)));
}

TEST_F(OperationsTest, TellsSystemdWhenItServesAndStops) {
  const int listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = Path("notify");
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ServerProcess server(database_.server_uri(), directory_.path(), {},
                       {absl::StrCat("NOTIFY_SOCKET=", path)});
  const auto told = [&] {
    char text[64];
    const ssize_t size = recv(listener, text, sizeof(text), 0);
    return std::string(text, size < 0 ? 0 : static_cast<std::size_t>(size));
  };
  server.Start();
  EXPECT_EQ(told(), "READY=1");
  EXPECT_EQ(server.Terminate(), 0);
  EXPECT_EQ(told(), "STOPPING=1");
  close(listener);
}

// Asks all of `requests` on one stream.
std::vector<ReflectionResponse> Reflect(const std::shared_ptr<grpc::Channel>& channel,
                                        const std::string& version,
                                        const std::vector<ReflectionRequest>& requests,
                                        grpc::Status& status) {
  // The messages of both versions are the same but for their package.
  const std::string name =
      absl::StrCat("/grpc.reflection.", version, ".ServerReflection/ServerReflectionInfo");
  const grpc::internal::RpcMethod method(name.c_str(), grpc::internal::RpcMethod::BIDI_STREAMING,
                                         channel);
  grpc::ClientContext context;
  const std::unique_ptr<grpc::ClientReaderWriter<ReflectionRequest, ReflectionResponse>> stream(
      grpc::internal::ClientReaderWriterFactory<ReflectionRequest, ReflectionResponse>::Create(
          channel.get(), method, &context));
  std::vector<ReflectionResponse> responses;
  for (const auto& request : requests) {
    ReflectionResponse response;
    if (!stream->Write(request) || !stream->Read(&response)) break;
    responses.push_back(response);
  }
  stream->WritesDone();
  status = stream->Finish();
  return responses;
}

TEST_F(OperationsTest, ReflectionEndsAStreamOfALongRequest) {
  ServerProcess server(database_.server_uri(), directory_.path());
  server.Start();
  ReflectionRequest request;
  request.set_file_by_filename(std::string(1025, 'x'));
  for (const char* version : {"v1", "v1alpha"}) {
    grpc::Status status;
    EXPECT_TRUE(Reflect(server.Channel(), version, {request}, status).empty());
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << version;
  }
}

TEST_F(OperationsTest, ReflectionDescribesAllThatItListsInBothVersions) {
  ServerProcess server(database_.server_uri(), directory_.path());
  server.Start();
  for (const char* version : {"v1", "v1alpha"}) {
    SCOPED_TRACE(version);
    grpc::Status status;
    ReflectionRequest list;
    list.set_list_services("*");
    const auto listed = Reflect(server.Channel(), version, {list}, status);
    ASSERT_TRUE(status.ok()) << status.error_message();
    ASSERT_EQ(listed.size(), 1);
    std::set<std::string> names;
    for (const auto& service : listed[0].list_services_response().service()) {
      names.insert(service.name());
    }
    EXPECT_THAT(names,
                IsSupersetOf({"contacts.v1.ContactService", "contacts.v1.DirectoryService",
                              "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"}));
    // Error details, which come as google.protobuf.Any.
    names.insert({"google.rpc.ErrorInfo", "google.rpc.BadRequest", "google.rpc.RetryInfo"});
    std::vector<ReflectionRequest> requests;
    for (const std::string& name : names) {
      requests.emplace_back().set_file_containing_symbol(name);
    }
    requests.emplace_back().set_file_by_filename("contacts/v1/contacts.proto");
    const auto described = Reflect(server.Channel(), version, requests, status);
    ASSERT_EQ(described.size(), requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      EXPECT_GT(described[i].file_descriptor_response().file_descriptor_proto_size(), 0)
          << requests[i].ShortDebugString() << described[i].error_response().error_message();
    }
    ReflectionRequest unknown;
    unknown.set_file_containing_symbol("contacts.v1.Nothing");
    EXPECT_EQ(
        Reflect(server.Channel(), version, {unknown}, status).at(0).error_response().error_code(),
        static_cast<int>(grpc::StatusCode::NOT_FOUND));
  }
}

TEST_F(OperationsTest, ReflectionCanBeTurnedOff) {
  ServerProcess server(database_.server_uri(), directory_.path(), {"--reflection=off"});
  server.Start();
  for (const char* version : {"v1", "v1alpha"}) {
    grpc::Status status;
    ReflectionRequest list;
    list.set_list_services("*");
    EXPECT_TRUE(Reflect(server.Channel(), version, {list}, status).empty());
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << version;
  }
}

// Who may call the support desk's methods, and what it leaves behind.
class SupportTest : public OperationsTest {
 protected:
  SupportTest() {
    const auto own = authority_.Issue("DNS:localhost");
    Write(Path("ca.pem"), authority_.certificate());
    Write(Path("cert.pem"), own.certificate);
    Write(Path("key.pem"), own.key);
    Write(Path("policy.json"), R"({"callers": [
      {"name": "shop", "dns": "shop.example", "may": ["front_end"]},
      {"name": "sync", "dns": "sync.example", "may": ["operator"]},
      {"name": "claire", "dns": "claire.example", "may": ["support"]}]})");
    EXPECT_EQ(Run("--make_token_key"), 0);
    Write(Path("token-keys"), out_);
    server_.emplace(
        database_.server_uri(), directory_.path(),
        std::vector<std::string>{"--auth=mtls", "--tls_cert=cert.pem", "--tls_key=key.pem",
                                 "--tls_client_ca=ca.pem", "--policy_file=policy.json",
                                 "--token_keys_file=token-keys"});
    server_->Start();
  }

  std::shared_ptr<grpc::Channel> As(const std::string& name) const {
    const auto own = authority_.Issue(absl::StrCat("DNS:", name, ".example"));
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = authority_.certificate();
    options.pem_private_key = own.key;
    options.pem_cert_chain = own.certificate;
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride("localhost");
    return grpc::CreateCustomChannel(server_->address(), grpc::SslCredentials(options), arguments);
  }

  // Makes a call and returns "OK" or its reason.
  template <typename Stub, typename Request, typename Response>
  static std::string Call(const std::unique_ptr<Stub>& stub,
                          grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                       Response*),
                          const Request& request, Response& response,
                          const std::string& account = "") {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    if (!account.empty()) context.AddMetadata("contacts-account", account);
    return ReasonOf((stub.get()->*method)(&context, request, &response));
  }

  const CertificateAuthority authority_{"ours"};
  std::optional<ServerProcess> server_;
};

TEST_F(SupportTest, CallsAreForTheDeskAloneAndLoggedWithTheCallersName) {
  const auto directory = v1::DirectoryService::NewStub(As("sync"));
  const auto shop = v1::ContactService::NewStub(As("shop"));
  const auto desk = v1::SupportService::NewStub(As("claire"));
  using Directory = v1::DirectoryService::Stub;
  using Contacts = v1::ContactService::Stub;
  using Support = v1::SupportService::Stub;
  for (const char* account : {"aa1-ovh", "dd4-ovh"}) {
    v1::CreateAccountRequest request;
    v1::CreateAccountResponse response;
    request.mutable_account()->set_id(account);
    request.mutable_account()->set_email(absl::StrCat("jane.", account, "@mail.example"));
    ASSERT_EQ(Call(directory, &Directory::CreateAccount, request, response), "OK");
  }
  v1::CreateServiceRequest service;
  v1::CreateServiceResponse registered;
  service.mutable_service()->set_id("example.com");
  service.mutable_service()->set_kind("domain");
  service.mutable_service()->set_admin("aa1-ovh");
  service.mutable_service()->set_tech("aa1-ovh");
  service.mutable_service()->set_billing("aa1-ovh");
  ASSERT_EQ(Call(directory, &Directory::CreateService, service, registered), "OK");
  v1::ChangeContactsRequest ask;
  v1::ChangeContactsResponse asked;
  ask.set_request_id("01890a5d-ac96-774b-bcce-b302099a8057");
  auto* assignment = ask.add_assignments();
  assignment->set_service("example.com");
  assignment->set_role(v1::CONTACT_ROLE_TECH);
  assignment->set_new_contact("dd4-ovh");
  ASSERT_EQ(Call(shop, &Contacts::ChangeContacts, ask, asked, "aa1-ovh"), "OK");
  const std::string id = asked.contact_changes(0).id();

  // Neither a front end nor an operator is of the desk, and the desk is neither of them.
  v1::LookupContactChangeRequest lookup;
  v1::LookupContactChangeResponse found;
  lookup.set_contact_change_id(id);
  for (const char* other : {"shop", "sync"}) {
    EXPECT_EQ(
        Call(v1::SupportService::NewStub(As(other)), &Support::LookupContactChange, lookup, found),
        "CALLER_NOT_ALLOWED");
  }
  v1::GetAccountRequest account;
  v1::GetAccountResponse profile;
  account.set_account("dd4-ovh");
  EXPECT_EQ(
      Call(v1::DirectoryService::NewStub(As("claire")), &Directory::GetAccount, account, profile),
      "CALLER_NOT_ALLOWED");
  v1::GetProfileResponse own;
  EXPECT_EQ(Call(v1::ContactService::NewStub(As("claire")), &Contacts::GetProfile,
                 v1::GetProfileRequest(), own, "dd4-ovh"),
            "CALLER_NOT_ALLOWED");

  v1::AbortContactChangeRequest abort;
  v1::AbortContactChangeResponse aborted;
  abort.set_contact_change_id(id);
  abort.set_reason("the domain is disputed");
  ASSERT_EQ(Call(desk, &Support::AbortContactChange, abort, aborted), "OK");
  EXPECT_EQ(aborted.contact_change().abort_reason(), "the domain is disputed");
  ASSERT_EQ(Call(desk, &Support::LookupContactChange, lookup, found), "OK");
  EXPECT_EQ(found.events().rbegin()->staff(), "claire");
  EXPECT_THAT(found.SerializeAsString(), Not(HasSubstr("jane.")));  // No whole address.
  v1::ListContactChangeEventsRequest list;
  v1::ListContactChangeEventsResponse events;
  list.set_contact_change_id(id);
  ASSERT_EQ(Call(shop, &Contacts::ListContactChangeEvents, list, events, "dd4-ovh"), "OK");
  EXPECT_TRUE(events.events().rbegin()->by_staff());
  EXPECT_THAT(events.SerializeAsString(), Not(HasSubstr("claire")));

  EXPECT_EQ(server_->Terminate(), 0);
  int logged = 0;
  for (const auto line : absl::StrSplit(ReadFile(Path("log")), '\n')) {
    if (!absl::StrContains(line, "SupportService/")) continue;
    const bool allowed = !absl::StrContains(line, "CALLER_NOT_ALLOWED");
    EXPECT_EQ(absl::StrContains(line, "mTLS:claire"), allowed) << line;
    ++logged;
  }
  EXPECT_EQ(logged, 4);
}

}  // namespace
}  // namespace contacts
