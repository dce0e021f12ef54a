#include "server/identity.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/domain/errors.h"

namespace contacts::server {
namespace {

struct Row {
  const char* name;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string on_contacts;   // Reason of the error on ContactService; empty where allowed.
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
  const auto identity = DevelopmentAuthenticator(AccountIdForm()).Identify(metadata);
  return errors::Reason(identity.ok() ? Authorize(*identity, audience) : identity.status());
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
  const auto identity = DevelopmentAuthenticator(AccountIdForm()).Identify(metadata);
  ASSERT_TRUE(identity.ok());
  EXPECT_EQ(identity->account.text(), "aa1-ovh");
}

}  // namespace
}  // namespace contacts::server
