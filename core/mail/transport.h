#ifndef CONTACTS_CORE_MAIL_TRANSPORT_H_
#define CONTACTS_CORE_MAIL_TRANSPORT_H_

#include <string>

#include "absl/status/status.h"
#include "core/letter/mime.h"

namespace contacts {

// Outcome of one try to deliver an e-mail.
struct DeliveryResult {
  enum class Kind {
    kDelivered,
    kTryLater,       // About this e-mail, or for an unknown reason.
    kServerTrouble,  // About the mail server or the flags of the server: other e-mails would fail
                     // too.
    kUnclear,   // A rejection of the recipient or of the service: the answer does not tell which.
    kRejected,  // About the recipient: trying again does not help.
    kInterrupted,  // Broken off by Interrupt. The mail server does not have the e-mail.
  };
  Kind kind = Kind::kDelivered;
  std::string text;  // Reason of a failure, for the log. Never contains a whole address.
};

// Delivers e-mails to one place. Implementations are thread safe.
class MailTransport {
 public:
  virtual ~MailTransport() = default;

  // Prepares deliveries. Call it once, before the first delivery.
  virtual absl::Status Prepare() { return absl::OkStatus(); }

  // The line end that messages for this transport must have.
  virtual LineEnd line_end() const { return LineEnd::kLf; }

  // Hands over one message, as RFC 5322 bytes.
  virtual DeliveryResult Deliver(const std::string& envelope_from, const std::string& to,
                                 const std::string& message) = 0;

  // Makes deliveries in progress, and later ones, end with kInterrupted. Waits for a delivery whose
  // outcome only the mail server knows. For shutting down.
  virtual void Interrupt() {}
};

}  // namespace contacts

#endif  // CONTACTS_CORE_MAIL_TRANSPORT_H_
