// Several hosts in --mysql: the writable member is found, and found again after it moved.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/engine/engine.h"
#include "core/mysql/session.h"
#include "tests/testing/proxy.h"
#include "tests/testing/reasons.h"
#include "tests/testing/server_process.h"

namespace contacts {
namespace {

using ::testing::HasSubstr;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.

// A database server of the test's own.
class Member {
 public:
  Member() {
    const auto started = DatabaseOptions::Parse(Run("start"));
    EXPECT_TRUE(started.ok()) << started.status();
    options_ = *started;
  }
  ~Member() { Run("drop"); }

  const DatabaseOptions& options() const { return options_; }
  void SetPassword(const std::string& password) {
    Sql(absl::StrCat("ALTER USER 'contacts'@'127.0.0.1' IDENTIFIED BY '", password,
                     "'; ALTER USER 'contacts'@'localhost' IDENTIFIED BY '", password, "'"));
    options_.password = password;
  }
  void SetReadOnly(bool read_only) { Sql(absl::StrCat("SET GLOBAL read_only = ", read_only)); }
  std::string Sql(const std::string& statement) { return Run("sql", statement); }
  void KillConnections() {
    const std::string kills =
        Sql("SELECT GROUP_CONCAT(CONCAT('KILL ', id) SEPARATOR ';') AS kills FROM"
            " information_schema.processlist WHERE user = 'contacts'");
    Sql(kills.substr(kills.rfind('\n') + 1));
  }
  // Returns once the server has ended: before that it may still take a write.
  void Stop() { Run("stop"); }
  void Signal(int signal) const {
    kill(std::stoi(ReadFile(directory_.path() + "/mysql/pid")), signal);
  }

 private:
  // Runs deploy/local-mysql.sh and returns what it prints.
  std::string Run(const std::string& command, const std::string& input = "") {
    const char* engine = std::getenv("CONTACTS_ENGINE");
    const char* source = std::getenv("CONTACTS_TEST_SOURCE_DIR");
    const std::string line =
        absl::StrCat("echo \"", input, "\" | CONTACTS_DIE_WITH=", getpid(), " ",
                     source == nullptr ? "." : source, "/deploy/local-mysql.sh ", command,
                     " --engine=", engine == nullptr ? "mariadb" : engine,
                     " --dir=", directory_.path(), "/mysql --buffer-pool=64M");
    std::string output;
    FILE* pipe = popen(line.c_str(), "r");
    for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) output += static_cast<char>(c);
    EXPECT_EQ(pclose(pipe), 0) << line;
    return std::string(absl::StripAsciiWhitespace(output));
  }

  TemporaryDirectory directory_;
  DatabaseOptions options_;
};

class Cluster {
 public:
  Cluster() {
    second.SetPassword(first.options().password);
    for (const Member* member : {&first, &second}) {
      EXPECT_TRUE(Database(member->options()).Migrate().ok());
    }
    second.SetReadOnly(true);
    DatabaseOptions options = first.options();
    options.endpoints.push_back(second.options().endpoints.at(0));
    Use(options);
  }

  void Use(const DatabaseOptions& options) {
    database.emplace(options);
    engine.emplace(&*database, *TokenKeys::Parse(TokenKeys::Generate()), Settings());
  }

  void Create(const std::string& id) {
    const auto created = engine->directory.CreateAccount(
        {.operator_name = "operator", .fingerprint = "CreateAccount"},
        {.id = AccountId(id), .email = id + "@mail.example", .language = "en"},
        [](const Account&) { return std::string("reply"); });
    EXPECT_TRUE(created.ok()) << created.status();
  }
  bool Exists(const std::string& id) {
    return engine->profiles.GetAccount({.operator_name = "operator"}, AccountId(id)).ok();
  }
  static std::string Accounts(Member& member) {
    return member.Sql("SELECT id FROM contacts.account");
  }
  void MoveToSecond() {
    first.SetReadOnly(true);
    second.SetReadOnly(false);
  }

  Member first, second;
  std::optional<Database> database;
  std::optional<Engine> engine;
};

TEST(FailOver, WritesAndReadsGoToTheWritableMemberAndFollowIt) {
  Cluster cluster;
  cluster.Create("aa1-ovh");
  EXPECT_NE(Cluster::Accounts(cluster.first).find("aa1-ovh"), std::string::npos);
  EXPECT_EQ(Cluster::Accounts(cluster.second), "");
  EXPECT_EQ(cluster.database->failovers(), 0);
  EXPECT_TRUE(cluster.Exists("aa1-ovh"));

  cluster.MoveToSecond();
  cluster.Create("bb2-ovh");
  EXPECT_EQ(Cluster::Accounts(cluster.first).find("bb2-ovh"), std::string::npos);
  EXPECT_NE(Cluster::Accounts(cluster.second).find("bb2-ovh"), std::string::npos);
  EXPECT_EQ(cluster.database->failovers(), 1);
  // No read comes from the member that was writable before.
  EXPECT_TRUE(cluster.Exists("bb2-ovh"));
  EXPECT_FALSE(cluster.Exists("aa1-ovh"));
}

TEST(FailOver, AServerThatOnlyReadsFollowsTheWritableMemberToo) {
  Cluster cluster;
  cluster.Create("aa1-ovh");
  EXPECT_TRUE(cluster.Exists("aa1-ovh"));
  cluster.MoveToSecond();
  while (cluster.database->failovers() == 0) absl::SleepFor(absl::Milliseconds(10));
  EXPECT_TRUE(cluster.database->Ping({.deadline = absl::Now() + absl::Seconds(5)}).ok());
  EXPECT_FALSE(cluster.Exists("aa1-ovh"));
}

TEST(FailOver, AMemberThatDiedIsLeftBehind) {
  Cluster cluster;
  cluster.Create("aa1-ovh");
  cluster.second.SetReadOnly(false);
  cluster.first.Stop();
  cluster.Create("bb2-ovh");
  EXPECT_TRUE(cluster.Exists("bb2-ovh"));
}

TEST(FailOver, OfTwoWritableMembersTheOneInUseIsKept) {
  Cluster cluster;
  cluster.Create("aa1-ovh");
  EXPECT_EQ(cluster.database->writable_members(), 1);
  cluster.second.SetReadOnly(false);
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (cluster.database->writable_members() != 2 && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(10));
  }
  EXPECT_EQ(cluster.database->writable_members(), 2);
  // New connections go to it too.
  cluster.first.KillConnections();
  cluster.Create("bb2-ovh");
  EXPECT_EQ(cluster.database->failovers(), 0);
  EXPECT_NE(Cluster::Accounts(cluster.first).find("bb2-ovh"), std::string::npos);
  EXPECT_EQ(Cluster::Accounts(cluster.second), "");
}

TEST(FailOver, TheOtherOfTwoWritableMembersIsNotUsedWhenTheOneInUseFallsSilent) {
  Cluster cluster;
  cluster.Create("aa1-ovh");
  cluster.second.SetReadOnly(false);
  // Longer than a move by hand, which may let both take writes for a moment.
  for (const absl::Time end = absl::Now() + absl::Seconds(6); absl::Now() < end;) {
    EXPECT_TRUE(cluster.Exists("aa1-ovh"));
    absl::SleepFor(absl::Milliseconds(100));
  }
  cluster.first.Signal(SIGSTOP);
  // A process may go on for a moment after it was told to stop.
  absl::Status status;
  for (const absl::Time end = absl::Now() + absl::Seconds(10); status.ok() && absl::Now() < end;) {
    status =
        cluster.engine->profiles.GetAccount({.operator_name = "operator"}, AccountId("aa1-ovh"))
            .status();
  }
  EXPECT_THAT(status, HasReason("UNAVAILABLE"));
  EXPECT_EQ(cluster.database->failovers(), 0);
  // Somebody says which of them is right.
  cluster.second.SetReadOnly(true);
  absl::SleepFor(absl::Seconds(2));
  cluster.second.SetReadOnly(false);
  cluster.Create("bb2-ovh");
  EXPECT_EQ(cluster.database->failovers(), 1);
  cluster.first.Signal(SIGCONT);
}

TEST(FailOver, OfTwoWritableMembersNoneIsTakenIfNoneIsInUse) {
  Cluster cluster;
  cluster.second.SetReadOnly(false);
  const absl::Status none = cluster.database->CheckSchema();
  EXPECT_EQ(none.code(), absl::StatusCode::kUnavailable) << none;
  EXPECT_THAT(std::string(none.message()), HasSubstr("make all but one read only"));
  EXPECT_EQ(cluster.database->writable_members(), 2);
  EXPECT_EQ(Cluster::Accounts(cluster.first) + Cluster::Accounts(cluster.second), "");
  cluster.first.SetReadOnly(true);
  cluster.Create("aa1-ovh");
  EXPECT_EQ(Cluster::Accounts(cluster.first), "");
  EXPECT_NE(Cluster::Accounts(cluster.second).find("aa1-ovh"), std::string::npos);
}

// Gives the calling thread, and threads that it starts, a hosts file of their own.
bool UseHosts(const std::string& path) {
  return unshare(CLONE_NEWNS) == 0 &&
         mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount(path.c_str(), "/etc/hosts", nullptr, MS_BIND, nullptr) == 0;
}

TEST(FailOver, OfANameWithSeveralAddressesTheWritableOneIsUsed) {
  Cluster cluster;
  const int port = cluster.first.options().endpoints.at(0).port;
  // The same port on another address leads to the second member.
  Proxy second(cluster.second.options().endpoints.at(0).port, nullptr, "127.0.0.2", port);
  const TemporaryDirectory directory;
  const std::string hosts = directory.path() + "/hosts";
  std::ofstream(hosts) << "127.0.0.1 localhost\n"
                          "127.0.0.1 database.test\n"
                          "127.0.0.2 database.test\n";
  std::thread([&] {
    if (!UseHosts(hosts)) GTEST_SKIP() << "wants the right to mount a file";
    DatabaseOptions options = cluster.first.options();
    options.endpoints = {{"database.test", port}};
    cluster.MoveToSecond();
    cluster.Use(options);
    cluster.Create("aa1-ovh");
    EXPECT_EQ(Cluster::Accounts(cluster.first), "");
    EXPECT_NE(Cluster::Accounts(cluster.second).find("aa1-ovh"), std::string::npos);
    cluster.database.reset();
  }).join();
}

TEST(FailOver, AMemberThatTakesTooShortStatementsIsRefusedAtTheStart) {
  Member member;
  member.Sql("SET GLOBAL max_allowed_packet = 8388608");
  for (const absl::Status& status :
       {Database(member.options()).Migrate(), Database(member.options()).CheckSchema()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("max_allowed_packet is 8388608 bytes: raise it to 16777216 or more"));
  }
  member.Sql("SET GLOBAL max_allowed_packet = 16777216");
  EXPECT_EQ(Database(member.options()).Migrate(), absl::OkStatus());
}

TEST(FailOver, AFrozenMemberHoldsNobodyUp) {
  Cluster cluster;
  cluster.Create("aa1-ovh");
  cluster.first.Signal(SIGSTOP);
  // Each call fails with UNAVAILABLE long before the network's limit. There are more calls than
  // connections.
  std::vector<std::thread> callers;
  for (int i = 0; i < 20; ++i) {
    callers.emplace_back([&] {
      const absl::Time start = absl::Now();
      const auto got =
          cluster.engine->profiles.GetAccount({.operator_name = "operator"}, AccountId("aa1-ovh"));
      EXPECT_THAT(got.status(), HasReason("UNAVAILABLE"));
      EXPECT_LT(absl::Now() - start, absl::Seconds(25)) << "waited for the network's limit";
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_FALSE(cluster.database->Ping({.deadline = absl::Now() + absl::Seconds(1)}).ok());
  cluster.second.SetReadOnly(false);
  cluster.Create("bb2-ovh");
  EXPECT_TRUE(cluster.Exists("bb2-ovh"));
  cluster.first.Signal(SIGCONT);
}

TEST(FailOver, ADatabaseWithoutRoomForMoreConnectionsServesWithThoseThereAre) {
  Member member;
  ASSERT_TRUE(Database(member.options()).Migrate().ok());
  DatabaseOptions options = member.options();
  options.max_connections = 16;
  Database database(options);
  // The lookout's, and a few to work with.
  ASSERT_TRUE(database.Ping({}).ok());
  member.Sql("SET GLOBAL max_connections = 10");
  const auto connections = [&] {
    const std::string answer = member.Sql("SHOW GLOBAL STATUS LIKE 'Connections'");
    return std::stoll(answer.substr(answer.rfind('\t') + 1));
  };
  const int64_t before = connections();
  std::atomic<int> done = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 32; ++i) {
    callers.emplace_back([&] {
      for (int j = 0; j < 50; ++j) {
        const absl::Status status =
            database.Read({.deadline = absl::Now() + absl::Seconds(60)}, [](Session& session) {
              session.Query("SELECT SLEEP(0.01)", {});
              return absl::OkStatus();
            });
        EXPECT_EQ(status, absl::OkStatus());
        done += status.ok() ? 1 : 0;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(done, 32 * 50);
  EXPECT_LT(connections() - before, 100) << "connections were opened in a storm";
}

}  // namespace
}  // namespace contacts
