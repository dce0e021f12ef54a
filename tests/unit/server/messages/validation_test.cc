#include "server/messages/validation.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "contacts/v1/contact_service.pb.h"
#include "contacts/v1/directory_service.pb.h"
#include "server/messages/page_token.h"

namespace contacts::server {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<FieldRule> Table() { return FieldRules(AccountIdForm(), Settings()); }

template <typename Request>
Request From(const std::string& text) {
  Request request;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request)) << text;
  return request;
}

FieldViolations Check(google::protobuf::Message& request) {
  static const RequestValidator validator(Table());
  return validator.Validate(request, AccountId("aa1-ovh"));
}

std::vector<std::string> Fields(const FieldViolations& violations) {
  std::vector<std::string> fields;
  for (const auto& violation : violations) fields.push_back(violation.field);
  return fields;
}

TEST(FieldRulesTest, CoverEveryFieldOfEveryRequest) {
  EXPECT_THAT(RequestValidator(Table()).gaps(), IsEmpty());
}

TEST(FieldRulesTest, AnyMissingRuleIsNoticed) {
  const std::vector<FieldRule> table = Table();
  for (std::size_t i = 0; i < table.size(); ++i) {
    std::vector<FieldRule> rest = table;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_THAT(RequestValidator(rest).gaps(),
                ElementsAre(absl::StrCat("a field without a rule: ", table[i].path)));
  }
}

TEST(FieldRulesTest, RuleWithoutFieldOrOfAnotherTypeIsNoticed) {
  std::vector<FieldRule> table = Table();
  table.push_back({"GetServiceRequest.nope", FlagForm{}});
  EXPECT_THAT(RequestValidator(table).gaps(),
              ElementsAre("a rule without a field: GetServiceRequest.nope"));
  table = Table();
  table.push_back(table.front());
  EXPECT_THAT(RequestValidator(table).gaps(), Contains(HasSubstr("two rules")));
  table = Table();
  table.front().form = FlagForm{};
  EXPECT_THAT(RequestValidator(table).gaps(), ElementsAre(HasSubstr("of another type")));
}

TEST(RequestValidatorTest, ListsEveryMalformedFieldInOrder) {
  auto request = From<v1::ChangeContactsRequest>(
      "request_id: '1' assignments { service: 'a..b' role: CONTACT_ROLE_TECH new_contact: 'x' }"
      "assignments { service: 'a.b' new_contact: 'aa1-ovh' }");
  EXPECT_THAT(Fields(Check(request)),
              ElementsAre("request_id", "assignments[0].service", "assignments[0].new_contact",
                          "assignments[1].role"));
}

TEST(RequestValidatorTest, SaysWhatWasGivenAndWhatIsWanted) {
  auto request = From<v1::GetServiceRequest>("service: 'a b\\n'");
  const auto violations = Check(request);
  ASSERT_EQ(violations.size(), 1U);
  EXPECT_THAT(violations[0].description, HasSubstr("\"a b\\n\"; want a service id"));
}

TEST(RequestValidatorTest, CutsLongValuesAndHidesTokens) {
  auto request =
      From<v1::GetServiceRequest>(absl::StrCat("service: '", std::string(9999, '%'), "'"));
  EXPECT_LT(Check(request)[0].description.size(), 200U);
  auto accept = From<v1::AcceptContactChangeRequest>(
      absl::StrCat("contact_change_id: '01890a5d-ac96-774b-bcce-b302099a8057' token: '",
                   std::string(600, 'S'), "'"));
  EXPECT_THAT(Check(accept)[0].description, Not(HasSubstr("SS")));
}

TEST(RequestValidatorTest, BringsIdsIntoOneForm) {
  auto request = From<v1::ChangeContactsRequest>(
      "request_id: '01890A5D-AC96-774B-BCCE-B302099A8057'"
      "assignments { service: 'Example.COM' role: CONTACT_ROLE_TECH new_contact: 'AA1-OVH' }");
  EXPECT_THAT(Check(request), IsEmpty());
  EXPECT_EQ(request.request_id(), "01890a5d-ac96-774b-bcce-b302099a8057");
  EXPECT_EQ(request.assignments(0).service(), "example.com");
  EXPECT_EQ(request.assignments(0).new_contact(), "aa1-ovh");

  auto account = From<v1::CreateAccountRequest>(
      "account { id: 'AA1-ovh' email: 'Jane@Example.com' language_code: 'FR-fr' }");
  EXPECT_THAT(Check(account), IsEmpty());
  EXPECT_EQ(account.account().email(), "Jane@Example.com");
  EXPECT_EQ(account.account().language_code(), "fr-FR");
  account.mutable_account()->set_email("jose\u0301@exa\u0308mple.fr");
  EXPECT_THAT(Check(account), IsEmpty());
  EXPECT_EQ(account.account().email(), "jos\u00e9@ex\u00e4mple.fr");
}

TEST(RequestValidatorTest, NeedsRequestIdOnlyWhereSomethingIsWritten) {
  auto request = From<v1::ChangeContactsRequest>(
      "validate_only: true"
      " assignments { service: 'a.b' role: CONTACT_ROLE_TECH new_contact: 'aa1-ovh' }");
  EXPECT_THAT(Check(request), IsEmpty());
  request.set_validate_only(false);
  EXPECT_THAT(Fields(Check(request)), ElementsAre("request_id"));
}

TEST(RequestValidatorTest, NeedsOnlyTheFieldsThatTheMaskNames) {
  auto request = From<v1::UpdateProfileRequest>("update_mask { paths: 'email' }");
  EXPECT_THAT(Fields(Check(request)), ElementsAre("account.email"));
  request = From<v1::UpdateProfileRequest>(
      "account { language_code: 'en' } update_mask { paths: 'language_code' }");
  EXPECT_THAT(Check(request), IsEmpty());
}

TEST(RequestValidatorTest, LooksAtAMessageThatWasLeftOut) {
  v1::CreateAccountRequest request;
  EXPECT_THAT(Fields(Check(request)), ElementsAre("account.id", "account.email"));
}

TEST(RequestValidatorTest, ProfileIsTheActingAccountsOwn) {
  auto request = From<v1::UpdateProfileRequest>(
      "account { id: 'bb2-ovh' email: 'a@example.com' } update_mask { paths: 'email' }");
  EXPECT_THAT(Fields(Check(request)), ElementsAre("account.id"));
  request.mutable_account()->set_id("AA1-ovh");
  EXPECT_THAT(Check(request), IsEmpty());
}

TEST(RequestValidatorTest, AsksForEachServiceAndRoleOnce) {
  auto request = From<v1::OverrideContactsRequest>(
      "request_id: '01890a5d-ac96-774b-bcce-b302099a8057' reason: 'r'"
      "assignments { service: 'a.b' role: CONTACT_ROLE_TECH new_contact: 'aa1-ovh' }"
      "assignments { service: 'a.b' role: CONTACT_ROLE_ADMIN new_contact: 'aa1-ovh' }"
      "assignments { service: 'A.B' role: CONTACT_ROLE_TECH new_contact: 'bb2-ovh' }");
  EXPECT_THAT(Fields(Check(request)), ElementsAre("assignments[2]"));
}

TEST(RequestValidatorTest, StopsAtTooManyAssignments) {
  v1::ChangeContactsRequest request;
  request.set_request_id("01890a5d-ac96-774b-bcce-b302099a8057");
  for (int i = 0; i < 1001; ++i) request.add_assignments();
  EXPECT_THAT(Fields(Check(request)), ElementsAre("assignments"));
}

TEST(RequestValidatorTest, TakesOwnersDataThatLooksLikeCode) {
  auto request = From<v1::UpdateServiceOwnerRequest>(
      "service: 'a.b' owner { name: \"O'Brien'; DROP TABLE service; --\" organisation: '<b>'"
      " phone: '+33972101007' country_code: 'fr' } update_mask { paths: 'name' }");
  EXPECT_THAT(Check(request), IsEmpty());
  EXPECT_EQ(request.owner().country_code(), "FR");
}

TEST(RequestValidatorTest, ChecksOnlyTheChosenRecordOfAnImport) {
  auto request = From<v1::ImportDirectoryRequest>("account { id: 'aa1-ovh' }");
  EXPECT_THAT(Fields(Check(request)), ElementsAre("account.email"));
}

TEST(RequestValidatorTest, LeavesOfATokenItsLettersAndDigits) {
  v1::AcceptContactChangeRequest accept;
  accept.set_contact_change_id("01890a5d-ac96-774b-bcce-b302099a8057");
  accept.set_token(
      "\xe2\x80\x9c<AB-CD>\r\n\t\xe2\x80\x8b"
      "ef\".");
  EXPECT_THAT(Check(accept), IsEmpty());
  EXPECT_EQ(accept.token(), "ABCDef");
}

}  // namespace
}  // namespace contacts::server
