#ifndef CONTACTS_CLIENT_CTL_ASSIGNMENTS_H_
#define CONTACTS_CLIENT_CTL_ASSIGNMENTS_H_

#include <iosfwd>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "contacts/v1/contact_service.pb.h"

// Assignments as a person types them. Ids are passed on as typed: the server checks and normalises
// them.
namespace contacts::client {

// Reads "SERVICE:ROLE=ACCOUNT". Returns INVALID_ARGUMENT if a part is missing or empty, or if the
// role is none of the contract's.
absl::StatusOr<v1::ContactAssignment> ParseAssignment(absl::string_view typed);

// Reads one "SERVICE ROLE ACCOUNT" a line, separated by spaces or tabs. Leaves out empty lines,
// and the rest of a line from a '#' on. Returns INVALID_ARGUMENT with `source` and the number of
// the first wrong line, from 1; or if `in` cannot be read.
absl::StatusOr<std::vector<v1::ContactAssignment>> ReadAssignments(std::istream& in,
                                                                   absl::string_view source);

// Each assignment as messages show it: "example.com tech -> bb222222-ovh".
std::vector<std::string> DescribeAssignments(const std::vector<v1::ContactAssignment>& assignments);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_CTL_ASSIGNMENTS_H_
