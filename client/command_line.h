#ifndef CONTACTS_CLIENT_COMMAND_LINE_H_
#define CONTACTS_CLIENT_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "client/session.h"

namespace contacts::client {

// Reads a command line, program name left out, does what it says and returns
// the exit status. `default_account` is the acting account where the command
// line names none; empty for none.
int RunCommandLine(const std::vector<std::string>& arguments, const std::string& default_account,
                   const Streams& streams);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_COMMAND_LINE_H_
