#include "client/lib/errors.h"

#include <string>

#include "contacts/v1/errors.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

namespace contacts::client {
namespace {

grpc::Status Failed(grpc::StatusCode code, const std::string& reason) {
  google::rpc::ErrorInfo info;
  info.set_domain("contacts");
  info.set_reason(reason);
  google::rpc::Status details;
  details.set_code(code);
  details.add_details()->PackFrom(info);
  return {code, "what the server wrote", details.SerializeAsString()};
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
                      ExitRow{grpc::StatusCode::FAILED_PRECONDITION, kRejectedByState},
                      ExitRow{grpc::StatusCode::ALREADY_EXISTS, kRejectedByState},
                      ExitRow{grpc::StatusCode::ABORTED, kRejectedByState},
                      ExitRow{grpc::StatusCode::UNAVAILABLE, kTryAgainLater},
                      ExitRow{grpc::StatusCode::RESOURCE_EXHAUSTED, kTryAgainLater},
                      ExitRow{grpc::StatusCode::DEADLINE_EXCEEDED, kTryAgainLater},
                      ExitRow{grpc::StatusCode::INTERNAL, kOtherFailure},
                      ExitRow{grpc::StatusCode::UNIMPLEMENTED, kOtherFailure},
                      ExitRow{grpc::StatusCode::UNKNOWN, kOtherFailure}));

TEST(Errors, EveryReasonOfTheContractHasWordsOfItsOwn) {
  const std::string without_reason =
      ExplainFailure(grpc::Status(grpc::StatusCode::UNKNOWN, ""), {}).explanation;
  const auto* reasons = v1::ErrorReason_descriptor();
  for (int i = 1; i < reasons->value_count(); ++i) {
    const std::string name = reasons->value(i)->name();
    const std::string reason = name.substr(std::string("ERROR_REASON_").size());
    const Failure failure = ExplainFailure(Failed(grpc::StatusCode::UNKNOWN, reason), {});
    EXPECT_EQ(failure.reason, reason);
    EXPECT_NE(failure.explanation, without_reason) << reason;
  }
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

TEST(Errors, HaveTheExitStatusThatTheCallWants) {
  const grpc::Status status(grpc::StatusCode::UNAVAILABLE, "");
  EXPECT_EQ(ExplainFailure(status, {.exit_status = kOtherFailure}).exit_status, kOtherFailure);
}

}  // namespace
}  // namespace contacts::client
