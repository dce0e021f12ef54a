#ifndef CONTACTS_CLIENT_LINK_H_
#define CONTACTS_CLIENT_LINK_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace contacts::client {

// The answer that a link of a validation e-mail stands for.
enum class LinkAnswer { kNotSaid, kAccept, kRefuse };

// What a link of a validation e-mail carries.
struct Link {
  // A UUID in lower case.
  std::string contact_change_id;
  // Percent-decoded, with the characters of a token alone.
  std::string token;
  LinkAnswer answer = LinkAnswer::kNotSaid;
};

// Whether a person who gave `text` where an id or a link is expected meant a
// link.
bool LooksLikeLink(absl::string_view text);

// Reads a link as pasted from an e-mail: spaces and line breaks that came with
// it, angle brackets and quotes around it do not matter, nor does a mail gateway that
// rewrote it (SafeLinks, Google, Barracuda, Proofpoint). The server's operator
// chooses the link's host and path, so the contact change id is found by its
// form anywhere in the path or the query, the token in the `token` parameter,
// and the answer in the `answer` parameter or as a part of the path.
//
// Returns INVALID_ARGUMENT if the id or the token is missing, or if there are
// several ids. Messages never repeat any part of the link.
absl::StatusOr<Link> ParseLink(absl::string_view text);

// Keeps the characters that a token may have: letters, digits and hyphens. Quotes,
// full stops, angle brackets, spaces and line breaks that were pasted along are removed.
// The server ignores hyphens and case.
std::string TrimToken(absl::string_view token);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_LINK_H_
