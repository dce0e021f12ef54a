#ifndef CONTACTS_CLIENT_CTL_COMPLETION_H_
#define CONTACTS_CLIENT_CTL_COMPLETION_H_

#include <string>

#include "CLI/CLI.hpp"

namespace contacts::client {

// Shells that completion scripts are made for.
enum class Shell { kBash, kZsh, kFish };

// Returns a script for `shell` that completes the commands and options of `app`, whose name is the
// program's.
std::string CompletionScript(const CLI::App& app, Shell shell);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_CTL_COMPLETION_H_
