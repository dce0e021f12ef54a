#include "server/support/reloaded_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/clock.h"

namespace contacts::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ReloadedFileTest : public ::testing::Test {
 protected:
  ReloadedFileTest() {
    std::string name = ::testing::TempDir() + "/reloaded_file_test_XXXXXX";
    directory_ = mkdtemp(name.data());
    path_ = directory_ + "/file";
  }
  ~ReloadedFileTest() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& text, mode_t mode = 0644) const {
    const std::string draft = path_ + ".new";
    std::ofstream(draft) << text;
    chmod(draft.c_str(), mode);
    std::filesystem::rename(draft, path_);
  }

  FileReloader<std::string>::Apply Apply() {
    return [this](const std::string& text) {
      const std::lock_guard lock(mutex_);
      taken_.push_back(text);
      return text == "wrong" ? absl::InvalidArgumentError("wrong") : absl::OkStatus();
    };
  }

  std::vector<std::string> WaitForTaken(std::size_t count) {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (true) {
      {
        const std::lock_guard lock(mutex_);
        if (taken_.size() >= count || absl::Now() > deadline) return taken_;
      }
      absl::SleepFor(absl::Milliseconds(20));
    }
  }

  std::string directory_;
  std::string path_;
  std::mutex mutex_;
  std::vector<std::string> taken_;
};

TEST_F(ReloadedFileTest, HandsOverWhatIsNewOnce) {
  Write("one");
  const FileReloader<std::string> file(
      path_, "one", [this] { return ReadTrustedFile(path_); }, Apply());
  absl::SleepFor(absl::Milliseconds(1500));
  EXPECT_TRUE(WaitForTaken(0).empty());
  Write("two");
  EXPECT_THAT(WaitForTaken(1), ElementsAre("two"));
  Write("wrong");
  EXPECT_THAT(WaitForTaken(2), ElementsAre("two", "wrong"));
  absl::SleepFor(absl::Milliseconds(1500));
  Write("two");  // The content in use.
  absl::SleepFor(absl::Milliseconds(1500));
  Write("three");
  EXPECT_THAT(WaitForTaken(3), ElementsAre("two", "wrong", "three"));
}

// As Kubernetes updates mounted secrets and configuration.
TEST_F(ReloadedFileTest, FollowsAFolderThatIsSwappedByASymlink) {
  namespace fs = std::filesystem;
  const auto swap = [this](const std::string& version) {
    fs::create_directory(fs::path(directory_) / version);
    std::ofstream(fs::path(directory_) / version / "file") << version;
    chmod((directory_ + "/" + version + "/file").c_str(), 0440);
    fs::create_directory_symlink(version, directory_ + "/..data_tmp");
    fs::rename(directory_ + "/..data_tmp", directory_ + "/..data");
  };
  swap("one");
  fs::create_symlink("..data/file", path_);
  ASSERT_EQ(ReadSecretFile(path_).value_or(""), "one");
  const FileReloader<std::string> file(
      path_, "one", [this] { return ReadSecretFile(path_); }, Apply());
  swap("two");
  EXPECT_THAT(WaitForTaken(1), ElementsAre("two"));
}

TEST_F(ReloadedFileTest, OutlivesAFileThatIsAway) {
  const FileReloader<std::string> file(
      path_, "one", [this] { return ReadTrustedFile(path_); }, Apply());
  absl::SleepFor(absl::Milliseconds(1500));
  Write("two", 0666);
  absl::SleepFor(absl::Milliseconds(1500));
  EXPECT_TRUE(WaitForTaken(0).empty());
  Write("three");
  EXPECT_THAT(WaitForTaken(1), ElementsAre("three"));
}

TEST_F(ReloadedFileTest, ReadsSecretsThatOthersMayNotUse) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(ReadSecretFile(path_).status().message(), HasSubstr("want a file"));
  for (const mode_t mode : {0604, 0660, 0620, 0602, 0601}) {
    Write("secret", mode);
    EXPECT_THAT(ReadSecretFile(path_).status().message(), HasSubstr("want mode 0600"));
  }
  for (const mode_t mode : {0400, 0440, 0640}) {
    Write("secret", mode);
    EXPECT_EQ(ReadSecretFile(path_).value_or("refused"), "secret");
  }
}

TEST_F(ReloadedFileTest, ReadsFilesThatOneMayTrust) {
  EXPECT_THAT(ReadTrustedFile(path_).status().message(), HasSubstr(path_));
  EXPECT_THAT(ReadTrustedFile(directory_).status().message(), HasSubstr("want a file"));
  EXPECT_THAT(ReadTrustedFile("/dev/zero").status().message(), HasSubstr("want a file"));
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(ReadTrustedFile(path_).status().message(), HasSubstr("want a file"));
  Write("text", 0646);
  EXPECT_THAT(ReadTrustedFile(path_).status().message(), HasSubstr("anyone may write it"));
  Write("text", 0664);
  EXPECT_EQ(*ReadTrustedFile(path_), "text");
  Write(std::string(1024 * 1024, 'x'));
  EXPECT_EQ(ReadTrustedFile(path_)->size(), 1024U * 1024U);
  Write(std::string(1024 * 1024 + 1, 'x'));
  EXPECT_THAT(ReadTrustedFile(path_).status().message(), HasSubstr("1 MiB"));
}

}  // namespace
}  // namespace contacts::server
