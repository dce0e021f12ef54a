#include "server/auth/authenticator.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/domain/errors.h"
#include "tests/testing/bearer_tokens.h"

namespace contacts::server {
namespace {

struct Row {
  const char* name;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string on_contacts;   // Reason of the error on ContactService. Empty if allowed.
  std::string on_directory;  // The same on DirectoryService.
};

constexpr char kNobody[] = "UNAUTHENTICATED";
constexpr char kNotAllowed[] = "CALLER_NOT_ALLOWED";

const Row kRows[] = {
    {"nothing", {}, kNobody, kNobody},
    {"account", {{"contacts-account", "aa1-ovh"}}, "", kNotAllowed},
    {"account in upper case", {{"contacts-account", "AA1-OVH"}}, "", kNotAllowed},
    {"operator", {{"contacts-caller", "operator"}}, kNotAllowed, ""},
    {"observer", {{"contacts-caller", "observer"}}, kNotAllowed, kNotAllowed},
    {"account and operator",
     {{"contacts-account", "aa1-ovh"}, {"contacts-caller", "operator"}},
     "",
     ""},
    {"account and observer",
     {{"contacts-account", "aa1-ovh"}, {"contacts-caller", "observer"}},
     "",
     kNotAllowed},
    {"empty account", {{"contacts-account", ""}}, kNobody, kNobody},
    {"malformed account", {{"contacts-account", "nope"}}, kNobody, kNobody},
    {"malformed account of an operator",
     {{"contacts-account", "nope"}, {"contacts-caller", "operator"}},
     kNobody,
     kNobody},
    {"injected account", {{"contacts-account", "aa1-ovh' OR ''='"}}, kNobody, kNobody},
    {"unknown caller", {{"contacts-caller", "Operator"}}, kNobody, kNobody},
    {"account and unknown caller",
     {{"contacts-account", "aa1-ovh"}, {"contacts-caller", "root"}},
     kNobody,
     kNobody},
    {"two accounts",
     {{"contacts-account", "aa1-ovh"}, {"contacts-account", "bb2-ovh"}},
     kNobody,
     kNobody},
    {"two callers",
     {{"contacts-caller", "operator"}, {"contacts-caller", "operator"}},
     kNobody,
     kNobody},
};

std::string ReasonFor(const Row& row, Audience audience) {
  Metadata metadata;
  for (const auto& [key, value] : row.metadata) metadata.emplace(key, value);
  const auto caller = DevelopmentAuthenticator(AccountIdForm()).Identify(metadata, {});
  return errors::Reason(caller.ok() ? Authorize(*caller, audience) : caller.status());
}

TEST(DevelopmentAuthenticatorTest, DecidesEveryRow) {
  for (const Row& row : kRows) {
    EXPECT_EQ(ReasonFor(row, Audience::kAccounts), row.on_contacts) << row.name;
    EXPECT_EQ(ReasonFor(row, Audience::kOperators), row.on_directory) << row.name;
  }
}

TEST(DevelopmentAuthenticatorTest, LowersTheAccount) {
  Metadata metadata;
  metadata.emplace("contacts-account", "AA1-Ovh");
  const auto caller = DevelopmentAuthenticator(AccountIdForm()).Identify(metadata, {});
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller->account.text(), "aa1-ovh");
}

class JwtAuthenticatorTest : public ::testing::Test {
 protected:
  JwtAuthenticatorTest()
      : verifier_({.issuer = "https://login.example", .audience = "contacts"}, AccountIdForm()),
        authenticator_(&verifier_, [this] { return now_; }) {
    EXPECT_TRUE(verifier_.ReplaceKeys(testing::Jwks({key_.Jwk()})).ok());
  }

  absl::StatusOr<Caller> Identify(
      const std::vector<std::pair<std::string, std::string>>& entries) const {
    Metadata metadata;
    for (const auto& [key, value] : entries) metadata.emplace(key, value);
    return authenticator_.Identify(metadata, {});
  }

  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  const testing::IssuerKey key_ = testing::IssuerKey::EdDsa("ed-1");
  const std::string token_ = key_.Sign(testing::SessionClaims("aa1-ovh", now_));
  JwtVerifier verifier_;
  const JwtAuthenticator authenticator_;
};

TEST_F(JwtAuthenticatorTest, DecidesEveryRow) {
  const std::string bearer = "Bearer " + token_;
  const Row rows[] = {
      {"nothing", {}, kNobody, kNobody},
      {"token", {{"authorization", bearer}}, "", kNotAllowed},
      {"scheme in lower case", {{"authorization", "bearer " + token_}}, "", kNotAllowed},
      {"no scheme", {{"authorization", token_}}, kNobody, kNobody},
      {"another scheme", {{"authorization", "Basic " + token_}}, kNobody, kNobody},
      {"scheme alone", {{"authorization", "Bearer"}}, kNobody, kNobody},
      {"scheme and space alone", {{"authorization", "Bearer "}}, kNobody, kNobody},
      {"two spaces", {{"authorization", "Bearer  " + token_}}, kNobody, kNobody},
      {"space at the end", {{"authorization", bearer + " "}}, kNobody, kNobody},
      {"two tokens", {{"authorization", bearer + "," + token_}}, kNobody, kNobody},
      {"token twice", {{"authorization", bearer}, {"authorization", bearer}}, kNobody, kNobody},
      {"account alone", {{"contacts-account", "aa1-ovh"}}, kNobody, kNobody},
      {"operator alone", {{"contacts-caller", "operator"}}, kNobody, kNobody},
      {"token and its account",
       {{"authorization", bearer}, {"contacts-account", "AA1-ovh"}},
       "",
       kNotAllowed},
      {"token and another account",
       {{"authorization", bearer}, {"contacts-account", "bb2-ovh"}},
       kNotAllowed,
       kNotAllowed},
      {"token and an empty account",
       {{"authorization", bearer}, {"contacts-account", ""}},
       kNotAllowed,
       kNotAllowed},
      {"token and two accounts",
       {{"authorization", bearer},
        {"contacts-account", "aa1-ovh"},
        {"contacts-account", "bb2-ovh"}},
       kNobody,
       kNobody},
      {"token and operator",
       {{"authorization", bearer}, {"contacts-caller", "operator"}},
       kNotAllowed,
       kNotAllowed},
      {"token and observer",
       {{"authorization", bearer}, {"contacts-caller", "observer"}},
       kNotAllowed,
       kNotAllowed},
      {"wrong token and an account",
       {{"authorization", bearer + "A"}, {"contacts-account", "aa1-ovh"}},
       kNobody,
       kNobody},
  };
  for (const Row& row : rows) {
    const auto caller = Identify(row.metadata);
    const auto reason = [&](Audience audience) {
      return errors::Reason(caller.ok() ? Authorize(*caller, audience) : caller.status());
    };
    EXPECT_EQ(reason(Audience::kAccounts), row.on_contacts) << row.name;
    EXPECT_EQ(reason(Audience::kWatchers), row.on_contacts) << row.name;
    EXPECT_EQ(reason(Audience::kOperators), row.on_directory) << row.name;
    if (caller.ok()) {
      EXPECT_EQ(caller->account.text(), "aa1-ovh") << row.name;
      EXPECT_EQ(caller->expires, now_ + absl::Minutes(10) + absl::Seconds(30)) << row.name;
    } else {
      EXPECT_EQ(caller.status().ToString().find(token_.substr(0, 20)), std::string::npos);
    }
  }
}

TEST_F(JwtAuthenticatorTest, BelievesATokenNoLongerThanItsLife) {
  now_ += absl::Minutes(9);
  EXPECT_TRUE(Identify({{"authorization", "Bearer " + token_}}).ok());
  now_ += absl::Minutes(2);
  EXPECT_EQ(errors::Reason(Identify({{"authorization", "Bearer " + token_}}).status()), kNobody);
}

constexpr char kPolicy[] = R"({"callers": [
  {"name": "shop", "uri": "spiffe://example.org/shop", "may": ["front_end"]},
  {"name": "sync", "dns": "sync.example.org", "may": ["operator"]},
  {"name": "audit", "uri": "spiffe://example.org/audit", "may": ["observer"]},
  {"name": "desk", "uri": "spiffe://example.org/desk", "may": ["front_end", "operator"]}]})";

const PeerNames kShop = {.uris = {"spiffe://example.org/shop"}};
const PeerNames kSync = {.dns = {"other.example.org", "Sync.example.org"}};
const PeerNames kAudit = {.uris = {"spiffe://example.org/audit"}};
const PeerNames kDesk = {.uris = {"spiffe://example.org/desk"}};
const PeerNames kStranger = {.uris = {"spiffe://example.org/shop/2"}, .dns = {"example.org"}};

struct CertificateRow {
  const char* name;
  PeerNames peer;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string on_contacts;
  std::string on_directory;
  std::string on_watch;
};

void ExpectRows(const CertificateAuthenticator& authenticator,
                const std::vector<CertificateRow>& rows) {
  for (const CertificateRow& row : rows) {
    Metadata metadata;
    for (const auto& [key, value] : row.metadata) metadata.emplace(key, value);
    const auto caller = authenticator.Identify(metadata, row.peer);
    const auto reason = [&](Audience audience) {
      return errors::Reason(caller.ok() ? Authorize(*caller, audience) : caller.status());
    };
    EXPECT_EQ(reason(Audience::kAccounts), row.on_contacts) << row.name;
    EXPECT_EQ(reason(Audience::kOperators), row.on_directory) << row.name;
    EXPECT_EQ(reason(Audience::kWatchers), row.on_watch) << row.name;
  }
}

TEST(CertificateAuthenticatorTest, DecidesEveryRow) {
  CertificateAuthenticator authenticator(AccountIdForm(), nullptr);
  authenticator.Replace(*CallerPolicy::Parse(kPolicy));
  const std::pair<std::string, std::string> account = {"contacts-account", "AA1-ovh"};
  const std::pair<std::string, std::string> as_operator = {"contacts-caller", "operator"};
  const std::pair<std::string, std::string> as_observer = {"contacts-caller", "observer"};
  ExpectRows(
      authenticator,
      {
          {"no certificate", {}, {account}, kNobody, kNobody, kNobody},
          {"no certificate, all claims", {}, {account, as_operator}, kNobody, kNobody, kNobody},
          {"stranger", kStranger, {account}, kNotAllowed, kNotAllowed, kNotAllowed},
          {"stranger as operator", kStranger, {as_operator}, kNotAllowed, kNotAllowed, kNotAllowed},
          {"front end", kShop, {account}, "", kNotAllowed, ""},
          {"front end without account", kShop, {}, kNotAllowed, kNotAllowed, kNotAllowed},
          {"front end, malformed account",
           kShop,
           {{"contacts-account", "nope"}},
           kNobody,
           kNobody,
           kNobody},
          {"front end, two accounts", kShop, {account, account}, kNobody, kNobody, kNobody},
          {"front end as operator",
           kShop,
           {account, as_operator},
           kNotAllowed,
           kNotAllowed,
           kNotAllowed},
          {"front end as observer", kShop, {as_observer}, kNotAllowed, kNotAllowed, kNotAllowed},
          {"operator", kSync, {}, kNotAllowed, "", kNotAllowed},
          {"operator who says so", kSync, {as_operator}, kNotAllowed, "", kNotAllowed},
          {"operator as observer", kSync, {as_observer}, kNotAllowed, kNotAllowed, kNotAllowed},
          {"operator with account", kSync, {account}, kNotAllowed, kNotAllowed, kNotAllowed},
          {"observer", kAudit, {}, kNotAllowed, kNotAllowed, ""},
          {"observer with account", kAudit, {account}, kNotAllowed, kNotAllowed, kNotAllowed},
          {"several roles", kDesk, {account, as_operator}, "", "", ""},
          {"claim twice", kDesk, {as_operator, as_operator}, kNobody, kNobody, kNobody},
          {"unknown claim",
           kDesk,
           {{"contacts-caller", "root"}},
           kNotAllowed,
           kNotAllowed,
           kNotAllowed},
          {"names of two callers",
           {.uris = {kShop.uris[0], kDesk.uris[0]}},
           {account},
           kNotAllowed,
           kNotAllowed,
           kNotAllowed},
      });
}

TEST(CertificateAuthenticatorTest, BelievesThePolicyOfTheMoment) {
  CertificateAuthenticator authenticator(AccountIdForm(), nullptr);
  EXPECT_EQ(errors::Reason(authenticator.Identify({}, kSync).status()), kNotAllowed);
  authenticator.Replace(*CallerPolicy::Parse(kPolicy));
  const auto caller = authenticator.Identify({}, kSync);
  ASSERT_TRUE(caller.ok());
  // Not an account id under any pattern, because account ids are in lower case.
  EXPECT_EQ(caller->name, "mTLS:sync");
  authenticator.Replace(*CallerPolicy::Parse(R"({"callers": []})"));
  EXPECT_EQ(errors::Reason(authenticator.Identify({}, kSync).status()), kNotAllowed);
}

TEST_F(JwtAuthenticatorTest, AFrontEndBringsItsCustomersSession) {
  CertificateAuthenticator both(AccountIdForm(), &authenticator_);
  both.Replace(*CallerPolicy::Parse(kPolicy));
  const std::pair<std::string, std::string> bearer = {"authorization", "Bearer " + token_};
  const std::pair<std::string, std::string> account = {"contacts-account", "aa1-ovh"};
  ExpectRows(
      both,
      {
          {"front end and session", kShop, {bearer}, "", kNotAllowed, ""},
          {"and its account", kShop, {bearer, account}, "", kNotAllowed, ""},
          {"and another account",
           kShop,
           {bearer, {"contacts-account", "bb2-ovh"}},
           kNotAllowed,
           kNotAllowed,
           kNotAllowed},
          {"account without session", kShop, {account}, kNobody, kNobody, kNobody},
          {"neither", kShop, {}, kNotAllowed, kNotAllowed, kNotAllowed},
          {"forged session",
           kShop,
           {{"authorization", bearer.second + "A"}},
           kNobody,
           kNobody,
           kNobody},
          {"session alone", {}, {bearer}, kNobody, kNobody, kNobody},
          {"stranger with session", kStranger, {bearer}, kNotAllowed, kNotAllowed, kNotAllowed},
          {"operator with session", kSync, {bearer}, kNotAllowed, kNotAllowed, kNotAllowed},
          {"operator", kSync, {}, kNotAllowed, "", kNotAllowed},
          {"observer", kAudit, {}, kNotAllowed, kNotAllowed, ""},
      });
  Metadata metadata;
  metadata.emplace(bearer.first, bearer.second);
  const auto caller = both.Identify(metadata, kShop);
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller->account.text(), "aa1-ovh");
  EXPECT_EQ(caller->expires, now_ + absl::Minutes(10) + absl::Seconds(30));
}

}  // namespace
}  // namespace contacts::server
