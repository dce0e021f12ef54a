#ifndef CONTACTS_CORE_MAIL_RENDER_H_
#define CONTACTS_CORE_MAIL_RENDER_H_

#include <string>

#include "absl/status/statusor.h"
#include "core/engine/outbox.h"
#include "core/mail/mime.h"

namespace contacts {

// How many services an e-mail lists before it only counts them.
inline constexpr std::size_t kListedServices = 20;

// Writes e-mails in the recipient's language, as plain text and HTML. Pure and
// immutable, so safe for any thread.
class MailRenderer {
 public:
  struct Options {
    std::string from;       // Address of the sender; its domain ends the Message-IDs.
    std::string from_name;  // May be empty.
    // Template with {contact_change_id}, {token} and {answer}; what is put in is
    // percent-encoded.
    std::string link_url;
  };
  explicit MailRenderer(Options options) : options_(std::move(options)) {}

  // Writes one e-mail, dated `now`. Its Message-ID follows from the e-mail's id,
  // so it is the same at every try. FAILED_PRECONDITION where a validation e-mail
  // has no token (the key that it is derived from is missing), where the
  // recipient has no address, or where what the e-mail tells of is missing.
  absl::StatusOr<RenderedMail> Render(const MailFacts& facts, absl::Time now) const;

 private:
  std::string Link(const MailFacts& facts, const char* answer) const;

  Options options_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_MAIL_RENDER_H_
