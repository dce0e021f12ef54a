// Every field of every unary method and of the import, given every kind of bad value, one at a
// time: each must be refused by its own path. The fields come from the contract's
// descriptors, so that a field added to it fails here until it has bad values.

#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/text_format.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "contacts/v1/contact_service.grpc.pb.h"
#include "contacts/v1/directory_service.grpc.pb.h"
#include "contacts/v1/support_service.grpc.pb.h"
#include "server/messages/validation.h"
#include "server/server.h"
#include "tests/integration/server/input_cases.h"
#include "tests/integration/server/input_spoiler.h"
#include "tests/testing/test_database.h"

namespace contacts::server {
namespace {

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

template <typename Detail>
Detail DetailOf(const grpc::Status& status) {
  google::rpc::Status packed;
  Detail detail;
  packed.ParseFromString(status.error_details());
  for (const auto& any : packed.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  return detail;
}

std::string ReasonOf(const grpc::Status& status) {
  return DetailOf<google::rpc::ErrorInfo>(status).reason();
}

std::vector<std::string> FieldsOf(const grpc::Status& status) {
  std::vector<std::string> fields;
  const auto bad = DetailOf<google::rpc::BadRequest>(status);
  for (const auto& violation : bad.field_violations()) fields.push_back(violation.field());
  return fields;
}

std::string MailDirectory() { return ::testing::TempDir() + "/input_test_mail"; }

Config TestConfig(const DatabaseOptions& database) {
  Config config;
  config.listen = {"127.0.0.1:0"};
  config.database = database;
  config.mail_directory = MailDirectory();
  config.token_keys = *TokenKeys::Parse(TokenKeys::Generate());
  return config;
}

// A whole server, called with bytes that no generated client would send.
class InputTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    google::protobuf::SetLogHandler(nullptr);  // It would log the text that is not UTF-8.
    database_ = new testing::TestDatabase;
    server_ = new Server(TestConfig(database_->options()));
    ASSERT_TRUE(server_->Start().ok());
  }
  static void TearDownTestSuite() {
    delete server_;
    delete database_;
    std::filesystem::remove_all(MailDirectory());
  }

  static std::shared_ptr<grpc::Channel> Connect() {
    return grpc::CreateChannel(server_->addresses().front(), grpc::InsecureChannelCredentials());
  }

  // Calls a method with these bytes. Fills `reply` if the call succeeds.
  grpc::Status CallRaw(const google::protobuf::MethodDescriptor& method, const std::string& bytes,
                       std::string* reply = nullptr) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    context.AddMetadata("contacts-account", "AA1-ovh");
    const bool is_support = method.service()->name() == "SupportService";
    context.AddMetadata("contacts-caller", is_support ? "support" : "operator");
    grpc::CompletionQueue queue;
    grpc::ByteBuffer out;
    grpc::Status status;
    const auto call =
        stub_.PrepareUnaryCall(&context, "/" + method.service()->full_name() + "/" + method.name(),
                               ToBuffer(bytes), &queue);
    call->StartCall();
    call->Finish(&out, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    grpc::Slice slice;
    if (reply != nullptr && out.DumpToSingleSlice(&slice).ok()) {
      reply->assign(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    return status;
  }

  template <typename Response>
  Response Must(const std::string& method, const Message& request) {
    std::string reply;
    const grpc::Status status = CallRaw(*Method(method), request.SerializeAsString(), &reply);
    EXPECT_TRUE(status.ok()) << method << ": " << status.error_message();
    Response response;
    EXPECT_TRUE(response.ParseFromString(reply));
    return response;
  }

  static const google::protobuf::MethodDescriptor* Method(const std::string& name) {
    for (const auto* request :
         {v1::GetProfileRequest::descriptor(), v1::CreateAccountRequest::descriptor(),
          v1::SearchContactChangesRequest::descriptor()}) {
      const auto* method = request->file()->service(0)->FindMethodByName(name);
      if (method != nullptr) return method;
    }
    return static_cast<const google::protobuf::MethodDescriptor*>(nullptr);
  }

  static std::unique_ptr<Message> Parse(const google::protobuf::MethodDescriptor& method,
                                        const std::string& text) {
    auto* factory = google::protobuf::MessageFactory::generated_factory();
    std::unique_ptr<Message> request(factory->GetPrototype(method.input_type())->New());
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, request.get())) << text;
    return request;
  }

  static testing::TestDatabase* database_;
  static Server* server_;
  grpc::GenericStub stub_{Connect()};
};

testing::TestDatabase* InputTest::database_ = nullptr;
Server* InputTest::server_ = nullptr;

TEST_F(InputTest, CoversEveryMethodThatTakesInput) {
  std::set<std::string> covered;
  for (const MethodCase& method : kMethods) covered.insert(method.request);
  for (const MethodCase& record : kImportRecords) covered.insert(record.request);
  for (const Descriptor* request : RequestMessages()) {
    const std::string name(absl::StripSuffix(request->name(), "Request"));
    const auto* method = Method(name);
    ASSERT_NE(method, nullptr) << name;
    if (method->server_streaming() && !method->client_streaming()) continue;
    EXPECT_TRUE(covered.contains(name)) << name;
  }
}

TEST_F(InputTest, NamesEveryBadFieldOfEveryMethod) {
  int attempts = 0;
  for (const MethodCase& row : kMethods) {
    const auto& method = *Method(row.request);
    const std::unique_ptr<Message> good = Parse(method, row.valid);
    EXPECT_NE(ReasonOf(CallRaw(method, good->SerializeAsString())), "INVALID_FIELD") << row.request;
    for (const Attempt& attempt : Spoiler(*good, row.required).Take()) {
      const grpc::Status status = CallRaw(method, attempt.request->SerializeAsString());
      SCOPED_TRACE(absl::StrCat(row.request, " ", attempt.path, " ",
                                absl::CHexEscape(attempt.what.substr(0, 60))));
      EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
      EXPECT_EQ(ReasonOf(status), "INVALID_FIELD");
      EXPECT_THAT(FieldsOf(status), ::testing::ElementsAre(attempt.path));
      ++attempts;
    }
  }
  EXPECT_GT(attempts, 900);
}

TEST_F(InputTest, NamesEveryBadFieldOfEveryImportedRecord) {
  const auto& method = *Method("ImportDirectory");
  std::vector<Attempt> attempts;
  std::set<const FieldDescriptor*> alternatives;
  for (const MethodCase& row : kImportRecords) {
    const std::unique_ptr<Message> good = Parse(method, row.valid);
    const auto* oneof = good->GetDescriptor()->oneof_decl(0);
    alternatives.insert(good->GetReflection()->GetOneofFieldDescriptor(*good, oneof));
    for (Attempt& attempt : Spoiler(*good, row.required).Take()) {
      attempts.push_back(std::move(attempt));
    }
    attempts.push_back({"", "good", std::unique_ptr<Message>(good->New())});
    attempts.back().request->CopyFrom(*good);
  }
  EXPECT_EQ(alternatives.size(), static_cast<std::size_t>(method.input_type()->field_count()));

  grpc::ClientContext context;
  context.AddMetadata("contacts-caller", "operator");
  grpc::CompletionQueue queue;
  const auto wait = [&] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  const auto stream = stub_.PrepareCall(
      &context, "/" + method.service()->full_name() + "/" + method.name(), &queue);
  stream->StartCall(nullptr);
  ASSERT_TRUE(wait());
  for (const Attempt& attempt : attempts) {
    stream->Write(ToBuffer(attempt.request->SerializeAsString()), nullptr);
    ASSERT_TRUE(wait());
  }
  stream->WritesDone(nullptr);
  ASSERT_TRUE(wait());
  std::map<int64_t, v1::ImportRejection> rejections;
  grpc::ByteBuffer bytes;
  for (stream->Read(&bytes, nullptr); wait(); stream->Read(&bytes, nullptr)) {
    grpc::Slice slice;
    v1::ImportDirectoryResponse response;
    ASSERT_TRUE(bytes.DumpToSingleSlice(&slice).ok());
    ASSERT_TRUE(response.ParseFromArray(slice.begin(), static_cast<int>(slice.size())));
    for (const auto& rejection : response.rejections()) rejections[rejection.index()] = rejection;
  }
  grpc::Status status;
  stream->Finish(&status, nullptr);
  wait();
  EXPECT_TRUE(status.ok()) << status.error_message();
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    SCOPED_TRACE(
        absl::StrCat(attempts[i].path, " ", absl::CHexEscape(attempts[i].what.substr(0, 60))));
    const v1::ImportRejection& rejection = rejections[static_cast<int64_t>(i)];
    EXPECT_EQ(rejection.reason(), attempts[i].path.empty() ? "" : "INVALID_FIELD");
    const std::string& message = rejection.message();
    EXPECT_EQ(message.substr(0, message.find(": ")), attempts[i].path) << message;
    EXPECT_EQ(message.find(" more)"), std::string::npos) << message;
  }
  EXPECT_GT(attempts.size(), 300U);
}

TEST_F(InputTest, ListsEveryMalformedFieldAtOnce) {
  v1::ChangeContactsRequest request;
  request.set_request_id("nope");
  for (const char* service : {"a.example", "\xff", "c.example"}) {
    auto* assignment = request.add_assignments();
    assignment->set_service(service);
    assignment->set_role(v1::CONTACT_ROLE_TECH);
    assignment->set_new_contact("bb2-ovh");
  }
  request.mutable_assignments(2)->clear_role();
  const auto status = CallRaw(*Method("ChangeContacts"), request.SerializeAsString());
  EXPECT_THAT(FieldsOf(status), ::testing::UnorderedElementsAre(
                                    "request_id", "assignments[1].service", "assignments[2].role"));
}

TEST_F(InputTest, CountsEveryFieldOfAThousandMalformedAssignments) {
  v1::ChangeContactsRequest request;
  request.set_request_id(kUuid);
  for (int i = 0; i < 1000; ++i) request.add_assignments();
  const auto status = CallRaw(*Method("ChangeContacts"), request.SerializeAsString());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << status.error_message();
  EXPECT_EQ(FieldsOf(status).front(), "assignments[0].service");
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(status).metadata().at("violations"), "3000");
}

TEST_F(InputTest, RefusesTheSameServiceAndRoleTwice) {
  v1::ChangeContactsRequest request;
  request.set_request_id(kUuid);
  for (const char* service : {"a.example", "b.example", "A.Example"}) {
    auto* assignment = request.add_assignments();
    assignment->set_service(service);
    assignment->set_role(v1::CONTACT_ROLE_TECH);
    assignment->set_new_contact("bb2-ovh");
  }
  const auto status = CallRaw(*Method("ChangeContacts"), request.SerializeAsString());
  EXPECT_THAT(FieldsOf(status), ::testing::ElementsAre("assignments[2]"));
}

TEST_F(InputTest, SearchesOfTheSupportDeskNameAnAccountAServiceOrATime) {
  v1::SearchContactChangesRequest request;
  request.add_states(v1::CONTACT_CHANGE_STATE_VALIDATING);
  request.mutable_create_time_before()->set_seconds(1);
  EXPECT_THAT(FieldsOf(CallRaw(*Method("SearchContactChanges"), request.SerializeAsString())),
              ::testing::ElementsAre("account"));
  request.set_service("example.com");
  EXPECT_TRUE(CallRaw(*Method("SearchContactChanges"), request.SerializeAsString()).ok());
}

TEST_F(InputTest, RefusesBytesThatAreNoMessage) {
  for (const std::string bytes : {"\x0a\xff\xff\xff\xff\x0f", "\xff",
                                  "\x0a\x05"
                                  "ab"}) {
    const auto status = CallRaw(*Method("GetService"), bytes);
    EXPECT_EQ(ReasonOf(status), "INVALID_FIELD");
    EXPECT_THAT(FieldsOf(status), ::testing::IsEmpty());
  }
}

TEST_F(InputTest, RepeatsNoTokenInItsErrors) {
  v1::AcceptContactChangeRequest request;
  request.set_contact_change_id(kUuid);
  request.set_token("SECRET-TOKEN\t" + Repeat("SECRET-TOKEN", 50));
  const auto status = CallRaw(*Method("AcceptContactChange"), request.SerializeAsString());
  EXPECT_EQ(ReasonOf(status), "INVALID_FIELD");
  EXPECT_EQ(status.error_details().find("SECRET"), std::string::npos);
  EXPECT_EQ(status.error_message().find("SECRET"), std::string::npos);
}

TEST_F(InputTest, TakesPageTokensOnlyWithTheRequestThatTheyContinue) {
  Must<v1::CreateAccountResponse>(
      "CreateAccount",
      *Parse(*Method("CreateAccount"), "account { id: 'aa1-ovh' email: 'a@example.com' }"));
  for (const char* id : {"p1.example", "p2.example", "p3.example"}) {
    Must<v1::CreateServiceResponse>(
        "CreateService",
        *Parse(*Method("CreateService"), absl::StrCat("service { id: '", id,
                                                      "' kind: 'domain' admin: 'aa1-ovh'"
                                                      " tech: 'aa1-ovh' billing: 'aa1-ovh' }")));
  }
  v1::ListServicesRequest request;
  request.set_page_size(1);
  request.set_id_prefix("P");
  const auto first = Must<v1::ListServicesResponse>("ListServices", request);
  ASSERT_FALSE(first.next_page_token().empty());
  request.set_page_token(first.next_page_token());
  const auto second = Must<v1::ListServicesResponse>("ListServices", request);
  ASSERT_EQ(second.services_size(), 1);
  EXPECT_EQ(second.services(0).id(), "p2.example");

  v1::ListServicesRequest other = request;
  other.set_id_prefix("p2");
  EXPECT_THAT(FieldsOf(CallRaw(*Method("ListServices"), other.SerializeAsString())),
              ::testing::ElementsAre("page_token"));
  v1::ListContactChangesRequest changes;
  changes.set_page_token(first.next_page_token());
  EXPECT_THAT(FieldsOf(CallRaw(*Method("ListContactChanges"), changes.SerializeAsString())),
              ::testing::ElementsAre("page_token"));
}

}  // namespace
}  // namespace contacts::server
