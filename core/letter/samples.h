#ifndef CONTACTS_CORE_LETTER_SAMPLES_H_
#define CONTACTS_CORE_LETTER_SAMPLES_H_

#include <string>
#include <vector>

#include "core/domain/mail_facts.h"

namespace contacts {

// An e-mail with made-up facts.
struct Sample {
  std::string name;  // The kind, such as "validation", or that and what is special: "done-skipped".
  MailFacts facts;
};

// At least one sample of every kind. Together they use every message of the catalogues, but for
// that of the brand's support address.
const std::vector<Sample>& Samples();

}  // namespace contacts

#endif  // CONTACTS_CORE_LETTER_SAMPLES_H_
