#ifndef CONTACTS_CORE_LETTER_COMPOSE_H_
#define CONTACTS_CORE_LETTER_COMPOSE_H_

#include <memory>
#include <string>

// ctemplate's headers use strlen without including it.
#include <cstring>

#include <ctemplate/template_dictionary.h>

#include "absl/strings/string_view.h"
#include "core/domain/mail_facts.h"
#include "core/letter/brand.h"
#include "core/letter/catalogue.h"

namespace contacts {

// The links of an e-mail with a token. They contain it.
struct AnswerLinks {
  std::string accept;
  std::string refuse;
  std::string confirm;  // Of an address.
};

// The content of an e-mail, in one language. `content` has the names that templates use
// (core/letter/README.md); its values are not escaped, because templates escape them.
struct Letter {
  std::string subject;
  std::unique_ptr<ctemplate::TemplateDictionary> content;
};

// Writes the letter for `facts`, addressed to the recipient's role in the change: requester, new
// contact or old contact. `facts` must be complete for their kind. Pure.
Letter Compose(const MailFacts& facts, const AnswerLinks& links, const Catalogue& say,
               const Brand& brand);

// Makes text that a person wrote safe to show. Removes control characters and marks that change
// the direction of writing. Keeps line breaks.
std::string Displayable(absl::string_view text);

}  // namespace contacts

#endif  // CONTACTS_CORE_LETTER_COMPOSE_H_
