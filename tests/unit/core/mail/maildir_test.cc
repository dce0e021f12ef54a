#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>
#include <vector>

#include "core/mail/maildir.h"

namespace contacts {
namespace {

namespace fs = std::filesystem;

class MaildirTest : public ::testing::Test {
 protected:
  MaildirTest() {
    std::string pattern = (fs::temp_directory_path() / "maildir-test.XXXXXX").string();
    root_ = mkdtemp(pattern.data());
  }
  ~MaildirTest() override { fs::remove_all(root_); }

  std::string directory() const { return (root_ / "a" / "mail").string(); }
  std::vector<fs::path> Files(const std::string& folder) const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(fs::path(directory()) / folder)) {
      files.push_back(entry.path());
    }
    return files;
  }

  fs::path root_;
};

std::string Content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

DeliveryResult::Kind Deliver(Maildir& maildir, const std::string& message) {
  return maildir.Deliver("contacts@example.net", "jane@example.org", message).kind;
}

TEST_F(MaildirTest, MakesItsFoldersForTheOwnerAlone) {
  ASSERT_TRUE(Maildir(directory()).Create().ok());
  for (const char* folder : {"", "tmp", "new", "cur"}) {
    EXPECT_EQ(fs::status(fs::path(directory()) / folder).permissions(), fs::perms::owner_all);
  }
  EXPECT_TRUE(Maildir(directory()).Create().ok()) << "a second time";
}

TEST_F(MaildirTest, DeliversTheBytesIntoNewForTheOwnerAlone) {
  Maildir maildir(directory());
  ASSERT_TRUE(maildir.Create().ok());
  std::string message = "Subject: x\n\nbody \xc3\xa9\n";
  message += '\0';
  ASSERT_EQ(Deliver(maildir, message), DeliveryResult::Kind::kDelivered);
  const std::vector<fs::path> files = Files("new");
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(Content(files[0]), message);
  EXPECT_EQ(fs::status(files[0]).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_THAT(Files("tmp"), ::testing::IsEmpty());
}

TEST_F(MaildirTest, KeepsDeliveriesOfManyThreadsAndWritersApart) {
  Maildir first(directory());
  Maildir second(directory());
  ASSERT_TRUE(first.Create().ok());
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      Maildir& maildir = i % 2 == 0 ? first : second;
      for (int n = 0; n < 10; ++n) {
        EXPECT_EQ(Deliver(maildir, std::to_string(i * 10 + n)), DeliveryResult::Kind::kDelivered);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> contents;
  for (const fs::path& path : Files("new")) contents.insert(Content(path));
  EXPECT_EQ(contents.size(), 40U);
}

TEST_F(MaildirTest, AsksToTryLaterWhereItCannotWriteAndSaysNothingOfTheAddress) {
  std::ofstream(root_ / "a") << "a file where a folder should be";
  Maildir maildir(directory());
  EXPECT_FALSE(maildir.Create().ok());
  const DeliveryResult result = maildir.Deliver("contacts@example.net", "jane@example.org", "x");
  EXPECT_EQ(result.kind, DeliveryResult::Kind::kTryLater);
  EXPECT_THAT(result.text, ::testing::Not(::testing::HasSubstr("jane")));
}

TEST_F(MaildirTest, MakesItsFoldersAgainAfterTheyWereClearedAway) {
  Maildir maildir(directory());
  ASSERT_TRUE(maildir.Create().ok());
  fs::remove_all(directory());
  EXPECT_EQ(Deliver(maildir, "x"), DeliveryResult::Kind::kTryLater);
  EXPECT_EQ(Deliver(maildir, "x"), DeliveryResult::Kind::kDelivered);
}

}  // namespace
}  // namespace contacts
