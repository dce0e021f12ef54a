// One delivery by SMTP, to a real mail server that behaves well or badly.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/mail/smtp.h"
#include "tests/testing/mail_server.h"

namespace contacts {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using Kind = DeliveryResult::Kind;

constexpr char kSender[] = "contacts@sender.example";
constexpr char kMessage[] = "Subject: hello\r\n\r\nsecret text\r\n";
constexpr char kPassword[] = "pass word é";

MATCHER_P(Became, kind, "") {
  *result_listener << "which says \"" << arg.text << '"';
  return arg.kind == kind;
}

SmtpOptions To(const MailServer& server, MailTls tls = MailTls::kNone) {
  return {.host = "127.0.0.1", .port = server.port(), .tls = tls, .timeout = absl::Seconds(3)};
}

DeliveryResult Send(MailTransport& transport, const std::string& word,
                    const std::string& message = kMessage) {
  return transport.Deliver(kSender, word + "@mail.example", message);
}

TEST(Smtp, HandsOverTheMessageByteForByte) {
  const MailServer server;
  SmtpTransport transport(To(server));
  const std::string message = absl::StrCat("Subject: dots\r\n\r\n.\r\n..\r\n.a\r\n",
                                           std::string(300, '.'), "\r\n\r\n.\r\n", "X\r\n.\r\n");
  const DeliveryResult result = Send(transport, "accept", message);
  ASSERT_THAT(result, Became(Kind::kDelivered));
  ASSERT_THAT(server.Taken(), SizeIs(1));
  EXPECT_EQ(server.Taken()[0],
            absl::StrCat("X-From: ", kSender, "\nX-To: accept@mail.example\n", message));
}

constexpr char kInternational[] = "accept.jos\u00e9@ex\u00e4mple.fr";

TEST(Smtp, AsksForSmtpUtf8WhereAnAddressNeedsIt) {
  const MailServer server;
  SmtpTransport transport(To(server));
  EXPECT_THAT(transport.Deliver(kSender, kInternational, kMessage), Became(Kind::kDelivered));
  EXPECT_THAT(server.Taken().at(0), HasSubstr("X-To: accept.jos\u00e9@xn--exmple-cua.fr\n"));
  EXPECT_THAT(server.Log(), HasSubstr(absl::StrCat("MAIL FROM:<", kSender, "> SMTPUTF8")));
}

TEST(Smtp, WithoutSmtpUtf8RejectsALocalPartBeyondAsciiAndSendsADomainInALabels) {
  const MailServer server({"--no-smtputf8"});
  SmtpTransport transport(To(server));
  for (int i = 0; i < 2; ++i) {  // On a new connection, and on a kept one.
    const DeliveryResult result = transport.Deliver(kSender, kInternational, kMessage);
    EXPECT_THAT(result, Became(Kind::kRejected));
    EXPECT_EQ(result.text, "the mail server does not offer SMTPUTF8, which the address needs");
    EXPECT_EQ(server.CountInLog("rcpt"), i);
    EXPECT_THAT(transport.Deliver(kSender, "accept@ex\u00e4mple.fr", kMessage),
                Became(Kind::kDelivered));
  }
  EXPECT_THAT(server.Taken(), SizeIs(2));
  EXPECT_THAT(server.Taken().at(0), HasSubstr("X-To: accept@xn--exmple-cua.fr\n"));
}

TEST(Smtp, AfterAHeloDoesNotKnowThatSmtpUtf8IsNotOffered) {
  const MailServer server({"--no-ehlo"});
  SmtpTransport transport(To(server));
  EXPECT_THAT(transport.Deliver(kSender, kInternational, kMessage), Became(Kind::kServerTrouble));
  EXPECT_THAT(transport.Deliver(kSender, "accept@ex\u00e4mple.fr", kMessage),
              Became(Kind::kDelivered));
}

TEST(Smtp, KeepsWhatTheServerSaidInTheEnd) {
  const MailServer server;
  SmtpTransport transport(To(server));
  EXPECT_EQ(Send(transport, "accept").text, "250 OK");
}

TEST(Smtp, HandsOverLargeMessages) {
  const MailServer server;
  SmtpTransport transport(To(server));
  std::string message = "Subject: large\r\n\r\n";
  while (message.size() < 1'000'000) message += ".0123456789012345678901234567890123456789\r\n";
  ASSERT_THAT(Send(transport, "accept", message), Became(Kind::kDelivered));
  EXPECT_THAT(server.Taken().at(0), HasSubstr(message));
}

TEST(Smtp, KeepsTheConnectionForTheNextMessage) {
  const MailServer server;
  SmtpTransport transport(To(server));
  for (int i = 0; i < 5; ++i) ASSERT_THAT(Send(transport, "accept"), Became(Kind::kDelivered));
  EXPECT_EQ(server.CountInLog("connect"), 1);
  EXPECT_THAT(server.Taken(), SizeIs(5));
}

TEST(Smtp, KeptConnectionServesWhenItIsOlderThanTheTimeLimit) {
  const MailServer server;
  SmtpOptions options = To(server);
  options.timeout = absl::Seconds(1);
  SmtpTransport transport(options);
  ASSERT_THAT(Send(transport, "accept"), Became(Kind::kDelivered));
  absl::SleepFor(2 * options.timeout);
  EXPECT_THAT(Send(transport, "accept"), Became(Kind::kDelivered));
  EXPECT_EQ(server.CountInLog("connect"), 1);
  EXPECT_THAT(Send(transport, "stalldata"), Became(Kind::kTryLater));
}

TEST(Smtp, DeliversAtOnceFromManyThreads) {
  const MailServer server;
  SmtpTransport transport(To(server));
  std::vector<std::thread> threads;
  std::atomic<int> delivered = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 10; ++j) {
        delivered += Send(transport, "accept").kind == Kind::kDelivered ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(delivered, 40);
  EXPECT_THAT(server.Taken(), SizeIs(40));
  EXPECT_LE(server.CountInLog("connect"), 4);
}

// Named rows: the mail server's behaviour, the outcome for the e-mail, the line of the log.
struct Row {
  const char* word;
  Kind kind;
  const char* said;
};
class SmtpTrouble : public ::testing::TestWithParam<Row> {};

TEST_P(SmtpTrouble, HasItsOutcomeAndLeavesOthersAlone) {
  const MailServer server;
  SmtpTransport transport(To(server));
  ASSERT_THAT(Send(transport, "accept-before"), Became(Kind::kDelivered));
  for (int i = 0; i < 2; ++i) {
    const DeliveryResult result = Send(transport, GetParam().word);
    EXPECT_THAT(result, Became(GetParam().kind));
    EXPECT_THAT(result.text, HasSubstr(GetParam().said));
  }
  const DeliveryResult after = Send(transport, "accept-after");
  EXPECT_THAT(after, Became(Kind::kDelivered));
}

INSTANTIATE_TEST_SUITE_P(
    , SmtpTrouble,
    ::testing::Values(
        Row{"again", Kind::kTryLater, "RCPT: 450 4.2.1"},
        Row{"unknown", Kind::kRejected, "RCPT: 550 5.1.1"},
        Row{"relay", Kind::kUnclear, "RCPT: 530"}, Row{"unplain", Kind::kUnclear, "RCPT: 550 no"},
        Row{"helo", Kind::kUnclear, "RCPT: 504 5.5.2"},
        Row{"sender", Kind::kUnclear, "RCPT: 550 5.1.8"},
        Row{"policy", Kind::kUnclear, "RCPT: 554 5.7.1"},
        Row{"moved", Kind::kRejected, "RCPT: 551 5.1.6"},
        Row{"disabled", Kind::kRejected, "RCPT: 550 5.2.1"},
        Row{"nullmx", Kind::kRejected, "RCPT: 556 5.1.10"},
        Row{"heavy", Kind::kTryLater, "message: 552"}, Row{"full", Kind::kRejected, "message: 552"},
        Row{"busy", Kind::kTryLater, "message: 451"}, Row{"hangup", Kind::kTryLater, "RCPT"},
        Row{"cut", Kind::kTryLater, "message"}, Row{"stall", Kind::kTryLater, "RCPT"},
        Row{"stalldata", Kind::kTryLater, "message"}, Row{"drip", Kind::kTryLater, "RCPT"},
        Row{"garbage", Kind::kTryLater, ""}, Row{"early", Kind::kTryLater, "answered before"},
        Row{"ramble", Kind::kTryLater, "RCPT"},
        Row{"flood", Kind::kTryLater, "answers without end"}, Row{"twice", Kind::kDelivered, ""}),
    [](const auto& param) { return std::string(param.param.word); });

TEST(Smtp, EarlyAnswerDoesNotCountWhereItCanBeSeen) {
  const MailServer server;
  SmtpOptions options = To(server);
  options.timeout = absl::Minutes(1);  // Under a sanitizer, sending the message takes long.
  SmtpTransport transport(options);
  // Larger than the buffers of both sides, so the answer arrives before the end of the message.
  std::string message = "Subject: large\r\n\r\n";
  while (message.size() < 20'000'000) message += "0123456789012345678901234567890123456789\r\n";
  const DeliveryResult result = Send(transport, "earlier", message);
  EXPECT_THAT(result, Became(Kind::kTryLater));
  EXPECT_THAT(result.text, HasSubstr("before its end"));
}

TEST(Smtp, NamesTheServerInEhlo) {
  for (const char* name : {"contacts.host.example", "[192.0.2.7]", "[IPv6:2001:db8::7]"}) {
    const MailServer server;
    SmtpOptions options = To(server);
    options.ehlo = name;
    SmtpTransport transport(options);
    ASSERT_THAT(Send(transport, "accept"), Became(Kind::kDelivered));
    EXPECT_THAT(server.Log(), HasSubstr(absl::StrCat("wire 'EHLO ", name, "'")));
  }
}

TEST(Smtp, ServerThatIsDownIsTriedLater) {
  SmtpOptions options;
  {
    const MailServer server;
    options = To(server);
  }
  SmtpTransport transport(options);
  EXPECT_THAT(Send(transport, "accept"), Became(Kind::kServerTrouble));
}

TEST(Smtp, LineBreaksNeverReachTheEnvelope) {
  const MailServer server;
  SmtpTransport transport(To(server));
  for (const char* address : {"accept@mail.example>\r\nRCPT TO:<accept-2@mail.example", "a\nb@c.d",
                              "a\rb@c.d", "a b@c.d", "a\x7f@c.d", ""}) {
    EXPECT_THAT(transport.Deliver(kSender, address, kMessage), Became(Kind::kRejected));
    EXPECT_THAT(transport.Deliver(address, "accept@mail.example", kMessage),
                Became(Kind::kTryLater));
  }
  EXPECT_THAT(server.Log(), IsEmpty());
}

TEST(Smtp, AddressesBeyondAsciiGoAsUtf8WhereTheServerTakesThem) {
  const MailServer server;
  SmtpTransport transport(To(server));
  const DeliveryResult result = transport.Deliver(kSender, "zoé@mail.example", kMessage);
  ASSERT_THAT(result, Became(Kind::kDelivered));
  EXPECT_THAT(server.Log(), HasSubstr("SMTPUTF8"));
  EXPECT_THAT(server.Taken().at(0), HasSubstr("X-To: zoé@mail.example"));
}

TEST(Smtp, InterruptedDeliveryIsBrokenOff) {
  const MailServer server;
  SmtpOptions options = To(server);
  options.timeout = absl::Minutes(5);
  SmtpTransport transport(options);
  std::thread interrupter([&] {
    while (server.CountInLog("rcpt") == 0) absl::SleepFor(absl::Milliseconds(10));
    transport.Interrupt();
  });
  EXPECT_THAT(Send(transport, "stall"), Became(Kind::kInterrupted));
  interrupter.join();
  EXPECT_THAT(Send(transport, "accept"), Became(Kind::kInterrupted));
}

class SmtpTls : public ::testing::Test {
 protected:
  SmtpTls() { MakeCertificate(certificate_, "IP:127.0.0.1"); }

  const TemporaryDirectory directory_;
  const std::string certificate_ = directory_.path() + "/certificate.pem";
};

TEST_F(SmtpTls, EncryptsAndLogsIn) {
  for (const auto& [flag, tls] : {std::pair("--tls=starttls", MailTls::kRequired),
                                  {"--tls=starttls", MailTls::kOptional},
                                  {"--tls=implicit", MailTls::kImplicit}}) {
    const MailServer server({flag, "--certificate=" + certificate_, "--user=contacts",
                             absl::StrCat("--password=", kPassword)});
    SmtpOptions options = To(server, tls);
    options.ca_file = certificate_;
    options.user = "contacts";
    options.password = kPassword;
    SmtpTransport transport(options);
    for (int i = 0; i < 3; ++i) {
      const DeliveryResult result = Send(transport, "accept");
      EXPECT_THAT(result, Became(Kind::kDelivered));
    }
    EXPECT_THAT(Send(transport, "unknown"), Became(Kind::kRejected));
    EXPECT_THAT(server.Taken(), SizeIs(3));
    // A refusal ends the connection: once, then once more.
    EXPECT_EQ(server.CountInLog("login"), 1) << server.Log();
    EXPECT_THAT(server.Log(), AllOf(HasSubstr("tls"), Not(HasSubstr("secret text")),
                                    Not(HasSubstr("wire 'MAIL")), Not(HasSubstr("wire 'AUTH"))));
  }
}

TEST_F(SmtpTls, CertificateOfAnotherAuthorityIsRefused) {
  const std::string other = directory_.path() + "/other.pem";
  MakeCertificate(other, "IP:127.0.0.1");
  for (const auto& [flag, tls] : {std::pair("--tls=starttls", MailTls::kRequired),
                                  {"--tls=starttls", MailTls::kOptional},
                                  {"--tls=implicit", MailTls::kImplicit}}) {
    const MailServer server({flag, "--certificate=" + certificate_});
    SmtpOptions options = To(server, tls);
    for (const std::string& file : {other, std::string()}) {
      options.ca_file = file;
      SmtpTransport transport(options);
      const DeliveryResult result = Send(transport, "accept");
      EXPECT_THAT(result, Became(Kind::kServerTrouble));
      EXPECT_THAT(result.text, HasSubstr("certificate"));
    }
    EXPECT_EQ(server.CountInLog("rcpt"), 0);
  }
}

TEST_F(SmtpTls, CertificateOfAnotherNameOrAnEarlierTimeIsRefused) {
  const std::string other = directory_.path() + "/other.pem";
  struct {
    const char* names;
    int days;
    const char* said;
  } const rows[] = {
      {"DNS:elsewhere.example,IP:127.0.0.2", 2, "no alternative certificate subject name"},
      {"IP:127.0.0.1", -1, "expired"}};
  for (const auto& [names, days, said] : rows) {
    MakeCertificate(other, names, days);
    const MailServer server({"--tls=starttls", "--certificate=" + other});
    SmtpOptions options = To(server, MailTls::kRequired);
    options.ca_file = other;
    SmtpTransport transport(options);
    const DeliveryResult result = Send(transport, "accept");
    EXPECT_THAT(result, Became(Kind::kServerTrouble));
    EXPECT_THAT(result.text, HasSubstr(said));
    EXPECT_EQ(server.CountInLog("rcpt"), 0);
  }
}

TEST_F(SmtpTls, WithoutStarttlsNothingIsSentThatWasToBeEncrypted) {
  const MailServer server({"--user=contacts", absl::StrCat("--password=", kPassword)});
  SmtpOptions options = To(server, MailTls::kRequired);
  options.ca_file = certificate_;
  options.user = "contacts";
  options.password = kPassword;
  SmtpTransport transport(options);
  EXPECT_THAT(Send(transport, "accept"), Became(Kind::kServerTrouble));
  EXPECT_THAT(server.Log(),
              AllOf(HasSubstr("wire 'EHLO"), Not(HasSubstr("MAIL FROM")), Not(HasSubstr("AUTH")),
                    Not(HasSubstr("mail.example")), Not(HasSubstr("secret text")),
                    Not(HasSubstr(absl::Base64Escape(absl::StrCat(
                        std::string(1, '\0'), "contacts", std::string(1, '\0'), kPassword))))));
}

TEST_F(SmtpTls, WrongPasswordIsNotTheRecipientsFault) {
  const MailServer server({"--tls=starttls", "--certificate=" + certificate_, "--user=contacts",
                           absl::StrCat("--password=", kPassword)});
  SmtpOptions options = To(server, MailTls::kRequired);
  options.ca_file = certificate_;
  options.user = "contacts";
  options.password = "guess";
  SmtpTransport transport(options);
  const DeliveryResult result = Send(transport, "unknown");
  EXPECT_THAT(result, Became(Kind::kServerTrouble));
  EXPECT_THAT(result.text, HasSubstr("AUTH: 535"));
  EXPECT_EQ(server.CountInLog("rcpt"), 0);
}

TEST(Smtp, ServerThatOffersNoLoginRefusesNobodyForGood) {
  const MailServer server;
  SmtpOptions options = To(server);
  options.user = "contacts";
  options.password = kPassword;
  SmtpTransport transport(options);
  EXPECT_THAT(Send(transport, "unknown"), Became(Kind::kServerTrouble));
  EXPECT_THAT(Send(transport, "accept").text, HasSubstr("AUTH: not offered"));
  EXPECT_THAT(server.Taken(), IsEmpty());
}

}  // namespace
}  // namespace contacts
