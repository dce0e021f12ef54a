#ifndef CONTACTS_CORE_MAIL_MIME_H_
#define CONTACTS_CORE_MAIL_MIME_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace contacts {

// An e-mail as text, before it is encoded.
struct RenderedMail {
  std::string from_name;
  std::string from;  // Address; also the envelope's sender.
  std::string to;
  std::string subject;
  std::string text;
  std::string html;
  std::string message_id;  // Without angle brackets; the same at every try.
  absl::Time date;
};

// Encodes an e-mail as RFC 5322 bytes with LF line ends: multipart/alternative
// in UTF-8, encoded headers, Auto-Submitted. INVALID_ARGUMENT where an address
// or a header has a control character. Thread safe.
absl::StatusOr<std::string> EncodeMime(const RenderedMail& mail);

}  // namespace contacts

#endif  // CONTACTS_CORE_MAIL_MIME_H_
