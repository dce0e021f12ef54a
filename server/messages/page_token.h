#ifndef CONTACTS_SERVER_MESSAGES_PAGE_TOKEN_H_
#define CONTACTS_SERVER_MESSAGES_PAGE_TOKEN_H_

#include <google/protobuf/message.h>

#include <initializer_list>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "core/engine/feed.h"

// Ties page tokens to the request that they continue, resume tokens to the stream, and idempotency
// records to the request that they answer. All functions are pure.
namespace contacts::server {

// SHA-256 of the request's content without these fields. Requests are in
// canonical form, so the same content gives the same digest.
std::string DigestWithout(const google::protobuf::Message& request,
                          std::initializer_list<const char*> fields);

// Method name and digest of the request without its request id. It is stored with the reply. A
// validation token, with 130 bits that look random, cannot be found from it.
std::string Fingerprint(absl::string_view method, const google::protobuf::Message& request);

// Wraps the engine's cursor into the token that continues `request`. An empty
// cursor, after the last page, gives an empty token.
std::string MakePageToken(const google::protobuf::Message& request, absl::string_view cursor);

// Returns the cursor inside the request's page_token. Empty for the first page, nothing if the
// token is malformed or continues another request.
std::optional<std::string> OpenPageToken(const google::protobuf::Message& request);

// Wraps a place in the feed of events into a token, and opens a token. Returns nothing if the text
// is not such a token. Tokens of earlier versions have only a position, without its event.
std::string MakeResumeToken(const FeedPlace& place);
std::optional<FeedPlace> OpenResumeToken(const std::string& token);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_MESSAGES_PAGE_TOKEN_H_
