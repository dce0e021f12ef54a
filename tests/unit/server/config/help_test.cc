// server/README.md has a table of the flags, made from --help. To make it again:
//   CONTACTS_UPDATE_FLAGS=1 build/release/tests/server_help_test
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/config/config.h"

namespace contacts::server {
namespace {

constexpr char kPage[] = CONTACTS_SOURCE_DIR "/server/README.md";
constexpr char kBegin[] = "<!-- made from --help by server_help_test -->\n";
constexpr char kEnd[] = "<!-- end of what server_help_test made -->\n";

std::string Help() {
  const char* argv[] = {"contactsd", "--help"};
  std::ostringstream help;
  const auto config = ReadConfig(2, argv, help);
  EXPECT_TRUE(config.ok() && !config->has_value()) << "nothing is served";
  return help.str();
}

// One table for each group of flags.
std::string FlagTables() {
  std::string tables;
  std::string group;
  std::string flag;
  std::string type;
  std::string value;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(Help(), '\n'))) {
    if (RE2::FullMatch(line, R"((\S.*):)", &group)) {
      // The first group has only --help.
      if (group == "Options") continue;
      absl::StrAppend(&tables, "\n### ", group,
                      "\n\n| flag | default | meaning |\n|---|---|---|\n");
    } else if (RE2::FullMatch(line, R"(  (--\w+)( TEXT)?(?:=(.*))? \(Env:CONTACTS_\w+\))", &flag,
                              &type, &value)) {
      const std::string initial = type.empty() ? "off" : value.empty() ? "" : "`" + value + "`";
      absl::StrAppend(&tables, "| `", flag, "` | ", initial, " | ");
    } else if (absl::StartsWith(line, "      ") && !absl::StrContains(line, "help message") &&
               !absl::StrContains(line, "the version and exit")) {
      absl::StrAppend(&tables, absl::StripAsciiWhitespace(line), " |\n");
    }
  }
  return tables + "\n";
}

std::string Page() {
  std::ifstream file(kPage);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Help, IsTheTableOfThePage) {
  const std::string page = Page();
  const std::size_t begin = page.find(kBegin);
  const std::size_t end = page.find(kEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const std::size_t from = begin + sizeof(kBegin) - 1;
  const std::string tables = FlagTables();
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread.
  if (std::getenv("CONTACTS_UPDATE_FLAGS") != nullptr) {
    std::ofstream(kPage) << page.substr(0, from) << tables << page.substr(end);
  } else {
    EXPECT_EQ(page.substr(from, end - from), tables) << "update it with CONTACTS_UPDATE_FLAGS=1";
  }
}

TEST(Help, NamesEveryFlagWithItsDefaultRangeAndVariable) {
  const std::string help = Help();
  for (const char* text : {"--listen", "CONTACTS_MAIL_FROM", "127.0.0.1:50051", "--drain_timeout",
                           "168h", "--mail_give_up"}) {
    EXPECT_THAT(help, ::testing::HasSubstr(text));
  }
  const std::string tables = FlagTables();
  for (const char* row :
       {"| `--workers` | `8` | Threads that run calls (1 to 256) |\n",
        "| `--migrate` | off | Apply the schema, then serve |\n", "| `--mysql` |  | Required."}) {
    EXPECT_THAT(tables, ::testing::HasSubstr(row));
  }
  const auto lines_that_begin = [](const std::string& text, const char* with) {
    const std::vector<std::string> lines = absl::StrSplit(text, '\n');
    return std::count_if(lines.begin(), lines.end(),
                         [&](const auto& line) { return absl::StartsWith(line, with); });
  };
  EXPECT_EQ(lines_that_begin(tables, "| `--"), lines_that_begin(help, "  --"));
}

}  // namespace
}  // namespace contacts::server
