#include "server/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/time/clock.h"
#include "tests/testing/certificates.h"

namespace contacts::server {
namespace {

using testing::CertificateAuthority;
using ::testing::HasSubstr;

class TlsFilesTest : public ::testing::Test {
 protected:
  TlsFilesTest() {
    std::string name = ::testing::TempDir() + "/tls_test_XXXXXX";
    directory_ = mkdtemp(name.data());
    const auto own = authority_.Issue("DNS:localhost");
    files_ = {.certificate = Write("cert.pem", own.certificate, 0644),
              .key = Write("key.pem", own.key, 0600),
              .client_ca = Write("ca.pem", authority_.certificate(), 0644)};
  }
  ~TlsFilesTest() override { std::filesystem::remove_all(directory_); }

  std::string Write(const std::string& name, const std::string& text, mode_t mode) const {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
  }

  void ExpectRefused(const char* why) const {
    const auto read = ReadTls(files_);
    ASSERT_FALSE(read.ok()) << why;
    EXPECT_THAT(read.status().message(), HasSubstr(why));
  }

  const CertificateAuthority authority_{"test authority"};
  std::string directory_;
  TlsFiles files_;
};

TEST_F(TlsFilesTest, ReadsWhatFitsTogether) {
  const auto read = ReadTls(files_);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->client_ca, authority_.certificate());
  const absl::Time expires = Tls(*read).expires();
  EXPECT_LE(expires, absl::Now() + absl::Hours(1));
  EXPECT_GT(expires, absl::Now() + absl::Minutes(55));
  files_.client_ca.clear();
  EXPECT_TRUE(ReadTls(files_).ok());
}

TEST_F(TlsFilesTest, RefusesAKeyOfAnotherCertificate) {
  Write("key.pem", authority_.Issue("DNS:localhost").key, 0600);
  ExpectRefused("is not the key of");
}

TEST_F(TlsFilesTest, RefusesAKeyThatOthersMayRead) {
  chmod(files_.key.c_str(), 0640);
  ExpectRefused("want mode 0600");
}

TEST_F(TlsFilesTest, RefusesACertificateThatHasEnded) {
  const auto ended = authority_.Issue("DNS:localhost", -absl::Minutes(1));
  Write("cert.pem", ended.certificate, 0644);
  Write("key.pem", ended.key, 0600);
  ExpectRefused("its time is over");
}

TEST_F(TlsFilesTest, RefusesWhatIsNoPem) {
  Write("ca.pem", "nothing", 0644);
  ExpectRefused("ca.pem: want certificates");
  Write("key.pem", authority_.certificate(), 0600);
  ExpectRefused("key.pem: want a private key");
  Write("cert.pem", "", 0644);
  ExpectRefused("cert.pem: want a certificate");
  std::filesystem::remove(files_.certificate);
  ExpectRefused("cert.pem: ");
}

TEST_F(TlsFilesTest, RefusesAnAuthorityThatAnyoneMayReplace) {
  chmod(files_.client_ca.c_str(), 0666);
  ExpectRefused("anyone may write it");
}

}  // namespace
}  // namespace contacts::server
