// Every error and response can be read with a client's defaults: 8 KiB of headers, responses of
// 4 MiB.

#include <gmock/gmock.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <gtest/gtest.h>

#include <functional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tests/testing/fleet.h"

namespace contacts {
namespace {

using ::testing::StartsWith;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.

constexpr int kMany = 1000;
// Part of the 8 KiB that is left for proxies.
constexpr std::size_t kMaxHeaders = 8192 - 512;
const std::string kLabel(128, 'x');  // NOLINT(cert-err58-cpp)

std::string Wide(int characters) {
  std::string text;
  for (int i = 0; i < characters; ++i) text += "\xf0\x9f\x98\x80";
  return text;
}

std::string LongName(int i) {
  return absl::StrCat("s", i, ".", std::string(240, 'n'), ".example").substr(0, 253);
}

std::unique_ptr<grpc::ClientContext> Labelled() {
  auto context = ActingAs(kFleetAdmin);
  context->AddMetadata("x-request-id", kLabel);
  context->AddMetadata("traceparent", kLabel);
  return context;
}

std::unique_ptr<grpc::ClientContext> Operator() {
  auto context = std::make_unique<grpc::ClientContext>();
  context->AddMetadata("contacts-caller", "operator");
  return context;
}

template <typename Detail>
Detail DetailOf(const grpc::Status& status) {
  google::rpc::Status packed;
  EXPECT_TRUE(packed.ParseFromString(status.error_details()));
  Detail detail;
  for (const auto& any : packed.details()) {
    if (any.UnpackTo(&detail)) break;
  }
  return detail;
}

// The size of headers as HTTP/2 counts it: names, values and 32 bytes for each.
std::size_t HeaderBytes(const grpc::ClientContext& context, const grpc::Status& status) {
  const auto entry = [](std::size_t name, std::size_t value) { return name + value + 32; };
  std::size_t bytes = entry(7, 3) + entry(12, 16) + entry(20, 8) + entry(11, 2);
  std::size_t message = 0;
  for (const char c : status.error_message()) {
    message += absl::ascii_isprint(static_cast<unsigned char>(c)) && c != '%' ? 1 : 3;
  }
  bytes += entry(12, message);
  for (const auto& headers :
       {context.GetServerInitialMetadata(), context.GetServerTrailingMetadata()}) {
    for (const auto& [name, value] : headers) {
      const bool binary = std::string(name.data(), name.size()).ends_with("-bin");
      bytes += entry(name.size(), binary ? (value.size() + 2) / 3 * 4 : value.size());
    }
  }
  return bytes;
}

// One server with 1,000 services that have the largest allowed ids and owners. Each has its own
// billing contact, with overdue payments.
class DefaultClient : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto context = Operator();
    const auto stream = directory_->ImportDirectory(context.get());
    for (int i = 0; i < kMany; ++i) {
      v1::ImportDirectoryRequest payer;
      payer.mutable_account()->set_id(Payer(i));
      payer.mutable_account()->set_email("p@mail.example");
      payer.mutable_account()->set_billing_standing(v1::BILLING_STANDING_OVERDUE);
      ASSERT_TRUE(stream->Write(payer));
      v1::ImportDirectoryRequest record;
      v1::Service& service = *record.mutable_service();
      service.set_id(LongName(i));
      service.set_kind("domain");
      service.set_admin(kFleetAdmin);
      service.set_tech(kFleetFirst);
      service.set_billing(Payer(i));
      service.mutable_owner()->set_name(Wide(200));
      service.mutable_owner()->set_organisation(Wide(200));
      for (int line = 0; line < 3; ++line) service.mutable_owner()->add_address_lines(Wide(200));
      service.mutable_owner()->set_city(Wide(100));
      ASSERT_TRUE(stream->Write(record));
    }
    stream->WritesDone();
    v1::ImportDirectoryResponse response;
    while (stream->Read(&response)) EXPECT_EQ(response.rejections_size(), 0);
    ASSERT_TRUE(stream->Finish().ok());
  }

  static std::string Payer(int i) { return absl::StrCat("pp", 1'000'000 + i, "-ovh"); }

  // Asks for 1,000 assignments, as `make` changes them, and expects `reason` for each.
  void ExpectReadable(const std::string& reason, int violations,
                      const std::function<void(int, v1::ContactAssignment&)>& make) {
    v1::ChangeContactsRequest request;
    request.set_request_id(NewRequestId());
    for (int i = 0; i < kMany; ++i) {
      v1::ContactAssignment& assignment = *request.add_assignments();
      assignment.set_service(LongName(i));
      assignment.set_role(v1::CONTACT_ROLE_BILLING);
      assignment.set_new_contact(kFleetSecond);
      make(i, assignment);
    }
    v1::ChangeContactsResponse response;
    const auto context = Labelled();
    const grpc::Status status = contacts_->ChangeContacts(context.get(), request, &response);
    EXPECT_EQ(ReasonOf(status), reason) << status.error_message();
    EXPECT_LE(HeaderBytes(*context, status), kMaxHeaders) << reason;
    const auto info = DetailOf<google::rpc::ErrorInfo>(status);
    EXPECT_EQ(info.metadata().at("violations"), absl::StrCat(violations));
    const auto bad = DetailOf<google::rpc::BadRequest>(status);
    EXPECT_GT(bad.field_violations_size(), 20) << reason;
    for (const auto& violation : bad.field_violations()) {
      EXPECT_THAT(violation.field(), StartsWith("assignments["));
    }
  }

  Fleet fleet_{0, {}, 1};
  std::shared_ptr<grpc::Channel> channel_ =
      grpc::CreateChannel(fleet_.server(0).address(), grpc::InsecureChannelCredentials());
  std::unique_ptr<v1::ContactService::Stub> contacts_ = v1::ContactService::NewStub(channel_);
  std::unique_ptr<v1::DirectoryService::Stub> directory_ = v1::DirectoryService::NewStub(channel_);
};

TEST_F(DefaultClient, ReadsEveryErrorAboutAThousandAssignments) {
  ExpectReadable("ACCOUNT_NOT_FOUND", kMany, [](int, v1::ContactAssignment& assignment) {
    assignment.set_new_contact("zz9-ovh");
  });
  ExpectReadable("SERVICE_NOT_FOUND", kMany, [](int i, v1::ContactAssignment& assignment) {
    assignment.set_service(LongName(kMany + i));
  });
  ExpectReadable("CONTACT_UNCHANGED", kMany, [](int i, v1::ContactAssignment& assignment) {
    assignment.set_new_contact(Payer(i));
  });
  ExpectReadable("INVALID_FIELD", 3 * kMany, [](int, v1::ContactAssignment& assignment) {
    assignment.set_service(std::string(300, '%'));
    assignment.clear_role();
    assignment.set_new_contact(Wide(100));
  });
  ExpectReadable("BILLING_OVERDUE", kMany, [](int, v1::ContactAssignment&) {});
}

TEST_F(DefaultClient, ReadsTheAnswerToAnOverrideOfAThousandServicesAndEveryPage) {
  v1::OverrideContactsRequest request;
  request.set_request_id(NewRequestId());
  request.set_reason("court order");
  for (int i = 0; i < kMany; ++i) {
    v1::OverrideAssignment& assignment = *request.add_assignments();
    assignment.set_service(LongName(i));
    assignment.set_role(v1::CONTACT_ROLE_TECH);
    assignment.set_new_contact(kFleetSecond);
  }
  v1::OverrideContactsResponse response;
  ASSERT_EQ(ReasonOf(directory_->OverrideContacts(Operator().get(), request, &response)), "OK");
  ASSERT_EQ(response.services_size(), kMany);
  EXPECT_EQ(response.services(0).tech(), kFleetSecond);
  EXPECT_FALSE(response.services(0).has_owner());

  v1::ExportDirectoryRequest page;
  page.set_page_size(kMany);
  int services = 0;
  do {
    v1::ExportDirectoryResponse exported;
    ASSERT_EQ(ReasonOf(directory_->ExportDirectory(Operator().get(), page, &exported)), "OK");
    services += exported.services_size();
    page.set_page_token(exported.next_page_token());
    page.set_page_size(kMany - 1);  // May change from page to page.
  } while (!page.page_token().empty());
  EXPECT_EQ(services, kMany);
}

TEST_F(DefaultClient, ReadsEveryPageOfItsLargestChanges) {
  constexpr int kChanges = 15;  // Of some 290 KiB each.
  for (int i = 0; i < kChanges; ++i) {
    v1::ChangeContactsRequest ask;
    ask.set_request_id(NewRequestId());
    for (int service = 0; service < kMany; ++service) {
      v1::ContactAssignment& assignment = *ask.add_assignments();
      assignment.set_service(LongName(service));
      assignment.set_role(v1::CONTACT_ROLE_TECH);
      assignment.set_new_contact(kFleetSecond);
    }
    v1::ChangeContactsResponse asked;
    ASSERT_EQ(ReasonOf(contacts_->ChangeContacts(ActingAs(kFleetAdmin).get(), ask, &asked)), "OK");
    v1::CancelContactChangeRequest cancel;
    cancel.set_contact_change_id(asked.contact_changes(0).id());
    cancel.set_request_id(NewRequestId());
    v1::CancelContactChangeResponse cancelled;
    ASSERT_EQ(
        ReasonOf(contacts_->CancelContactChange(ActingAs(kFleetAdmin).get(), cancel, &cancelled)),
        "OK");
  }

  v1::ListContactChangesRequest request;
  request.set_page_size(kMany);
  int changes = 0;
  int pages = 0;
  do {
    v1::ListContactChangesResponse page;
    ASSERT_EQ(ReasonOf(contacts_->ListContactChanges(ActingAs(kFleetAdmin).get(), request, &page)),
              "OK");
    changes += page.contact_changes_size();
    ++pages;
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(changes, kChanges);
  EXPECT_EQ(pages, 2);
}

TEST_F(DefaultClient, MayWaitForEver) {
  for (const int64_t seconds : {int64_t{9'000'000'000}, int64_t{350'000'000'000}}) {
    grpc::ClientContext context;
    context.AddMetadata("contacts-account", kFleetAdmin);
    context.set_deadline(
        gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_seconds(seconds, GPR_TIMESPAN)));
    v1::GetProfileResponse response;
    EXPECT_EQ(ReasonOf(contacts_->GetProfile(&context, {}, &response)), "OK") << seconds;
  }
}

TEST_F(DefaultClient, IsToldThatItsMessageIsTooLarge) {
  v1::ListServicesRequest request;
  request.set_id_prefix(std::string(std::size_t{5} << 20, 'a'));
  v1::ListServicesResponse response;
  const auto status = contacts_->ListServices(ActingAs(kFleetAdmin).get(), request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(status), "MESSAGE_TOO_LARGE");
}

}  // namespace
}  // namespace contacts
