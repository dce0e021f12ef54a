#ifndef CONTACTS_CORE_MAIL_COMPOSE_H_
#define CONTACTS_CORE_MAIL_COMPOSE_H_

#include <string>

#include "core/engine/outbox.h"
#include "core/mail/letter.h"

namespace contacts {

// The links of a validation e-mail. They contain the token.
struct AnswerLinks {
  std::string accept;
  std::string refuse;
};

// Writes the letter for `facts` in the recipient's language, addressed to the recipient's role
// in the change: requester, new contact or old contact. `facts` must be complete for their kind.
// Pure.
Letter Compose(const MailFacts& facts, const AnswerLinks& links);

}  // namespace contacts

#endif  // CONTACTS_CORE_MAIL_COMPOSE_H_
