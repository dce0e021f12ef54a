#ifndef CONTACTS_CLIENT_USAGE_H_
#define CONTACTS_CLIENT_USAGE_H_

#include <iosfwd>

#include "absl/strings/string_view.h"

namespace contacts::client {

// Says what is wrong with a command line, as text or as JSON in the form that
// failed calls have.
void PrintUsageError(absl::string_view message, bool json, bool colour, std::ostream& err);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_USAGE_H_
