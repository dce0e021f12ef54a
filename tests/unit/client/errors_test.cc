#include <initializer_list>
#include <map>
#include <sstream>
#include <string>

#include "client/errors.h"
#include "contacts/v1/errors.pb.h"
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

std::string Printed(const grpc::Status& status, const Task& task = {}) {
  std::ostringstream err;
  PrintFailure(ExplainFailure(status, task), task, err, /*colour=*/false);
  return err.str();
}

struct ExitRow {
  grpc::StatusCode code;
  ExitStatus exit_status;
};

class ExitStatuses : public ::testing::TestWithParam<ExitRow> {};

TEST_P(ExitStatuses, FollowTheStatusCode) {
  const grpc::Status status(GetParam().code, "");
  EXPECT_EQ(ExplainFailure(status, {}).exit_status, GetParam().exit_status)
      << CodeName(GetParam().code);
}

INSTANTIATE_TEST_SUITE_P(
    All, ExitStatuses,
    ::testing::Values(ExitRow{grpc::StatusCode::INVALID_ARGUMENT, kUsage},
                      ExitRow{grpc::StatusCode::NOT_FOUND, kNotFound},
                      ExitRow{grpc::StatusCode::UNAUTHENTICATED, kNotAllowed},
                      ExitRow{grpc::StatusCode::PERMISSION_DENIED, kNotAllowed},
                      ExitRow{grpc::StatusCode::FAILED_PRECONDITION, kRefusedByState},
                      ExitRow{grpc::StatusCode::ALREADY_EXISTS, kRefusedByState},
                      ExitRow{grpc::StatusCode::ABORTED, kRefusedByState},
                      ExitRow{grpc::StatusCode::UNAVAILABLE, kTryAgainLater},
                      ExitRow{grpc::StatusCode::RESOURCE_EXHAUSTED, kTryAgainLater},
                      ExitRow{grpc::StatusCode::DEADLINE_EXCEEDED, kTryAgainLater},
                      ExitRow{grpc::StatusCode::INTERNAL, kOtherFailure},
                      ExitRow{grpc::StatusCode::UNIMPLEMENTED, kOtherFailure},
                      ExitRow{grpc::StatusCode::UNKNOWN, kOtherFailure}));

TEST(Errors, EveryReasonOfTheContractHasWordsOfItsOwn) {
  const std::string without_reason =
      ExplainFailure(grpc::Status(grpc::StatusCode::UNKNOWN, ""), {}).words;
  const auto* reasons = v1::ErrorReason_descriptor();
  for (int i = 1; i < reasons->value_count(); ++i) {
    const std::string name = reasons->value(i)->name();
    const std::string reason = name.substr(std::string("ERROR_REASON_").size());
    const Failure failure = ExplainFailure(Failed(grpc::StatusCode::UNKNOWN, reason), {});
    EXPECT_EQ(failure.reason, reason);
    EXPECT_NE(failure.words, without_reason) << reason;
  }
}

TEST(Errors, NameTheActionTheReasonAndTheWayOut) {
  const Task task{.action = "accept the contact change 42", .contact_change_id = "42"};
  const std::string text =
      Printed(Failed(grpc::StatusCode::FAILED_PRECONDITION, "TOKEN_LOCKED"), task);
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
  const Task task{.assignments = {{"example.com", v1::CONTACT_ROLE_TECH, "bb222222-ovh"}}};
  const std::string text = Printed(
      Failed(grpc::StatusCode::PERMISSION_DENIED, "ROLE_NOT_ALLOWED", {&bad_request}), task);
  EXPECT_THAT(text, HasSubstr("assignments[0].role (example.com tech -> bb222222-ovh)"));
  EXPECT_THAT(text, HasSubstr("assignments[1].role: "));
}

TEST(Errors, AsJsonListEveryViolation) {
  const google::rpc::BadRequest bad_request = Violations(1000);
  std::ostringstream err;
  const Task task{.action = "ask", .request_id = "r"};
  PrintFailureAsJson(
      ExplainFailure(
          Failed(grpc::StatusCode::PERMISSION_DENIED, "ROLE_NOT_ALLOWED", {&bad_request}), task),
      task, "call", err);
  const auto error = nlohmann::json::parse(err.str()).at("error");
  EXPECT_EQ(error.at("field_violations").size(), 1000U);
  EXPECT_EQ(error.at("code"), "PERMISSION_DENIED");
  EXPECT_EQ(error.at("reason"), "ROLE_NOT_ALLOWED");
  EXPECT_EQ(error.at("request_id"), "r");
  EXPECT_EQ(error.at("x_request_id"), "call");
  EXPECT_EQ(error.at("exit_status"), 4);
}

TEST(Errors, TellHowToRepeatWhatMayHaveHappened) {
  const Task task{.request_id = "5d1d8f5e-0000-4000-8000-000000000000"};
  EXPECT_THAT(Printed(grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, ""), task),
              HasSubstr("--request-id=" + task.request_id));
  EXPECT_THAT(Printed(Failed(grpc::StatusCode::NOT_FOUND, "SERVICE_NOT_FOUND"), task),
              Not(HasSubstr("--request-id")));
}

TEST(Errors, OfOthersThanTheServiceGiveNoReason) {
  google::rpc::ErrorInfo info;
  info.set_domain("googleapis.com");
  info.set_reason("TOKEN_LOCKED");
  google::rpc::Status details;
  details.add_details()->PackFrom(info);
  const grpc::Status status(grpc::StatusCode::UNAVAILABLE, "", details.SerializeAsString());
  EXPECT_EQ(ExplainFailure(status, {}).reason, "");
}

TEST(Errors, WithBrokenDetailsAreExplainedByTheirCode) {
  const grpc::Status status(grpc::StatusCode::NOT_FOUND, "gone", "\xff\xff");
  const Failure failure = ExplainFailure(status, {});
  EXPECT_EQ(failure.exit_status, kNotFound);
  EXPECT_EQ(failure.detail, "gone");
}

TEST(Errors, CannotSteerTheTerminal) {
  const grpc::Status status(grpc::StatusCode::UNKNOWN, "a\033[2Jb");
  EXPECT_THAT(Printed(status), Not(HasSubstr("\033")));
}

}  // namespace
}  // namespace contacts::client
