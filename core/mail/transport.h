#ifndef CONTACTS_CORE_MAIL_TRANSPORT_H_
#define CONTACTS_CORE_MAIL_TRANSPORT_H_

#include <string>

#include "absl/status/status.h"
#include "core/mail/mime.h"

namespace contacts {

// What became of one try to hand an e-mail over.
struct DeliveryResult {
  enum class Kind {
    kDelivered,
    kTryLater,       // About this e-mail, or nobody knows.
    kServerTrouble,  // About the mail server or our settings: other e-mails would meet it too.
    kRefused,        // About the recipient: trying again is of no use.
    kInterrupted,    // Broken off by Interrupt; the mail server does not have it.
  };
  Kind kind = Kind::kDelivered;
  std::string text;  // Why not, for the log; never an address in full.
};

// Where e-mails go. Implementations are thread safe.
class MailTransport {
 public:
  virtual ~MailTransport() = default;

  // Makes ready what deliveries need; to be called once, before the first.
  virtual absl::Status Prepare() { return absl::OkStatus(); }

  // How the lines of the messages given to it must end.
  virtual LineEnd line_end() const { return LineEnd::kLf; }

  // Hands over one message, as RFC 5322 bytes.
  virtual DeliveryResult Deliver(const std::string& envelope_from, const std::string& to,
                                 const std::string& message) = 0;

  // Makes deliveries under way, and later ones, end with kInterrupted. One
  // whose outcome only the mail server knows is waited for. For shutting down.
  virtual void Interrupt() {}
};

}  // namespace contacts

#endif  // CONTACTS_CORE_MAIL_TRANSPORT_H_
