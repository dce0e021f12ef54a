#include "server/messages/status.h"

#include <gmock/gmock.h>
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/domain/errors.h"

namespace contacts::server {
namespace {

constexpr std::size_t kMaxDetails = 6 * 1024;

using ::testing::HasSubstr;
using ::testing::Not;

template <typename Detail>
std::optional<Detail> Find(const grpc::Status& status) {
  google::rpc::Status packed;
  EXPECT_TRUE(packed.ParseFromString(status.error_details()));
  Detail detail;
  for (const auto& any : packed.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

TEST(RetryDelay, IsRetryInfosInWholeMilliseconds) {
  EXPECT_EQ(RetryDelay(errors::Unavailable("busy", absl::Microseconds(1500))),
            absl::Milliseconds(2));
  EXPECT_EQ(RetryDelay(errors::Unavailable("busy", absl::Seconds(90))), absl::Seconds(90));
  EXPECT_EQ(RetryDelay(errors::DeadlineExceeded()), std::nullopt);
  EXPECT_EQ(RetryDelay(absl::OkStatus()), std::nullopt);
}

TEST(StatusTest, CarriesCodeMessageAndEveryDetail) {
  const auto status = ToGrpcStatus(errors::BillingOverdue({AccountId("aa1-ovh")}), kMaxDetails);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("overdue"));
  const auto info = Find<google::rpc::ErrorInfo>(status);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->domain(), "contacts");
  EXPECT_EQ(info->reason(), "BILLING_OVERDUE");
  const auto failure = Find<google::rpc::PreconditionFailure>(status);
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->violations(0).subject(), "aa1-ovh");

  google::rpc::Status packed;
  packed.ParseFromString(status.error_details());
  EXPECT_EQ(packed.code(), static_cast<int>(status.error_code()));
  EXPECT_EQ(packed.message(), status.error_message());
}

TEST(StatusTest, SaysWhenToRetry) {
  const auto retry = Find<google::rpc::RetryInfo>(
      ToGrpcStatus(errors::Unavailable("overloaded", absl::Milliseconds(1500)), kMaxDetails));
  ASSERT_TRUE(retry.has_value());
  EXPECT_EQ(retry->retry_delay().seconds(), 1);
  EXPECT_EQ(retry->retry_delay().nanos(), 500'000'000);
}

TEST(StatusTest, OkStaysOk) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus(), kMaxDetails).ok());
  EXPECT_TRUE(PublicStatus(absl::OkStatus()).ok());
}

TEST(StatusTest, DefectsBecomeIncidentsWithoutTheirText) {
  for (const absl::Status& defect :
       {absl::InternalError("SELECT secret FROM t"), absl::UnknownError("SELECT secret FROM t"),
        absl::NotFoundError("SELECT secret FROM t")}) {
    const absl::Status shown = PublicStatus(defect);
    EXPECT_EQ(shown.code(), absl::StatusCode::kInternal);
    EXPECT_EQ(errors::Reason(shown), "INTERNAL");
    EXPECT_THAT(shown.ToString(), Not(HasSubstr("SELECT")));
    EXPECT_NE(PublicStatus(defect).message(), shown.message());
    const auto info = Find<google::rpc::ErrorInfo>(ToGrpcStatus(shown, kMaxDetails));
    ASSERT_TRUE(info.has_value());
    EXPECT_THAT(shown.message(), HasSubstr(info->metadata().at("incident")));
  }
}

TEST(StatusTest, TimeLimitsAndKnownErrorsPassThrough) {
  for (const absl::Status& status :
       {errors::DeadlineExceeded(), errors::Cancelled(), errors::TokenInvalid()}) {
    EXPECT_EQ(PublicStatus(status), status);
  }
}

std::vector<errors::FieldViolation> Many(int count) {
  std::vector<errors::FieldViolation> violations;
  for (int i = 0; i < count; ++i) {
    violations.push_back({absl::StrCat("assignments[", i, "].service"),
                          "SERVICE_NOT_FOUND: no service of that name on which you hold a role"});
  }
  return violations;
}

TEST(StatusTest, KeepsEveryViolationWhileTheyFit) {
  const auto bad =
      Find<google::rpc::BadRequest>(ToGrpcStatus(errors::InvalidField(Many(100)), kMaxDetails));
  ASSERT_TRUE(bad.has_value());
  ASSERT_EQ(bad->field_violations_size(), 100);
  EXPECT_EQ(bad->field_violations(99).field(), "assignments[99].service");
  EXPECT_EQ(bad->field_violations(99).description(), "SERVICE_NOT_FOUND");
}

TEST(StatusTest, CountsTheViolationsThatDoNotFit) {
  const auto status = ToGrpcStatus(errors::InvalidField(Many(1000)), kMaxDetails);
  EXPECT_LE(status.error_details().size(), kMaxDetails);
  const auto bad = Find<google::rpc::BadRequest>(status);
  ASSERT_TRUE(bad.has_value());
  EXPECT_GT(bad->field_violations_size(), 80);
  const auto info = Find<google::rpc::ErrorInfo>(status);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->metadata().at("violations"), "1000");
}

TEST(StatusTest, ShortensDescriptionsBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "\xc3\xa9";
  const std::vector<errors::FieldViolation> violations(1000, {"field", text});
  const auto bad =
      Find<google::rpc::BadRequest>(ToGrpcStatus(errors::InvalidField(violations), kMaxDetails));
  ASSERT_TRUE(bad.has_value());
  EXPECT_EQ(bad->field_violations(0).description(), text.substr(0, 20) + "...");
}

TEST(StatusTest, FillsTheRoomThereIs) {
  for (const std::size_t room : {2048U, 6000U, 100000U}) {
    const auto status = ToGrpcStatus(errors::InvalidField(Many(9000)), room);
    EXPECT_LE(status.error_details().size(), room);
    EXPECT_GT(status.error_details().size(), room - 200);
  }
}

TEST(StatusTest, SharesTheRoomBetweenTheListsOfFieldsAndOfAccounts) {
  std::vector<AccountId> accounts;
  for (int i = 0; i < 1000; ++i) accounts.emplace_back(absl::StrCat("aa", 100'000 + i, "-ovh"));
  const auto status = ToGrpcStatus(
      errors::WithViolations(errors::BillingOverdue(accounts), Many(1000)), kMaxDetails);
  EXPECT_LE(status.error_details().size(), kMaxDetails);
  EXPECT_GT(Find<google::rpc::PreconditionFailure>(status)->violations_size(), 20);
  EXPECT_GT(Find<google::rpc::BadRequest>(status)->field_violations_size(), 20);
  EXPECT_EQ(Find<google::rpc::ErrorInfo>(status)->metadata().at("accounts"), "1000");
}

// gRPC percent-encodes the message: a byte becomes up to three bytes.
TEST(StatusTest, CutsALongMessageBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "\xc3\xa9";
  const auto status = ToGrpcStatus(errors::Unauthenticated(text), kMaxDetails);
  EXPECT_EQ(status.error_message().size(), 170U);
}

}  // namespace
}  // namespace contacts::server
