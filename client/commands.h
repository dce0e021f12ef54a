#ifndef CONTACTS_CLIENT_COMMANDS_H_
#define CONTACTS_CLIENT_COMMANDS_H_

#include "CLI/CLI.hpp"
#include "client/options.h"

// Each function adds commands to `app`. The one that is typed puts what it does
// into `chosen`, which must outlive `app`.
namespace contacts::client {

// profile, profile update.
void AddProfileCommands(CLI::App& app, Action& chosen);

// services, service, owner update.
void AddServiceCommands(CLI::App& app, Action& chosen);

// change, changes, show, history.
void AddChangeCommands(CLI::App& app, Action& chosen);

// watch.
void AddWatchCommand(CLI::App& app, Action& chosen);

// accept, refuse, resend, cancel.
void AddAnswerCommands(CLI::App& app, Action& chosen);

// operator and what is below it.
void AddOperatorCommands(CLI::App& app, Action& chosen);

// import and export.
void AddImportCommands(CLI::App& app, Action& chosen);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_COMMANDS_H_
