#ifndef CONTACTS_CORE_MAIL_TRANSPORT_H_
#define CONTACTS_CORE_MAIL_TRANSPORT_H_

#include <string>

namespace contacts {

// What became of one try to hand an e-mail over.
struct DeliveryResult {
  enum class Kind { kDelivered, kTryLater, kRefused };
  Kind kind = Kind::kDelivered;
  std::string text;  // Why not, for the log; never an address in full.
};

// Where e-mails go. Implementations are thread safe.
class MailTransport {
 public:
  virtual ~MailTransport() = default;
  // Hands over one message, as RFC 5322 bytes with LF line ends. kRefused means
  // that trying again is of no use.
  virtual DeliveryResult Deliver(const std::string& envelope_from, const std::string& to,
                                 const std::string& message) = 0;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_MAIL_TRANSPORT_H_
