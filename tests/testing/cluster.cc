#include "tests/testing/cluster.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"

namespace contacts::testing {

Cluster::Cluster() {
  const char* engine = std::getenv("CONTACTS_ENGINE");
  galera_ = engine == nullptr || std::string(engine) == "mariadb";
  uri_ = Run("start");
  if (uri_.empty()) std::abort();  // These tests need a cluster.
}

Cluster::~Cluster() { Run("drop"); }

std::string Cluster::Run(const std::string& command, int member) const {
  std::string output;
  EXPECT_EQ(Execute(command, member, &output), 0) << command << " " << member;
  return output;
}

int Cluster::Execute(const std::string& command, int member, std::string* output) const {
  const char* source = std::getenv("CONTACTS_TEST_SOURCE_DIR");
  const std::string line = absl::StrCat(
      "CONTACTS_DIE_WITH=", getpid(), " ", source == nullptr ? "." : source,
      "/deploy/local-cluster.sh ", command, member == 0 ? "" : absl::StrCat(" ", member),
      galera_ ? " --engine=mariadb" : " --engine=mysql", " --dir=", directory_.path(), "/cluster <",
      command == "sql" ? directory_.path() + "/sql" : "/dev/null");
  FILE* pipe = popen(line.c_str(), "r");
  for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) *output += static_cast<char>(c);
  absl::StripAsciiWhitespace(output);
  return pclose(pipe);
}

std::string Cluster::Sql(int member, const std::string& statements) const {
  std::ofstream(directory_.path() + "/sql") << statements;
  return Run("sql", member);
}

bool Cluster::Kill(int member, const std::string& connection) const {
  std::ofstream(directory_.path() + "/sql") << "KILL " << connection;
  std::string output;
  return Execute("sql", member, &output) == 0;
}

int Cluster::Primary() const {
  const std::string status = Run("status");
  int found = 0;
  int64_t most = 0;
  for (absl::string_view line : absl::StrSplit(status, '\n')) {
    const int member = line.empty() ? 0 : line[0] - '0';
    // For some seconds a primary that was cut off goes on saying that it is one.
    if (absl::EndsWith(line, " ONLINE PRIMARY") && !HasLeft(member)) return member;
    if (!absl::EndsWith(line, " Synced Primary")) continue;
    const std::string told = Sql(member,
                                 "SELECT COUNT(*) FROM information_schema.processlist WHERE user = "
                                 "'contacts_server'");
    int64_t sessions = 0;
    if (absl::SimpleAtoi(told.substr(told.rfind('\n') + 1), &sessions) && sessions > most) {
      found = member;
      most = sessions;
    }
  }
  return found;
}

bool Cluster::HasLeft(int member) const {
  const std::vector<std::string> names = absl::StrSplit(uri_, absl::ByAnyChar(",/"));
  const std::string& name = names.at(static_cast<std::size_t>(member) + 1);
  const std::string question =
      galera_ ? "SELECT COUNT(*) = 3 FROM information_schema.global_status WHERE"
                " (variable_name = 'wsrep_ready' AND variable_value = 'ON') OR"
                " (variable_name = 'wsrep_cluster_status' AND variable_value = 'Primary') OR"
                " (variable_name = 'wsrep_cluster_size' AND variable_value = '2')"
              : absl::StrCat(
                    "SELECT COUNT(*) FROM performance_schema.replication_group_members WHERE"
                    " member_role = 'PRIMARY' AND member_state = 'ONLINE' AND member_port <> ",
                    name.substr(name.rfind(':') + 1));
  std::ofstream(directory_.path() + "/sql") << question;
  std::string answer;
  // A member that is down says nothing.
  return Execute("sql", member % kMembers + 1, &answer) == 0 && absl::EndsWith(answer, "1");
}

void Cluster::EndFaults() const {
  for (int member = 1; member <= kMembers; ++member) Run("heal", member);
  const std::string frozen = Run("status");
  for (absl::string_view line : absl::StrSplit(frozen, '\n')) {
    if (absl::EndsWith(line, " frozen")) Run("thaw", line[0] - '0');
  }
}

void Cluster::MakeWhole() const {
  EndFaults();
  const absl::Time deadline = absl::Now() + absl::Minutes(2);
  for (int good = 0; good < kMembers && absl::Now() < deadline;) {
    // A member that was cut off or frozen needs a moment to see that the cluster has removed it.
    absl::SleepFor(absl::Seconds(1));
    Run("start");
    const std::string status = Run("status");
    good = 0;
    int primaries = 0;
    for (absl::string_view line : absl::StrSplit(status, '\n')) {
      primaries += absl::EndsWith(line, " ONLINE PRIMARY");
      good += absl::EndsWith(line, " ONLINE PRIMARY") ||
              absl::EndsWith(line, " ONLINE SECONDARY") || absl::EndsWith(line, " Synced Primary");
    }
    if (!galera_ && primaries != 1) good = 0;
    if (good == kMembers) return;
  }
  ADD_FAILURE() << "the cluster did not become whole:\n" << Run("status");
}

}  // namespace contacts::testing
