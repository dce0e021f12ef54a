// After a run of everything, no log line, metric or error contains a secret.

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "tests/testing/fleet.h"
#include "tests/testing/http.h"
#include "tests/testing/mail_server.h"

namespace contacts {
namespace {

using ::testing::HasSubstr;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr char kMailPassword[] = "canarypassword";
constexpr char kInput[] = "canaryinput";      // Text that callers put into requests.
constexpr char kSession[] = "canarysession";  // An unexpected bearer token.
constexpr char kStranger[] = "dd4-ovh";

// E-mail addresses that the mail server accepts, refuses, defers.
constexpr char kAdminEmail[] = "accept-canary1@mail.example";
constexpr char kFirstEmail[] = "unknown-canary2@mail.example";
constexpr char kSecondEmail[] = "again-canary3@mail.example";

// Regardless of case.
bool Holds(const std::string& text, const std::string& part) {
  return absl::StrContains(absl::AsciiStrToLower(text), absl::AsciiStrToLower(part));
}

// Puts the canary into every text of `message`, at any depth.
void Fill(Message& message, int depth = 0) {
  const auto& reflection = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      const std::string text =
          absl::StrCat(kInput, absl::StrContains(field.name(), "email") ? "@mail.example" : "");
      field.is_repeated() ? reflection.AddString(&message, &field, text)
                          : reflection.SetString(&message, &field, text);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && depth < 4 &&
               field.message_type()->full_name().find("google.") != 0) {
      Fill(field.is_repeated() ? *reflection.AddMessage(&message, &field)
                               : *reflection.MutableMessage(&message, &field),
           depth + 1);
    }
  }
}

class LeakTest : public ::testing::Test {
 protected:
  LeakTest() {
    Name(kFleetAdmin, kAdminEmail);
    Name(kFleetFirst, kFirstEmail);
    Name(kFleetSecond, kSecondEmail);
    v1::CreateAccountRequest request;
    request.mutable_account()->set_id(kStranger);
    request.mutable_account()->set_email("accept-canary4@mail.example");
    v1::CreateAccountResponse response;
    EXPECT_EQ(ReasonOf(Directory()->CreateAccount(Operator().get(), request, &response)), "OK");
  }

  static std::vector<std::string> Flags(const std::string& directory, int mail, int metrics) {
    std::ofstream(directory + "/password") << kMailPassword << '\n';
    chmod((directory + "/password").c_str(), 0600);
    return {absl::StrCat("--mail=smtp://127.0.0.1:", mail),
            "--mail_tls=none",
            "--mail_user=contacts",
            absl::StrCat("--mail_password_file=", directory, "/password"),
            "--log_level=trace",
            "--slow_call=1us",
            absl::StrCat("--metrics=127.0.0.1:", metrics)};
  }

  static std::unique_ptr<grpc::ClientContext> Operator() {
    auto context = std::make_unique<grpc::ClientContext>();
    context->AddMetadata("contacts-caller", "operator");
    return context;
  }
  std::unique_ptr<v1::DirectoryService::Stub> Directory() {
    return v1::DirectoryService::NewStub(fleet_.server(0).Channel());
  }

  void Name(const char* account, const char* email) {
    v1::UpdateAccountRequest request;
    request.mutable_account()->set_id(account);
    request.mutable_account()->set_email(email);
    request.mutable_update_mask()->add_paths("email");
    v1::UpdateAccountResponse response;
    EXPECT_EQ(ReasonOf(Directory()->UpdateAccount(Operator().get(), request, &response)), "OK");
    fleet_.KnowAddress(account, email);
  }

  // Calls `method`, streaming or not, with one request, and keeps the text of its error.
  void Call(const google::protobuf::MethodDescriptor& method, const Message& request,
            grpc::ClientContext& context) {
    context.AddMetadata("authorization", absl::StrCat("Bearer ", kSession));
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
    const std::string bytes = request.SerializeAsString();
    const grpc::Slice slice(bytes);
    grpc::CompletionQueue queue;
    const auto call = generic_.PrepareUnaryCall(
        &context, absl::StrCat("/", method.service()->full_name(), "/", method.name()),
        grpc::ByteBuffer(&slice, 1), &queue);
    call->StartCall();
    grpc::ByteBuffer response;
    grpc::Status status;
    call->Finish(&response, &status, nullptr);
    void* tag = nullptr;
    bool is_ok = false;
    queue.Next(&tag, &is_ok);
    if (status.ok()) ++answered_;
    absl::StrAppend(&errors_, status.error_message(), status.error_details(), "\n");
  }

  // Calls every method with an empty request, with canaries and with `seeds`' ids, as every caller.
  void CallEverything(const std::string& change) {
    for (const auto* file : {v1::GetProfileRequest::descriptor()->file(),
                             v1::CreateAccountRequest::descriptor()->file()}) {
      const auto& service = *file->service(0);
      for (int i = 0; i < service.method_count(); ++i) {
        const auto& method = *service.method(i);
        for (const bool filled : {false, true}) {
          for (const char* caller : {kFleetAdmin, kStranger, "", "zz9-ovh", "operator"}) {
            const std::unique_ptr<Message> request(
                google::protobuf::MessageFactory::generated_factory()
                    ->GetPrototype(method.input_type())
                    ->New());
            if (filled) Fill(*request);
            if (const auto* id = method.input_type()->FindFieldByName("contact_change_id")) {
              request->GetReflection()->SetString(request.get(), id, change);
            }
            grpc::ClientContext context;
            if (*caller == 'o') {
              context.AddMetadata("contacts-caller", "operator");
            } else if (*caller != '\0') {
              context.AddMetadata("contacts-account", caller);
            }
            Call(method, *request, context);
          }
        }
      }
    }
  }

  std::string AskFor(int service) {
    v1::ChangeContactsResponse response;
    EXPECT_EQ(ReasonOf(Fleet::Ask(*stub_, Fleet::ServiceName(service), kFleetSecond, NewRequestId(),
                                  response)),
              "OK");
    return response.contact_changes_size() == 1 ? response.contact_changes(0).id() : "";
  }

  const TemporaryDirectory directory_;
  const MailServer mail_{{"--user=contacts", absl::StrCat("--password=", kMailPassword)}};
  const int metrics_ = FreePort();
  Fleet fleet_{5, Flags(directory_.path(), mail_.port(), metrics_), 1};
  const std::unique_ptr<v1::ContactService::Stub> stub_ = fleet_.Stub(0);
  grpc::GenericStub generic_{fleet_.server(0).Channel()};
  std::string errors_;
  int answered_ = 0;
};

TEST_F(LeakTest, NothingThatIsToBeKeptIsTold) {
  // A change of each end, and one that stays open.
  const std::string done = AskFor(0);
  v1::AcceptContactChangeResponse accepted;
  for (const char* account : {kFleetAdmin, kFleetSecond}) {
    EXPECT_EQ(ReasonOf(fleet_.Accept(*stub_, account, done, NewRequestId(), accepted)), "OK");
  }
  const std::string refused = AskFor(1);
  v1::RefuseContactChangeRequest refuse;
  refuse.set_contact_change_id(refused);
  refuse.set_token(fleet_.Token(refused, kFleetSecond));
  refuse.set_reason(kInput);
  v1::RefuseContactChangeResponse refuse_response;
  EXPECT_EQ(
      ReasonOf(stub_->RefuseContactChange(ActingAs(kFleetSecond).get(), refuse, &refuse_response)),
      "OK");
  v1::UpdateServiceOwnerRequest owner;
  owner.set_service(Fleet::ServiceName(0));
  owner.mutable_owner()->set_name(kInput);
  owner.mutable_owner()->set_email(absl::StrCat(kInput, "@mail.example"));
  owner.mutable_owner()->set_city(kInput);
  for (const char* path : {"name", "email", "city"}) owner.mutable_update_mask()->add_paths(path);
  v1::UpdateServiceOwnerResponse owner_response;
  EXPECT_EQ(
      ReasonOf(stub_->UpdateServiceOwner(ActingAs(kFleetAdmin).get(), owner, &owner_response)),
      "OK");
  const std::string open = AskFor(2);
  CallEverything(open);
  EXPECT_GT(answered_, 10);

  // E-mails have been accepted, refused and deferred.
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  const auto log_has = [&](const char* text) { return absl::StrContains(fleet_.log(), text); };
  while ((!log_has(" given up after ") || !log_has("450 ") || !log_has(" delivered to ")) &&
         absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(100));
  }
  EXPECT_THAT(fleet_.log(), HasSubstr(" given up after "));
  EXPECT_THAT(fleet_.log(), HasSubstr("450 "));
  EXPECT_THAT(fleet_.log(), HasSubstr(" delivered to "));

  const std::string log = fleet_.log();
  const std::string metrics = absl::StrJoin(Scrape(metrics_), "\n");
  EXPECT_THAT(metrics, HasSubstr("contacts_mails_total"));
  EXPECT_THAT(errors_, HasSubstr("want"));
  std::vector<std::string> kept = {kMailPassword, kSession,     kAdminEmail,
                                   kFirstEmail,   kSecondEmail, "PRIVATE KEY"};
  const std::string uri = fleet_.database().server_uri();
  kept.push_back(uri.substr(uri.find(':', 8) + 1, 16));  // Of the database's password.
  for (const std::string& change : {done, refused, open}) {
    for (const char* account : {kFleetAdmin, kFleetFirst, kFleetSecond}) {
      kept.push_back(fleet_.Token(change, account));
      // Nor without its dashes.
      kept.push_back(absl::StrReplaceAll(kept.back(), {{"-", ""}}));
    }
  }
  for (const std::string& secret : kept) {
    EXPECT_FALSE(Holds(log, secret)) << secret;
    EXPECT_FALSE(Holds(metrics, secret)) << secret;
    EXPECT_FALSE(Holds(errors_, secret)) << secret;
  }
  // A caller's own errors may repeat the text of its request. The log may not.
  EXPECT_FALSE(absl::StrContains(log, kInput))
      << log.substr(log.find(kInput) < 500 ? 0 : log.find(kInput) - 500, 700);
  EXPECT_FALSE(absl::StrContains(metrics, kInput));
  EXPECT_EQ(fleet_.server(0).Terminate(), 0);
  fleet_.ExpectNoTokenAnywhere();
}

}  // namespace
}  // namespace contacts
