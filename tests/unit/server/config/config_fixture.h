#ifndef CONTACTS_TESTS_UNIT_SERVER_CONFIG_CONFIG_FIXTURE_H_
#define CONTACTS_TESTS_UNIT_SERVER_CONFIG_CONFIG_FIXTURE_H_

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "server/config/config.h"

namespace contacts::server {

// Each test has its own working directory, because keys are made there.
class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() : before_(std::filesystem::current_path()) {
    std::string name = ::testing::TempDir() + "/config_test_XXXXXX";
    directory_ = mkdtemp(name.data());
    std::filesystem::current_path(directory_);
  }
  ~ConfigTest() override {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(directory_);
  }

  absl::StatusOr<std::optional<Config>> Read(std::vector<std::string> flags) {
    flags.insert(flags.begin(), "contactsd");
    std::vector<const char*> argv;
    argv.reserve(flags.size());
    for (const std::string& flag : flags) argv.push_back(flag.c_str());
    return ReadConfig(static_cast<int>(argv.size()), argv.data(), help_);
  }

  absl::StatusOr<std::optional<Config>> ReadWith(const std::string& flag) {
    return Read({"--mysql=mysql://u:hidden@127.0.0.1/contacts", "--mail=maildir:m", flag});
  }

  void Write(const std::string& path, const std::string& text, mode_t mode) {
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
  }

  const std::filesystem::path before_;
  std::string directory_;
  std::ostringstream help_;
};

}  // namespace contacts::server

#endif  // CONTACTS_TESTS_UNIT_SERVER_CONFIG_CONFIG_FIXTURE_H_
