#ifndef CONTACTS_SERVER_MESSAGES_PARSE_H_
#define CONTACTS_SERVER_MESSAGES_PARSE_H_

#include <google/protobuf/message.h>

#include <string>

#include "server/messages/validation.h"

namespace contacts::server {

// Parses the bytes of a request. A text that is not valid UTF-8, which would make the generated
// parser fail, is returned as a violation of its field and is empty in `request`. Bytes that are
// not a message, or a message with more fields than any request has, give one violation without a
// field. Unknown fields are ignored.
FieldViolations ParseRequest(const std::string& bytes, google::protobuf::Message& request);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_MESSAGES_PARSE_H_
