// Every sample in every language, as text and as HTML.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "core/base/utf8.h"
#include "core/letter/render.h"
#include "core/letter/samples.h"

namespace contacts {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

RenderedMail Written(const Sample& sample, const std::string& language) {
  static const auto& renderer =
      *new MailRenderer({.from = "contacts@example.net",
                         .link_url = "https://example.net/{contact_change_id}?t={token}&a={answer}",
                         .confirm_url = "https://example.net/confirm?t={token}"});
  MailFacts facts = sample.facts;
  facts.recipient.language = language;
  const auto mail = renderer.Render(facts, absl::UnixEpoch());
  EXPECT_TRUE(mail.ok()) << mail.status();
  return *mail;
}

// The text that a person sees of the HTML: without tags and style, with one blank for each space.
std::string Seen(absl::string_view html) {
  html.remove_prefix(html.find("<body"));
  std::string seen;
  while (!html.empty()) {
    const std::size_t end = html.front() == '<' ? html.find('>') + 1 : html.find('<');
    const absl::string_view piece = html.substr(0, end);
    if (absl::StartsWith(piece, "<")) {
      if (!absl::StartsWith(piece, "<strong") && !absl::StartsWith(piece, "</strong")) seen += ' ';
    } else {
      absl::StrAppend(&seen, piece);
    }
    html.remove_prefix(piece.size());
  }
  seen = absl::StrReplaceAll(seen, {{"&lt;", "<"},
                                    {"&gt;", ">"},
                                    {"&quot;", "\""},
                                    {"&#39;", "'"},
                                    {"&nbsp;", " "},
                                    {"&amp;", "&"}});
  absl::RemoveExtraAsciiWhitespace(&seen);
  return seen;
}

std::size_t Words(absl::string_view line) {
  std::size_t words = 0;
  for (const absl::string_view word : absl::StrSplit(line, ' ', absl::SkipEmpty())) {
    words += word.find_first_of("0123456789./@-–{}") == absl::string_view::npos ? 1 : 0;
  }
  return words;
}

class EveryLanguage : public ::testing::TestWithParam<std::tuple<const char*, std::size_t>> {};

TEST_P(EveryLanguage, IsWhole) {
  const auto& [language, number] = GetParam();
  const Sample& sample = Samples()[number];
  const RenderedMail mail = Written(sample, language);
  EXPECT_EQ(mail.language, language);
  EXPECT_THAT(mail.html, HasSubstr(absl::StrCat("<html lang=\"", language, "\">")));
  EXPECT_THAT(mail.html, EndsWith("</html>\n"));
  const std::string seen = Seen(mail.html);
  for (const std::string& text : {mail.subject, mail.text, mail.html}) {
    EXPECT_TRUE(CountCodePoints(text).has_value()) << "not UTF-8";
    EXPECT_FALSE(absl::StrContains(text, "{{") || absl::StrContains(text, "\ufffd")) << text;
  }
  for (const std::string& text : {mail.subject, mail.text, seen}) {
    EXPECT_EQ(text.find_first_of("{}"), std::string::npos) << text;
    EXPECT_THAT(text, Not(HasSubstr("&amp;")));
    EXPECT_THAT(text, Not(HasSubstr("&lt;")));
  }
  EXPECT_LE(*CountCodePoints(mail.subject), 140U) << mail.subject;
  // Each line of the text is in the HTML too, but for what only text has.
  for (absl::string_view line : absl::StrSplit(mail.text, '\n', absl::SkipEmpty())) {
    if (absl::StrContains(line, "https://") || line.find_first_not_of("- ") == line.npos) continue;
    if (absl::EndsWith(line, ":")) line.remove_suffix(1);
    line = absl::StripSuffix(absl::StripAsciiWhitespace(line), "\u00a0");
    if (absl::StartsWith(line, "- ") || absl::StrContains(line, "link")) continue;
    line = absl::StripPrefix(line, "> ");
    if (absl::StrContains(mail.text, absl::StrCat(line, ":\nhttps://"))) continue;
    if (absl::StrContains(mail.text, absl::StrCat(line, "\u00a0:\nhttps://"))) continue;
    EXPECT_THAT(seen, HasSubstr(std::string(line)));
  }
}

TEST_P(EveryLanguage, IsTranslated) {
  const auto& [language, number] = GetParam();
  if (language == std::string("en")) return;
  const Sample& sample = Samples()[number];
  const RenderedMail mail = Written(sample, language), english = Written(sample, "en");
  EXPECT_NE(mail.subject, english.subject);
  const std::set<std::string> lines = absl::StrSplit(english.text, '\n');
  for (const absl::string_view line : absl::StrSplit(mail.text, '\n', absl::SkipEmpty())) {
    // Text that a person wrote stays as it is.
    if (absl::StartsWith(line, "  > ")) continue;
    EXPECT_FALSE(Words(line) > 0 && lines.contains(std::string(line))) << line;
  }
}

INSTANTIATE_TEST_SUITE_P(
    , EveryLanguage,
    ::testing::Combine(::testing::Values("en", "fr", "de", "es", "it", "nl", "pl", "pt"),
                       ::testing::Range<std::size_t>(0, Samples().size())),
    [](const auto& test) {
      return absl::StrCat(
          std::get<0>(test.param), "_",
          absl::StrReplaceAll(Samples()[std::get<1>(test.param)].name, {{"-", "_"}}));
    });

TEST(Samples, HaveEveryKind) {
  std::set<MailKind> kinds;
  std::set<std::string> names;
  for (const Sample& sample : Samples()) {
    kinds.insert(sample.facts.mail.kind);
    EXPECT_TRUE(names.insert(sample.name).second) << sample.name;
  }
  EXPECT_EQ(kinds.size(), static_cast<std::size_t>(MailKind::kItemsWithdrawn));
}

}  // namespace
}  // namespace contacts
