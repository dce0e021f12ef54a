#ifndef CONTACTS_CLIENT_CTL_OPTIONS_H_
#define CONTACTS_CLIENT_CTL_OPTIONS_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "client/ctl/assignments.h"
#include "client/ctl/client.h"
#include "contacts/v1/contact_service.pb.h"
#include "google/protobuf/field_mask.pb.h"

// Options and arguments that several commands have.
namespace contacts::client {

// Runs a command. Returns the exit status.
using Action = std::function<int(Client&)>;

// Sets `chosen` to `action` if `command` is on the command line and none of its own commands is.
void Choose(CLI::App& command, Action& chosen, Action action);

// Adds a command. --help shows the example.
CLI::App& AddCommand(CLI::App& parent, const std::string& name, const std::string& description,
                     const std::string& example);

// Adds the argument CHANGE_ID. The error about a value that is no UUID does not repeat it: it may
// be a token in the wrong place.
void AddChangeId(CLI::App& command, std::string& id);

// Adds an option that may be given several times, each with one value or several separated by
// commas.
CLI::Option* AddRepeated(CLI::App& command, const std::string& name,
                         std::vector<std::string>& values, const std::string& description);

// Adds --all, --page-size and --page-token.
void AddPaging(CLI::App& command, Paging& paging);

// The fields of an owner that were given, and their paths.
struct OwnerChange {
  v1::Owner owner;
  google::protobuf::FieldMask mask;
};

// Adds an option for each field of an owner, whose name begins with `prefix`, such as "--". An
// empty value clears a field.
void AddOwnerOptions(CLI::App& command, const std::string& prefix, OwnerChange& change);

// The fields of an account that were given, and their paths.
struct AccountChange {
  v1::Account account;
  google::protobuf::FieldMask mask;
};

// Adds --email and --language, and --billing if `with_billing`, which is for operators.
void AddAccountOptions(CLI::App& command, AccountChange& change, bool with_billing);

// Where the assignments of a command come from.
struct AssignmentSource {
  std::vector<std::string> assign;
  std::string file;
};

// Adds --assign and --from-file.
void AddAssignmentOptions(CLI::App& command, AssignmentSource& source);

// Returns the assignments of --assign, then those of --from-file, where "-" is `in`. Returns
// INVALID_ARGUMENT if one is malformed or the file cannot be read.
absl::StatusOr<std::vector<v1::ContactAssignment>> CollectAssignments(
    const AssignmentSource& source, std::istream& in);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_CTL_OPTIONS_H_
