#include <sys/ioctl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "client/ctl/command_line.h"

namespace {

std::string Environment(const char* name) {
  // No other thread runs yet.
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? "" : value;
}

// Colours are for terminals whose users have not opted out.
bool WantsColour(int descriptor) {
  return isatty(descriptor) != 0 && Environment("NO_COLOR").empty() &&
         Environment("TERM") != "dumb";
}

// Columns of the terminal at `descriptor`. 0 if it is not a terminal or does not say.
std::size_t TerminalWidth(int descriptor) {
  winsize size{};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace

int main(int argc, char** argv) {
  // Standard error is for the program's own messages, also as JSON: gRPC's log, which goes there
  // too, is off unless the variable is set.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);  // NOLINT(concurrency-mt-unsafe)
  // Reads standard input in blocks instead of byte by byte.
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
      .width_out = TerminalWidth(STDOUT_FILENO),
  };
  return contacts::client::RunCommandLine(arguments, Environment("CONTACTS_ACCOUNT"), streams);
}
