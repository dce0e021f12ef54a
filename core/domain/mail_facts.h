#ifndef CONTACTS_CORE_DOMAIN_MAIL_FACTS_H_
#define CONTACTS_CORE_DOMAIN_MAIL_FACTS_H_

#include <optional>
#include <string>
#include <vector>

#include "core/domain/account.h"
#include "core/domain/contact_change.h"
#include "core/domain/contact_override.h"
#include "core/domain/outbox_mail.h"

namespace contacts {

// All facts for the text of one e-mail.
struct MailFacts {
  OutboxMail mail;
  Account recipient;                    // With its present profile.
  std::optional<ContactChange> change;  // Set if the e-mail is about a change.
  std::optional<ContactOverride> override_record;
  // Changes that are still pending on services of which the e-mail tells the recipient that it is
  // admin now.
  std::vector<PendingItem> pending;
  std::string token;  // Of e-mails with one: derived, never stored.
  // Once it is delivered or given up: what the mail server said, or why. Never a whole address.
  std::string answer;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_MAIL_FACTS_H_
