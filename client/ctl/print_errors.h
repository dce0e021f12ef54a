#ifndef CONTACTS_CLIENT_CTL_PRINT_ERRORS_H_
#define CONTACTS_CLIENT_CTL_PRINT_ERRORS_H_

#include <iosfwd>
#include <string>

#include "absl/strings/string_view.h"
#include "client/lib/errors.h"

namespace contacts::client {

// How errors are printed.
struct ErrorFormat {
  bool json = false;    // One JSON document in place of lines for a person.
  bool colour = false;  // Of the lines.
};

// Prints a failure that no call answered: `code` is "USAGE" or the like, `message` says what is
// wrong and must hold no token. Text is made printable.
void PrintError(absl::string_view code, absl::string_view message, ExitStatus exit_status,
                ErrorFormat format, std::ostream& err);

// Prints why a call failed. Lines for a person name the first 20 violations and count the others;
// JSON has them all, and `call_id`, the x-request-id that the server's log shows too. Text that the
// server sent is made printable.
void PrintFailure(const Failure& failure, const CallPurpose& purpose, const std::string& call_id,
                  ErrorFormat format, std::ostream& err);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_CTL_PRINT_ERRORS_H_
