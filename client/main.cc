#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "client/command_line.h"

namespace {

std::string Environment(const char* name) {
  // No other thread runs yet.
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? "" : value;
}

// Colours are for people: not for pipes, and not for those who opted out.
bool WantsColour(int descriptor) {
  return isatty(descriptor) != 0 && Environment("NO_COLOR").empty() &&
         Environment("TERM") != "dumb";
}

}  // namespace

int main(int argc, char** argv) {
  // Standard error is what the person, or the script that reads JSON there, is
  // told: gRPC's own log would be in between. Whoever wants it sets the variable.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);  // NOLINT(concurrency-mt-unsafe)
  // Input in blocks instead of byte by byte.
  std::ios::sync_with_stdio(false);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const contacts::client::Streams streams{
      .in = std::cin,
      .out = std::cout,
      .err = std::cerr,
      .colour_out = WantsColour(STDOUT_FILENO),
      .colour_err = WantsColour(STDERR_FILENO),
      .terminal_out = isatty(STDOUT_FILENO) != 0,
      .terminal_err = isatty(STDERR_FILENO) != 0,
  };
  return contacts::client::RunCommandLine(arguments, Environment("CONTACTS_ACCOUNT"), streams);
}
