#include <sstream>
#include <string>
#include <vector>

#include "client/answer.h"
#include "client/link.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace contacts::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kId[] = "01920000-0000-7000-8000-000000000001";
constexpr char kOtherId[] = "01920000-0000-7000-8000-000000000002";

std::string Url(const std::string& rest) { return "https://contacts.example/" + rest; }

struct LinkRow {
  std::string name;
  std::string link;
  std::string token;
  LinkAnswer answer;
};

class LinkForms : public ::testing::TestWithParam<LinkRow> {};

TEST_P(LinkForms, GiveIdTokenAndAnswer) {
  const absl::StatusOr<Link> link = ParseLink(GetParam().link);
  ASSERT_TRUE(link.ok()) << link.status();
  EXPECT_EQ(link->contact_change_id, kId);
  EXPECT_EQ(link->token, GetParam().token);
  EXPECT_EQ(link->answer, GetParam().answer);
}

const std::string kIdText = kId;

INSTANTIATE_TEST_SUITE_P(
    All, LinkForms,
    ::testing::Values(
        LinkRow{"Default", Url(kIdText + "?token=ABC&answer=accept"), "ABC", LinkAnswer::kAccept},
        LinkRow{"Refusal", Url(kIdText + "?token=ABC&answer=refuse"), "ABC", LinkAnswer::kRefuse},
        LinkRow{"NoAnswer", Url(kIdText + "?token=ABC"), "ABC", LinkAnswer::kNotSaid},
        LinkRow{"OtherOrder", Url("a/" + kIdText + "/b?answer=accept&x=1&token=ABC"), "ABC",
                LinkAnswer::kAccept},
        LinkRow{"IdInQuery", Url("validate?change=" + kIdText + "&token=ABC"), "ABC",
                LinkAnswer::kNotSaid},
        LinkRow{"IdInFragment", Url("app#/changes/" + kIdText + "?token=ABC&answer=refuse"), "ABC",
                LinkAnswer::kRefuse},
        LinkRow{"IdWithinWord", Url("change-" + kIdText + ".html?token=ABC"), "ABC",
                LinkAnswer::kNotSaid},
        LinkRow{"AnswerInPath", Url("refuse/" + kIdText + "?token=ABC"), "ABC",
                LinkAnswer::kRefuse},
        LinkRow{"PercentEncoded", Url(kIdText + "?%74oken=A%2Db%20C%25&answer=%61ccept"), "A-b C%",
                LinkAnswer::kAccept},
        LinkRow{"BrokenEscapeKept", Url(kIdText + "?token=AB%2&x=%zz"), "AB%2",
                LinkAnswer::kNotSaid},
        LinkRow{"SameIdTwice", Url(kIdText + "?id=" + kIdText + "&token=ABC"), "ABC",
                LinkAnswer::kNotSaid},
        LinkRow{"UpperCaseId", "HTTPS://H/01920000-0000-7000-8000-000000000001?TOKEN=ABC", "ABC",
                LinkAnswer::kNotSaid},
        LinkRow{"FromHtmlSource", Url(kIdText + "?token=ABC&amp;answer=refuse"), "ABC",
                LinkAnswer::kRefuse},
        LinkRow{"WrappedByMailReader",
                " <https://h/0192\n0000-0000-7000-8000-\n000000000001"
                "?token=AB\r\n C> \n",
                "ABC", LinkAnswer::kNotSaid},
        LinkRow{"PortAndUser", "http://u:p@h:8443/" + kIdText + "?token=ABC", "ABC",
                LinkAnswer::kNotSaid}),
    [](const auto& row) { return row.param.name; });

TEST(Link, IsRefusedWithoutId) {
  EXPECT_FALSE(ParseLink(Url("changes?token=ABC")).ok());
  EXPECT_FALSE(ParseLink("https://01920000-0000-7000-8000-000000000001/?token=ABC").ok());
}

TEST(Link, IsRefusedWithSeveralIds) {
  EXPECT_FALSE(ParseLink(Url(kIdText + "/" + kOtherId + "?token=ABC")).ok());
}

TEST(Link, IsRefusedWithoutToken) {
  EXPECT_FALSE(ParseLink(Url(kIdText)).ok());
  EXPECT_FALSE(ParseLink(Url(kIdText + "?token=%20")).ok());
}

TEST(Link, DoesNotTakeATokenThatIsAnIdForTheChange) {
  const absl::StatusOr<Link> link = ParseLink(Url(kIdText + "?token=" + kOtherId));
  ASSERT_TRUE(link.ok()) << link.status();
  EXPECT_EQ(link->contact_change_id, kId);
  EXPECT_EQ(link->token, kOtherId);
}

class ReadingAnswers : public ::testing::Test {
 protected:
  absl::StatusOr<Answer> Read(const std::string& target, const std::vector<std::string>& words,
                              LinkAnswer wanted = LinkAnswer::kAccept) {
    std::istringstream in(input_);
    return ReadAnswer(target, words, wanted, in);
  }

  std::string input_;
};

TEST_F(ReadingAnswers, TakesATypedTokenAsItIsButTrimmed) {
  const auto answer = Read(kId, {" ab-c", "D e "});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->contact_change_id, kId);
  EXPECT_EQ(answer->token, "ab-c D e");
}

TEST_F(ReadingAnswers, ReadsTheTokenFromStandardInput) {
  input_ = "  secret \nnot this\n";
  const auto answer = Read(kId, {"-"});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->token, "secret");
}

TEST_F(ReadingAnswers, ReadsTheLinkFromStandardInput) {
  input_ = Url(kIdText + "?token=ABC&answer=accept\n");
  const auto answer = Read("-", {});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->token, "ABC");
}

TEST_F(ReadingAnswers, StopsWhereTheLinkStandsForTheOppositeAnswer) {
  const std::string accept = Url(kIdText + "?token=ABC&answer=accept");
  const std::string refuse = Url(kIdText + "?token=ABC&answer=refuse");
  EXPECT_TRUE(Read(accept, {}, LinkAnswer::kAccept).ok());
  EXPECT_TRUE(Read(refuse, {}, LinkAnswer::kRefuse).ok());
  EXPECT_THAT(std::string(Read(refuse, {}, LinkAnswer::kAccept).status().message()),
              HasSubstr("nothing was sent"));
  EXPECT_FALSE(Read(accept, {}, LinkAnswer::kRefuse).ok());
}

TEST_F(ReadingAnswers, NeverRepeatsWhatMayBeAToken) {
  const std::vector<absl::StatusOr<Answer>> wrong = {
      Read("SECRET", {}),
      Read("SECRET", {kId}),
      Read(kId, {Url(kIdText + "?token=SECRET")}),
      Read(Url("?token=SECRET"), {}),
      Read(Url(kIdText + "?token=SECRET&answer=refuse"), {}),
  };
  for (const auto& answer : wrong) {
    ASSERT_FALSE(answer.ok());
    EXPECT_THAT(std::string(answer.status().message()), Not(HasSubstr("SECRET")));
  }
}

TEST_F(ReadingAnswers, RefusesAMissingToken) {
  EXPECT_FALSE(Read(kId, {}).ok());
  EXPECT_FALSE(Read(kId, {" "}).ok());
  EXPECT_FALSE(Read(kId, {"-"}).ok());
}

}  // namespace
}  // namespace contacts::client
