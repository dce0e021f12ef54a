#ifndef CONTACTS_CLIENT_ASSIGNMENTS_H_
#define CONTACTS_CLIENT_ASSIGNMENTS_H_

#include <iosfwd>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "contacts/v1/contacts.pb.h"

namespace contacts::client {

// One role of one service and the account that is to hold it, as typed. The
// server checks and normalises the ids.
struct Assignment {
  std::string service;
  v1::ContactRole role = v1::CONTACT_ROLE_UNSPECIFIED;
  std::string new_contact;

  friend bool operator==(const Assignment&, const Assignment&) = default;
};

// Reads "SERVICE:ROLE=ACCOUNT". Returns INVALID_ARGUMENT, saying what is wrong.
absl::StatusOr<Assignment> ParseAssignment(absl::string_view text);

// Reads one "SERVICE ROLE ACCOUNT" a line, separated by spaces or tabs. Empty
// lines and what follows a '#' do not count. Returns INVALID_ARGUMENT with the
// number of the first line that is wrong, named as in `source`.
absl::StatusOr<std::vector<Assignment>> ReadAssignments(std::istream& in, absl::string_view source);

// How an assignment reads in a message: "example.com tech -> bb222222-ovh".
std::string ToText(const Assignment& assignment);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_ASSIGNMENTS_H_
