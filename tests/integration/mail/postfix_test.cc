// An e-mail that a real Postfix refuses is given up only if the recipient is the reason.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/mail/smtp.h"
#include "tests/testing/mail_server.h"

namespace contacts {
namespace {

using ::testing::HasSubstr;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using Kind = DeliveryResult::Kind;

constexpr char kMessage[] = "Subject: hello\r\n\r\ntext\r\n";
constexpr char kFullName[] = "contacts.host.example";
constexpr char kSender[] = "contacts@sender.example";
constexpr char kKnown[] = "accept@mail.example";
constexpr char kUnknown[] = "nobody@mail.example";

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

int FreePort() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(listener);
  return ntohs(address.sin_port);
}

// A private Postfix with more lines in its main.cf. The destructor stops it.
class Postfix {
 public:
  explicit Postfix(const std::string& lines) {
    process_ = popen(absl::StrCat(CONTACTS_TESTING_DIR "/postfix.sh ", directory_.path(),
                                  "/postfix ", port_, " '", lines, "'")
                         .c_str(),
                     "we");
    EXPECT_EQ(chmod(directory_.path().c_str(), 0755), 0);
    const sockaddr_in address = Loopback(port_);
    for (bool open = false; !open; absl::SleepFor(absl::Milliseconds(20))) {
      const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      open = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
      close(probe);
    }
  }
  ~Postfix() { pclose(process_); }
  Postfix(const Postfix&) = delete;
  Postfix& operator=(const Postfix&) = delete;

  DeliveryResult Send(const std::string& to, const std::string& ehlo = kFullName,
                      const std::string& from = kSender) const {
    SmtpTransport transport(
        {.host = "127.0.0.1", .port = port_, .ehlo = ehlo, .tls = MailTls::kNone});
    return transport.Deliver(from, to, kMessage);
  }

 private:
  const TemporaryDirectory directory_;
  const int port_ = FreePort();
  FILE* process_ = nullptr;
};

class PostfixTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "Postfix starts as root alone";
  }
};

TEST_F(PostfixTest, AsItComesRefusesUnknownRecipientsAloneForGood) {
  const Postfix postfix("");
  EXPECT_EQ(postfix.Send(kKnown, "short").kind, Kind::kDelivered);
  const DeliveryResult unknown = postfix.Send(kUnknown);
  EXPECT_EQ(unknown.kind, Kind::kRejected);
  EXPECT_THAT(unknown.text, HasSubstr("550 5.1.1"));
  // Relay access denied, for now.
  EXPECT_EQ(postfix.Send("someone@elsewhere.example").kind, Kind::kTryLater);
}

TEST_F(PostfixTest, NameInEhloThatIsRefusedIsNotTheRecipientsFault) {
  const Postfix postfix("smtpd_helo_restrictions = reject_non_fqdn_helo_hostname");
  for (const char* recipient : {kKnown, kUnknown}) {
    const DeliveryResult refused = postfix.Send(recipient, "short");
    EXPECT_EQ(refused.kind, Kind::kUnclear);
    EXPECT_THAT(refused.text, HasSubstr("RCPT: 504 5.5.2"));
  }
  EXPECT_EQ(postfix.Send(kKnown).kind, Kind::kDelivered);
  EXPECT_EQ(postfix.Send(kKnown, "[127.0.0.1]").kind, Kind::kDelivered);
  EXPECT_EQ(postfix.Send(kUnknown).kind, Kind::kRejected);
}

TEST_F(PostfixTest, TakesALocalPartBeyondAsciiOnlyWithSmtpUtf8) {
  const std::string destination =
      "mydestination = mail.example, xn--exmple-cua.fr, ex\u00e4mple.fr\n"
      "local_recipient_maps = inline:{accept=x, jos\u00e9=x}\nsmtputf8_enable = ";
  const std::string international = "jos\u00e9@ex\u00e4mple.fr";
  {
    const Postfix postfix(destination + "yes");
    EXPECT_EQ(postfix.Send(international).kind, Kind::kDelivered);
    EXPECT_EQ(postfix.Send("nobody\u00e9@ex\u00e4mple.fr").kind, Kind::kRejected);
  }
  const Postfix postfix(destination + "no");
  const DeliveryResult refused = postfix.Send(international);
  EXPECT_EQ(refused.kind, Kind::kRejected);
  EXPECT_THAT(refused.text, HasSubstr("SMTPUTF8"));
  EXPECT_EQ(postfix.Send("accept@ex\u00e4mple.fr").kind, Kind::kDelivered);
}

// Settings that refuse every client at RCPT or before, and Postfix's answer.
struct Row {
  const char* name;
  const char* settings;
  const char* from;
  const char* to;
  const char* said;
};
class PostfixRefusal : public PostfixTest, public ::testing::WithParamInterface<Row> {};

TEST_P(PostfixRefusal, OfUsLeavesTheEmailOwed) {
  const Row& row = GetParam();
  const Postfix postfix(row.settings);
  const DeliveryResult refused = postfix.Send(row.to, kFullName, row.from);
  EXPECT_EQ(refused.kind,
            absl::StartsWith(row.said, "RCPT") ? Kind::kUnclear : Kind::kServerTrouble);
  EXPECT_THAT(refused.text, HasSubstr(row.said));
}

INSTANTIATE_TEST_SUITE_P(
    , PostfixRefusal,
    ::testing::Values(
        Row{"Client", "smtpd_client_restrictions = reject", kSender, kUnknown, "RCPT: 554 5.7.1"},
        Row{"Helo",
            "smtpd_helo_restrictions = check_helo_access inline:{contacts.host.example=REJECT}",
            kSender, kUnknown, "RCPT: 554 5.7.1"},
        Row{"Sender",
            "smtpd_sender_restrictions = check_sender_access inline:{sender.example=REJECT}",
            kSender, kUnknown, "RCPT: 554 5.7.1"},
        Row{"SenderUnknown", "smtpd_reject_unlisted_sender = yes", "nobody@mail.example", kKnown,
            "RCPT: 550 5.1.0"},
        Row{"SenderNotFull", "smtpd_sender_restrictions = reject_non_fqdn_sender", "nobody@short",
            kKnown, "RCPT: 504 5.5.2"},
        Row{"Relay", "smtpd_relay_restrictions = reject_unauth_destination", kSender,
            "someone@elsewhere.example", "RCPT: 554 5.7.1"},
        Row{"Tls", "smtpd_tls_security_level = encrypt", kSender, kKnown, "530 5.7.0"}),
    [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace contacts
