#ifndef CONTACTS_CLIENT_OPTIONS_H_
#define CONTACTS_CLIENT_OPTIONS_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "client/assignments.h"
#include "client/session.h"
#include "contacts/v1/contacts.pb.h"
#include "google/protobuf/field_mask.pb.h"

// Parts of a command line that several commands share.
namespace contacts::client {

// What a command does once the command line is read. Returns the exit status.
using Action = std::function<int(Session&)>;

// Makes `action` the one chosen where `command` is what was typed last: a
// command of its own below it, such as `profile update`, goes first.
void Choose(CLI::App& command, Action& chosen, Action action);

// Adds a command with its example, which --help shows.
CLI::App& AddCommand(CLI::App& parent, const std::string& name, const std::string& description,
                     const std::string& example);

// Adds the positional CHANGE_ID. A value that is no UUID is refused and not
// repeated: it may be a token in the wrong place.
void AddChangeId(CLI::App& command, std::string& id);

// Adds an option that may be given several times, one value each, or several
// separated by commas.
CLI::Option* AddRepeated(CLI::App& command, const std::string& name,
                         std::vector<std::string>& values, const std::string& description);

// Adds --all, --page-size and --page-token.
void AddPaging(CLI::App& command, Paging& paging);

// Details of an owner that were given, and which.
struct OwnerChange {
  v1::Owner owner;
  google::protobuf::FieldMask mask;
};

// Adds an option for each of an owner's details, whose names begin with
// `prefix`, such as "--". An empty value clears a detail.
void AddOwnerOptions(CLI::App& command, const std::string& prefix, OwnerChange& change);

// Values of an account that were given.
struct AccountChange {
  v1::Account account;
  google::protobuf::FieldMask mask;
};

// Adds --email and --language, and for operators --billing.
void AddAccountOptions(CLI::App& command, AccountChange& change, bool with_billing);

// Where the assignments of a bulk command come from.
struct AssignmentSource {
  std::vector<std::string> assign;
  std::string file;
};

// Adds --assign and --from-file.
void AddAssignmentOptions(CLI::App& command, AssignmentSource& source);

// Reads what was given, files included, "-" being `in`. Returns INVALID_ARGUMENT
// for what is malformed or cannot be read.
absl::StatusOr<std::vector<Assignment>> CollectAssignments(const AssignmentSource& source,
                                                           std::istream& in);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_OPTIONS_H_
