#ifndef CONTACTS_SERVER_MESSAGES_WIRE_H_
#define CONTACTS_SERVER_MESSAGES_WIRE_H_

#include <google/protobuf/message.h>

#include <string>

#include "server/messages/validation.h"

namespace contacts::server {

// Parses a request as it came in. Text that is not valid UTF-8, which would make
// the generated parser give up, is returned as a violation for each field and
// left empty in `request`; bytes that are no message at all, or one of more fields
// than any request has, give one violation without a field. Unknown fields are left out.
FieldViolations ParseRequest(const std::string& bytes, google::protobuf::Message& request);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_MESSAGES_WIRE_H_
