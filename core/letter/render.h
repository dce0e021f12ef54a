#ifndef CONTACTS_CORE_LETTER_RENDER_H_
#define CONTACTS_CORE_LETTER_RENDER_H_

#include <string>

#include "absl/status/statusor.h"
#include "core/domain/mail_facts.h"
#include "core/letter/mime.h"

namespace contacts {

// The number of services that an e-mail lists. Further ones are only counted.
inline constexpr std::size_t kListedServices = 20;

// Writes e-mails in the recipient's language, as plain text and HTML. Pure and
// immutable, so safe for any thread.
class MailRenderer {
 public:
  struct Options {
    std::string from;       // Address of the sender; its domain ends the Message-IDs.
    std::string from_name;  // May be empty.
    std::string reply_to;   // Address that answers go to; may be empty.
    // Template with {contact_change_id}, {token} and {answer}, also {account} (the recipient) and
    // {language} (of the e-mail: en or fr). The values are percent-encoded.
    std::string link_url;
    // Template of the link that confirms an address, with {token}, also {account} and {language}.
    std::string confirm_url;
  };
  explicit MailRenderer(Options options) : options_(std::move(options)) {}

  // Writes one e-mail, dated `now`. Its Message-ID follows from the e-mail's id,
  // so it is the same at every try. Returns FAILED_PRECONDITION if the token is missing
  // (for lack of its key), if the recipient has no address, or if the facts of the e-mail
  // are missing.
  absl::StatusOr<RenderedMail> Render(const MailFacts& facts, absl::Time now) const;

 private:
  static std::string Link(const std::string& url, const MailFacts& facts, const char* answer = "");

  Options options_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_LETTER_RENDER_H_
