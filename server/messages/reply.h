#ifndef CONTACTS_SERVER_MESSAGES_REPLY_H_
#define CONTACTS_SERVER_MESSAGES_REPLY_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "core/engine/engine.h"
#include "server/messages/convert.h"
#include "server/messages/page_token.h"

// Encodes the engine's results as the bytes of a reply.
namespace contacts::server {

using Reply = absl::StatusOr<std::string>;

// The id of a contact change in a request, which was checked.
inline Uuid ChangeId(const std::string& text) { return Uuid::Parse(text).value_or(Uuid()); }

// Encodes a value as a Response whose only field is one message, reached by `field`.
template <typename Response, typename Message>
auto ReplyWith(Message* (Response::*field)()) {
  return [field](const auto& value) {
    Response response;
    *(response.*field)() = ToMessage(value);
    return response.SerializeAsString();
  };
}

// Encodes values as a Response whose only field is a list of messages, filled by `add`.
template <typename Response, typename Message>
auto ReplyWithAll(Message* (Response::*add)()) {
  return [add](const auto& values) {
    Response response;
    for (const auto& value : values) *(response.*add)() = ToMessage(value);
    return response.SerializeAsString();
  };
}

// Encodes the result of a read, or passes its error on.
template <typename Value, typename Encoder>
Reply Encoded(const absl::StatusOr<Value>& value, const Encoder& encode) {
  if (!value.ok()) return value.status();
  return encode(*value);
}

// The page that `request` asks for. Its token must have been checked.
template <typename Request>
PageRequest ToPageRequest(const Request& request, int64_t default_size) {
  return {.size = request.page_size() == 0 ? default_size : request.page_size(),
          .after = OpenPageToken(request).value_or("")};
}

// One page and the token of the next.
template <typename Response, typename Request, typename Value, typename Message>
Reply PageReply(const Request& request, const absl::StatusOr<Page<Value>>& page,
                Message* (Response::*add)()) {
  if (!page.ok()) return page.status();
  Response response;
  for (const Value& row : page->rows) *(response.*add)() = ToMessage(row);
  response.set_next_page_token(MakePageToken(request, page->next));
  return response.SerializeAsString();
}

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_MESSAGES_REPLY_H_
