#ifndef CONTACTS_CLIENT_ANSWER_H_
#define CONTACTS_CLIENT_ANSWER_H_

#include <iosfwd>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/link.h"

namespace contacts::client {

// What answers a contact change.
struct Answer {
  std::string contact_change_id;
  std::string token;
};

// Reads what follows `contactctl accept` or `contactctl refuse`: a contact
// change id and the words of a token, or a link by itself. "-" in place of the
// token or of the link reads it from `in`, where no list of processes and no
// shell's history shows it.
//
// Returns INVALID_ARGUMENT if it is neither, or if the link stands for the
// other answer than `wanted`: who pastes the wrong link must not do the
// opposite of what the e-mail said. Messages never repeat what was given.
absl::StatusOr<Answer> ReadAnswer(const std::string& target, const std::vector<std::string>& words,
                                  LinkAnswer wanted, std::istream& in);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_ANSWER_H_
