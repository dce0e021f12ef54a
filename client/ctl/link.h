#ifndef CONTACTS_CLIENT_CTL_LINK_H_
#define CONTACTS_CLIENT_CTL_LINK_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace contacts::client {

// The answer that a link of a validation e-mail is for.
enum class LinkAnswer { kUnspecified, kAccept, kRefuse };

// A link of a validation e-mail.
struct Link {
  // A UUID in lower case.
  std::string contact_change_id;
  // Percent-decoded, as TrimToken leaves it.
  std::string token;
  LinkAnswer answer = LinkAnswer::kUnspecified;
};

// Whether `text`, given in place of an id or a link, is meant as a link: it has "://", "/", "?" or
// "&".
bool LooksLikeLink(absl::string_view text);

// Reads a link as pasted from an e-mail. Spaces, line breaks, angle brackets and quotes are
// removed; a link that mail gateways rewrote (SafeLinks, Google, Barracuda, Proofpoint) is taken
// out of their links. Operators choose host and path of their links, so the contact change id may
// be anywhere in the path or the query. The token is in the parameter `token`, the answer in the
// parameter `answer` or a segment of the path.
//
// Returns INVALID_ARGUMENT if the id or the token is missing, or if there are several ids. Messages
// never repeat a part of the link.
absl::StatusOr<Link> ParseLink(absl::string_view text);

// Reads the token of a link that confirms an e-mail address, as ParseLink reads a link. Returns
// INVALID_ARGUMENT if it is missing, or if the link is for an answer to a contact change.
absl::StatusOr<std::string> ParseConfirmLink(absl::string_view text);

// Keeps the characters that a token may have: ASCII letters, digits and hyphens. The server ignores
// hyphens and case.
std::string TrimToken(absl::string_view token);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_CTL_LINK_H_
