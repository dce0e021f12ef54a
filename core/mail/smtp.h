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

// When a connection to the mail server is encrypted. Wherever it is, the server's
// certificate and name are checked.
enum class MailTls {
  kImplicit,  // From the first byte: smtps.
  kRequired,  // By STARTTLS, or nothing is sent.
  kOptional,  // By STARTTLS where the server offers it.
  kNone,
};

struct SmtpOptions {
  std::string host;  // A name or an address; IPv6 in brackets.
  int port = 25;
  std::string ehlo = "localhost";  // What we call ourselves: a full host name or "[ADDRESS]".
  MailTls tls = MailTls::kRequired;
  std::string ca_file;  // PEM; empty: the system's.
  std::string user;     // Empty: no AUTH.
  std::string password;
  absl::Duration connect_timeout = absl::Seconds(10);
  absl::Duration timeout = absl::Seconds(30);  // Of one delivery, all steps together.
};

// The machine's full host name, or empty where it has none. May ask the name server.
std::string FullHostName();

// Hands e-mails to one mail server by SMTP, each delivery on a connection of its
// own that is kept for the next one. Thread safe: as many connections are opened
// as deliveries run at once.
//
// Delivered means that the server answered 250 to the end of the message, and had
// not spoken before it was asked. Refused means 5xx to the recipient or to the end
// of the message, with an enhanced status code that is about the recipient: many servers
// answer RCPT with what they hold against the sender, our EHLO or our right to relay. Any other
// trouble is tried later. Where a connection is lost after the end of the message, the
// server may have taken it: the next try is a second delivery then.
class SmtpTransport : public MailTransport {
 public:
  explicit SmtpTransport(SmtpOptions options);
  ~SmtpTransport() override;

  LineEnd line_end() const override { return LineEnd::kCrLf; }
  // An address with a control character, a blank or an angle bracket is refused
  // before any of it is sent.
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
