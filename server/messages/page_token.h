#ifndef CONTACTS_SERVER_MESSAGES_PAGE_TOKEN_H_
#define CONTACTS_SERVER_MESSAGES_PAGE_TOKEN_H_

#include <google/protobuf/message.h>

#include <initializer_list>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "core/engine/feed.h"

// What ties one request to another: page tokens to the request that they
// continue, resume tokens to the stream, kept replies to the request that they
// answer. All functions are pure.
namespace contacts::server {

// SHA-256 of the request's content without these fields of it. Requests are in
// canonical form, so the same content gives the same digest.
std::string DigestWithout(const google::protobuf::Message& request,
                          std::initializer_list<const char*> fields);

// Method name and digest of what the request asks for, its request id aside. It
// is kept with the reply; a validation token, of 130 random-looking bits, cannot
// be found from it.
std::string Fingerprint(absl::string_view method, const google::protobuf::Message& request);

// Wraps the engine's cursor into the token that continues `request`. An empty
// cursor, after the last page, gives an empty token.
std::string MakePageToken(const google::protobuf::Message& request, absl::string_view cursor);

// Returns the cursor inside the request's page_token, empty for the first page,
// or nothing where the token is malformed or continues another request.
std::optional<std::string> OpenPageToken(const google::protobuf::Message& request);

// Wraps a place in the feed of events, and opens it again; nothing if the text is no such
// token. Tokens of earlier versions have a position alone: their event is not known.
std::string MakeResumeToken(const FeedPlace& place);
std::optional<FeedPlace> OpenResumeToken(const std::string& token);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_MESSAGES_PAGE_TOKEN_H_
