#ifndef CONTACTS_CORE_MAIL_COMPOSE_H_
#define CONTACTS_CORE_MAIL_COMPOSE_H_

#include <string>

#include "core/engine/outbox.h"
#include "core/mail/letter.h"

namespace contacts {

// The links of a validation e-mail; they carry the token.
struct AnswerLinks {
  std::string accept;
  std::string refuse;
};

// Says in the recipient's language what `facts` tell, seen from where the
// recipient stands: requester, new contact or old contact. `facts` are complete
// for their kind. Pure.
Letter Compose(const MailFacts& facts, const AnswerLinks& links);

}  // namespace contacts

#endif  // CONTACTS_CORE_MAIL_COMPOSE_H_
