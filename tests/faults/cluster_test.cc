// Three servers on a real cluster of three members, under load, with one fault after another in
// the cluster. The rows in the suite ClusterLong take too long for every run.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/domain/ids.h"
#include "core/mysql/database.h"
#include "core/mysql/encoder.h"
#include "core/mysql/session.h"
#include "tests/faults/cluster_load.h"
#include "tests/testing/cluster.h"

namespace contacts {
namespace {

using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.

// One cluster for all rows.
std::unique_ptr<Cluster>& Shared() {
  static std::unique_ptr<Cluster> cluster;
  return cluster;
}

class OwnCluster : public ::testing::Environment {
 public:
  void SetUp() override { Shared() = std::make_unique<Cluster>(); }
  void TearDown() override { Shared().reset(); }
};
[[maybe_unused]] const auto* const own_cluster =
    ::testing::AddGlobalTestEnvironment(new OwnCluster);

// A member that was cut off goes on saying for so long that it sees the majority: both engines
// count a silent member as gone after 5 s (Galera: evs.suspect_timeout).
constexpr absl::Duration kSeesNobodyGone = absl::Seconds(5);

std::size_t EndpointOf(int member) { return static_cast<std::size_t>(member - 1); }

struct Row {
  const char* name = "";
  std::function<void(Cluster&, int primary)> fault;
  // Another primary is chosen by the cluster itself.
  bool moves = true;
  // Before the servers start.
  std::function<void(Cluster&)> prepare = nullptr;
  // How long the primary itself does not know of the fault.
  absl::Duration unnoticed = absl::ZeroDuration();
};

void Play(const Row& row) {
  Cluster& cluster = *Shared();
  cluster.MakeWhole();
  if (row.prepare) row.prepare(cluster);
  const int before = cluster.galera() ? 1 : cluster.Primary();
  ASSERT_NE(before, 0);
  Fleet fleet(ClusterLoad::kWriters, {}, Fleet::kServers, cluster.uri(), EndpointOf(before));
  ClusterLoad load(fleet);
  ASSERT_LT(load.AnsweredSince(absl::Now(), absl::Minutes(1)), absl::InfiniteDuration());
  absl::SleepFor(absl::Seconds(2));
  const int primary = cluster.Primary();
  EXPECT_EQ(primary, before);

  const absl::Time fault = absl::Now();
  row.fault(cluster, primary);
  absl::Time left = absl::InfiniteFuture();
  while (row.moves && left == absl::InfiniteFuture() && absl::Now() - fault < absl::Minutes(1)) {
    if (cluster.HasLeft(primary)) left = absl::Now();
    absl::SleepFor(absl::Milliseconds(50));
  }
  const absl::Duration answered = load.AnsweredSince(absl::Now(), absl::Minutes(2));
  EXPECT_LT(answered, absl::InfiniteDuration()) << "some caller had no answer while it lasted";
  std::printf("%s: every caller had an answer %s after the fault began\n", row.name,
              absl::FormatDuration(absl::Now() - fault).c_str());
  if (row.moves) {
    EXPECT_LT(left, absl::InfiniteFuture()) << "the others did not go on without it";
    std::printf(
        "%s: the others went on without it after %s; the first call was answered %s later\n",
        row.name, absl::FormatDuration(left - fault).c_str(),
        absl::FormatDuration(load.FirstAnswerAfter(left) - left).c_str());
  }
  absl::SleepFor(absl::Seconds(2));

  // Under load too; a member that was killed comes back before the next row.
  cluster.EndFaults();
  const absl::Time mended = absl::Now();
  load.ReadAsNewServers(mended + absl::Seconds(5));
  EXPECT_LT(load.AnsweredSince(mended, absl::Minutes(1)), absl::InfiniteDuration());
  fleet.database().UseEndpoint(EndpointOf(std::max(1, cluster.Primary())));
  load.StopAndCheck(row.name, row.unnoticed);
}

// Kills the newest three connections of servers, as an operator would. A connection may have ended
// since it was listed.
void KillSomeConnections(const Cluster& cluster, int member) {
  // MySQL cannot convert the binary statements in information_schema.processlist.
  const char* const newest =
      cluster.galera() ? "SELECT MAX(id) AS '' FROM information_schema.processlist"
                         " WHERE user = 'contacts_server'"
                       : "SELECT MAX(processlist_id) AS '' FROM performance_schema.threads"
                         " WHERE processlist_user = 'contacts_server'";
  int killed = 0;
  while (killed < 3) {
    killed += static_cast<int>(cluster.Kill(member, cluster.Sql(member, newest)));
  }
}

TEST(Cluster, LosesNothingWhenThePrimaryIsKilled) {
  Play({"primary killed", [](Cluster& cluster, int primary) { cluster.Run("kill", primary); }});
}

TEST(ClusterLong, LosesNothingWhenThePrimaryIsCutOffFromItsMajorityButNotFromTheServers) {
  Play({"primary cut off", [](Cluster& cluster, int primary) { cluster.Run("cut", primary); },
        /*moves=*/true, /*prepare=*/nullptr, kSeesNobodyGone});
}

// They reach only the primary, so there is nobody to use until the cut heals.
TEST(ClusterLong, LosesNothingWhenThePrimaryIsCutOffTogetherWithTheServers) {
  Play({"primary and servers cut off",
        [](Cluster& cluster, int primary) {
          cluster.Run("isolate", primary);
          absl::SleepFor(absl::Seconds(20));
          cluster.Run("heal", primary);
          cluster.MakeWhole();
        },
        /*moves=*/false, /*prepare=*/nullptr, kSeesNobodyGone});
}

TEST(Cluster, LosesNothingWhenThePrimaryMoves) {
  if (Shared()->galera()) GTEST_SKIP() << "Galera has no primary";
  Play({"primary moved",
        [](Cluster& cluster, int primary) { cluster.Run("move", primary % 3 + 1); }});
}

TEST(Cluster, NeverWritesToAMemberOutsideItsGroupThatSaysItIsWritable) {
  if (Shared()->galera()) GTEST_SKIP() << "Galera has no primary";
  const auto leave = [](Cluster& cluster) {
    cluster.Run("move", 2);
    cluster.Sql(1, "STOP GROUP_REPLICATION; SET GLOBAL super_read_only = 0, read_only = 0");
  };
  Play({"a writable member outside the group, first in the list", KillSomeConnections,
        /*moves=*/false, leave});
  // A transaction of its own would have its own name, and keep the member out of the group for
  // good.
  EXPECT_THAT(Shared()->Sql(1, "SELECT INSTR(@@global.gtid_executed, @@server_uuid)"),
              ::testing::EndsWith("\n0"));
}

TEST(Cluster, KeepsOneNodeForAllServersWhenConnectionsAreKilled) {
  const auto written = [](const Cluster& cluster, int member) {
    return cluster.Sql(member, "SHOW STATUS LIKE 'wsrep_replicated'");
  };
  Play({"connections killed",
        [&](Cluster& cluster, int primary) {
          std::map<int, std::string> before;
          for (int member = 1; cluster.galera() && member <= Cluster::kMembers; ++member) {
            if (member != primary) before[member] = written(cluster, member);
          }
          KillSomeConnections(cluster, primary);
          absl::SleepFor(absl::Seconds(2));
          for (const auto& [member, told] : before) {
            EXPECT_EQ(written(cluster, member), told) << "servers write to two nodes";
          }
        },
        /*moves=*/false});
}

TEST(ClusterLong, LosesNothingWhenThePrimaryIsFrozen) {
  Play({"primary frozen", [](Cluster& cluster, int primary) { cluster.Run("freeze", primary); }});
}

TEST(ClusterLong, LosesNothingWhenThePrimaryFallsSilent) {
  Play({"primary silent", [](Cluster& cluster, int primary) { cluster.Run("silence", primary); }});
}

TEST(ClusterLong, LosesNothingWhenAllMembersAreRestarted) {
  Play({"all restarted",
        [](Cluster& cluster, int) {
          for (int member = 1; member <= Cluster::kMembers; ++member) cluster.Run("kill", member);
          cluster.Run("start");
        },
        /*moves=*/false});
}

// One server may use another node than the others for some seconds after a fault.
TEST(Cluster, ReadsAtOneNodeWhatWasCommittedAtAnother) {
  Cluster& cluster = *Shared();
  if (!cluster.galera()) GTEST_SKIP() << "one member alone is used";
  cluster.MakeWhole();
  constexpr int kRounds = 300;
  constexpr int kRows = 200;  // So that applying a transaction takes a while.
  TestDatabase database(cluster.uri());
  database.Execute("CREATE TABLE counter (id INT PRIMARY KEY, n BIGINT NOT NULL) ENGINE=InnoDB");
  for (int i = 0; i < kRows; ++i) {
    database.Execute(absl::StrCat("INSERT INTO counter (id, n) VALUES (", i, ", 0)"));
  }
  std::vector<std::unique_ptr<Database>> nodes;
  for (std::size_t node = 0; node < 2; ++node) {
    DatabaseOptions options = database.options();
    options.endpoints = {options.endpoints.at(node)};
    nodes.push_back(std::make_unique<Database>(options));
  }
  const auto limits = [] { return CallLimits{.deadline = absl::Now() + absl::Minutes(1)}; };
  const auto count = [](Session& session, absl::string_view lock) {
    Rows rows = session.Query(absl::StrCat("SELECT n FROM counter WHERE id = ? LIMIT 1", lock),
                              {Bind(kRows - 1)});
    return rows.Next() ? rows.Int() : -1;
  };
  int stale = 0;
  for (int round = 1; round <= kRounds; ++round) {
    ASSERT_TRUE(nodes[0]
                    ->Write(limits(),
                            [](Session& session) {
                              session.Queue("UPDATE counter SET n = n + 1");
                              return absl::OkStatus();
                            })
                    .ok());
    ASSERT_TRUE(nodes[1]
                    ->Read(limits(),
                           [&](Session& session) {
                             stale += count(session, "") != 2 * round - 1;
                             return absl::OkStatus();
                           })
                    .ok());
    ASSERT_TRUE(nodes[0]
                    ->Write(limits(),
                            [](Session& session) {
                              session.Queue("UPDATE counter SET n = n + 1");
                              return absl::OkStatus();
                            })
                    .ok());
    ASSERT_TRUE(nodes[1]
                    ->Write(limits(),
                            [&](Session& session) {
                              stale += count(session, " FOR UPDATE") != 2 * round;
                              return absl::OkStatus();
                            })
                    .ok());
  }
  EXPECT_EQ(stale, 0) << "of " << 2 * kRounds << " reads";
}

// Servers that write to three nodes at once, which a server never does: each text changes a row
// that all of them change, then adds rows of its own.
TEST(Cluster, CommitsNothingOfATextThatIsRefused) {
  Cluster& cluster = *Shared();
  if (!cluster.galera()) GTEST_SKIP() << "one member alone takes writes";
  cluster.MakeWhole();
  const char* asked = std::getenv("CONTACTS_TEXTS");
  const int texts = asked == nullptr ? 2000 : std::atoi(asked);
  constexpr int kThreadsPerNode = 3;
  constexpr int kHotRows = 2;
  constexpr int kParts = 8;
  TestDatabase database(cluster.uri());
  database.Execute("CREATE TABLE hot (id INT PRIMARY KEY, n BIGINT NOT NULL) ENGINE=InnoDB");
  database.Execute(
      "CREATE TABLE part (attempt BINARY(16), n INT, PRIMARY KEY (attempt, n)) ENGINE=InnoDB");
  for (int i = 0; i < kHotRows; ++i) {
    database.Execute(absl::StrCat("INSERT INTO hot (id, n) VALUES (", i, ", 0)"));
  }
  std::mutex mutex;
  std::map<std::string, bool> committed;  // By attempt.
  int refused = 0;
  std::atomic<int> left = texts;
  std::vector<std::unique_ptr<Database>> nodes;
  for (std::size_t node = 0; node < Cluster::kMembers; ++node) {
    DatabaseOptions options = database.options();
    options.endpoints = {options.endpoints.at(node)};
    nodes.push_back(std::make_unique<Database>(options));
  }
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < nodes.size() * kThreadsPerNode; ++i) {
    threads.emplace_back([&, i] {
      int round = static_cast<int>(i);
      while (left > 0) {
        std::string attempt;
        ++round;
        const auto write = [&](Session& session) {
          --left;
          {
            const std::lock_guard lock(mutex);
            refused += !attempt.empty();
            attempt = Uuid::Version4().bytes();
            committed[attempt] = false;
          }
          session.Queue(absl::StrCat("UPDATE hot SET n = n + 1 WHERE id = ", round % kHotRows));
          for (int n = 0; n < kParts; ++n) {
            session.Queue(sqltext::Fill("INSERT INTO part (attempt, n) VALUES (?, ?)",
                                        {sqltext::Binary(attempt), sqltext::Int(n)}));
          }
          return absl::OkStatus();
        };
        const absl::Status status =
            nodes[i % nodes.size()]->Write({.deadline = absl::Now() + absl::Minutes(1)}, write);
        const std::lock_guard lock(mutex);
        committed[attempt] = status.ok();
        refused += !status.ok();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  std::map<std::string, int64_t> parts;
  for (const std::string& row :
       database.Query("SELECT CONCAT(HEX(attempt), ' ', COUNT(*)) FROM part GROUP BY attempt")) {
    parts[absl::HexStringToBytes(row.substr(0, 32))] = std::stoll(row.substr(33));
  }
  int torn = 0;
  int lost = 0;
  int64_t acknowledged = 0;
  for (const auto& [attempt, ok] : committed) {
    const int64_t found = parts[attempt];
    torn += ok ? found != 0 && found != kParts : found != 0;
    lost += ok && found == 0;
    acknowledged += ok;
  }
  std::printf(
      "%zu texts, %d refused; refused, yet something committed: %d; committed, yet gone: %d\n",
      committed.size(), refused, torn, lost);
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(lost, 0);
  EXPECT_GT(refused, 0);
  EXPECT_EQ(database.Count("SELECT SUM(n) FROM hot"), acknowledged);
}

}  // namespace
}  // namespace contacts
