// Connections to the database: each mode of TLS against servers and users of every kind.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/mysql/database.h"
#include "tests/testing/certificates.h"
#include "tests/testing/server_process.h"

namespace contacts {
namespace {

using ::testing::HasSubstr;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.

constexpr char kHost[] = "IP:127.0.0.1,DNS:localhost";

void Write(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  chmod(path.c_str(), 0600);
}

// A database server of its own, of the engine under test, that can be restarted with other
// certificates. Its users are "plain", "ssl" (REQUIRE SSL) and "x509" (REQUIRE X509). Their
// password is "secret".
class TlsServer {
 public:
  explicit TlsServer(std::string directory) : directory_(std::move(directory)) {}
  ~TlsServer() { Script("drop", ""); }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  // `tls`: a folder for --tls of local-mysql.sh, or "none".
  void Start(const std::string& tls) {
    Script("stop", "");
    Script("start", absl::StrCat(" --tls=", tls, " >", directory_, "/uri"));
    const std::string uri = ReadFile(directory_ + "/uri");
    const auto options = DatabaseOptions::Parse(std::string(absl::StripAsciiWhitespace(uri)));
    ASSERT_TRUE(options.ok()) << options.status();
    options_ = *options;
    options_.tls = DatabaseTls::kDisabled;
  }

  void MakeUsers() {
    ASSERT_TRUE(Database(options_).Migrate().ok());
    std::string sql;
    for (const auto& [user, wanted] :
         {std::pair("plain", "NONE"), {"ssl", "SSL"}, {"x509", "X509"}}) {
      absl::StrAppend(&sql, "CREATE USER '", user, "'@'127.0.0.1' IDENTIFIED BY 'secret' REQUIRE ",
                      wanted, ";GRANT SELECT ON contacts.* TO '", user, "'@'127.0.0.1';");
    }
    Write(directory_ + "/users.sql", sql);
    Script("sql", absl::StrCat(" <", directory_, "/users.sql"));
  }

  const DatabaseOptions& options() const { return options_; }

 private:
  void Script(const std::string& command, const std::string& rest) {
    const std::string line = absl::StrCat(
        "CONTACTS_DIE_WITH=", getpid(), " ", std::getenv("CONTACTS_TEST_SOURCE_DIR"),
        "/deploy/local-mysql.sh ", command, " --engine=", std::getenv("CONTACTS_ENGINE"),
        " --dir=", directory_, "/db", " --buffer-pool=64M", rest);
    ASSERT_EQ(std::system(line.c_str()), 0) << line;  // NOLINT(cert-env33-c): the project's script.
  }

  const std::string directory_;
  DatabaseOptions options_;
};

class DatabaseTlsTest : public ::testing::Test {
 protected:
  DatabaseTlsTest() {
    for (const auto& [name, served] : {std::pair("good", ours_.Issue(kHost)),
                                       {"other_name", ours_.Issue("DNS:db.example.org")},
                                       {"expired", ours_.Issue(kHost, -absl::Hours(1))}}) {
      const std::string folder = Path(name);
      mkdir(folder.c_str(), 0700);
      Write(folder + "/ca.pem", ours_.certificate());
      Write(folder + "/cert.pem", served.certificate);
      Write(folder + "/key.pem", served.key);
    }
    Write(Path("ca.pem"), ours_.certificate());
    Write(Path("other_ca.pem"), theirs_.certificate());
    WriteClient(ours_);
  }

  std::string Path(const std::string& name) const { return directory_.path() + "/" + name; }
  void WriteClient(const CertificateAuthority& signer) {
    const auto client = signer.Issue("DNS:contactsd");
    Write(Path("client.pem"), client.certificate);
    Write(Path("client.key"), client.key);
  }

  DatabaseOptions Options(const std::string& user, DatabaseTls tls, bool certificate = false,
                          const std::string& authority = "ca.pem") const {
    DatabaseOptions options = server_.options();
    options.user = user;
    options.password = "secret";
    options.tls = tls;
    if (!authority.empty()) options.tls_ca_file = Path(authority);
    if (certificate) {
      options.tls_cert_file = Path("client.pem");
      options.tls_key_file = Path("client.key");
    }
    return options;
  }

  const CertificateAuthority ours_ = CertificateAuthority("ours");
  const CertificateAuthority theirs_ = CertificateAuthority("theirs");
  TemporaryDirectory directory_;
  TlsServer server_ = TlsServer(directory_.path());
};

// Whether the schema's check comes to say `expected`, or succeeds if that is empty.
bool Becomes(Database& database, const std::string& expected) {
  for (int i = 0; i < 300; ++i) {
    const absl::Status status = database.CheckSchema();
    if (expected.empty() ? status.ok() : absl::StrContains(status.message(), expected)) return true;
    absl::SleepFor(absl::Milliseconds(100));
  }
  return false;
}

constexpr DatabaseTls kDisabled = DatabaseTls::kDisabled;
constexpr DatabaseTls kPreferred = DatabaseTls::kPreferred;
constexpr DatabaseTls kRequired = DatabaseTls::kRequired;
constexpr DatabaseTls kVerifyCa = DatabaseTls::kVerifyCa;
constexpr DatabaseTls kVerifyIdentity = DatabaseTls::kVerifyIdentity;

TEST_F(DatabaseTlsTest, TakesWhatIsSafeEnoughAndSaysWhatIsNot) {
  constexpr char kLogin[] = "refuses the login";
  constexpr char kUnsafe[] = "safe to talk to as wanted (2026)";
  constexpr char kNoTls[] = "offers no TLS";
  struct Row {
    const char* served;
    const char* user;
    DatabaseTls tls;
    bool certificate;
    const char* authority;
    const char* expected;  // Empty: it works.
  } const rows[] = {
      {"none", "plain", kDisabled, false, "ca.pem", ""},
      {"none", "plain", kPreferred, false, "ca.pem", ""},
      {"none", "plain", kRequired, false, "ca.pem", kNoTls},
      {"none", "plain", kVerifyCa, false, "ca.pem", kNoTls},
      {"none", "plain", kVerifyIdentity, false, "ca.pem", kUnsafe},
      {"good", "plain", kDisabled, false, "ca.pem", ""},
      {"good", "plain", kPreferred, false, "ca.pem", ""},
      {"good", "plain", kVerifyCa, false, "ca.pem", ""},
      {"good", "plain", kVerifyCa, false, "other_ca.pem", kUnsafe},
      {"good", "plain", kVerifyCa, false, "", kUnsafe},  // The system's authorities.
      {"good", "plain", kVerifyIdentity, false, "other_ca.pem", kUnsafe},
      {"good", "plain", kVerifyIdentity, false, "", kUnsafe},
      {"good", "ssl", kDisabled, false, "ca.pem", kLogin},
      {"good", "ssl", kPreferred, false, "ca.pem", ""},
      {"good", "ssl", kRequired, false, "ca.pem", ""},
      {"good", "ssl", kVerifyCa, false, "ca.pem", ""},
      {"good", "ssl", kVerifyIdentity, false, "ca.pem", ""},
      {"good", "x509", kDisabled, false, "ca.pem", kLogin},
      {"good", "x509", kRequired, false, "ca.pem", kLogin},
      {"good", "x509", kPreferred, true, "ca.pem", ""},
      {"good", "x509", kRequired, true, "ca.pem", ""},
      {"good", "x509", kVerifyCa, true, "ca.pem", ""},
      {"good", "x509", kVerifyIdentity, true, "ca.pem", ""},
      {"other_name", "ssl", kRequired, false, "other_ca.pem", ""},
      {"other_name", "ssl", kVerifyCa, false, "ca.pem", ""},
      {"other_name", "ssl", kVerifyIdentity, false, "ca.pem", kUnsafe},
      {"expired", "ssl", kPreferred, false, "ca.pem", ""},
      {"expired", "ssl", kRequired, false, "ca.pem", ""},
      {"expired", "ssl", kVerifyCa, false, "ca.pem", "expired"},
      {"expired", "ssl", kVerifyIdentity, false, "ca.pem", "expired"},
  };
  std::string served;
  for (const Row& row : rows) {
    SCOPED_TRACE(absl::StrCat(row.served, " ", row.user, " ", static_cast<int>(row.tls), " ",
                              row.authority));
    if (served != row.served) {
      server_.Start(row.served == std::string("none") ? "none" : Path(row.served));
      if (served.empty()) server_.MakeUsers();
      served = row.served;
    }
    const absl::Status status =
        Database(Options(row.user, row.tls, row.certificate, row.authority)).CheckSchema();
    if (*row.expected == '\0') {
      EXPECT_TRUE(status.ok()) << status;
    } else {
      EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr(row.expected));
      EXPECT_THAT(std::string(status.message()), ::testing::Not(HasSubstr("secret")));
    }
  }
}

TEST_F(DatabaseTlsTest, NewConnectionsTakeFilesThatChanged) {
  server_.Start(Path("good"));
  server_.MakeUsers();
  WriteClient(theirs_);
  Write(Path("changing_ca.pem"), theirs_.certificate());
  Database database(Options("x509", kVerifyIdentity, true, "changing_ca.pem"));
  EXPECT_THAT(std::string(database.CheckSchema().message()), HasSubstr("2026"));
  Write(Path("changing_ca.pem"), ours_.certificate());
  EXPECT_TRUE(Becomes(database, "unknown ca")) << "the database does not know our certificate";
  WriteClient(ours_);
  EXPECT_TRUE(Becomes(database, ""));
}

}  // namespace
}  // namespace contacts
