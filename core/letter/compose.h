#ifndef CONTACTS_CORE_LETTER_COMPOSE_H_
#define CONTACTS_CORE_LETTER_COMPOSE_H_

#include <string>

#include "core/domain/mail_facts.h"
#include "core/letter/brand.h"
#include "core/letter/catalogue.h"
#include "core/letter/letter_writer.h"

namespace contacts {

// The links of an e-mail with a token. They contain it.
struct AnswerLinks {
  std::string accept;
  std::string refuse;
  std::string confirm;  // Of an address.
};

// Writes the letter for `facts`, addressed to the recipient's role in the change: requester, new
// contact or old contact. `facts` must be complete for their kind. Pure.
Letter Compose(const MailFacts& facts, const AnswerLinks& links, const Catalogue& say,
               const Brand& brand);

}  // namespace contacts

#endif  // CONTACTS_CORE_LETTER_COMPOSE_H_
