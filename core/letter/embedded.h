#ifndef CONTACTS_CORE_LETTER_EMBEDDED_H_
#define CONTACTS_CORE_LETTER_EMBEDDED_H_

#include <map>
#include <string>

namespace contacts {

// The shipped templates and catalogues, which are part of the program: by file name.
const std::map<std::string, std::string>& EmbeddedDesign();

}  // namespace contacts

#endif  // CONTACTS_CORE_LETTER_EMBEDDED_H_
