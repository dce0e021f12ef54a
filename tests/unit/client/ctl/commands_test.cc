// Runs whole command lines against a server in this process that records what
// arrives and answers as told.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "client/ctl/command_line.h"
#include "client/lib/errors.h"
#include "client/lib/uuid.h"
#include "contacts/v1/contact_service.grpc.pb.h"
#include "contacts/v1/directory_service.grpc.pb.h"
#include "contacts/v1/support_service.grpc.pb.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace contacts::client {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kId[] = "01920000-0000-7000-8000-000000000001";

std::map<std::string, std::string> MetadataOf(const grpc::ServerContext& context) {
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : context.client_metadata()) {
    metadata[std::string(key.data(), key.size())] = std::string(value.data(), value.size());
  }
  return metadata;
}

class FakeContacts : public v1::ContactService::Service {
 public:
  grpc::Status GetProfile(grpc::ServerContext* context, const v1::GetProfileRequest*,
                          v1::GetProfileResponse* response) override {
    metadata = MetadataOf(*context);
    response->mutable_account()->set_email("alice@example.com");
    return status;
  }

  grpc::Status UpdateProfile(grpc::ServerContext*, const v1::UpdateProfileRequest* request,
                             v1::UpdateProfileResponse*) override {
    updates.push_back(*request);
    return status;
  }

  grpc::Status ListServices(grpc::ServerContext*, const v1::ListServicesRequest* request,
                            v1::ListServicesResponse* response) override {
    const bool first = request->page_token().empty();
    response->add_services()->set_id(first ? "one.example" : "two.example");
    if (first) response->set_next_page_token("second");
    return status;
  }

  grpc::Status ChangeContacts(grpc::ServerContext*, const v1::ChangeContactsRequest* request,
                              v1::ChangeContactsResponse*) override {
    changes.push_back(*request);
    return changes.size() <= unavailable_calls ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "")
                                               : status;
  }

  grpc::Status AcceptContactChange(grpc::ServerContext*,
                                   const v1::AcceptContactChangeRequest* request,
                                   v1::AcceptContactChangeResponse*) override {
    accepted.push_back(*request);
    return status;
  }

  grpc::Status ListContactChanges(grpc::ServerContext*,
                                  const v1::ListContactChangesRequest* request,
                                  v1::ListContactChangesResponse*) override {
    lists.push_back(*request);
    return status;
  }

  grpc::Status status;
  std::size_t unavailable_calls = 0;
  std::map<std::string, std::string> metadata;
  std::vector<v1::UpdateProfileRequest> updates;
  std::vector<v1::ChangeContactsRequest> changes;
  std::vector<v1::AcceptContactChangeRequest> accepted;
  std::vector<v1::ListContactChangesRequest> lists;
};

class FakeDirectory : public v1::DirectoryService::Service {
 public:
  grpc::Status CreateService(grpc::ServerContext* context, const v1::CreateServiceRequest* request,
                             v1::CreateServiceResponse* response) override {
    metadata = MetadataOf(*context);
    *response->mutable_service() = request->service();
    return grpc::Status::OK;
  }

  std::map<std::string, std::string> metadata;
};

class FakeSupport : public v1::SupportService::Service {
 public:
  grpc::Status SearchContactChanges(grpc::ServerContext* context,
                                    const v1::SearchContactChangesRequest* request,
                                    v1::SearchContactChangesResponse*) override {
    metadata = MetadataOf(*context);
    search = *request;
    return grpc::Status::OK;
  }
  grpc::Status AbortContactChange(grpc::ServerContext*,
                                  const v1::AbortContactChangeRequest* request,
                                  v1::AbortContactChangeResponse* response) override {
    abort = *request;
    response->mutable_contact_change()->set_abort_reason(request->reason());
    return grpc::Status::OK;
  }
  grpc::Status ListServiceContactHistory(grpc::ServerContext*,
                                         const v1::ListServiceContactHistoryRequest* request,
                                         v1::ListServiceContactHistoryResponse* response) override {
    auto* move = response->add_moves();
    move->set_service(request->service());
    move->set_cause(v1::CONTACT_MOVE_CAUSE_CONTACT_CHANGE);
    move->set_operator_("olga");
    return grpc::Status::OK;
  }

  std::map<std::string, std::string> metadata;
  v1::SearchContactChangesRequest search;
  v1::AbortContactChangeRequest abort;
};

class Commands : public ::testing::Test {
 protected:
  Commands() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&contacts_);
    builder.RegisterService(&directory_);
    builder.RegisterService(&support_);
    server_ = builder.BuildAndStart();
  }

  ~Commands() override { server_->Shutdown(); }

  int Run(std::vector<std::string> arguments, const std::string& default_account = "aa1-ovh") {
    arguments.insert(arguments.begin(), "--server=127.0.0.1:" + std::to_string(port_));
    out_.str("");
    err_.str("");
    std::istringstream in(input_);
    return RunCommandLine(arguments, default_account, Streams{.in = in, .out = out_, .err = err_});
  }

  int port_ = 0;
  FakeContacts contacts_;
  FakeDirectory directory_;
  FakeSupport support_;
  std::unique_ptr<grpc::Server> server_;
  std::string input_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(Commands, SendTheActingAccountAndAFreshCallId) {
  ASSERT_EQ(Run({"profile"}), kDone) << err_.str();
  EXPECT_EQ(contacts_.metadata["contacts-account"], "aa1-ovh");
  EXPECT_EQ(contacts_.metadata.count("contacts-caller"), 0U);
  const std::string call_id = contacts_.metadata["x-request-id"];
  EXPECT_TRUE(IsUuid(call_id)) << call_id;
  ASSERT_EQ(Run({"profile", "--account=bb2-ovh", "--operator"}), kDone);
  EXPECT_EQ(contacts_.metadata["contacts-account"], "bb2-ovh");
  EXPECT_EQ(contacts_.metadata["contacts-caller"], "operator");
  EXPECT_NE(contacts_.metadata["x-request-id"], call_id);
}

TEST_F(Commands, SendTheSessionsTokenAndNoOtherAccount) {
  const std::string path = ::testing::TempDir() + "/session_token";
  std::ofstream(path) << "ab-c_.d.ef\n";
  ASSERT_EQ(Run({"profile", "--token-file=" + path}), kDone) << err_.str();
  EXPECT_EQ(contacts_.metadata["authorization"], "Bearer ab-c_.d.ef");
  EXPECT_EQ(contacts_.metadata.count("contacts-account"), 0U);
  ASSERT_EQ(Run({"profile", "--token_file=" + path, "--account=bb2-ovh"}), kDone);
  EXPECT_EQ(contacts_.metadata["contacts-account"], "bb2-ovh");
  for (const char* wrong : {"", " \n", "ab cd", "ab\ncd", "caf\u00e9"}) {
    std::ofstream(path) << wrong;
    EXPECT_EQ(Run({"profile", "--token-file=" + path}), kUsage);
    EXPECT_THAT(err_.str(), AllOf(HasSubstr("holds a token"), Not(HasSubstr("ab"))));
  }
  EXPECT_EQ(Run({"profile", "--token-file=/nowhere"}), kUsage);
  ASSERT_EQ(Run({"profile"}), kDone);
  EXPECT_EQ(contacts_.metadata.count("authorization"), 0U);
  std::filesystem::remove(path);
}

TEST_F(Commands, OfOperatorsActForNobodyByDefault) {
  ASSERT_EQ(Run({"operator", "create-service", "a.example", "--kind=domain", "--admin=aa1-ovh",
                 "--tech=aa1-ovh", "--billing=aa1-ovh", "--owner-name=Alice"}),
            kDone)
      << err_.str();
  EXPECT_EQ(directory_.metadata["contacts-caller"], "operator");
  EXPECT_EQ(directory_.metadata.count("contacts-account"), 0U);
  EXPECT_THAT(out_.str(), HasSubstr("Alice"));
}

TEST_F(Commands, OfTheSupportDeskActForNobody) {
  ASSERT_EQ(Run({"support", "search", "--service=a.example", "--state=validating",
                 "--from=2026-06-01T00:00:00Z"}),
            kDone)
      << err_.str();
  EXPECT_EQ(support_.metadata["contacts-caller"], "support");
  EXPECT_EQ(support_.metadata.count("contacts-account"), 0U);
  EXPECT_EQ(support_.search.service(), "a.example");
  EXPECT_EQ(support_.search.create_time_from().seconds(), 1780272000);
  EXPECT_EQ(Run({"support", "search", "--from=yesterday"}), kUsage);
  ASSERT_EQ(Run({"support", "abort", kId, "--reason=disputed"}), kDone) << err_.str();
  EXPECT_TRUE(IsUuid(support_.abort.request_id()));
  EXPECT_THAT(out_.str(), HasSubstr("disputed"));
  ASSERT_EQ(Run({"support", "history", "a.example"}), kDone) << err_.str();
  EXPECT_THAT(out_.str(),
              AllOf(HasSubstr("a.example"), HasSubstr("contact change"), HasSubstr("olga")));
}

TEST_F(Commands, PrintJsonWithTheContractsNames) {
  ASSERT_EQ(Run({"profile", "--output=json"}), kDone);
  const auto account = nlohmann::json::parse(out_.str()).at("account");
  EXPECT_EQ(account.at("email"), "alice@example.com");
  EXPECT_EQ(account.at("billing_standing"), "BILLING_STANDING_UNSPECIFIED");
}

TEST_F(Commands, ListOnePageAndTellOfMore) {
  ASSERT_EQ(Run({"services"}), kDone);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("one.example"), Not(HasSubstr("two.example")),
                                HasSubstr("--page-token=second")));
}

TEST_F(Commands, ListAllPagesAsOneDocument) {
  ASSERT_EQ(Run({"services", "--all", "--output=json"}), kDone);
  const auto list = nlohmann::json::parse(out_.str());
  EXPECT_EQ(list.at("services").size(), 2U);
  EXPECT_EQ(list.at("next_page_token"), "");
}

TEST_F(Commands, AskForEachServiceAndRole) {
  input_ = "d.example admin dd4-ovh\n";
  ASSERT_EQ(Run({"change", "--service=a.example,b.example", "--role=admin", "--role=tech",
                 "--to=bb2-ovh", "--assign=c.example:billing=cc3-ovh", "--from-file=-"}),
            kDone)
      << err_.str();
  ASSERT_EQ(contacts_.changes.size(), 1U);
  const v1::ChangeContactsRequest& request = contacts_.changes[0];
  EXPECT_TRUE(IsUuid(request.request_id()));
  ASSERT_EQ(request.assignments_size(), 6);
  EXPECT_EQ(request.assignments(3).service(), "b.example");
  EXPECT_EQ(request.assignments(3).role(), v1::CONTACT_ROLE_TECH);
  EXPECT_EQ(request.assignments(4).new_contact(), "cc3-ovh");
  EXPECT_EQ(request.assignments(5).service(), "d.example");
}

TEST_F(Commands, RepeatWithTheSameRequestId) {
  contacts_.unavailable_calls = 2;
  ASSERT_EQ(Run({"change", "--assign=a.example:tech=bb2-ovh"}), kDone) << err_.str();
  ASSERT_EQ(contacts_.changes.size(), 3U);
  EXPECT_EQ(contacts_.changes[0].request_id(), contacts_.changes[2].request_id());
}

TEST_F(Commands, TakeAGivenRequestId) {
  ASSERT_EQ(Run({"change", "--assign=a.example:tech=bb2-ovh", "--request-id", kId}), kDone);
  EXPECT_EQ(contacts_.changes[0].request_id(), kId);
}

TEST_F(Commands, WithoutRequestIdAreNotRepeated) {
  contacts_.status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "");
  EXPECT_EQ(Run({"profile", "update", "--language=fr"}), kTryAgainLater);
  EXPECT_EQ(contacts_.updates.size(), 1U);
}

TEST_F(Commands, UpdateOnlyWhatIsGivenEvenIfEmpty) {
  ASSERT_EQ(Run({"profile", "update", "--email=", "--etag=e1"}), kDone) << err_.str();
  const v1::UpdateProfileRequest& request = contacts_.updates.at(0);
  EXPECT_THAT(request.update_mask().paths(), ::testing::ElementsAre("email"));
  EXPECT_EQ(request.account().email(), "");
  EXPECT_EQ(request.account().etag(), "e1");
}

TEST_F(Commands, FilterChangesByTheContractsWords) {
  ASSERT_EQ(Run({"changes", "--state=done,expired", "--involvement=awaiting"}), kDone);
  const v1::ListContactChangesRequest& request = contacts_.lists.at(0);
  EXPECT_EQ(request.states_size(), 2);
  EXPECT_EQ(request.states(1), v1::CONTACT_CHANGE_STATE_EXPIRED);
  EXPECT_EQ(request.involvement(), v1::INVOLVEMENT_AWAITING_MY_VALIDATION);
}

TEST_F(Commands, AcceptByPastedLink) {
  ASSERT_EQ(Run({"accept", std::string("https://h/") + kId + "?token=ab%20c&answer=accept"}), kDone)
      << err_.str();
  EXPECT_EQ(contacts_.accepted.at(0).contact_change_id(), kId);
  EXPECT_EQ(contacts_.accepted.at(0).token(), "abc");
  EXPECT_TRUE(IsUuid(contacts_.accepted.at(0).request_id()));
}

TEST_F(Commands, SendNothingForTheLinkOfTheOtherAnswer) {
  EXPECT_EQ(Run({"accept", std::string("https://h/") + kId + "?token=SECRET&answer=refuse"}),
            kUsage);
  EXPECT_THAT(contacts_.accepted, IsEmpty());
  EXPECT_THAT(err_.str(), Not(HasSubstr("SECRET")));
}

TEST_F(Commands, NeverPrintATokenWhateverIsWrong) {
  contacts_.status = grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "");
  const std::vector<std::vector<std::string>> command_lines = {
      {"accept", kId, "SECRET"},
      {"accept", kId, "SECRET", "--output=json"},
      {"accept", kId, "SECRET", "--token=SECRET"},
      {"accept", "SECRET", kId},
      {"accept", kId, "ABC", "-SECRET"},
      {"refuse", kId, "ABC", "--SECRET"},
      {"show", kId, "-SECRET"},
      {"show", "SECRET"},
      {"show", kId, "SECRET"},
      {"cancel", kId, "SECRET"},
      {"resend", kId, "--token=SECRET"},
  };
  for (const auto& arguments : command_lines) {
    EXPECT_NE(Run(arguments), kDone);
    EXPECT_THAT(out_.str() + err_.str(), Not(HasSubstr("SECRET")));
  }
}

TEST_F(Commands, ReceiveAThousandViolations) {
  google::rpc::BadRequest bad_request;
  for (int i = 0; i < 1000; ++i) {
    auto* violation = bad_request.add_field_violations();
    violation->set_field("assignments[" + std::to_string(i) + "].service");
    violation->set_description(std::string(200, 'x'));
  }
  google::rpc::Status details;
  details.add_details()->PackFrom(bad_request);
  contacts_.status =
      grpc::Status(grpc::StatusCode::NOT_FOUND, "wrong", details.SerializeAsString());
  EXPECT_EQ(Run({"change", "--assign=a.example:tech=bb2-ovh", "--output=json"}), kNotFound);
  const auto error = nlohmann::json::parse(err_.str()).at("error");
  EXPECT_EQ(error.at("field_violations").size(), 1000U);
}

TEST_F(Commands, RefuseAWrongCommandLineBeforeAnyCall) {
  const std::vector<std::vector<std::string>> command_lines = {
      {},
      {"nothing"},
      {"profile", "update"},
      {"change"},
      {"change", "--service=a.example", "--to=bb2-ovh"},
      {"change", "--assign=a.example:boss=bb2-ovh"},
      {"change", "--from-file=/does/not/exist"},
      {"services", "--role=boss"},
      {"changes", "--involvement=none"},
      {"profile", "--timeout=0s"},
      {"profile", "--timeout=30"},
      {"profile", "--page-size=many"},
      {"profile", "--output=xml"},
      {"profile", "--request-id=7"},
      {"profile", "--account=a b"},
      {"profile", "update", "--email=\xff"},
      {"operator"},
      {"operator", "override", "--assign=a.example:tech=bb2-ovh"},
  };
  for (const auto& arguments : command_lines) {
    EXPECT_EQ(Run(arguments), kUsage) << ::testing::PrintToString(arguments);
    EXPECT_THAT(err_.str(), HasSubstr("contactctl: "));
  }
  EXPECT_EQ(Run({"profile"}, "a\nb"), kUsage);
  EXPECT_EQ(Run({"--output=json", "nothing"}), kUsage);
  EXPECT_EQ(nlohmann::json::parse(err_.str()).at("error").at("exit_status"), 2);
}

TEST_F(Commands, ThatDoNotExistAreNamedWithTheNearestOne) {
  EXPECT_EQ(Run({"chnage"}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("no command \"chnage\"; the nearest is \"change\""));
  EXPECT_EQ(Run({"operator", "create-acount"}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("the nearest is \"operator create-account\""));
  EXPECT_EQ(Run({"SCMFS-1"}), kUsage);
  EXPECT_THAT(err_.str(), Not(HasSubstr("SCMFS")));
}

TEST_F(Commands, CallNoServerButOneThatIsNamedWhole) {
  for (const char* server : {"127.0.0.1:39533x", "127.0.0.1", "127.0.0.1:", ":50051", "h:0",
                             "h:65536", "h:-1", "h: 1", "::1:50051"}) {
    EXPECT_EQ(Run({"profile", std::string("--server=") + server}), kUsage) << server;
    EXPECT_THAT(err_.str(), HasSubstr("want HOST:PORT")) << server;
  }
}

// A variable of the environment, for as long as this lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
  }
  ~Variable() { ::unsetenv(name_); }  // NOLINT(concurrency-mt-unsafe)
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

TEST_F(Commands, TakeGlobalOptionsFromTheEnvironment) {
  const Variable output("CONTACTS_OUTPUT", "json");
  const Variable is_operator("CONTACTS_OPERATOR", "true");
  const Variable empty("CONTACTS_TIMEOUT", "");
  // The command line overrides it.
  const Variable server("CONTACTS_SERVER", "nowhere:1");
  ASSERT_EQ(Run({"profile"}), kDone) << err_.str();
  EXPECT_EQ(nlohmann::json::parse(out_.str()).at("account").at("email"), "alice@example.com");
  EXPECT_EQ(contacts_.metadata["contacts-caller"], "operator");
  EXPECT_EQ(Run({"nothing"}), kUsage);
  EXPECT_EQ(nlohmann::json::parse(err_.str()).at("error").at("code"), "USAGE");
  ASSERT_EQ(Run({"profile", "--output=table"}), kDone);
  EXPECT_THAT(out_.str(), HasSubstr("E-mail  alice@example.com"));
}

TEST_F(Commands, CallTheServerOfTheEnvironment) {
  const Variable server("CONTACTS_SERVER", "127.0.0.1:" + std::to_string(port_));
  std::istringstream in;
  EXPECT_EQ(RunCommandLine({"profile"}, "aa1-ovh", {.in = in, .out = out_, .err = err_}), kDone)
      << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("alice@example.com"));
}

TEST_F(Commands, NameTheVariableWhoseValueIsWrong) {
  const Variable timeout("CONTACTS_TIMEOUT", "30");
  EXPECT_EQ(Run({"profile"}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("contactctl: CONTACTS_TIMEOUT: \"30\"; want a number"));
  EXPECT_EQ(Run({"profile", "--timeout=60"}), kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("contactctl: --timeout: \"60\"; want a number"));
}

TEST_F(Commands, PrintTheVersion) {
  ASSERT_EQ(Run({"--version"}), kDone);
  EXPECT_THAT(out_.str(), ::testing::MatchesRegex("contactctl [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(Commands, ShowTheirExampleInHelp) {
  const std::vector<std::vector<std::string>> commands = {
      {"profile"},
      {"profile", "update"},
      {"services"},
      {"service"},
      {"owner", "update"},
      {"change"},
      {"changes"},
      {"show"},
      {"history"},
      {"accept"},
      {"refuse"},
      {"resend"},
      {"cancel"},
      {"watch"},
      {"import"},
      {"export"},
      {"health"},
      {"completion"},
      {"operator", "create-account"},
      {"operator", "account"},
      {"operator", "update-account"},
      {"operator", "create-service"},
      {"operator", "service"},
      {"operator", "delete-service"},
      {"operator", "override"},
      {"service-history"},
      {"support", "search"},
      {"support", "show"},
      {"support", "resend"},
      {"support", "abort"},
      {"support", "history"},
      {"support", "overrides"},
  };
  for (std::vector<std::string> command : commands) {
    std::string example = "Example:\n  contactctl";
    for (const std::string& word : command) example += " " + word;
    command.emplace_back("--help");
    EXPECT_EQ(Run(command), kDone);
    EXPECT_THAT(out_.str(), HasSubstr(example));
  }
}

}  // namespace
}  // namespace contacts::client
