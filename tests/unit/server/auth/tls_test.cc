#include "server/auth/tls.h"

#include <gmock/gmock.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "contacts/v1/contact_service.grpc.pb.h"
#include "tests/testing/certificates.h"

namespace contacts::server {
namespace {

using testing::CertificateAndKey;
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
  chmod(files_.key.c_str(), 0604);
  ExpectRefused("want mode 0600");
}

TEST_F(TlsFilesTest, RefusesACertificateThatHasEnded) {
  const auto ended = authority_.Issue("DNS:localhost", -absl::Minutes(1));
  Write("cert.pem", ended.certificate, 0644);
  Write("key.pem", ended.key, 0600);
  ExpectRefused("its time is over");
}

// gRPC would report no error and serve no connection.
TEST_F(TlsFilesTest, RefusesWhatOpenSslWillNotShow) {
  const auto weak = authority_.IssueWeak("DNS:localhost");
  Write("cert.pem", weak.certificate, 0644);
  Write("key.pem", weak.key, 0600);
  ExpectRefused("cert.pem: OpenSSL refuses it: ee key too small");
}

TEST_F(TlsFilesTest, RefusesAChainOfWhichAPartIsBroken) {
  const auto own = authority_.Issue("DNS:localhost");
  Write("key.pem", own.key, 0600);
  const std::string& authority = authority_.certificate();
  Write("cert.pem", own.certificate + authority.substr(0, authority.size() / 2), 0644);
  ExpectRefused("cert.pem: want certificates");
  Write("cert.pem", own.certificate + authority + authority_.IssueWeak("DNS:localhost").certificate,
        0644);
  ExpectRefused("cert.pem: OpenSSL refuses it: ca key too small");
  Write("cert.pem", own.certificate + authority, 0644);
  EXPECT_TRUE(ReadTls(files_).ok());
  Write("ca.pem", authority + authority.substr(0, authority.size() / 2), 0644);
  ExpectRefused("ca.pem: want certificates");
}

TEST_F(TlsFilesTest, RefusesWhatIsNoPem) {
  Write("ca.pem", "nothing", 0644);
  ExpectRefused("ca.pem: want certificates");
  Write("key.pem", authority_.certificate(), 0600);
  ExpectRefused("key.pem: want a private key");
  Write("cert.pem", "", 0644);
  ExpectRefused("cert.pem: want certificates");
  std::filesystem::remove(files_.certificate);
  ExpectRefused("cert.pem: ");
}

TEST_F(TlsFilesTest, RefusesAnAuthorityThatAnyoneMayReplace) {
  chmod(files_.client_ca.c_str(), 0666);
  ExpectRefused("anyone may write it");
}

// A client that resumes the session of its earlier connection, if the server allows it.
class ResumingClient {
 public:
  explicit ResumingClient(const CertificateAndKey& own) {
    const auto bio = [](const std::string& text) {
      return std::unique_ptr<BIO, decltype(&BIO_free)>(
          BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
    };
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        PEM_read_bio_X509(bio(own.certificate).get(), nullptr, nullptr, nullptr), X509_free);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        PEM_read_bio_PrivateKey(bio(own.key).get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
    SSL_CTX_use_certificate(context_.get(), certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), key.get());
    const unsigned char h2[] = "\x02h2";
    SSL_CTX_set_alpn_protos(context_.get(), h2, 3);
  }

  // Whether the connection resumed the session of the one before.
  bool ConnectsAgain(int port) {
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> connection(
        BIO_new_ssl_connect(context_.get()), BIO_free_all);
    BIO_set_conn_hostname(connection.get(), ("127.0.0.1:" + std::to_string(port)).c_str());
    SSL* ssl = nullptr;
    BIO_get_ssl(connection.get(), &ssl);
    if (session_ != nullptr) SSL_set_session(ssl, session_.get());
    EXPECT_EQ(BIO_do_connect(connection.get()), 1);
    char settings[1];  // The server's first bytes. Session tickets come before them.
    EXPECT_EQ(BIO_read(connection.get(), settings, 1), 1);
    const bool again = SSL_session_reused(ssl) == 1;
    session_.reset(SSL_get1_session(ssl));
    return again;
  }

 private:
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{SSL_CTX_new(TLS_client_method()),
                                                                   SSL_CTX_free};
  std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session_{nullptr, SSL_SESSION_free};
};

TEST_F(TlsFilesTest, LetsConnectionsGoOnFromEarlierOnesForAShortTimeAlone) {
  const auto texts = ReadTls(files_);
  ASSERT_TRUE(texts.ok());
  for (const bool lasts : {true, false}) {
    Tls tls(*texts, lasts ? absl::Hours(1) : absl::ZeroDuration());
    v1::ContactService::Service service;
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", tls.Credentials(), &port);
    builder.RegisterService(&service);
    const auto server = builder.BuildAndStart();
    ResumingClient client(authority_.Issue("DNS:front.example"));
    EXPECT_FALSE(client.ConnectsAgain(port));
    EXPECT_EQ(client.ConnectsAgain(port), lasts);
  }
}

}  // namespace
}  // namespace contacts::server
