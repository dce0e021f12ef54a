// contactctl import and export against a server in its own process.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/ctl/client.h"
#include "client/ctl/command_line.h"
#include "client/lib/errors.h"
#include "tests/testing/server_process.h"
#include "tests/testing/test_database.h"

namespace contacts {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using testing::ServerProcess;

constexpr char kJsonLines[] =
    R"({"account":{"id":"aa1-ovh","email":"a@mail.example","language_code":"fr","billing_standing":"BILLING_STANDING_OVERDUE"}}
{"account":{"id":"bb2-ovh","email":"b@mail.example","language_code":"en","billing_standing":"BILLING_STANDING_UP_TO_DATE"}}
{"service":{"id":"a.example","kind":"domain","admin":"aa1-ovh","tech":"bb2-ovh","billing":"aa1-ovh","owner":{"name":"Irène \"I\" Joliot, physicist","address_lines":["1 rue d'Ulm","Bât. B"],"city":"Paris"}}}
{"service":{"id":"b.example","kind":"vps","admin":"bb2-ovh","tech":"bb2-ovh","billing":"bb2-ovh","owner":{}}}
)";

// The same records.
constexpr char kCsv[] =
    R"(type,id,email,language_code,billing_standing,kind,admin,tech,billing,owner_name,owner_address_lines,owner_city
account,aa1-ovh,a@mail.example,fr,BILLING_STANDING_OVERDUE,,,,,,,
account,bb2-ovh,b@mail.example,en,BILLING_STANDING_UP_TO_DATE,,,,,,,
service,a.example,,,,domain,aa1-ovh,bb2-ovh,aa1-ovh,"Irène ""I"" Joliot, physicist","1 rue d'Ulm
Bât. B",Paris
service,b.example,,,,vps,bb2-ovh,bb2-ovh,bb2-ovh,,,
)";

struct Ran {
  int status = 0;
  std::string out;
  std::string err;
};

class ImportCommand : public ::testing::Test {
 protected:
  ImportCommand() : server_(database_.server_uri(), directory_.path()) { server_.Start(); }

  Ran Run(std::vector<std::string> arguments, const std::string& input = "",
          bool terminal = false) {
    arguments.insert(arguments.begin(), "--server=" + server_.address());
    std::istringstream in(input);
    std::ostringstream out, err;
    const int status = client::RunCommandLine(
        arguments, "", {.in = in, .out = out, .err = err, .terminal_err = terminal});
    return {status, out.str(), err.str()};
  }

  std::string File(const std::string& name, const std::string& text) {
    const std::string path = absl::StrCat(directory_.path(), "/", name);
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  testing::TestDatabase database_;
  testing::TemporaryDirectory directory_;
  ServerProcess server_;
};

TEST_F(ImportCommand, TakesWhatExportGivesBack) {
  const Ran imported = Run({"import", File("directory.jsonl", kJsonLines)});
  EXPECT_EQ(imported.status, client::kDone) << imported.err;
  EXPECT_THAT(imported.out, MatchesRegex("Imported 4 records in .*, rejected 0\\.\n"));
  EXPECT_THAT(imported.err, IsEmpty());
  const Ran exported = Run({"export"});
  EXPECT_EQ(exported.status, client::kDone) << exported.err;
  EXPECT_EQ(exported.out, kJsonLines);

  // Importing it again, in either format, changes nothing.
  const std::string before = database_.Dump();
  EXPECT_EQ(Run({"import", "-"}, exported.out).status, client::kDone);
  EXPECT_EQ(Run({"import", File("directory.csv", kCsv)}).status, client::kDone);
  EXPECT_EQ(database_.Dump(), before);

  // Importing the CSV into an empty database gives the same directory.
  database_.Execute("DELETE FROM account");
  database_.Execute("DELETE FROM service");
  EXPECT_EQ(Run({"import", "-", "--format=csv"}, kCsv).status, client::kDone);
  EXPECT_EQ(Run({"export"}).out, kJsonLines);
}

TEST_F(ImportCommand, ListsRejectedLinesAndExitsWithOne) {
  const std::string bad = absl::StrCat(
      R"({"account":{"id":"cc3-ovh","email":"nobody"}})", "\nnonsense\n", kJsonLines,
      R"({"service":{"id":"c.example","kind":"vps","admin":"zz9-ovh","tech":"aa1-ovh","billing":"aa1-ovh"}})");
  const Ran ran = Run({"import", "-"}, bad);
  EXPECT_EQ(ran.status, client::kOtherFailure);
  EXPECT_THAT(ran.out, HasSubstr("Imported 4 records"));
  EXPECT_THAT(ran.out, HasSubstr("rejected 3."));
  EXPECT_THAT(ran.err,
              AllOf(HasSubstr("line 1 rejected: account.email: "), HasSubstr("[INVALID_FIELD]"),
                    HasSubstr("line 2 rejected: no JSON object"),
                    HasSubstr("line 7 rejected: no account \"zz9-ovh\" [ACCOUNT_NOT_FOUND]")));
  const Ran json = Run({"import", "-", "--output=json"}, bad);
  EXPECT_THAT(json.out, AllOf(HasSubstr("\"records\":7"), HasSubstr("\"rejected\":3")));
  EXPECT_THAT(json.err, HasSubstr(R"("line":7)"));
}

TEST_F(ImportCommand, ListsRejectedLinesInTheirOrderWithEveryWrongField) {
  const std::string bad = absl::StrCat(
      R"({"account":{"id":"cc3-ovh","email":"nobody","language_code":"?"}})", "\nnonsense\n",
      kJsonLines, R"({"account":{"id":"dd4-ovh","email":"nobody"}})", "\n{}\n");
  const Ran ran = Run({"import", "-"}, bad);
  std::vector<std::string> lines;
  for (const auto line : absl::StrSplit(ran.err, '\n', absl::SkipEmpty())) lines.emplace_back(line);
  EXPECT_THAT(lines,
              ::testing::ElementsAre(AllOf(HasSubstr("line 1 rejected: account.email: "),
                                           HasSubstr("; account.language_code: ")),
                                     HasSubstr("line 2 rejected"), HasSubstr("line 7 rejected"),
                                     HasSubstr("line 8 rejected")));
}

TEST_F(ImportCommand, OfAFileThatCannotBeReadRejectsEveryLine) {
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += "nonsense\n";
  EXPECT_THAT(Run({"import", "-"}, many).out, HasSubstr("rejected 20,000."));
}

TEST_F(ImportCommand, DrawsABarOnATerminalAlone) {
  std::ostringstream many;
  for (int i = 0; i < 20'000; ++i) {
    many << R"({"account":{"id":"aa)" << i << R"(-ovh","email":"a@mail.example"}})" << '\n';
  }
  const std::string file = File("many.jsonl", many.str());
  const Ran drawn = Run({"import", file}, "", /*terminal=*/true);
  EXPECT_EQ(drawn.status, client::kDone);
  EXPECT_THAT(drawn.err, AllOf(HasSubstr("\r\x1b[K[#"), HasSubstr("/s"), HasSubstr(" left")));
  EXPECT_THAT(Run({"import", file}).err, ::testing::Not(HasSubstr("\x1b")));
  EXPECT_THAT(Run({"import", file, "--output=json"}, "", true).err, IsEmpty());
  // Export also returns more than one page.
  const Ran exported = Run({"export"});
  EXPECT_EQ(std::count(exported.out.begin(), exported.out.end(), '\n'), 20'000);
}

TEST_F(ImportCommand, SaysWhereItStoppedWhereTheServerStaysAway) {
  const std::string address = server_.address();
  server_.Kill();
  std::istringstream in(kJsonLines);
  std::ostringstream out, err;
  const int status = client::RunCommandLine({"--server=" + address, "--timeout=1s", "import", "-"},
                                            "", {.in = in, .out = out, .err = err});
  EXPECT_EQ(status, client::kTryAgainLater);
  EXPECT_THAT(err.str(), HasSubstr("0 records were dealt with"));
  server_.Start();
  EXPECT_EQ(Run({"import", "no-such-file"}).status, client::kUsage);
}

}  // namespace
}  // namespace contacts
