#ifndef CONTACTS_CORE_LETTER_RENDER_H_
#define CONTACTS_CORE_LETTER_RENDER_H_

#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "core/domain/mail_facts.h"
#include "core/letter/design.h"
#include "core/letter/mime.h"

namespace contacts {

// Writes e-mails in the recipient's language, as plain text and HTML. Thread safe.
class MailRenderer {
 public:
  struct Options {
    std::string from;       // Address of the sender; its domain ends the Message-IDs.
    std::string from_name;  // If empty, the brand's.
    std::string reply_to;   // Address that answers go to; may be empty.
    // Template with {contact_change_id}, {token} and {answer}, also {account} (the recipient) and
    // {language} (the tag of the e-mail's language). The values are percent-encoded.
    std::string link_url;
    // Template of the link that confirms an address, with {token}, also {account} and {language}.
    std::string confirm_url;
  };
  // `design`: null for the shipped one.
  explicit MailRenderer(Options options, std::shared_ptr<const Design> design = nullptr)
      : options_(std::move(options)),
        design_(design != nullptr ? std::move(design) : Design::Shipped()) {}

  // Later e-mails have this design.
  void Use(std::shared_ptr<const Design> design);

  // Writes one e-mail, dated `now`. Its Message-ID follows from the e-mail's id,
  // so it is the same at every try. Returns FAILED_PRECONDITION if the token is missing
  // (for lack of its key), if the recipient has no address, or if the facts of the e-mail
  // are missing.
  absl::StatusOr<RenderedMail> Render(const MailFacts& facts, absl::Time now) const;

 private:
  const Options options_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Design> design_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_LETTER_RENDER_H_
