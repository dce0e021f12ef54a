// A rolling upgrade and the way back under load: the servers of a commit, in the build folder
// CONTACTS_UPGRADE_FROM, are replaced one by one by those of this tree. Run only by upgrade.sh.

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/faults/cluster_load.h"

namespace contacts {
namespace {

using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.

class Upgrade : public ::testing::Test {
 protected:
  // Runs all servers from `build`, one after the other.
  static void Replace(Fleet& fleet, const ClusterLoad& load, const std::string& build) {
    for (int i = 0; i < Fleet::kServers; ++i) {
      EXPECT_EQ(fleet.server(i).Terminate(), 0);
      fleet.server(i).UseBuild(build);
      fleet.server(i).Start();
      EXPECT_LT(load.AnsweredSince(absl::Now(), absl::Minutes(1)), absl::InfiniteDuration());
      // The old and the new servers work side by side.
      absl::SleepFor(absl::Seconds(3));
    }
  }
  static void PrintSchema(const char* when, const Fleet& fleet) {
    std::printf("%s: the schema is at version %s\n", when,
                fleet.database().Query("SELECT MAX(version) FROM schema_version").at(0).c_str());
  }

  const std::string before_ = std::getenv("CONTACTS_UPGRADE_FROM");
  const std::string now_ = std::getenv("CONTACTS_TEST_BIN_DIR");
};

TEST_F(Upgrade, OneByOneAndBackLosesNothingUnderLoad) {
  // Servers of before this flag ignore it, and check tokens of this form.
  setenv("CONTACTS_TOKEN_BINDING", "none", 1);
  setenv("CONTACTS_TEST_BIN_DIR", before_.c_str(), 1);
  setenv("CONTACTS_TEST_MIGRATE_BY", absl::StrCat(before_, "/server/contactsd").c_str(), 1);
  Fleet fleet(ClusterLoad::kWriters);
  PrintSchema("before", fleet);
  ClusterLoad load(fleet, /*restarts=*/true);
  ASSERT_LT(load.AnsweredSince(absl::Now(), absl::Minutes(1)), absl::InfiniteDuration());
  absl::SleepFor(absl::Seconds(3));

  // While the servers of before are at work.
  fleet.database().Migrate(absl::StrCat(now_, "/server/contactsd"));
  PrintSchema("after", fleet);
  EXPECT_LT(load.AnsweredSince(absl::Now(), absl::Minutes(1)), absl::InfiniteDuration());
  absl::SleepFor(absl::Seconds(3));

  Replace(fleet, load, now_);
  Replace(fleet, load, before_);
  Replace(fleet, load, now_);
  load.StopAndCheck("upgraded, taken back and upgraded again");
}

}  // namespace
}  // namespace contacts
