#include "client/ctl/options.h"

#include <fstream>
#include <istream>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/ctl/enum_names.h"
#include "client/lib/uuid.h"

namespace contacts::client {
namespace {

// Adds an option that gives its value to `set` and adds `path` to the mask.
template <typename Change, typename Set>
void AddField(CLI::App& command, Change& change, const std::string& name, const std::string& path,
              const std::string& description, Set set) {
  command
      .add_option_function<std::string>(
          name,
          [&change, path, set](const std::string& value) {
            set(value);
            change.mask.add_paths(path);
          },
          description)
      ->type_name("TEXT");
}

}  // namespace

void Choose(CLI::App& command, Action& chosen, Action action) {
  command.callback([&command, &chosen, action = std::move(action)] {
    if (command.get_subcommands().empty()) chosen = action;
  });
}

CLI::App& AddCommand(CLI::App& parent, const std::string& name, const std::string& description,
                     const std::string& example) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->footer(
      absl::StrCat("Example:\n  ", example,
                   "\n\nOptions of every command, such as --account: contactctl --help\n"));
  return *command;
}

void AddChangeId(CLI::App& command, std::string& id) {
  command.add_option("CHANGE_ID", id, "Contact change id, a UUID")
      ->required()
      ->type_name("")
      ->check([](const std::string& value) {
        return IsUuid(value) ? "" : "want a contact change id, a UUID";
      });
}

CLI::Option* AddRepeated(CLI::App& command, const std::string& name,
                         std::vector<std::string>& values, const std::string& description) {
  return command.add_option(name, values, description)->delimiter(',')->allow_extra_args(false);
}

void AddPaging(CLI::App& command, Paging& paging) {
  command.add_flag("--all", paging.all, "Every page, as one list");
  command.add_option("--page-size", paging.page_size, "Entries of one page, 1 to 1000")
      ->type_name("N");
  command.add_option("--page-token", paging.page_token, "Goes on where the page before ended")
      ->type_name("TEXT");
}

void AddOwnerOptions(CLI::App& command, const std::string& prefix, OwnerChange& change) {
  v1::Owner& owner = change.owner;
  AddField(command, change, prefix + "name", "name", "Owner's legal name",
           [&owner](const std::string& value) { owner.set_name(value); });
  AddField(command, change, prefix + "organisation", "organisation", "Owner's organisation",
           [&owner](const std::string& value) { owner.set_organisation(value); });
  AddField(command, change, prefix + "email", "email", "Owner's e-mail address",
           [&owner](const std::string& value) { owner.set_email(value); });
  AddField(command, change, prefix + "phone", "phone", "Owner's telephone, such as +33972101007",
           [&owner](const std::string& value) { owner.set_phone(value); });
  AddField(command, change, prefix + "city", "city", "Owner's city",
           [&owner](const std::string& value) { owner.set_city(value); });
  AddField(command, change, prefix + "postal-code", "postal_code", "Owner's postal code",
           [&owner](const std::string& value) { owner.set_postal_code(value); });
  AddField(command, change, prefix + "country", "country_code", "Owner's country, such as FR",
           [&owner](const std::string& value) { owner.set_country_code(value); });
  command
      .add_option_function<std::vector<std::string>>(
          prefix + "address",
          [&change](const std::vector<std::string>& lines) {
            for (const std::string& line : lines) {
              if (!line.empty()) change.owner.add_address_lines(line);
            }
            change.mask.add_paths("address_lines");
          },
          "One line of the owner's address; given up to three times")
      ->type_name("TEXT")
      ->allow_extra_args(false);
}

void AddAccountOptions(CLI::App& command, AccountChange& change, bool with_billing) {
  v1::Account& account = change.account;
  AddField(command, change, "--email", "email", "Address that e-mails go to",
           [&account](const std::string& value) { account.set_email(value); });
  AddField(command, change, "--language", "language_code", "Language of the e-mails: fr, en",
           [&account](const std::string& value) { account.set_language_code(value); });
  if (!with_billing) return;
  AddField(command, change, "--billing", "billing_standing", "Billing standing",
           [&account](const std::string& value) {
             account.set_billing_standing(*EnumFromName<v1::BillingStanding>(value));
           });
  command.get_option("--billing")->check(CLI::IsMember(EnumNames<v1::BillingStanding>()));
}

void AddAssignmentOptions(CLI::App& command, AssignmentSource& source) {
  command
      .add_option("--assign", source.assign,
                  "One role of one service and who is to hold it; may be given several times")
      ->type_name("SERVICE:ROLE=ACCOUNT")
      ->allow_extra_args(false);
  command
      .add_option("--from-file", source.file,
                  "File of lines SERVICE ROLE ACCOUNT; - is the standard input")
      ->type_name("FILE");
}

absl::StatusOr<std::vector<v1::ContactAssignment>> CollectAssignments(
    const AssignmentSource& source, std::istream& in) {
  std::vector<v1::ContactAssignment> all;
  for (const std::string& text : source.assign) {
    absl::StatusOr<v1::ContactAssignment> assignment = ParseAssignment(text);
    if (!assignment.ok()) return assignment.status();
    all.push_back(*std::move(assignment));
  }
  if (source.file.empty()) return all;

  std::ifstream file;
  if (source.file != "-") {
    file.open(source.file);
    if (!file)
      return absl::InvalidArgumentError(
          absl::StrCat("--from-file: cannot open \"", source.file, "\""));
  }
  absl::StatusOr<std::vector<v1::ContactAssignment>> read =
      source.file == "-" ? ReadAssignments(in, "standard input")
                         : ReadAssignments(file, source.file);
  if (!read.ok()) return read.status();
  all.insert(all.end(), read->begin(), read->end());
  return all;
}

}  // namespace contacts::client
