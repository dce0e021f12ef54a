#ifndef CONTACTS_CLIENT_CTL_ANSWER_H_
#define CONTACTS_CLIENT_CTL_ANSWER_H_

#include <iosfwd>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/ctl/link.h"

namespace contacts::client {

// The answer to a contact change, as given on the command line.
struct Answer {
  std::string contact_change_id;
  std::string token;
};

// Reads the arguments of `contactctl accept` or `contactctl refuse`: `target` is a contact change
// id and `rest` the words of the token, or `target` is a link and `rest` is empty. If the token or
// the link is "-", it is read from the first line of `in`, so that neither the list of processes
// nor the shell's history shows it.
//
// Returns INVALID_ARGUMENT if the arguments are neither, or if the link is for the other answer
// than `wanted`: a wrong link must not do the opposite of what its e-mail says. Messages never
// repeat an argument, which may be a token.
absl::StatusOr<Answer> ReadAnswer(const std::string& target, const std::vector<std::string>& rest,
                                  LinkAnswer wanted, std::istream& in);

// Reads the arguments of `contactctl confirm-email`: the words of the token, or the link, or "-"
// for the first line of `in`. Returns INVALID_ARGUMENT if there is no token. Messages never repeat
// an argument.
absl::StatusOr<std::string> ReadConfirmation(const std::vector<std::string>& words,
                                             std::istream& in);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_CTL_ANSWER_H_
