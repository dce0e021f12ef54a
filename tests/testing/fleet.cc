#include "tests/testing/fleet.h"

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace contacts::testing {

using v1::ContactService;

std::string ReasonOf(const grpc::Status& status) {
  if (status.ok()) return "OK";
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (details.ParseFromString(status.error_details())) {
    for (const auto& any : details.details()) {
      if (any.UnpackTo(&info)) return info.reason();
    }
  }
  return absl::StrCat("status ", static_cast<int>(status.error_code()));
}

bool HasRetryInfo(const grpc::Status& status) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return false;
  return std::any_of(details.details().begin(), details.details().end(),
                     [](const auto& any) { return any.template Is<google::rpc::RetryInfo>(); });
}

bool MayTryAgain(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE ||
         status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED ||
         status.error_code() == grpc::StatusCode::CANCELLED;
}

std::string NewRequestId() { return Uuid::Version4().text(); }

std::unique_ptr<grpc::ClientContext> ActingAs(const std::string& account) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->AddMetadata("contacts-account", account);
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  return context;
}

Fleet::Fleet(int services, const std::vector<std::string>& flags, int servers,
             const std::string& database, std::size_t endpoint)
    : database_(database, endpoint) {
  for (int i = 0; i < servers; ++i) {
    servers_.push_back(
        std::make_unique<ServerProcess>(database_.server_uri(), directory_.path(), flags));
    servers_.back()->Start();
  }
  v1::DirectoryService::Stub stub(servers_[0]->Channel());
  for (const char* id : {kFleetAdmin, kFleetFirst, kFleetSecond}) {
    v1::CreateAccountRequest request;
    request.mutable_account()->set_id(id);
    request.mutable_account()->set_email(absl::StrCat(id, "@mail.example"));
    v1::CreateAccountResponse response;
    grpc::ClientContext context;
    context.AddMetadata("contacts-caller", "operator");
    EXPECT_EQ(ReasonOf(stub.CreateAccount(&context, request, &response)), "OK");
  }
  for (int i = 0; i < services; ++i) {
    v1::CreateServiceRequest request;
    v1::Service& service = *request.mutable_service();
    service.set_id(ServiceName(i));
    service.set_kind("domain");
    service.set_admin(kFleetAdmin);
    service.set_tech(kFleetFirst);
    service.set_billing(kFleetAdmin);
    v1::CreateServiceResponse response;
    grpc::ClientContext context;
    context.AddMetadata("contacts-caller", "operator");
    EXPECT_EQ(ReasonOf(stub.CreateService(&context, request, &response)), "OK");
  }
  keys_.emplace(*TokenKeys::Parse(ReadFile(directory_.path() + "/contacts-token-keys")));
  // As the servers have it from the environment.
  const char* binding = std::getenv("CONTACTS_TOKEN_BINDING");
  if (binding != nullptr && std::string(binding) == "none") keys_->UnbindNewTokens();
}

Fleet::~Fleet() {
  servers_.clear();
  const std::string text = log();
  const std::size_t report = text.find("Sanitizer");
  EXPECT_EQ(report, std::string::npos) << text.substr(std::min(report, text.size()), 8000);
  // A caller was given INTERNAL: the log has the defect.
  const std::size_t incident = text.find("incident");
  EXPECT_EQ(incident, std::string::npos) << text.substr(std::min(incident, text.size()), 500);
}

std::string Fleet::ServiceName(int i) { return absl::StrCat("s", i, ".example"); }

std::string Fleet::Token(const std::string& change, const std::string& account) const {
  const auto set = addresses_.find(account);
  const std::string address =
      set == addresses_.end() ? absl::StrCat(account, "@mail.example") : set->second;
  return *keys_->Derive(keys_->active(), {.change = *Uuid::Parse(change),
                                          .account = AccountId(account),
                                          .generation = 1,
                                          .address = AddressDigest(AccountId(account), address)});
}

grpc::Status Fleet::Ask(ContactService::Stub& stub, const std::string& service,
                        const std::string& to, const std::string& request_id,
                        v1::ChangeContactsResponse& response) {
  v1::ChangeContactsRequest request;
  request.set_request_id(request_id);
  v1::ContactAssignment& assignment = *request.add_assignments();
  assignment.set_service(service);
  assignment.set_role(v1::CONTACT_ROLE_TECH);
  assignment.set_new_contact(to);
  return stub.ChangeContacts(ActingAs(kFleetAdmin).get(), request, &response);
}

grpc::Status Fleet::Accept(ContactService::Stub& stub, const std::string& account,
                           const std::string& change, const std::string& request_id,
                           v1::AcceptContactChangeResponse& response) const {
  v1::AcceptContactChangeRequest request;
  request.set_contact_change_id(change);
  request.set_token(Token(change, account));
  request.set_request_id(request_id);
  return stub.AcceptContactChange(ActingAs(account).get(), request, &response);
}

void Fleet::WaitForMails() const {
  const absl::Time deadline = absl::Now() + absl::Minutes(4);
  while (database_.Count("SELECT COUNT(*) FROM outbox") > 0 && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(200));
  }
  EXPECT_EQ(database_.Count("SELECT COUNT(*) FROM outbox"), 0);
}

void Fleet::ExpectNoTokenAnywhere() const {
  const std::string dump = database_.Dump();
  const std::string text = log();
  EXPECT_FALSE(text.empty());
  for (const std::string& hex : database_.Query("SELECT LOWER(HEX(id)) FROM contact_change")) {
    const Uuid id = Uuid::FromBytes(absl::HexStringToBytes(hex));
    for (const char* account : {kFleetAdmin, kFleetFirst, kFleetSecond}) {
      const std::string token = Token(id.text(), account);
      EXPECT_FALSE(absl::StrContains(dump, token));
      EXPECT_FALSE(absl::StrContains(text, token));
    }
  }
}

}  // namespace contacts::testing
