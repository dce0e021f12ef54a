// Files of a provider: what is wrong with one is said with its path and line.

#include "core/letter/design.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "core/letter/embedded.h"
#include "core/letter/render.h"
#include "core/letter/samples.h"

namespace contacts {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kPng[] = "\x89PNG\r\n\x1a\nrest";

absl::StatusOr<std::string> ReadPlain(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::FailedPreconditionError(path + ": cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class DesignTest : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directories(directory_); }
  void TearDown() override { fs::remove_all(directory_); }

  std::string Path(const std::string& name) const { return (directory_ / name).string(); }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name), std::ios::binary) << text;
  }
  // Compiles a catalogue, with some text of it replaced.
  void WriteCatalogue(const std::string& po, const std::string& language,
                      const std::vector<std::pair<std::string, std::string>>& edits = {}) const {
    absl::StatusOr<std::string> text = ReadPlain(po);
    ASSERT_TRUE(text.ok()) << text.status();
    for (const auto& [from, to] : edits) {
      ASSERT_THAT(*text, HasSubstr(from));
      absl::StrReplaceAll({{from, to}}, &*text);
    }
    Write("edited.po", *text);
    Run(absl::StrCat("msgfmt -o ", Path(language + ".mo"), " ", Path("edited.po")));
  }
  static void Run(const std::string& command) {
    // NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): the translators' tools.
    ASSERT_EQ(std::system(command.c_str()), 0);
  }

  absl::StatusOr<std::shared_ptr<const Design>> Make(const std::string& brand = "") const {
    const auto files =
        ReadDesignFiles(directory_.string(), brand.empty() ? "" : Path(brand), ReadPlain);
    if (!files.ok()) return files.status();
    return Design::Make(*files);
  }
  std::string Fault(const std::string& brand = "") const {
    const auto design = Make(brand);
    EXPECT_FALSE(design.ok());
    return std::string(design.status().message());
  }
  static RenderedMail Sent(const std::shared_ptr<const Design>& design,
                           const std::string& language = "en") {
    MailFacts facts = Samples().front().facts;
    facts.recipient.language = language;
    return *MailRenderer({.from = "contacts@example.net"}, design).Render(facts, absl::UnixEpoch());
  }

 private:
  const fs::path directory_ =
      fs::path(::testing::TempDir()) / absl::StrCat("design_test_", getpid());
};

TEST_F(DesignTest, ReplacesOneTemplateAndKeepsTheOther) {
  Write("mail.txt", absl::StrCat("Dear customer!\n", EmbeddedDesign().at("mail.txt")));
  Write("mail.txt~", "{{");
  const auto design = Make();
  ASSERT_TRUE(design.ok()) << design.status();
  EXPECT_THAT(Sent(*design).text, StartsWith("Dear customer!\nYour agreement is needed\n"));
  EXPECT_EQ(Sent(*design).html, Sent(Design::Shipped()).html);
}

TEST_F(DesignTest, SaysFileLineAndReasonOfATemplate) {
  const std::string& shipped = EmbeddedDesign().at("mail.html");
  const std::string lines = "<p>\n\n";
  for (const auto& [text, fault] : {
           std::pair("{{titel}}", "3: {{titel}}: no such name"),
           {"{{title", "3: {{ without }}"},
           {"{{ title }}", "3: {{ title }}: want {{name}}"},
           {"\xe9", "3: want UTF-8"},
           {"\x01", "3: a control character"},
           {"\ufeff", "3: a control character or a byte order mark"},
           {"{{#row}}", "3: {{#row}} without {{/row}}"},
           {"{{/row}}", "3: {{/row}} without {{#row}}"},
           {"{{#row}}{{#line}}{{/row}}{{/line}}", "3: {{/row}}, where {{/line}} is wanted"},
           {"{{words:none}}", "3: {{words:none}}: want {{name}}"},
           {"{{{words}}}", "3: {{{words}}: want {{name}}"},
           {"{{&words}}", "3: {{&words}}: want {{name}}"},
           {"{{>/etc/passwd}}", "3: {{>/etc/passwd}}: want {{name}}"},
           {"{{%AUTOESCAPE context=\"JSON\"}}", "3: {{%AUTOESCAPE context=\"JSON\"}}: want"},
           {"{{=<% %>=}}", "3: {{=<% %>=}}: want"},
       }) {
    Write("mail.html", absl::StrCat(lines, text, "\n", shipped));
    EXPECT_THAT(Fault(), StartsWith(absl::StrCat(Path("mail.html"), ":", fault)));
  }
  Write("mail.html", absl::StrReplaceAll(shipped, {{"{{token}}", ""}}));
  EXPECT_EQ(Fault(), Path("mail.html") + ":1: {{token}} is missing");
  Write("mail.html", absl::StrCat("<a onclick={{title}}>", shipped));
  EXPECT_THAT(Fault(), HasSubstr(Path("mail.html")));
}

TEST_F(DesignTest, RefusesATemplateThatHidesWhatAnEmailIsFor) {
  const std::string& text = EmbeddedDesign().at("mail.txt");
  for (const auto& [from, to, hidden] :
       {std::tuple("{{#code}}", "{{#quote}}{{#code}}", "7H2KQ"),
        {"{{url}}", "{{sentence}}{{!}}{{#line}}{{url}}{{/line}}", "https://"},
        {"{{service}}", "{{why}}{{#code}}{{service}}{{/code}}", "example"},
        {"> {{words}}", "> {{#code}}{{words}}{{/code}}", "Ticket"}}) {
    std::string edited = absl::StrReplaceAll(text, {{from, to}});
    if (from == std::string("{{#code}}")) {
      edited = absl::StrReplaceAll(edited, {{"{{/code}}", "{{/code}}{{/quote}}"}});
    }
    Write("mail.txt", edited);
    EXPECT_THAT(Fault(), AllOf(StartsWith(Path("mail.txt") + ": the e-mail \""),
                               HasSubstr("does not show"), HasSubstr(hidden)));
  }
}

TEST_F(DesignTest, RefusesAFileThatItWouldNotUse) {
  for (const char* name : {"mial.html", "done.txt", "french_FR.mo"}) {
    Write(name, "");
    EXPECT_THAT(Fault(), HasSubstr(absl::StrCat(Path(name), ": want mail.html, mail.txt or")));
    fs::remove(Path(name));
  }
  EXPECT_THAT(std::string(ReadDesignFiles(Path("none"), "", ReadPlain).status().message()),
              HasSubstr(Path("none")));
}

TEST_F(DesignTest, AddsALanguageByAFileAlone) {
  // Each message is its own translation, but for one.
  Run("msgen -o " + Path("sv.po") + " " CONTACTS_TEST_CATALOGUES "/contacts.pot");
  WriteCatalogue(Path("sv.po"), "sv",
                 {{"msgstr \"Hello,\"", "msgstr \"Hej!\""},
                  {"nplurals=INTEGER; plural=EXPRESSION;", "nplurals=2; plural=(n != 1);"}});
  const auto design = Make();
  ASSERT_TRUE(design.ok()) << design.status();
  for (const char* tag : {"sv", "sv-FI", "SV", "sv-Latn-SE"}) {
    const RenderedMail mail = Sent(*design, tag);
    EXPECT_EQ(mail.language, "sv");
    EXPECT_THAT(mail.text, HasSubstr("Hej!"));
    EXPECT_THAT(mail.text, HasSubstr("måndag 8 juni 2026 kl. 14:05 UTC"));
    EXPECT_THAT(mail.html, HasSubstr("<html lang=\"sv\">"));
  }
  EXPECT_EQ(Sent(*design, "fr").text, Sent(Design::Shipped(), "fr").text);
  fs::rename(Path("sv.mo"), Path("qqx.mo"));
  EXPECT_EQ(Fault(), Path("qqx.mo") + ": ICU does not know the language qqx");
}

TEST_F(DesignTest, HasTheWordsOfAProvidersOwnCatalogue) {
  WriteCatalogue(CONTACTS_TEST_CATALOGUES "/fr.po", "fr", {{"\"Bonjour,\"", "\"Salut,\""}});
  const auto design = Make();
  ASSERT_TRUE(design.ok()) << design.status();
  EXPECT_THAT(Sent(*design, "fr").text, HasSubstr("Salut,"));
  fs::rename(Path("fr.mo"), Path("FR.mo"));
  EXPECT_THAT(Sent(*Make(), "fr").text, HasSubstr("Salut,"));
}

TEST_F(DesignTest, RefusesACatalogueOfAnotherVersion) {
  WriteCatalogue(CONTACTS_TEST_CATALOGUES "/fr.po", "fr", {{"msgid \"Hello,\"", "msgid \"Hi,\""}});
  EXPECT_EQ(Fault(),
            Path("fr.mo") +
                ": incomplete, or made for another version: no translation of \"Hello,\" (1 such "
                "messages)");
  WriteCatalogue(CONTACTS_TEST_CATALOGUES "/fr.po", "fr",
                 {{"contactez {account}", "contactez {compte}"}});
  EXPECT_THAT(Fault(), HasSubstr("other names in braces"));
  Write("fr.mo", "nothing");
  EXPECT_THAT(Fault(), HasSubstr(Path("fr.mo") + ": not a catalogue that msgfmt made: its"));
}

TEST_F(DesignTest, RefusesADamagedCatalogueWithoutACrash) {
  const std::string& french = EmbeddedDesign().at("fr.mo");
  for (std::size_t size = 0; size < french.size(); size += 61) {
    Write("fr.mo", french.substr(0, size));
    EXPECT_THAT(Fault(), StartsWith(Path("fr.mo") + ": "));
  }
  // Every byte of the header and of the tables, and some of the rest.
  for (std::size_t at = 0; at < french.size(); at += at < 2000 ? 3 : 97) {
    std::string damaged = french;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    Write("fr.mo", damaged);
    const auto design = Make();
    EXPECT_TRUE(design.ok() || absl::IsInvalidArgument(design.status()));
  }
}

TEST_F(DesignTest, SaysWhichTranslationIsWrong) {
  const std::string po = CONTACTS_TEST_CATALOGUES "/fr.po";
  const std::string deep = "plural=" + std::string(300, '(') + "n";
  for (const auto& [from, to, fault] :
       {std::tuple("\"Bonjour,\"", "\"Bon\\njour,\"", "\"Hello,\" has a control character"),
        {"\"Bonjour,\"", "\"Bonjour {\"", "\"Hello,\" has other names in braces"},
        {"\"{count}\u00a0services\"", "\"{nombre}\u00a0services\"", "has other names in braces"},
        {"nplurals=2", "nplurals=3", "lacks a plural form"},
        {"plural=(n > 1)", deep.c_str(), "Plural-Forms"}}) {
    WriteCatalogue(po, "fr", {{from, to}});
    EXPECT_THAT(Fault(), AllOf(StartsWith(Path("fr.mo") + ": "), HasSubstr(fault)));
  }
}

TEST_F(DesignTest, RefusesADirectoryThatAnyoneMayWrite) {
  fs::permissions(Path(""), fs::perms::others_write, fs::perm_options::add);
  EXPECT_THAT(Fault(), HasSubstr("anyone may write it"));
}

TEST_F(DesignTest, MissesEachMessageOfAnEmptyCatalogue) {
  const std::string pot = CONTACTS_TEST_CATALOGUES "/contacts.pot";
  WriteCatalogue(pot, "fr",
                 {{"nplurals=INTEGER; plural=EXPRESSION;", "nplurals=2; plural=(n != 1);"}});
  int messages = -1;  // The first one is the header.
  for (const absl::string_view line : absl::StrSplit(*ReadPlain(pot), '\n')) {
    messages += absl::StartsWith(line, "msgid ") ? 1 : 0;
  }
  EXPECT_THAT(Fault(), HasSubstr(absl::StrCat("(", messages, " such messages)")));
}

TEST_F(DesignTest, ShowsTheBrand) {
  Write("brand.yaml",
        "name: Déjà <Hosting>\nsupport: help@example.net\nlogo: logo.png\nlogo_width: 120\n"
        "colors:\n  accent: \"#a1b2c3\"\nfooter: |\n  Déjà & Co\n  1 rue de l’Exemple\n");
  Write("logo.png", kPng);
  const auto design = Make("brand.yaml");
  ASSERT_TRUE(design.ok()) << design.status();
  const RenderedMail mail = Sent(*design);
  EXPECT_EQ(mail.from_name, "Déjà <Hosting>");
  ASSERT_NE(mail.logo, nullptr);
  EXPECT_EQ(mail.logo->type, "png");
  EXPECT_THAT(mail.html, HasSubstr("<img src=\"cid:logo@brand\" alt=\"Déjà &lt;Hosting&gt;\" "
                                   "width=\"120\""));
  EXPECT_THAT(mail.html, HasSubstr("background-color:#a1b2c3;"));
  EXPECT_THAT(mail.html, HasSubstr("help@example.net"));
  EXPECT_THAT(mail.html, HasSubstr("Déjà &amp; Co<br>1 rue de l’Exemple"));
  EXPECT_THAT(mail.text, HasSubstr("\nDéjà & Co\n1 rue de l’Exemple\n"));
  const auto bytes = EncodeMime(mail);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_THAT(*bytes, HasSubstr("Content-Type: multipart/related"));
  EXPECT_THAT(*bytes, HasSubstr("Content-Type: image/png"));
  EXPECT_THAT(*bytes, HasSubstr("Content-Id: <logo@brand>"));
}

TEST_F(DesignTest, TakesABrandWithEmptyLines) {
  Write("brand.yaml", "name:\nfooter:\n");
  EXPECT_TRUE(Make("brand.yaml").ok()) << Make("brand.yaml").status();
}

TEST_F(DesignTest, SaysFileLineAndReasonOfABrand) {
  Write("logo.png", "no picture");
  for (const auto& [text, fault] : {
           std::pair("name: x\nnmae: y\n", "2: no \"nmae\"; want name, support"),
           {"name: x\n\ncolors: {accent: blue}\n", "3: accent: want \"#rrggbb\""},
           {"colors:\n  acent: \"#000000\"\n", "2: colors: no \"acent\"; want accent"},
           {"colors: red\n", "1: colors: want"},
           {"name: x\nsupport: nobody\n", "2: support: want an e-mail address"},
           {"logo_width: 4000\n", "1: logo_width: want 16 to 520"},
           {"name: [x\n", "2: "},
           {"- name\n", "1: want NAME: VALUE lines"},
           {"name: \"a\\nb\"\n", "1: name: want one line"},
           {"\nlogo: missing.png\n", "2: "},
           {"\nlogo: logo.png\n", "2: "},
           {"name: x\nname: y\n", "2: a second name"},
           {"name: x\n---\nname: y\n", "3: a second document"},
           {"name: x\u202ey\n", "1: name: want one line"},
           {"colors:\n  accent: #a1b2c3\n", "2: accent: want"},
       }) {
    Write("brand.yaml", text);
    EXPECT_THAT(Fault("brand.yaml"), StartsWith(absl::StrCat(Path("brand.yaml"), ":", fault)));
  }
  Write("brand.yaml", "\nlogo: missing.png\n");
  EXPECT_THAT(Fault("brand.yaml"), HasSubstr(Path("missing.png")));
  Write("brand.yaml", "logo: logo.png\n");
  EXPECT_THAT(Fault("brand.yaml"), HasSubstr("want a PNG, JPEG or GIF"));
}

}  // namespace
}  // namespace contacts
