// The flags of the database and of the mail server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/config/config.h"
#include "server/config/database_flags.h"
#include "tests/unit/server/config/config_fixture.h"

namespace contacts::server {
namespace {

using ::testing::HasSubstr;

TEST_F(ConfigTest, ReadsWhoSendsTheEmails) {
  const struct {
    const char* flag;
    const char* name;
    const char* address;
  } rows[] = {
      {"--mail_from=a@example.com", "", "a@example.com"},
      {"--mail_from=<a@example.com>", "", "a@example.com"},
      {"--mail_from=L\u2019\u00e9quipe, Inc. <a@example.com>", "L\u2019\u00e9quipe, Inc.",
       "a@example.com"},
      {"--mail_from=\"Example\" <a@example.com>", "Example", "a@example.com"},
  };
  for (const auto& row : rows) {
    const auto config = ReadWith(row.flag);
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ((*config)->letters.from_name, row.name);
    EXPECT_EQ((*config)->letters.from, row.address);
    EXPECT_EQ((*config)->letters.reply_to, "");
  }
  EXPECT_EQ((*ReadWith("--mail_reply_to=b@example.com"))->letters.reply_to, "b@example.com");
}

TEST_F(ConfigTest, EncryptsWhatGoesToAnotherMachine) {
  Write("ca.pem", "-----BEGIN CERTIFICATE-----", 0644);
  Write("key.pem", "-----BEGIN PRIVATE KEY-----", 0600);
  const auto tls = [&](const char* place, std::vector<std::string> more) {
    more.insert(more.end(), {absl::StrCat("--mysql=mysql://u", place), "--mail=maildir:m"});
    const auto config = Read(more);
    EXPECT_TRUE(config.ok()) << config.status();
    return (*config)->database;
  };
  for (const char* place : {"@127.0.0.1/c", "@localhost,[::1]/c", "@/c?socket=/s"}) {
    EXPECT_EQ(tls(place, {}).tls, DatabaseTls::kPreferred) << place;
    EXPECT_EQ(tls(place, {"--mysql_tls=disabled"}).tls, DatabaseTls::kDisabled) << place;
  }
  for (const char* place : {"@db/c", "@localhost,db/c", "@192.0.2.1/c"}) {
    EXPECT_EQ(tls(place, {}).tls, DatabaseTls::kVerifyIdentity) << place;
    EXPECT_EQ(tls(place, {"--mysql_tls=required"}).tls, DatabaseTls::kRequired) << place;
    EXPECT_EQ(tls(place, {"--mysql_tls=verify_ca"}).tls, DatabaseTls::kVerifyCa) << place;
  }
  const DatabaseOptions options = tls(
      "@db/c", {"--mysql_ca_file=ca.pem", "--mysql_cert_file=ca.pem", "--mysql_key_file=key.pem"});
  EXPECT_EQ(options.tls_ca_file, "ca.pem");
  EXPECT_EQ(options.tls_cert_file, "ca.pem");
  EXPECT_EQ(options.tls_key_file, "key.pem");

  chmod("key.pem", 0644);
  Write("empty.pem", "", 0644);
  const std::pair<std::vector<std::string>, const char*> rows[] = {
      {{"--mysql_cert_file=ca.pem", "--mysql_key_file=key.pem"}, "key.pem: others may use it"},
      {{"--mysql_ca_file=empty.pem"}, "empty.pem: want a PEM file"},
      {{"--mysql_tls=required", "--mysql_ca_file=ca.pem"}, "want --mysql_tls=verify_ca"},
  };
  for (auto [flags, expected] : rows) {
    flags.insert(flags.end(), {"--mysql=mysql://u@db/c", "--mail=maildir:m"});
    EXPECT_THAT(std::string(Read(flags).status().message()), HasSubstr(expected));
  }
}

TEST_F(ConfigTest, HidesThePasswordOfTheCommandLine) {
  const std::pair<const char*, const char*> rows[] = {
      {"--mysql=mysql://u:s3cret@127.0.0.1/c", "--mysql=mysql://u:******@127.0.0.1/c"},
      {"mysql://u:s@h:1@/c?socket=/a/b", "mysql://u:*****@/c?socket=/a/b"},
      {"--mysql=mysql://u@127.0.0.1:3306/c", "--mysql=mysql://u@127.0.0.1:3306/c"},
      {"--listen=127.0.0.1:1", "--listen=127.0.0.1:1"},
  };
  for (const auto& [given, expected] : rows) {
    std::string program = "contactsd";
    std::string argument = given;
    char* argv[] = {program.data(), argument.data()};
    HidePassword(2, argv);
    EXPECT_EQ(argument, expected);
  }
}

TEST_F(ConfigTest, ReadsWhereTheMailServerIs) {
  struct {
    const char* flag;
    const char* host;
    int port;
    MailTls tls;
  } const rows[] = {
      {"--mail=smtp://mail.example", "mail.example", 25, MailTls::kRequired},
      {"--mail=smtp://mail.example:587", "mail.example", 587, MailTls::kRequired},
      {"--mail=smtps://mail.example", "mail.example", 465, MailTls::kImplicit},
      {"--mail=smtps://[2001:db8::1]:1465/", "[2001:db8::1]", 1465, MailTls::kImplicit},
      {"--mail=smtp://192.0.2.1", "192.0.2.1", 25, MailTls::kRequired},
  };
  for (const auto& [flag, host, port, tls] : rows) {
    const auto config = Read({"--mysql=mysql://u@db/contacts", flag});
    ASSERT_TRUE(config.ok()) << config.status();
    ASSERT_TRUE((*config)->smtp.has_value());
    EXPECT_EQ((*config)->smtp->host, host);
    EXPECT_EQ((*config)->smtp->port, port);
    EXPECT_EQ((*config)->smtp->tls, tls);
    EXPECT_EQ((*config)->smtp->user, "");
    EXPECT_EQ((*config)->mail_directory, "");
  }
}

TEST_F(ConfigTest, ReadsHowToTalkToTheMailServer) {
  Write("password", "s3cret \u00e9\n", 0600);
  Write("ca.pem", "", 0644);
  const auto config =
      Read({"--mysql=mysql://u@db/contacts", "--mail=smtp://mail.example", "--mail_user=contacts",
            "--mail_password_file=password", "--mail_ca_file=ca.pem", "--mail_timeout=1m",
            "--mail_ehlo=[192.0.2.7]"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ((*config)->smtp->user, "contacts");
  EXPECT_EQ((*config)->smtp->password, "s3cret \u00e9");
  EXPECT_EQ((*config)->smtp->ca_file, "ca.pem");
  EXPECT_EQ((*config)->smtp->timeout, absl::Minutes(1));
  const auto optional =
      Read({"--mysql=mysql://u@db/contacts", "--mail=smtp://mail.example", "--mail_tls=optional"});
  ASSERT_TRUE(optional.ok()) << optional.status();
  EXPECT_EQ((*optional)->smtp->tls, MailTls::kOptional);
}

TEST_F(ConfigTest, RefusesMailSettingsThatDoNotGoTogether) {
  Write("password", "hidden", 0600);
  Write("open", "hidden", 0644);
  const std::string login = "--mail_user=contacts";
  const std::string file = "--mail_password_file=password";
  struct {
    std::vector<std::string> flags;
    const char* expected;
  } const rows[] = {
      {{"--mail=smtp://m.example", "--mail_ehlo=short"}, "--mail_ehlo"},
      {{"--mail=smtp://m.example", "--mail_ehlo=a.example\r\nMAIL FROM:<x@y>"}, "--mail_ehlo"},
      {{"--mail=smtp://m.example", "--mail_ehlo=a.example/x"}, "--mail_ehlo"},
      {{"--mail=smtp://m.example", "--mail_tls=never"}, "--mail_tls"},
      {{"--mail=smtps://m.example", "--mail_tls=none"}, "--mail_tls"},
      {{"--mail=smtp://m.example", "--mail_ca_file=missing.pem"}, "--mail_ca_file"},
      {{"--mail=smtp://m.example", login}, "--mail_password_file"},
      {{"--mail=smtp://m.example", file}, "--mail_user"},
      {{"--mail=smtp://m.example", login, "--mail_password_file=open"}, "0600"},
      {{"--mail=smtp://m.example", login, "--mail_password_file=missing"}, "missing"},
      {{"--mail=smtp://m.example", login, file, "--mail_tls=none"}, "unencrypted"},
      {{"--mail=smtp://m.example", login, file, "--mail_tls=optional"}, "unencrypted"},
      {{"--mail=smtp://127.0.0.1.example", login, file, "--mail_tls=none"}, "unencrypted"},
  };
  for (const auto& [flags, expected] : rows) {
    std::vector<std::string> all = {"--mysql=mysql://u@db/contacts"};
    all.insert(all.end(), flags.begin(), flags.end());
    const auto config = Read(all);
    ASSERT_FALSE(config.ok()) << flags.back();
    EXPECT_THAT(config.status().message(), HasSubstr(expected));
    EXPECT_THAT(config.status().message(), Not(HasSubstr("hidden")));
  }
  for (const char* host : {"127.0.0.1", "localhost:1025", "[::1]:1025"}) {
    const auto config = Read({"--mysql=mysql://u@db/contacts", std::string("--mail=smtp://") + host,
                              login, file, "--mail_tls=none"});
    EXPECT_TRUE(config.ok()) << config.status();
  }
}

}  // namespace
}  // namespace contacts::server
