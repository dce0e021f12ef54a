#ifndef CONTACTS_CLIENT_CTL_COMMAND_LINE_H_
#define CONTACTS_CLIENT_CTL_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "client/ctl/client.h"

namespace contacts::client {

// Runs a command line, given without the program's name. Global options that it does not give are
// read from the environment (CONTACTS_SERVER and so on). `default_account` is the acting account if
// the command line names none; empty: none. Returns the exit status, one of ExitStatus; errors are
// printed.
int RunCommandLine(const std::vector<std::string>& arguments, const std::string& default_account,
                   const Streams& streams);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_CTL_COMMAND_LINE_H_
