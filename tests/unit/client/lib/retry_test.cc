#include <vector>

#include "absl/time/time.h"
#include "client/lib/retry.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

namespace contacts::client {
namespace {

grpc::Status Unavailable(absl::Duration retry_delay = absl::ZeroDuration()) {
  google::rpc::Status details;
  if (retry_delay > absl::ZeroDuration()) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(absl::ToInt64Seconds(retry_delay));
    details.add_details()->PackFrom(retry);
  }
  return {grpc::StatusCode::UNAVAILABLE, "", details.SerializeAsString()};
}

// A call whose tries fail as told, with a clock that only its waits move.
class Retries : public ::testing::Test {
 protected:
  grpc::Status Call(std::vector<grpc::Status> results, Retry retry = Retry::kWhileUnavailable,
                    absl::Duration timeout = absl::Seconds(30)) {
    const RetryClock clock{[this] { return now_; },
                           [this](absl::Duration wait) {
                             waits_.push_back(wait);
                             now_ += wait;
                           },
                           nullptr};
    return CallWithRetries(timeout, retry, clock, [&](absl::Time deadline) {
      deadlines_.push_back(deadline);
      const grpc::Status result = results.front();
      if (results.size() > 1) results.erase(results.begin());
      return result;
    });
  }

  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  std::vector<absl::Duration> waits_;
  std::vector<absl::Time> deadlines_;
};

TEST_F(Retries, GoOnUntilTheServerIsBack) {
  EXPECT_TRUE(Call({Unavailable(), Unavailable(), grpc::Status::OK}).ok());
  EXPECT_EQ(deadlines_.size(), 3U);
  ASSERT_EQ(waits_.size(), 2U);
  EXPECT_LE(waits_[0], absl::Milliseconds(200));
  EXPECT_GE(waits_[1], absl::Milliseconds(200));
}

TEST_F(Retries, ShareOneDeadline) {
  const absl::Time deadline = now_ + absl::Seconds(30);
  Call({Unavailable(), grpc::Status::OK});
  EXPECT_EQ(deadlines_, std::vector<absl::Time>(2, deadline));
}

TEST_F(Retries, LastAsLongAsTheTimeLimit) {
  const absl::Time begin = now_;
  EXPECT_EQ(Call({Unavailable()}).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_GE(now_ - begin, absl::Seconds(28));
  EXPECT_LT(now_ - begin, absl::Seconds(30));
}

TEST_F(Retries, AreNotMadeForAWrongCertificate) {
  Call({grpc::Status(grpc::StatusCode::UNAVAILABLE,
                     "failed to connect to all addresses; last error: UNKNOWN: Ssl handshake "
                     "failed: SSL_ERROR_SSL: CERTIFICATE_VERIFY_FAILED")});
  EXPECT_EQ(deadlines_.size(), 1U);
}

TEST_F(Retries, WaitAsLongAsTheServerAsksFor) {
  Call({Unavailable(absl::Seconds(7)), grpc::Status::OK});
  EXPECT_EQ(waits_, std::vector<absl::Duration>{absl::Seconds(7)});
}

TEST_F(Retries, EndWhereTheWaitWouldPassTheTimeLimit) {
  Call({Unavailable(absl::Seconds(7))}, Retry::kWhileUnavailable, absl::Seconds(5));
  EXPECT_TRUE(waits_.empty());
  EXPECT_EQ(deadlines_.size(), 1U);
}

TEST_F(Retries, AreNotMadeWhereACallCouldBeDoneTwice) {
  Call({Unavailable()}, Retry::kNever);
  EXPECT_EQ(deadlines_.size(), 1U);
}

TEST_F(Retries, AreNotMadeForAnswers) {
  for (const auto code : {grpc::StatusCode::RESOURCE_EXHAUSTED, grpc::StatusCode::ABORTED,
                          grpc::StatusCode::DEADLINE_EXCEEDED, grpc::StatusCode::INTERNAL}) {
    deadlines_.clear();
    Call({grpc::Status(code, "")});
    EXPECT_EQ(deadlines_.size(), 1U);
  }
}

}  // namespace
}  // namespace contacts::client
