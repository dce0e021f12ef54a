#ifndef CONTACTS_CORE_LETTER_MIME_H_
#define CONTACTS_CORE_LETTER_MIME_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace contacts {

// A picture that is part of an e-mail.
struct Logo {
  std::string type;  // The subtype of its media type: "png", "jpeg" or "gif".
  std::string bytes;
};

// An e-mail as text, before it is encoded.
struct RenderedMail {
  std::string from_name;  // May be empty.
  std::string from;       // Address; also the envelope's sender.
  std::string reply_to;   // Address that answers go to; may be empty.
  std::string to;
  std::string subject;
  std::string text;
  std::string html;
  std::shared_ptr<const Logo> logo;  // The picture "cid:logo@brand" of `html`; may be null.
  std::string language;              // BCP 47 tag.
  std::string message_id;            // Without angle brackets; the same at every try.
  absl::Time date;
};

// Whether `text` is exactly one address for headers and SMTP commands: it has no control
// character and no second address. Only a quoted local part may have spaces. UTF-8 is not
// checked.
bool IsOneAddress(absl::string_view text);

// How lines end: LF in files, CR LF on the wire.
enum class LineEnd { kLf, kCrLf };

// Encodes an e-mail as RFC 5322 bytes: multipart/alternative in UTF-8 (its HTML with the logo as
// multipart/related), encoded headers, quoted-printable bodies, Auto-Submitted. The same e-mail
// gives the same bytes. Returns INVALID_ARGUMENT, without the value, if an address is not one plain
// address, or if a header has a control character or is not UTF-8. Thread safe.
absl::StatusOr<std::string> EncodeMime(const RenderedMail& mail, LineEnd line_end = LineEnd::kLf);

}  // namespace contacts

#endif  // CONTACTS_CORE_LETTER_MIME_H_
