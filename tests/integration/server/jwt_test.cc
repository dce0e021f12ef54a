// Customers' sessions at a server in its own process.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "tests/testing/bearer_tokens.h"
#include "tests/testing/fleet.h"

namespace contacts {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() {
    WriteJwks(Jwks({ec_.Jwk(), ed_.Jwk(), rsa_.Jwk()}));
    // Development makes the token keys and the account of the sessions.
    ServerProcess development(database_.server_uri(), directory_.path());
    development.Start();
    v1::CreateAccountRequest request;
    request.mutable_account()->set_id(kFleetAdmin);
    request.mutable_account()->set_email("admin@mail.example");
    v1::CreateAccountResponse response;
    grpc::ClientContext context;
    context.AddMetadata("contacts-caller", "operator");
    EXPECT_TRUE(v1::DirectoryService::NewStub(development.Channel())
                    ->CreateAccount(&context, request, &response)
                    .ok());
    development.Terminate();
    server_.Start();
    contacts_ = v1::ContactService::NewStub(server_.Channel());
  }

  void WriteJwks(const std::string& text) const {
    const std::string path = directory_.path() + "/jwks.json";
    std::ofstream(path + ".new") << text;
    std::filesystem::rename(path + ".new", path);
  }

  static std::string Claims(absl::string_view more = "") {
    return SessionClaims(kFleetAdmin, absl::Now(), more);
  }

  using Entries = std::vector<std::pair<std::string, std::string>>;

  static void AddTo(grpc::ClientContext& context, const Entries& entries) {
    for (const auto& [key, value] : entries) context.AddMetadata(key, value);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  }

  grpc::Status GetProfile(const Entries& entries) const {
    grpc::ClientContext context;
    AddTo(context, entries);
    v1::GetProfileResponse response;
    const grpc::Status status = contacts_->GetProfile(&context, {}, &response);
    EXPECT_EQ(response.account().id(), status.ok() ? kFleetAdmin : "");
    return status;
  }

  std::string ReasonWith(const std::string& token) {
    tokens_.push_back(token);
    const grpc::Status status = GetProfile({{"authorization", "Bearer " + token}});
    for (const absl::string_view part : absl::StrSplit(token, '.')) {
      if (part.size() < 16) continue;
      EXPECT_FALSE(absl::StrContains(status.error_message(), part)) << status.error_message();
    }
    return ReasonOf(status);
  }

  std::string WaitFor(const std::function<std::string()>& reason, const std::string& wanted) {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (reason() != wanted && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(100));
    return reason();
  }

  std::string Log() const { return ReadFile(directory_.path() + "/log"); }

  // The log contains no part of any token that was sent.
  void ExpectNoTokenInLog() const {
    const std::string log = Log();
    EXPECT_THAT(log, HasSubstr("UNAUTHENTICATED"));
    for (const std::string& token : tokens_) {
      for (const absl::string_view part : absl::StrSplit(token, '.')) {
        if (part.size() < 16) continue;
        EXPECT_FALSE(absl::StrContains(log, part)) << part;
        EXPECT_FALSE(absl::StrContains(log, part.substr(part.size() - 16))) << part;
      }
    }
    EXPECT_FALSE(absl::StrContains(log, "eyJ"));  // How the base64 of {" begins.
    EXPECT_FALSE(absl::StrContains(log, "login.example"));
  }

  const IssuerKey ec_ = IssuerKey::Es256("ec-1");
  const IssuerKey ed_ = IssuerKey::EdDsa("ed-1");
  const IssuerKey rsa_ = IssuerKey::Rs256("rsa-1");
  const TestDatabase database_;
  const TemporaryDirectory directory_;
  ServerProcess server_{database_.server_uri(),
                        directory_.path(),
                        {"--auth=jwt", "--token_keys_file=contacts-token-keys",
                         "--jwt_jwks_file=jwks.json", "--jwt_issuer=https://login.example",
                         "--jwt_audience=contacts", "--jwt_skew=0s", "--log_level=trace"}};
  std::unique_ptr<v1::ContactService::Stub> contacts_;
  std::vector<std::string> tokens_;
};

TEST_F(SessionTest, ActsForItsOwnAccountAlone) {
  for (const IssuerKey* key : {&ec_, &ed_, &rsa_}) EXPECT_EQ(ReasonWith(key->Sign(Claims())), "OK");
  const std::string bearer = "Bearer " + ec_.Sign(Claims());
  EXPECT_EQ(ReasonOf(GetProfile({{"authorization", bearer}, {"contacts-account", kFleetAdmin}})),
            "OK");
  EXPECT_EQ(ReasonOf(GetProfile({{"authorization", bearer}, {"contacts-account", kFleetFirst}})),
            "CALLER_NOT_ALLOWED");
  EXPECT_EQ(ReasonOf(GetProfile({{"authorization", bearer}, {"contacts-caller", "operator"}})),
            "CALLER_NOT_ALLOWED");
  EXPECT_EQ(ReasonOf(GetProfile({{"contacts-account", kFleetAdmin}})), "UNAUTHENTICATED");
  EXPECT_EQ(ReasonOf(GetProfile({})), "UNAUTHENTICATED");
  EXPECT_EQ(ReasonWith(ec_.Sign(SessionClaims(kFleetFirst, absl::Now()))), "ACCOUNT_NOT_FOUND");

  const auto directory = v1::DirectoryService::NewStub(server_.Channel());
  for (const Entries& entries :
       {Entries{{"authorization", bearer}},
        Entries{{"authorization", bearer}, {"contacts-caller", "operator"}}}) {
    grpc::ClientContext context;
    AddTo(context, entries);
    v1::GetAccountRequest request;
    request.set_account(kFleetAdmin);
    v1::GetAccountResponse response;
    EXPECT_EQ(ReasonOf(directory->GetAccount(&context, request, &response)), "CALLER_NOT_ALLOWED");
  }
}

TEST_F(SessionTest, RefusesForgedTokensAndLogsNoneOfThem) {
  const std::string claims = Claims();
  const int64_t now = absl::ToUnixSeconds(absl::Now());
  const std::string good = ec_.Sign(claims);
  const auto timed = [&](int64_t from, int64_t to) {
    return ec_.Sign(absl::StrCat(R"({"iss":"https://login.example","aud":"contacts","sub":")",
                                 kFleetAdmin, R"(","nbf":)", now + from, R"(,"exp":)", now + to,
                                 "}"));
  };
  const std::string none =
      absl::StrCat(Base64Url(R"({"alg":"none","kid":"ec-1"})"), ".", Base64Url(claims), ".");
  const std::string rows[] = {
      none,
      none + Base64Url(std::string(64, 's')),
      rsa_.Sign(R"({"alg":"HS256","kid":"rsa-1"})", claims),
      IssuerKey::Es256("ec-1").Sign(claims),
      IssuerKey::Es256("ec-2").Sign(claims),
      ec_.Sign(R"({"iss":"https://login.example","aud":"billing","sub":"aa1-ovh","exp":)" +
               absl::StrCat(now + 60, "}")),
      timed(-120, -1),
      timed(60, 120),
      ec_.Sign(Claims(absl::StrCat(",\"x\":\"", std::string(6200, 'x'), "\""))),
      good.substr(0, good.size() - 2),
      good + "A",
      "operator",
      "",
  };
  EXPECT_EQ(ReasonWith(good), "OK");
  EXPECT_EQ(ReasonWith(timed(-60, 60)), "OK");
  for (const std::string& token : rows) {
    EXPECT_EQ(ReasonWith(token), "UNAUTHENTICATED") << token;
  }
  EXPECT_EQ(server_.Terminate(), 0);
  ExpectNoTokenInLog();
}

TEST_F(SessionTest, TakesNewKeysWhileItServes) {
  const IssuerKey next = IssuerKey::EdDsa("ed-2");
  const auto with_next = [&] { return ReasonWith(next.Sign(Claims())); };
  EXPECT_EQ(with_next(), "UNAUTHENTICATED");
  WriteJwks(Jwks({next.Jwk()}));
  EXPECT_EQ(WaitFor(with_next, "OK"), "OK");
  EXPECT_EQ(ReasonWith(ec_.Sign(Claims())), "UNAUTHENTICATED");

  // An invalid file changes nothing, and the log says why.
  const auto log_of_refusal = [&] {
    return absl::StrContains(Log(), "jwks.json: keys[0]: holds a private") ? "told" : "";
  };
  WriteJwks(Jwks({ec_.Jwk(R"(,"d":"c2VjcmV0")")}));
  EXPECT_EQ(WaitFor(log_of_refusal, "told"), "told");
  EXPECT_EQ(with_next(), "OK");
  EXPECT_EQ(ReasonWith(ec_.Sign(Claims())), "UNAUTHENTICATED");
  WriteJwks(Jwks({ec_.Jwk()}));
  EXPECT_EQ(WaitFor([&] { return ReasonWith(ec_.Sign(Claims())); }, "OK"), "OK");
  EXPECT_EQ(with_next(), "UNAUTHENTICATED");
  EXPECT_EQ(server_.Terminate(), 0);
  EXPECT_THAT(Log(), Not(HasSubstr("c2VjcmV0")));
  ExpectNoTokenInLog();
}

TEST_F(SessionTest, AWatchEndsWithItsSession) {
  const int64_t now = absl::ToUnixSeconds(absl::Now());
  const std::string token =
      ec_.Sign(absl::StrCat(R"({"iss":"https://login.example","aud":"contacts","sub":")",
                            kFleetAdmin, R"(","exp":)", now + 3, "}"));
  tokens_.push_back(token);
  grpc::ClientContext context;
  AddTo(context, {{"authorization", "Bearer " + token}});
  const auto stream = contacts_->WatchContactChanges(&context, {});
  v1::WatchContactChangesResponse response;
  EXPECT_TRUE(stream->Read(&response));
  while (stream->Read(&response)) {
  }
  EXPECT_EQ(ReasonOf(stream->Finish()), "UNAUTHENTICATED");
  EXPECT_GE(absl::Now(), absl::FromUnixSeconds(now + 3));
  EXPECT_EQ(server_.Terminate(), 0);
  ExpectNoTokenInLog();
}

}  // namespace
}  // namespace contacts
