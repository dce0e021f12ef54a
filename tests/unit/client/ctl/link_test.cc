#include <sstream>
#include <string>
#include <vector>

#include "client/ctl/answer.h"
#include "client/ctl/link.h"
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
        LinkRow{"NoAnswer", Url(kIdText + "?token=ABC"), "ABC", LinkAnswer::kUnspecified},
        LinkRow{"OtherOrder", Url("a/" + kIdText + "/b?answer=accept&x=1&token=ABC"), "ABC",
                LinkAnswer::kAccept},
        LinkRow{"IdInQuery", Url("validate?change=" + kIdText + "&token=ABC"), "ABC",
                LinkAnswer::kUnspecified},
        LinkRow{"IdInFragment", Url("app#/changes/" + kIdText + "?token=ABC&answer=refuse"), "ABC",
                LinkAnswer::kRefuse},
        LinkRow{"IdWithinWord", Url("change-" + kIdText + ".html?token=ABC"), "ABC",
                LinkAnswer::kUnspecified},
        LinkRow{"AnswerInPath", Url("refuse/" + kIdText + "?token=ABC"), "ABC",
                LinkAnswer::kRefuse},
        LinkRow{"PercentEncoded", Url(kIdText + "?%74oken=A%2Db%20C%25&answer=%61ccept"), "A-bC",
                LinkAnswer::kAccept},
        LinkRow{"BrokenEscapeKept", Url(kIdText + "?token=AB%2&x=%zz"), "AB2",
                LinkAnswer::kUnspecified},
        LinkRow{"SameIdTwice", Url(kIdText + "?id=" + kIdText + "&token=ABC"), "ABC",
                LinkAnswer::kUnspecified},
        LinkRow{"UpperCaseId", "HTTPS://H/01920000-0000-7000-8000-000000000001?TOKEN=ABC", "ABC",
                LinkAnswer::kUnspecified},
        LinkRow{"FromHtmlSource", Url(kIdText + "?token=ABC&amp;answer=refuse"), "ABC",
                LinkAnswer::kRefuse},
        LinkRow{"WrappedByMailReader",
                " <https://h/0192\n0000-0000-7000-8000-\n000000000001"
                "?token=AB\r\n C> \n",
                "ABC", LinkAnswer::kUnspecified},
        LinkRow{"EndOfASentence", "(see \u201c" + Url(kIdText + "?token=ABC&answer=refuse\u201d)."),
                "ABC", LinkAnswer::kRefuse},
        LinkRow{"SafeLinks",
                "https://nam02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fcontacts.example"
                "%2F" +
                    kIdText +
                    "%3Ftoken%3DAB-C%26answer%3Daccept&data=05%7C01%7C%7C84df9e7f-"
                    "e9f6-40af-b435-aaaaaaaaaaaa%7C1%7C0&sdata=x%3D&reserved=0",
                "AB-C", LinkAnswer::kAccept},
        LinkRow{"Google",
                "https://www.google.com/url?q=https://contacts.example/" + kIdText +
                    "%3Ftoken%3DABC%26answer%3Drefuse&source=gmail&ust=1700000000&sa=D",
                "ABC", LinkAnswer::kRefuse},
        LinkRow{"Barracuda",
                "https://linkprotect.cudasvc.com/url?a=https%3a%2f%2fcontacts.example%2f" +
                    kIdText + "%3ftoken%3dABC%26answer%3daccept&c=E,1,x_y&typo=1",
                "ABC", LinkAnswer::kAccept},
        LinkRow{"Proofpoint2",
                "https://urldefense.proofpoint.com/v2/url?u=https-3A__contacts.example_01920000-"
                "2D0000-2D7000-2D8000-2D000000000001-3Ftoken-3DAB-2DC-26answer-3Daccept&d=Dw&c=x",
                "AB-C", LinkAnswer::kAccept},
        LinkRow{"Proofpoint3",
                "https://urldefense.com/v3/__https://contacts.example/" + kIdText +
                    "?token=ABC&answer=refuse__;!!x!y$",
                "ABC", LinkAnswer::kRefuse},
        LinkRow{"TwoGateways",
                "https://x.safelinks.protection.outlook.com/?url=https%3A%2F%2Furldefense.com%2Fv3"
                "%2F__https%3A%2F%2Fcontacts.example%2F" +
                    kIdText + "%3Ftoken%3DABC%26answer%3Daccept__%3B!!x%24&data=1",
                "ABC", LinkAnswer::kAccept},
        LinkRow{"OwnLinkWithAnAddress",
                Url(kIdText + "?back=https%3A%2F%2Fh%2F&token=ABC&answer=accept"), "ABC",
                LinkAnswer::kAccept},
        LinkRow{"PortAndUser", "http://u:p@h:8443/" + kIdText + "?token=ABC", "ABC",
                LinkAnswer::kUnspecified}),
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

TEST_F(ReadingAnswers, LeavesOutWhatCannotBePartOfAToken) {
  for (const char* pasted :
       {"AB-C.", "<AB-C>", "\u00abAB-C\u00bb", "'AB-C',", "A\r\nB-\tC", "(AB-C)"}) {
    const auto answer = Read(kId, {pasted});
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->token, "AB-C") << pasted;
  }
}

TEST_F(ReadingAnswers, JoinsTheWordsOfATypedToken) {
  const auto answer = Read(kId, {" ab-c", "D e "});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->contact_change_id, kId);
  EXPECT_EQ(answer->token, "ab-cDe");
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

TEST(ConfirmLink, GivesTheTokenOfTheLinkThatConfirmsAnAddress) {
  EXPECT_EQ(*ParseConfirmLink(Url("confirm-email?token=ABC-12")), "ABC-12");
  EXPECT_EQ(*ParseConfirmLink("<" + Url("c?l=fr&amp;token=AB%20C") + ">"), "ABC");
  // Of another e-mail.
  EXPECT_FALSE(ParseConfirmLink(Url(kIdText + "?token=SECRET&answer=accept")).ok());
  const absl::Status without = ParseConfirmLink(Url("confirm-email")).status();
  EXPECT_THAT(std::string(without.message()), HasSubstr("no token"));
}

TEST(Confirmation, IsReadAsWordsAsALinkOrFromTheInput) {
  std::istringstream none;
  EXPECT_EQ(*ReadConfirmation({"7H2KQ-0M9XT", "4RWVB"}, none), "7H2KQ-0M9XT4RWVB");
  EXPECT_EQ(*ReadConfirmation({Url("c?token=ABC")}, none), "ABC");
  std::istringstream token("ABC-1\n"), link(Url("c?token=ABC-2") + "\n");
  EXPECT_EQ(*ReadConfirmation({"-"}, token), "ABC-1");
  EXPECT_EQ(*ReadConfirmation({"-"}, link), "ABC-2");
  EXPECT_FALSE(ReadConfirmation({"..."}, none).ok());
}

}  // namespace
}  // namespace contacts::client
