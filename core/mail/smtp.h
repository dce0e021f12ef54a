#ifndef CONTACTS_CORE_MAIL_SMTP_H_
#define CONTACTS_CORE_MAIL_SMTP_H_

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/mail/transport.h"

namespace contacts {

// When a connection to the mail server is encrypted. On an encrypted connection the server's
// certificate and name are always checked.
enum class MailTls {
  kImplicit,  // From the first byte: smtps.
  kRequired,  // By STARTTLS, or nothing is sent.
  kOptional,  // By STARTTLS if the server offers it.
  kNone,
};

struct SmtpOptions {
  std::string host;  // A name or an address; IPv6 in brackets.
  int port = 25;
  std::string ehlo = "localhost";  // Name in EHLO: a full host name or "[ADDRESS]".
  MailTls tls = MailTls::kRequired;
  std::string ca_file;  // PEM; empty: the system's.
  std::string user;     // Empty: no AUTH.
  std::string password;
  absl::Duration connect_timeout = absl::Seconds(10);
  absl::Duration timeout = absl::Seconds(30);  // Of one delivery, all steps together.
};

// The machine's full host name. Empty if it has none. May ask the name server.
std::string FullHostName();

// Hands e-mails to one mail server by SMTP. Each delivery has a connection for itself, which is
// reused by the next delivery. Thread safe: opens as many connections as deliveries run at once.
//
// Delivered means that the server answered 250 to the end of the message, and not before it was
// asked. Rejected means 5xx to the recipient or to the end of the message, with an enhanced status
// code about the recipient: many servers also answer RCPT with their objections to the sender, the
// EHLO or the right to relay. Any other failure is tried later. If a connection is lost after the
// end of the message, the server may have accepted it. Then the next try is a second delivery.
class SmtpTransport : public MailTransport {
 public:
  explicit SmtpTransport(SmtpOptions options);
  ~SmtpTransport() override;

  LineEnd line_end() const override { return LineEnd::kCrLf; }
  // Rejects an address with a control character, a blank or an angle bracket before sending any of
  // it.
  DeliveryResult Deliver(const std::string& envelope_from, const std::string& to,
                         const std::string& message) override;
  void Interrupt() override { interrupted_ = true; }

 private:
  class Connection;

  std::unique_ptr<Connection> TakeConnection();

  const SmtpOptions options_;
  std::atomic<bool> interrupted_ = false;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_MAIL_SMTP_H_
