#include "server/config/config.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/config/token_keys_file.h"
#include "server/support/reloaded_file.h"
#include "tests/testing/certificates.h"
#include "tests/unit/server/config/config_fixture.h"

namespace contacts::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// One public key (RFC 8037, A.2).
constexpr char kJwks[] =
    R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";

// Flags of a server that believes session tokens.
std::vector<std::string> JwtFlags() {
  return {"--mysql=mysql://u@db/contacts",
          "--mail=maildir:m",
          "--token_keys_file=keys",
          "--auth=jwt",
          "--jwt_jwks_file=jwks.json",
          "--jwt_issuer=https://login.example",
          "--jwt_audience=contacts",
          "--mail_from=a@example.com",
          "--link_url=https://x.example/{contact_change_id}{token}{answer}",
          "--confirm_url=https://x.example/{token}"};
}

// NOLINTBEGIN(concurrency-mt-unsafe): the tests that call these have one thread.
void SetEnvironment(const char* name, const char* value) { setenv(name, value, 1); }
void ClearEnvironment(const char* name) { unsetenv(name); }
// NOLINTEND(concurrency-mt-unsafe)

TEST_F(ConfigTest, HasDefaultsForAllButDatabaseAndMail) {
  const auto config = Read({"--mysql=mysql://u@db/contacts", "--mail=maildir:m"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT((*config)->listen, ::testing::ElementsAre("127.0.0.1:50051"));
  EXPECT_EQ((*config)->mail_directory, "m");
  EXPECT_EQ((*config)->default_deadline, absl::Seconds(30));
  EXPECT_EQ((*config)->queue_limit, 1024);
  EXPECT_FALSE((*config)->migrate);
}

TEST_F(ConfigTest, NamesTheWrongValue) {
  const std::pair<const char*, const char*> rows[] = {
      {"--listen=127.0.0.1", "--listen"},
      {"--listen=127.0.0.1:70000", "--listen"},
      {"--listen=0.0.0.0:1", "loopback"},
      {"--listen=[::]:1", "loopback"},
      {"--listen=127.0.0.1:1,192.0.2.1:1", "loopback"},
      {"--metrics=127.0.0.1", "--metrics"},
      {"--metrics=0.0.0.0:1", "or --metrics_plain"},
      {"--reflection=yes", "--reflection: \"yes\"; want on or off"},
      {"--probe=both", "--probe"},
      {"--listen=127.0.0.1.example.com:1", "loopback"},
      {"--mail=", "--mail"},
      {"--mail=smtp://", "--mail"},
      {"--mail=smtp://host:0", "--mail"},
      {"--mail=smtp://host:65536", "--mail"},
      {"--mail=smtp://host:x", "--mail"},
      {"--mail=smtp://user:hidden@host", "--mail"},
      {"--mail=smtp://host/path", "--mail"},
      {"--mail=smtp://ho st", "--mail"},
      {"--mail=smtp://::1", "--mail"},
      {"--mail=http://host", "--mail"},
      {"--mail=maildir:", "--mail"},
      {"--mail_connections=0", "--mail_connections"},
      {"--mail_timeout=0s", "--mail_timeout"},
      {"--mail_from=nobody", "--mail_from"},
      {"--mail_from=Somebody <nobody>", "--mail_from"},
      {"--mail_from=Two <a@example.com> <b@example.com>", "--mail_from"},
      {"--mail_from=Line\nbreak <a@example.com>", "--mail_from"},
      {"--mail_from=\xff <a@example.com>", "--mail_from"},
      {"--mail_from=A\tB <a@example.com>", "--mail_from"},
      {"--link_url=http://x/{contact_change_id}/{token}/{answer}/{acount}", "--link_url"},
      {"--link_url=http://x/{contact_change_id}/{token}/{answer}/a b", "--link_url"},
      {"--link_url=http://x/{contact_change_id}/{token}/{answer}/\n", "--link_url"},
      {"mysql://u:hidden@db/contacts", "mysql://...@db"},
      {"--mail=SMTP://u:hidden@db", "--mail"},
      {"--mail_reply_to=A <a@example.com>", "--mail_reply_to"},
      {"--mysql=mysql://u:hidden@db/contacts", "--mysql_password_file beyond loopback"},
      {"--mysql=mysql://u:hidden@127.0.0.1,db/contacts", "--mysql_password_file beyond loopback"},
      {"--mysql_tls=on", "--mysql_tls: \"on\"; want disabled, preferred, required"},
      {"--mysql_tls=disabled", "could be sent unencrypted"},
      {"--mysql_tls=preferred", "could be sent unencrypted"},
      {"--mysql_ca_file=nowhere.pem", "nowhere.pem"},
      {"--mysql_cert_file=cert.pem", "--mysql_key_file: missing"},
      {"--mysql_key_file=key.pem", "--mysql_cert_file: missing"},
      {"--mail_from=a@example.com\nBcc: b@example.com", "--mail_from"},
      {"--link_url=https://example.com", "--link_url"},
      {"--confirm_url=https://example.com", "--confirm_url"},
      {"--confirm_url=javascript:{token}", "--confirm_url"},
      {"--confirm_url=https://example.com/{token}/{answer}", "--confirm_url"},
      {"--token_binding=some", "--token_binding"},
      {"--email_confirmation=31d", "--email_confirmation"},
      {"--link_url=javascript:{contact_change_id}{token}{answer}", "--link_url"},
      {"--auth=jwt", "--jwt_jwks_file: missing"},
      {"--auth=mtls", "--policy_file: missing"},
      {"--auth=mtls,jwt", "--policy_file: missing"},
      {"--auth=mtls,development", "--auth"},
      {"--policy_file=policy.json", "--policy_file"},
      {"--tls_cert=cert.pem", "--tls_key: missing"},
      {"--tls_key=key.pem", "--tls_cert: missing"},
      {"--tls_client_ca=ca.pem", "--tls_cert: missing"},
      {"--auth=none", "--auth"},
      {"--account_id_pattern=(", "--account_id_pattern"},
      {"--change_lifetime=59m", "--change_lifetime"},
      {"--change_lifetime=91d", "--change_lifetime"},
      {"--change_retention=89d", "--change_retention: \"2136h\"; want 0 or at least 2160h"},
      {"--good_standing=none", "--good_standing: \"none\"; want billing or every"},
      {"--change_lifetime=soon", "--change_lifetime"},
      {"--drain_timeout=-1s", "--drain_timeout"},
      {"--workers=0", "--workers"},
      {"--workers=many", "--workers"},
      {"--max_page_size=10", "--max_page_size"},
      {"--max_assignments=1001", "--max_assignments"},
      {"--request_retention=6d", "--request_retention"},
      {"--token_keys_file=missing", "missing"},
      {"--mysql_password_file=missing", "missing"},
      {"--mysql=postgres://u:hidden@db/contacts", "--mysql"},
      {"--log_level=loud", "--log_level"},
      {"--no_such_flag=1", "no_such_flag"},
      {"stray", "stray"},
  };
  for (const auto& [flag, expected] : rows) {
    std::vector<std::string> flags = {"--mysql=mysql://u@db/contacts", "--mail=maildir:m"};
    const std::string name = std::string(flag).substr(0, std::string(flag).find('=') + 1);
    std::erase_if(flags, [&](const auto& other) { return other.rfind(name, 0) == 0; });
    flags.emplace_back(flag);
    const auto config = Read(flags);
    ASSERT_FALSE(config.ok()) << flag;
    EXPECT_THAT(config.status().message(), HasSubstr(expected)) << flag;
    EXPECT_THAT(config.status().message(), Not(HasSubstr("\n"))) << flag;
    EXPECT_THAT(config.status().message(), Not(HasSubstr("hidden"))) << flag;
  }
}

TEST_F(ConfigTest, TakesAnEmptyValueForNone) {
  for (const char* flag : {"metrics",        "tls_cert",           "tls_key",
                           "tls_client_ca",  "policy_file",        "jwt_jwks_file",
                           "jwt_issuer",     "jwt_audience",       "mail_ca_file",
                           "mail_user",      "mail_password_file", "mysql_password_file",
                           "mysql_tls",      "mysql_ca_file",      "mysql_cert_file",
                           "mysql_key_file", "mail_from",          "mail_reply_to",
                           "link_url",       "confirm_url",        "token_keys_file"}) {
    const std::string variable = absl::StrCat("CONTACTS_", Upper(flag));
    // In any position, the flag does not use the next argument as its value.
    const auto once =
        Read({absl::StrCat("--", flag, "="), "--mysql=mysql://u@db/contacts", "--mail=smtp://h"});
    EXPECT_TRUE(once.ok()) << flag << ": " << once.status();
    const auto last =
        Read({"--mysql=mysql://u@db/contacts", "--mail=smtp://h", absl::StrCat("--", flag, "=")});
    EXPECT_TRUE(last.ok()) << flag << ": " << last.status();
    SetEnvironment(variable.c_str(), "");
    const auto environment = Read({"--mysql=mysql://u@db/contacts", "--mail=smtp://h"});
    EXPECT_TRUE(environment.ok()) << flag << ": " << environment.status();
    SetEnvironment(variable.c_str(), "no such file");
    const auto over =
        Read({absl::StrCat("--", flag, "="), "--mysql=mysql://u@db/contacts", "--mail=smtp://h"});
    EXPECT_TRUE(over.ok()) << flag << ": " << over.status();
    ClearEnvironment(variable.c_str());
  }
}

TEST_F(ConfigTest, RefusesAnEmptyValueWhereOneIsWanted) {
  for (const char* flag : {"listen", "mysql", "mail", "mail_tls", "auth", "jwt_account_claim",
                           "account_id_pattern", "log_level", "workers", "drain_timeout"}) {
    std::vector<std::string> flags = {absl::StrCat("--", flag, "=")};
    for (const char* wanted : {"--mysql=mysql://u@db/contacts", "--mail=maildir:m"}) {
      if (!absl::StartsWith(wanted, flags.front())) flags.emplace_back(wanted);
    }
    const auto config = Read(flags);
    ASSERT_FALSE(config.ok()) << flag;
    EXPECT_THAT(std::string(config.status().message()), HasSubstr(flag));
    EXPECT_THAT(std::string(config.status().message()), HasSubstr("want"));
  }
}

class TlsConfigTest : public ConfigTest {
 protected:
  TlsConfigTest() {
    const testing::CertificateAuthority authority("test authority");
    const auto own = authority.Issue("DNS:localhost");
    Write("keys", TokenKeys::Generate(), 0600);
    Write("cert.pem", own.certificate, 0644);
    Write("key.pem", own.key, 0600);
    Write("ca.pem", authority.certificate(), 0644);
    Write("policy.json", R"({"callers": []})", 0644);
  }

  absl::StatusOr<std::optional<Config>> ReadTlsWith(std::vector<std::string> flags) {
    const std::vector<std::string> always = {
        "--mysql=mysql://u@db/contacts",
        "--mail=maildir:m",
        "--token_keys_file=keys",
        "--mail_from=a@example.com",
        "--link_url=https://x.example/{contact_change_id}{token}{answer}",
        "--confirm_url=https://x.example/{token}"};
    flags.insert(flags.begin(), always.begin(), always.end());
    return Read(flags);
  }

  const std::vector<std::string> mtls_ = {"--auth=mtls", "--tls_cert=cert.pem", "--tls_key=key.pem",
                                          "--tls_client_ca=ca.pem", "--policy_file=policy.json"};
};

TEST_F(TlsConfigTest, ServesOnANetworkOverTlsAlone) {
  auto flags = mtls_;
  flags.emplace_back("--listen=0.0.0.0:1");
  const auto config = ReadTlsWith(flags);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE((*config)->credentials.tls.has_value());
  EXPECT_FALSE((*config)->credentials.jwt.has_value());
  EXPECT_FALSE((*config)->secure_metrics);
  flags.emplace_back("--metrics=127.0.0.1:2");
  EXPECT_FALSE((*ReadTlsWith(flags))->secure_metrics);
  flags.back() = "--metrics=0.0.0.0:2";
  EXPECT_TRUE((*ReadTlsWith(flags))->secure_metrics);
  flags.emplace_back("--metrics_plain");
  EXPECT_FALSE((*ReadTlsWith(flags))->secure_metrics);

  const auto development =
      ReadTlsWith({"--listen=0.0.0.0:1", "--tls_cert=cert.pem", "--tls_key=key.pem"});
  ASSERT_FALSE(development.ok());
  EXPECT_THAT(development.status().message(), HasSubstr("with --auth=development"));
  Write("jwks.json", kJwks, 0644);
  const std::vector<std::string> jwt = {"--auth=jwt", "--jwt_jwks_file=jwks.json", "--jwt_issuer=i",
                                        "--jwt_audience=a", "--listen=0.0.0.0:1"};
  const auto plain = ReadTlsWith(jwt);
  ASSERT_FALSE(plain.ok());
  EXPECT_THAT(plain.status().message(), HasSubstr("or --tls_cert and --tls_key"));
  auto over_tls = jwt;
  over_tls.insert(over_tls.end(), {"--tls_cert=cert.pem", "--tls_key=key.pem"});
  const auto strangers = ReadTlsWith(over_tls);
  ASSERT_FALSE(strangers.ok());
  EXPECT_THAT(strangers.status().message(),
              HasSubstr("--tls_client_ca, or --behind_edge if an edge as in deploy/README.md"));
  for (const char* flag : {"--behind_edge", "--tls_client_ca=ca.pem"}) {
    auto defended = over_tls;
    defended.emplace_back(flag);
    EXPECT_TRUE(ReadTlsWith(defended).ok()) << flag;
  }
  std::replace(over_tls.begin(), over_tls.end(), std::string("--listen=0.0.0.0:1"),
               std::string("--listen=127.0.0.1:1"));
  EXPECT_TRUE(ReadTlsWith(over_tls).ok());
}

TEST_F(TlsConfigTest, RefusesClientCertificatesThatCannotBeChecked) {
  const std::pair<const char*, const char*> rows[] = {
      {"--tls_client_ca=", "--tls_client_ca: missing"},
      {"--policy_file=", "--policy_file: missing"},
      {"--policy_file=nowhere.json", "nowhere.json"},
      {"--policy_file=cert.pem", "cert.pem: want a JSON object"},
      {"--tls_key=keys", "keys: want a private key"},
      {"--tls_client_ca=keys", "keys: want certificates"},
      {"--auth=mtls,jwt", "--jwt_jwks_file: missing"},
  };
  for (const auto& [flag, expected] : rows) {
    auto flags = mtls_;
    const std::string name = std::string(flag).substr(0, std::string(flag).find('=') + 1);
    std::erase_if(flags, [&](const auto& other) { return other.rfind(name, 0) == 0; });
    if (name != flag) flags.emplace_back(flag);
    const auto config = ReadTlsWith(flags);
    ASSERT_FALSE(config.ok()) << flag;
    EXPECT_THAT(config.status().message(), HasSubstr(expected)) << flag;
  }
}

TEST_F(ConfigTest, ReadsWhichSessionsToBelieve) {
  Write("keys", TokenKeys::Generate(), 0600);
  Write("jwks.json", kJwks, 0644);
  std::vector<std::string> flags = JwtFlags();
  const auto config = Read(flags);
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_TRUE((*config)->credentials.jwt.has_value());
  EXPECT_EQ((*config)->credentials.jwt->issuer, "https://login.example");
  EXPECT_EQ((*config)->credentials.jwt->audience, "contacts");
  EXPECT_EQ((*config)->credentials.jwt->account_claim, "sub");
  EXPECT_EQ((*config)->credentials.jwt->skew, absl::Seconds(30));
  EXPECT_EQ((*config)->credentials.jwt->max_lifetime, absl::Hours(24));
  EXPECT_EQ((*config)->credentials.jwks, kJwks);
  flags.insert(flags.end(), {"--jwt_account_claim=account", "--jwt_skew=5m"});
  const auto other = Read(flags);
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_EQ((*other)->credentials.jwt->account_claim, "account");
  EXPECT_EQ((*other)->credentials.jwt->skew, absl::Minutes(5));
}

TEST_F(ConfigTest, RefusesSessionSettingsThatAreWrong) {
  Write("keys", TokenKeys::Generate(), 0600);
  Write("jwks.json", kJwks, 0644);
  Write("open.json", kJwks, 0666);
  Write("empty.json", R"({"keys":[]})", 0644);
  Write("private.json", R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA","d":"hidden"}]})", 0644);
  const std::pair<const char*, const char*> rows[] = {
      {"--token_keys_file=", "--token_keys_file: missing"},
      {"--jwt_jwks_file=", "--jwt_jwks_file: missing"},
      {"--jwt_jwks_file=nowhere.json", "nowhere.json"},
      {"--jwt_jwks_file=.", "want a file"},
      {"--jwt_jwks_file=open.json", "anyone may write it"},
      {"--jwt_jwks_file=empty.json", "empty.json: no key"},
      {"--jwt_jwks_file=private.json", "private.json: keys[0]: holds a private"},
      {"--jwt_issuer=", "--jwt_issuer: missing"},
      {"--jwt_audience=", "--jwt_audience: missing"},
      {"--jwt_skew=301s", "--jwt_skew"},
      {"--jwt_skew=-1s", "--jwt_skew"},
      {"--jwt_max_lifetime=0s", "--jwt_max_lifetime"},
      {"--mail_from=", "--mail_from: missing"},
      {"--link_url=", "--link_url: missing"},
      {"--link_url=http://x.example/{contact_change_id}{token}{answer}", "want an https address"},
      {"--auth=jwt,", "--auth"},
      {"--listen=0.0.0.0:1", "loopback"},
  };
  for (const auto& [flag, expected] : rows) {
    std::vector<std::string> flags = JwtFlags();
    const std::string name = std::string(flag).substr(0, std::string(flag).find('=') + 1);
    std::erase_if(flags, [&](const auto& other) { return other.rfind(name, 0) == 0; });
    // A flag without a value is left out.
    if (name != flag) flags.emplace_back(flag);
    const auto config = Read(flags);
    ASSERT_FALSE(config.ok()) << flag;
    EXPECT_THAT(config.status().message(), HasSubstr(expected)) << flag;
    EXPECT_THAT(config.status().message(), Not(HasSubstr("\n"))) << flag;
    EXPECT_THAT(config.status().message(), Not(HasSubstr("hidden"))) << flag;
  }
}

TEST_F(ConfigTest, ReadsDurationsInEveryUnit) {
  const std::pair<const char*, absl::Duration> rows[] = {
      {"90d", absl::Hours(24 * 90)},  {"48h", absl::Hours(48)},  {"90m", absl::Minutes(90)},
      {"7200s", absl::Seconds(7200)}, {"1.5d", absl::Hours(36)}, {"1h30m", absl::Minutes(90)}};
  for (const auto& [text, expected] : rows) {
    const auto config = ReadWith(std::string("--change_lifetime=") + text);
    ASSERT_TRUE(config.ok()) << text << config.status();
    EXPECT_EQ((*config)->settings.change_lifetime, expected) << text;
  }
}

TEST_F(ConfigTest, TakesTheEnvironmentWhereTheCommandLineIsSilent) {
  SetEnvironment("CONTACTS_MAIL_FROM", "env@example.com");
  SetEnvironment("CONTACTS_CHANGE_LIFETIME", "2d");
  SetEnvironment("CONTACTS_MIGRATE", "true");
  const auto config = ReadWith("--change_lifetime=3d");
  SetEnvironment("CONTACTS_CHANGE_LIFETIME", "5x");
  const auto wrong = ReadWith("--migrate");
  for (const char* name : {"MAIL_FROM", "CHANGE_LIFETIME", "MIGRATE"}) {
    ClearEnvironment((std::string("CONTACTS_") + name).c_str());
  }
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ((*config)->letters.from, "env@example.com");
  EXPECT_EQ((*config)->settings.change_lifetime, absl::Hours(72));
  EXPECT_TRUE((*config)->migrate);
  EXPECT_THAT(wrong.status().message(), HasSubstr("--change_lifetime: \"5x\""));
}

TEST_F(ConfigTest, ReadsFlagsFromAFile) {
  Write("flags",
        "mail_from = \"L\u2019\u00e9quipe <a@example.com>\"\n"
        "link_url = https://x.example/{contact_change_id}?t={token}&a={answer}\n"
        "workers = 3\nqueue_limit = 5\nmigrate = true\n",
        0644);
  SetEnvironment("CONTACTS_WORKERS", "4");
  SetEnvironment("CONTACTS_MAX_IMPORTS", "7");
  const auto config = Read({"--flagfile=flags", "--queue_limit=6",
                            "--mysql=mysql://u@127.0.0.1/contacts", "--mail=maildir:m"});
  ClearEnvironment("CONTACTS_WORKERS");
  ClearEnvironment("CONTACTS_MAX_IMPORTS");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ((*config)->letters.from, "a@example.com");
  EXPECT_EQ((*config)->letters.link_url,
            "https://x.example/{contact_change_id}?t={token}&a={answer}");
  EXPECT_TRUE((*config)->migrate);
  EXPECT_EQ((*config)->queue_limit, 6) << "the command line goes before the file";
  EXPECT_EQ((*config)->workers, 3) << "the file goes before the environment";
  EXPECT_EQ((*config)->max_imports, 7);

  SetEnvironment("CONTACTS_FLAGFILE", "flags");
  const auto from_environment = Read({"--mysql=mysql://u@127.0.0.1/contacts", "--mail=maildir:m"});
  ClearEnvironment("CONTACTS_FLAGFILE");
  ASSERT_TRUE(from_environment.ok()) << from_environment.status();
  EXPECT_EQ((*from_environment)->workers, 3);

  // Values are taken as they are.
  Write("flags",
        "# A comment\nlisten = 127.0.0.1:1,127.0.0.1:2\nmail_from = Team #1, [x] <a@example.com>\n"
        "link_url = http://x/#/{contact_change_id}/{token}/{answer}\nworkers = 3\n",
        0644);
  const auto literal = ReadWith("--flagfile=flags");
  ASSERT_TRUE(literal.ok()) << literal.status();
  EXPECT_THAT((*literal)->listen, ::testing::ElementsAre("127.0.0.1:1", "127.0.0.1:2"));
  EXPECT_EQ((*literal)->letters.from_name, "Team #1, [x]");
  EXPECT_EQ((*literal)->letters.link_url, "http://x/#/{contact_change_id}/{token}/{answer}");
  EXPECT_EQ((*literal)->workers, 3);
  Write("flags", "listen = [::1]:50051\nworkers = 3\n", 0644);
  EXPECT_THAT((*ReadWith("--flagfile=flags"))->listen, ::testing::ElementsAre("[::1]:50051"));

  Write("wrong", "mysql mysql://u:hidden@db/contacts\n", 0644);
  EXPECT_THAT(std::string(ReadWith("--flagfile=wrong").status().message()),
              ::testing::Not(HasSubstr("hidden")));
  Write("wrong", "no_such_flag = 1\n", 0644);
  EXPECT_THAT(std::string(ReadWith("--flagfile=wrong").status().message()),
              HasSubstr("no_such_flag"));
  EXPECT_THAT(std::string(ReadWith("--flagfile=nowhere").status().message()), HasSubstr("nowhere"));
}

TEST_F(ConfigTest, TellsAProbeWhereToAskAlone) {
  for (const auto& [flag, expected] : {std::pair("--probe", "readiness"),
                                       {"--probe=readiness", "readiness"},
                                       {"--probe=liveness", "liveness"}}) {
    const auto config = Read({flag, "--listen=0.0.0.0:7", "--tls_cert=c.pem", "--tls_key=k.pem"});
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ((*config)->probe, expected);
    EXPECT_THAT((*config)->listen, ::testing::ElementsAre("0.0.0.0:7"));
    EXPECT_EQ((*config)->credentials.tls->certificate, "c.pem");
  }
  EXPECT_FALSE(std::filesystem::exists("contacts-token-keys"));
}

TEST_F(ConfigTest, ReadsThePasswordFromItsFile) {
  Write("password", "s3cret\n", 0600);
  auto config = ReadWith("--mysql_password_file=password");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ((*config)->database.password, "s3cret");
}

TEST_F(ConfigTest, PrintsAFreshTokenKey) {
  const auto config = Read({"--make_token_key"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_FALSE(config->has_value()) << "nothing is served";
  EXPECT_TRUE(TokenKeys::Parse(help_.str()).ok());
}

TEST_F(ConfigTest, MigratingAloneNeedsTheDatabaseAlone) {
  EXPECT_TRUE(Read({"--mysql=mysql://u@db/contacts", "--migrate_only"}).ok());
  EXPECT_FALSE(std::filesystem::exists("contacts-token-keys"));
}

TEST_F(ConfigTest, MakesDevelopmentKeysOnceForTheirOwnerAlone) {
  ASSERT_TRUE(ReadWith("--migrate").ok());
  struct stat about {};
  ASSERT_EQ(stat("contacts-token-keys", &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  const auto before = ReadSecretFile("contacts-token-keys");
  ASSERT_TRUE(ReadWith("--migrate").ok());
  EXPECT_EQ(*ReadSecretFile("contacts-token-keys"), *before);
}

TEST_F(ConfigTest, RefusesKeysThatOthersMayRead) {
  for (const mode_t mode : {0604, 0644, 0620, 0660, 0650}) {
    Write("keys", TokenKeys::Generate(), mode);
    EXPECT_THAT(ReadWith("--token_keys_file=keys").status().message(), HasSubstr("0600"));
  }
  Write("keys", "not a key", 0600);
  EXPECT_FALSE(ReadWith("--token_keys_file=keys").ok());
  for (const mode_t mode : {0400, 0440, 0640}) {
    Write("keys", TokenKeys::Generate(), mode);
    EXPECT_TRUE(ReadWith("--token_keys_file=keys").ok()) << "the group of our own file may read it";
  }
  if (getuid() == 0) {
    constexpr uid_t kOther = 12345;
    ASSERT_EQ(chown("keys", kOther, getgid()), 0);
    EXPECT_THAT(ReadWith("--token_keys_file=keys").status().message(),
                HasSubstr("neither root nor this user owns it"));
  }
}

TEST_F(ConfigTest, ServersThatStartTogetherFindTheSameKey) {
  for (int round = 0; round < 20; ++round) {
    std::filesystem::remove("contacts-token-keys");
    std::vector<std::string> seen(4);
    std::vector<std::thread> servers;
    servers.reserve(seen.size());
    for (std::string& text : seen) {
      servers.emplace_back([&text] {
        if (MakeTokenKeysFile("contacts-token-keys").ok()) {
          text = ReadSecretFile("contacts-token-keys").value_or("");
        }
      });
    }
    for (std::thread& server : servers) server.join();
    EXPECT_FALSE(seen[0].empty());
    for (const std::string& text : seen) EXPECT_EQ(text, seen[0]);
  }
  // No drafts are left behind.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator("."), {}), 1);
}

}  // namespace
}  // namespace contacts::server
