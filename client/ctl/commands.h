#ifndef CONTACTS_CLIENT_CTL_COMMANDS_H_
#define CONTACTS_CLIENT_CTL_COMMANDS_H_

#include "CLI/CLI.hpp"
#include "client/ctl/options.h"

// Each function adds commands to `app`. Parsing a command line sets `chosen`, which must outlive
// `app`, to the action of the command on it.
namespace contacts::client {

// profile, profile update, confirm-email.
void AddProfileCommands(CLI::App& app, Action& chosen);

// services, service, service-history, owner update.
void AddServiceCommands(CLI::App& app, Action& chosen);

// change, changes, show, history.
void AddChangeCommands(CLI::App& app, Action& chosen);

// watch.
void AddWatchCommand(CLI::App& app, Action& chosen);

// accept, refuse, resend, cancel.
void AddAnswerCommands(CLI::App& app, Action& chosen);

// operator and its commands.
void AddOperatorCommands(CLI::App& app, Action& chosen);

// support and its commands.
void AddSupportCommands(CLI::App& app, Action& chosen);

// import and export.
void AddImportCommands(CLI::App& app, Action& chosen);

// health.
void AddHealthCommand(CLI::App& app, Action& chosen);

// mail and its commands.
void AddMailCommands(CLI::App& app, Action& chosen);

// completion. `app` must have all other commands and the global options when the action runs.
void AddCompletionCommand(CLI::App& app, Action& chosen);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_CTL_COMMANDS_H_
