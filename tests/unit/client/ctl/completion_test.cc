// Completion by a real bash, and client/README.md beside --help.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "client/ctl/command_line.h"
#include "client/lib/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace contacts::client {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Output(const std::vector<std::string>& arguments) {
  std::istringstream in;
  std::ostringstream out, err;
  EXPECT_EQ(RunCommandLine(arguments, "", {.in = in, .out = out, .err = err}), kDone) << err.str();
  return out.str();
}

// Bash's completions of the last of `words`.
std::vector<std::string> Completed(const std::vector<std::string>& words) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/completion.", ::getpid(), ".bash");
  std::string typed = "contactctl";
  for (const std::string& word : words) absl::StrAppend(&typed, " '", word, "'");
  std::ofstream(path) << "set -u\n"
                      << Output({"completion", "bash"}) << "COMP_WORDS=(" << typed << ")\n"
                      << "COMP_CWORD=" << words.size() << "\n_contactctl\n"
                      << "printf '%s\\n' \"${COMPREPLY[@]}\"\n";
  FILE* bash = ::popen(("bash --norc " + path + " 2>&1").c_str(), "r");
  std::string offered;
  for (int c = std::fgetc(bash); c != EOF; c = std::fgetc(bash)) offered += static_cast<char>(c);
  EXPECT_EQ(::pclose(bash), 0) << offered;
  std::filesystem::remove(path);
  return absl::StrSplit(offered, '\n', absl::SkipEmpty());
}

TEST(CompletionInBash, CompletesCommands) {
  EXPECT_THAT(Completed({"hist"}), ElementsAre("history"));
  EXPECT_THAT(Completed({"operator", "create-"}), ElementsAre("create-account", "create-service"));
  EXPECT_THAT(Completed({""}),
              AllOf(Contains("profile"), Contains("health"), Contains("--server")));
}

TEST(CompletionInBash, CompletesOptionsOfTheCommandAndOfAll) {
  EXPECT_THAT(Completed({"change", "--val"}), ElementsAre("--validate-only"));
  EXPECT_THAT(Completed({"--server=h:1", "operator", "override", "--rea"}),
              ElementsAre("--reason"));
  EXPECT_THAT(Completed({"change", "--acc"}), ElementsAre("--account"));
  EXPECT_THAT(Completed({"changes", "--"}),
              AllOf(Contains("--involvement"), Not(Contains("--validate-only"))));
}

TEST(Completion, OfOtherShellsHasTheSameTree) {
  EXPECT_THAT(Output({"completion", "zsh"}), AllOf(HasSubstr("#compdef contactctl"),
                                                   HasSubstr("'operator override') candidates=(")));
  EXPECT_THAT(Output({"completion", "fish"}),
              AllOf(HasSubstr("-n '__contactctl_at operator' -a override -d 'Sets contacts"),
                    HasSubstr("-n '__contactctl_at operator override' -l reason -r -d 'Why")));
}

std::set<std::string> CommandsOf(const std::vector<std::string>& arguments) {
  const std::string help = Output(arguments);
  std::set<std::string> commands;
  for (absl::string_view line : absl::StrSplit(help.substr(help.find("Subcommands:")), '\n')) {
    if (line.empty()) break;
    // A name, its description beside or below it.
    if (absl::ConsumePrefix(&line, "  ") && !absl::StartsWith(line, " ")) {
      commands.emplace(line.substr(0, line.find(' ')));
    }
  }
  return commands;
}

// The first cells of the rows of the table in client/README.md whose header has `title` first.
std::set<std::string> Table(const std::string& title) {
  std::ifstream readme(CONTACTS_SOURCE_DIR "/client/README.md");
  std::set<std::string> cells;
  bool inside = false;
  for (std::string line; std::getline(readme, line);) {
    if (absl::StartsWith(line, absl::StrCat("| ", title, " |"))) {
      inside = true;
    } else if (inside && absl::StartsWith(line, "| `")) {
      cells.insert(line.substr(3, line.find('`', 3) - 3));
    } else if (!absl::StartsWith(line, "|")) {
      inside = false;
    }
  }
  return cells;
}

TEST(Readme, HasEveryCommandAndNoOther) {
  EXPECT_EQ(Table("command"), CommandsOf({"--help"}));
  EXPECT_EQ(Table("`operator` command"), CommandsOf({"operator", "--help"}));
  EXPECT_EQ(Table("`support` command"), CommandsOf({"support", "--help"}));
}

// The variables that `text` names.
std::set<std::string> Variables(const std::string& text) {
  std::set<std::string> names;
  for (auto at = text.find("CONTACTS_"); at != std::string::npos;
       at = text.find("CONTACTS_", at + 1)) {
    names.insert(text.substr(at, text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", at) - at));
  }
  return names;
}

TEST(Readme, HasEveryVariableAndNoOther) {
  std::ostringstream readme;
  readme << std::ifstream(CONTACTS_SOURCE_DIR "/client/README.md").rdbuf();
  EXPECT_EQ(Variables(readme.str()), Variables(Output({"--help"})));
  EXPECT_THAT(Variables(readme.str()), Contains("CONTACTS_SERVER"));
}

}  // namespace
}  // namespace contacts::client
