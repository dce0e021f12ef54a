#include "client/ctl/command_line.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <numeric>
#include <ostream>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "client/ctl/commands.h"
#include "client/ctl/print_errors.h"
#include "client/lib/credentials.h"
#include "client/lib/errors.h"
#include "client/lib/terminal_text.h"
#include "client/lib/uuid.h"

namespace contacts::client {
namespace {

constexpr char kFooter[] =
    R"(Tokens of e-mails are never shown. While the server is unavailable, a call is made
again until --timeout, if it only reads or has a request id.

Exit status:
  0  done
  1  failed for another reason
  2  the command line is wrong, or the server does not accept a value of it
  3  not found
  4  not allowed, or not authenticated
  5  rejected because of the present state: already answered, closed, pending, overdue …
  6  try again later

Example:
  contactctl --account=aa111111-ovh changes --involvement=awaiting

Help for one command: contactctl COMMAND --help
)";

// Checks of option values return what is wrong; "" if nothing is.
std::string CheckAccount(const std::string& account) {
  return IsMetadataValue(account)
             ? ""
             : absl::StrCat("\"", Printable(account), "\"; want an account id in ASCII, no spaces");
}

std::string CheckServer(const std::string& server) {
  const auto colon = server.rfind(':');
  const absl::string_view host = absl::string_view(server).substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : server.substr(colon + 1);
  int number = 0;
  const bool digits = !port.empty() && std::all_of(port.begin(), port.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  // The last group of an IPv6 address without brackets would count as the port.
  const bool named = !host.empty() && (host.back() == ']' || absl::StrContains(host, "//") ||
                                       !absl::StrContains(host, ":"));
  const bool valid =
      named && digits && absl::SimpleAtoi(port, &number) && number >= 1 && number <= 65535;
  return valid
             ? ""
             : absl::StrCat("\"", Printable(server), "\"; want HOST:PORT, such as 127.0.0.1:50051");
}

std::string CheckTimeout(const std::string& text) {
  absl::Duration timeout;
  const bool valid = absl::ParseDuration(text, &timeout) && timeout > absl::ZeroDuration() &&
                     timeout != absl::InfiniteDuration();
  return valid ? ""
               : absl::StrCat("\"", Printable(text),
                              "\"; want a number above 0 and a unit, such as 500ms, 30s or 2m");
}

void AddTlsOptions(CLI::App& app, TlsFiles& tls) {
  const auto file = [&](const char* names, std::string* path, const char* help) {
    return app
        .add_option_function<std::string>(
            names,
            [&tls, path](const std::string& text) {
              *path = text;
              tls.enabled = true;
            },
            help)
        ->type_name("FILE")
        ->check(CLI::ExistingFile);
  };
  app.add_flag("--tls", tls.enabled, "Call over TLS; the options below do too");
  file("--tls-ca,--tls_ca", &tls.ca,
       "PEM file of the authorities that the server's certificate is checked against, in place "
       "of the system's");
  auto* certificate = file("--tls-cert,--tls_cert", &tls.certificate,
                           "PEM file of the caller's own certificate, for a server with "
                           "--auth=mtls");
  auto* key = file("--tls-key,--tls_key", &tls.key, "PEM file of its private key");
  certificate->needs(key);
  key->needs(certificate);
}

void AddGlobalOptions(CLI::App& app, GlobalOptions& options, std::string& output) {
  app.add_option("--server", options.server, "Server to call")
      ->type_name("HOST:PORT")
      ->check(CheckServer)
      ->capture_default_str();
  app.add_option("--account", options.account,
                 "Acting account; by default CONTACTS_ACCOUNT, which operators' commands ignore")
      ->type_name("ID")
      ->check(CheckAccount);
  app.add_option("--token-file,--token_file", options.token_file,
                 "File of a session's token, for a server with --auth=jwt; read for each call")
      ->type_name("FILE")
      ->check([](const std::string& path) {
        return ReadBearerToken(path).empty()
                   ? absl::StrCat("\"", Printable(path),
                                  "\"; want a file that can be read and holds a token")
                   : "";
      });
  AddTlsOptions(app, options.tls);
  app.add_flag("--operator", options.is_operator,
               "Call as a directory operator; commands of 'operator' always do");
  app.add_option("--output", output, "Form of what is shown, errors included")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  app.add_option_function<std::string>(
         "--timeout",
         [&options](const std::string& text) { (void)absl::ParseDuration(text, &options.timeout); },
         "Time limit of a call with its retries")
      ->type_name("DURATION")
      ->default_str("30s")
      ->check(CheckTimeout);
  app.add_option("--request-id", options.request_id,
                 "Request id of change, accept, refuse, cancel and operator override in place of a "
                 "random one: a command given again with the same id is not done twice")
      ->type_name("UUID")
      ->check([](const std::string& id) {
        return IsUuid(id) ? "" : absl::StrCat("\"", Printable(id), "\"; want a UUID");
      });
}

// Splits "--email=" into the option and an empty argument: CLI11 would use the next argument as its
// value.
std::vector<std::string> SplitEmptyValues(const std::vector<std::string>& arguments) {
  std::vector<std::string> split;
  for (const std::string& argument : arguments) {
    const bool empty_value = absl::StartsWith(argument, "--") && argument.size() > 3 &&
                             argument.find('=') == argument.size() - 1;
    if (empty_value) {
      split.push_back(argument.substr(0, argument.size() - 1));
      split.emplace_back();
    } else {
      split.push_back(argument);
    }
  }
  return split;
}

std::string Variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? "" : value;
}

// Gives every option of the program but --account its variable: --tls-ca has CONTACTS_TLS_CA.
// --account has one too, but only as a default (see RunCommandLine). An empty variable counts as
// not set.
void AddVariables(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    const std::string& name = option->get_lnames().front();
    if (name == "help" || name == "version" || name == "account") continue;
    option->envname("CONTACTS_" + absl::StrReplaceAll(absl::AsciiStrToUpper(name), {{"-", "_"}}));
  }
}

// Names the variable in an error about an option's value if the command line does not give the
// option: CLI11 names the option.
std::string NameVariable(const CLI::App& app, const std::vector<std::string>& arguments,
                         const std::string& message) {
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = option->get_name();
    if (option->get_envname().empty() || !absl::StartsWith(message, name + ":")) continue;
    const bool given =
        std::any_of(arguments.begin(), arguments.end(), [&](const std::string& argument) {
          return option->check_name(argument.substr(0, argument.find('=')));
        });
    if (!given) return option->get_envname() + message.substr(name.size());
  }
  return message;
}

// Whether errors are to be printed as JSON, also those of a command line that cannot be parsed.
bool WantsJson(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (absl::StartsWith(arguments[i], "--output=")) return arguments[i] == "--output=json";
    if (arguments[i] == "--output" && i + 1 < arguments.size()) return arguments[i + 1] == "json";
  }
  return Variable("CONTACTS_OUTPUT") == "json";
}

// The number of letters to change, add or remove to turn `one` into `other`.
std::size_t Distance(const std::string& one, const std::string& other) {
  std::vector<std::size_t> row(other.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < one.size(); ++i) {
    std::size_t before = row[0]++;
    for (std::size_t j = 0; j < other.size(); ++j) {
      const std::size_t changed = before + (one[i] == other[j] ? 0 : 1);
      before = row[j + 1];
      row[j + 1] = std::min({changed, before + 1, row[j] + 1});
    }
  }
  return row.back();
}

// The error about a command that does not exist, with the nearest one. Repeats the argument only if
// it looks like a command: it may be a part of a token.
std::string NoSuchCommand(const CLI::App& app) {
  const CLI::App* parent = &app;
  while (!parent->get_subcommands().empty()) parent = parent->get_subcommands().front();
  const std::string path = parent == &app ? "" : absl::StrCat(parent->get_name(), " ");
  const std::vector<std::string> rest = app.remaining(/*recurse=*/true);
  const auto typed = std::find_if(rest.begin(), rest.end(), [](const std::string& word) {
    return !absl::StartsWith(word, "-");
  });
  if (typed == rest.end()) {
    return absl::StrCat("want a command", path.empty() ? "" : " after ", path);
  }
  constexpr std::size_t kLongestName = 20;
  const bool plain =
      typed->size() <= kLongestName && std::all_of(typed->begin(), typed->end(), [](char c) {
        return absl::ascii_islower(static_cast<unsigned char>(c)) || c == '-';
      });
  if (!plain) return "there is no such command";
  std::string nearest;
  std::size_t least = std::max<std::size_t>(2, typed->size() / 3) + 1;
  for (const CLI::App* command : parent->get_subcommands([](const CLI::App*) { return true; })) {
    const std::size_t distance = Distance(*typed, command->get_name());
    if (distance >= least) continue;
    least = distance;
    nearest = command->get_name();
  }
  return absl::StrCat(
      "there is no command \"", path, *typed, "\"",
      nearest.empty() ? "" : absl::StrCat("; the nearest is \"", path, nearest, "\""));
}

// The error about arguments that the command does not take. Names options alone, without their
// values, and none after a command that takes a token: they may be parts of one.
std::string TooManyArguments(const CLI::App& app) {
  const std::string too_many = "there are more arguments than the command takes";
  if (app.got_subcommand("accept") || app.got_subcommand("refuse")) {
    return absl::StrCat(too_many, "; words of a token that begin with a hyphen go after --");
  }
  std::vector<std::string> options;
  for (const std::string& argument : app.remaining(/*recurse=*/true)) {
    if (absl::StartsWith(argument, "--")) options.push_back(argument.substr(0, argument.find('=')));
  }
  return options.empty()
             ? too_many
             : absl::StrCat("not an option of this command: ", absl::StrJoin(options, ", "));
}

}  // namespace

int RunCommandLine(const std::vector<std::string>& arguments, const std::string& default_account,
                   const Streams& streams) {
  auto usage_error = [&](const std::string& message) {
    PrintError("USAGE", absl::StrCat(message, " (see contactctl --help)"), kUsage,
               {WantsJson(arguments), streams.colour_err}, streams.err);
    return kUsage;
  };
  if (!std::all_of(arguments.begin(), arguments.end(), IsUtf8)) {
    return usage_error("an argument is not UTF-8");
  }

  GlobalOptions options;
  options.default_account = default_account;
  std::string output = "table";
  Action chosen;
  CLI::App app("Manages the contacts of services: who holds which role, and who is to.",
               "contactctl");
  app.footer(kFooter);
  app.fallthrough();
  app.require_subcommand(1);
  app.set_version_flag("--version", "contactctl " CONTACTS_VERSION, "Print the version and exit");
  AddGlobalOptions(app, options, output);
  AddVariables(app);
  AddProfileCommands(app, chosen);
  AddServiceCommands(app, chosen);
  AddChangeCommands(app, chosen);
  AddAnswerCommands(app, chosen);
  AddWatchCommand(app, chosen);
  AddOperatorCommands(app, chosen);
  AddSupportCommands(app, chosen);
  AddImportCommands(app, chosen);
  AddHealthCommand(app, chosen);
  AddMailCommands(app, chosen);
  AddCompletionCommand(app, chosen);

  std::vector<std::string> reversed = SplitEmptyValues(arguments);
  std::reverse(reversed.begin(), reversed.end());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::Success& help_or_version) {
    return app.exit(help_or_version, streams.out, streams.err);
  } catch (const CLI::RequiredError& error) {
    // CLI11 calls a command a subcommand; it also reports missing options and arguments here.
    const bool command = absl::StrContains(error.what(), "subcommand");
    return usage_error(command ? NoSuchCommand(app) : error.what());
  } catch (const CLI::ExtrasError&) {
    return usage_error(TooManyArguments(app));
  } catch (const CLI::ParseError& error) {
    return usage_error(NameVariable(app, arguments, error.what()));
  }
  if (const std::string wrong = CheckAccount(default_account); !wrong.empty()) {
    return usage_error(absl::StrCat("CONTACTS_ACCOUNT: ", wrong));
  }

  options.json = output == "json";
  Client client(options, streams);
  return chosen(client);
}

}  // namespace contacts::client
