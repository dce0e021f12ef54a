#include "client/command_line.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <ostream>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "client/commands.h"
#include "client/errors.h"
#include "client/text.h"
#include "client/usage.h"
#include "client/uuid.h"

namespace contacts::client {
namespace {

constexpr char kFooter[] =
    R"(Tokens of e-mails are never shown. Commands that change something and have a
request id are tried again by themselves while the server is unavailable.

Exit status:
  0  done
  1  failed for another reason
  2  the command line is wrong, or the server does not accept a value in it
  3  not found
  4  not allowed, or not known who calls
  5  refused by the present state: already answered, closed, pending, overdue …
  6  try again later

Example:
  contactctl --account=aa111111-ovh changes --involvement=awaiting

Help for one command: contactctl COMMAND --help
)";

// What gRPC takes as a value of metadata; anything else would end the program.
std::string CheckAccount(const std::string& account) {
  const bool plain = std::all_of(account.begin(), account.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
  return plain ? "" : "an account id has no spaces and nothing but ASCII in it";
}

std::string CheckServer(const std::string& server) {
  const auto colon = server.rfind(':');
  const absl::string_view host = absl::string_view(server).substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : server.substr(colon + 1);
  int number = 0;
  const bool digits = !port.empty() && std::all_of(port.begin(), port.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  // An IPv6 address without brackets would have its last group taken for the port.
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
  return valid ? "" : "a time limit is a number and a unit, such as 500ms, 30s or 2m";
}

void AddTlsOptions(CLI::App& app, ClientTls& tls) {
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

void AddGlobalOptions(CLI::App& app, Settings& settings, std::string& output) {
  app.add_option("--server", settings.server, "Server to call")
      ->type_name("HOST:PORT")
      ->check(CheckServer)
      ->capture_default_str();
  app.add_option("--account", settings.account,
                 "Acting account. Customers' commands take it from CONTACTS_ACCOUNT otherwise")
      ->type_name("ID")
      ->check(CheckAccount);
  app.add_option("--token-file,--token_file", settings.token_file,
                 "File that holds a session's token, for a server with --auth=jwt; read for each "
                 "call")
      ->type_name("FILE")
      ->check([](const std::string& path) {
        return ReadSessionToken(path).empty() ? "want a file that can be read and holds a token"
                                              : "";
      });
  AddTlsOptions(app, settings.tls);
  app.add_flag("--operator", settings.is_operator,
               "Call as a directory operator; commands of 'operator' always do");
  app.add_option("--output", output, "Form of what is shown, errors included")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  app.add_option_function<std::string>(
         "--timeout",
         [&settings](const std::string& text) {
           (void)absl::ParseDuration(text, &settings.timeout);
         },
         "Time limit of a call, its repetitions included")
      ->type_name("DURATION")
      ->default_str("30s")
      ->check(CheckTimeout);
  app.add_option("--request-id", settings.request_id,
                 "Takes the place of a drawn request id (change, accept, refuse, cancel, operator "
                 "override): repeats a command without doing it twice")
      ->type_name("UUID")
      ->check([](const std::string& id) { return IsUuid(id) ? "" : "a request id is a UUID"; });
}

// CLI11 would take the argument after "--email=" for its value.
std::vector<std::string> WithEmptyValuesApart(const std::vector<std::string>& arguments) {
  std::vector<std::string> apart;
  for (const std::string& argument : arguments) {
    const bool empty_value = absl::StartsWith(argument, "--") && argument.size() > 3 &&
                             argument.find('=') == argument.size() - 1;
    if (empty_value) {
      apart.push_back(argument.substr(0, argument.size() - 1));
      apart.emplace_back();
    } else {
      apart.push_back(argument);
    }
  }
  return apart;
}

bool WantsJson(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--output=json") return true;
    if (arguments[i] == "--output" && i + 1 < arguments.size() && arguments[i + 1] == "json") {
      return true;
    }
  }
  return false;
}

// Number of letters to change, add or remove to make one word of the other.
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

// Names the command that was meant. What was typed is repeated only if it looks like a
// command: it may be a part of a token.
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

// What is left over is named only where it is an option, without its value,
// and not at all after a command that takes a token: it may be a part of one.
std::string NotExpected(const CLI::App& app) {
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
    PrintUsageError(absl::StrCat(message, " (see contactctl --help)"), WantsJson(arguments),
                    streams.colour_err, streams.err);
    return kUsage;
  };
  if (!std::all_of(arguments.begin(), arguments.end(), IsUtf8)) {
    return usage_error("an argument is not UTF-8");
  }

  Settings settings;
  settings.default_account = default_account;
  std::string output = "table";
  Action chosen;
  CLI::App app("Manages the contacts of services: who holds which role, and who is to.",
               "contactctl");
  app.footer(kFooter);
  app.fallthrough();
  app.require_subcommand(1);
  AddGlobalOptions(app, settings, output);
  AddProfileCommands(app, chosen);
  AddServiceCommands(app, chosen);
  AddChangeCommands(app, chosen);
  AddAnswerCommands(app, chosen);
  AddWatchCommand(app, chosen);
  AddOperatorCommands(app, chosen);
  AddImportCommands(app, chosen);

  std::vector<std::string> reversed = WithEmptyValuesApart(arguments);
  std::reverse(reversed.begin(), reversed.end());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help, streams.out, streams.err);
  } catch (const CLI::RequiredError& error) {
    // The only thing required that is neither an option nor an argument is a command.
    const bool command = absl::StrContains(error.what(), "subcommand");
    return usage_error(command ? NoSuchCommand(app) : error.what());
  } catch (const CLI::ExtrasError&) {
    return usage_error(NotExpected(app));
  } catch (const CLI::ParseError& error) {
    return usage_error(error.what());
  }
  if (const std::string wrong = CheckAccount(default_account); !wrong.empty()) {
    return usage_error(absl::StrCat("CONTACTS_ACCOUNT: ", wrong));
  }

  settings.json = output == "json";
  Session session(settings, streams);
  return chosen(session);
}

}  // namespace contacts::client
