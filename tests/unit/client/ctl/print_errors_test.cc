#include "client/ctl/print_errors.h"

#include <initializer_list>
#include <map>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace contacts::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

grpc::Status Failed(grpc::StatusCode code, const std::string& reason,
                    std::initializer_list<const google::protobuf::Message*> more = {},
                    const std::map<std::string, std::string>& metadata = {}) {
  google::rpc::ErrorInfo info;
  info.set_domain("contacts");
  info.set_reason(reason);
  info.mutable_metadata()->insert(metadata.begin(), metadata.end());
  google::rpc::Status details;
  details.set_code(code);
  details.add_details()->PackFrom(info);
  for (const google::protobuf::Message* message : more) details.add_details()->PackFrom(*message);
  return {code, "what the server wrote", details.SerializeAsString()};
}

google::rpc::RetryInfo RetryAfter(int seconds) {
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(seconds);
  return retry;
}

google::rpc::BadRequest Violations(int count) {
  google::rpc::BadRequest bad_request;
  for (int i = 0; i < count; ++i) {
    auto* violation = bad_request.add_field_violations();
    violation->set_field("assignments[" + std::to_string(i) + "].role");
    violation->set_description("ROLE_NOT_ALLOWED");
  }
  return bad_request;
}

std::string Printed(const grpc::Status& status, const CallPurpose& purpose = {}) {
  std::ostringstream err;
  PrintFailure(ExplainFailure(status, purpose), purpose, "", {}, err);
  return err.str();
}

TEST(Errors, NameTheActionTheReasonAndTheWayOut) {
  const CallPurpose purpose{.action = "accept the contact change 42", .contact_change_id = "42"};
  const std::string text =
      Printed(Failed(grpc::StatusCode::FAILED_PRECONDITION, "TOKEN_LOCKED"), purpose);
  EXPECT_THAT(text, HasSubstr("could not accept the contact change 42"));
  EXPECT_THAT(text, HasSubstr("[TOKEN_LOCKED]"));
  EXPECT_THAT(text, HasSubstr("contactctl resend 42"));
}

TEST(Errors, TellHowLongToWaitRoundedUp) {
  google::rpc::RetryInfo retry = RetryAfter(42);
  retry.mutable_retry_delay()->set_nanos(1);
  EXPECT_THAT(Printed(Failed(grpc::StatusCode::RESOURCE_EXHAUSTED, "RESEND_TOO_SOON", {&retry})),
              HasSubstr("43 s"));
}

TEST(Errors, NameTheAccountsThatOwe) {
  google::rpc::PreconditionFailure overdue;
  overdue.add_violations()->set_subject("bb222222-ovh");
  overdue.add_violations()->set_subject("cc333333-ovh");
  EXPECT_THAT(Printed(Failed(grpc::StatusCode::FAILED_PRECONDITION, "BILLING_OVERDUE", {&overdue})),
              HasSubstr("bb222222-ovh, cc333333-ovh"));
}

TEST(Errors, NameTheStateOfAClosedChange) {
  for (const std::string state : {"EXPIRED", "CONTACT_CHANGE_STATE_EXPIRED"}) {
    EXPECT_THAT(Printed(Failed(grpc::StatusCode::FAILED_PRECONDITION, "CHANGE_CLOSED", {},
                               {{"state", state}})),
                HasSubstr("its state is expired"));
  }
}

TEST(Errors, ListTwentyViolationsAndCountTheOthers) {
  const google::rpc::BadRequest bad_request = Violations(25);
  const std::string text =
      Printed(Failed(grpc::StatusCode::PERMISSION_DENIED, "ROLE_NOT_ALLOWED", {&bad_request}));
  EXPECT_THAT(text, HasSubstr("assignments[19].role: ROLE_NOT_ALLOWED"));
  EXPECT_THAT(text, Not(HasSubstr("assignments[20]")));
  EXPECT_THAT(text, HasSubstr("5 more, 25 in all"));
}

TEST(Errors, TellHowManyViolationsTheServerCounted) {
  const google::rpc::BadRequest bad_request = Violations(2);
  EXPECT_THAT(Printed(Failed(grpc::StatusCode::PERMISSION_DENIED, "ROLE_NOT_ALLOWED",
                             {&bad_request}, {{"violations", "1000"}})),
              HasSubstr("998 more, 1000 in all\n"));
}

TEST(Errors, TellOfViolationsThatTheServerLeftOut) {
  google::rpc::BadRequest bad_request = Violations(2);
  bad_request.add_field_violations()->set_description("and 998 more");
  const std::string text =
      Printed(Failed(grpc::StatusCode::PERMISSION_DENIED, "ROLE_NOT_ALLOWED", {&bad_request}));
  EXPECT_THAT(text, HasSubstr("not listed by the server: and 998 more"));
}

TEST(Errors, ShowWhatWasWrittenForAnAssignment) {
  const google::rpc::BadRequest bad_request = Violations(2);
  const CallPurpose purpose{.assignments = {"example.com tech -> bb222222-ovh"}};
  const std::string text = Printed(
      Failed(grpc::StatusCode::PERMISSION_DENIED, "ROLE_NOT_ALLOWED", {&bad_request}), purpose);
  EXPECT_THAT(text, HasSubstr("assignments[0].role (example.com tech -> bb222222-ovh)"));
  EXPECT_THAT(text, HasSubstr("assignments[1].role: "));
}

TEST(Errors, AsJsonListEveryViolation) {
  const google::rpc::BadRequest bad_request = Violations(1000);
  std::ostringstream err;
  const CallPurpose purpose{.action = "ask", .request_id = "r"};
  PrintFailure(
      ExplainFailure(
          Failed(grpc::StatusCode::PERMISSION_DENIED, "ROLE_NOT_ALLOWED", {&bad_request}), purpose),
      purpose, "call", {.json = true}, err);
  const auto error = nlohmann::json::parse(err.str()).at("error");
  EXPECT_EQ(error.at("field_violations").size(), 1000U);
  EXPECT_EQ(error.at("code"), "PERMISSION_DENIED");
  EXPECT_EQ(error.at("reason"), "ROLE_NOT_ALLOWED");
  EXPECT_EQ(error.at("request_id"), "r");
  EXPECT_EQ(error.at("x_request_id"), "call");
  EXPECT_EQ(error.at("exit_status"), 4);
}

TEST(Errors, TellHowToRepeatWhatMayHaveHappened) {
  const CallPurpose purpose{.request_id = "5d1d8f5e-0000-4000-8000-000000000000"};
  EXPECT_THAT(Printed(grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, ""), purpose),
              HasSubstr("--request-id=" + purpose.request_id));
  EXPECT_THAT(Printed(Failed(grpc::StatusCode::NOT_FOUND, "SERVICE_NOT_FOUND"), purpose),
              Not(HasSubstr("--request-id")));
}

TEST(Errors, CannotSteerTheTerminal) {
  const grpc::Status status(grpc::StatusCode::UNKNOWN, "a\033[2Jb");
  EXPECT_THAT(Printed(status), Not(HasSubstr("\033")));
}

}  // namespace
}  // namespace contacts::client
