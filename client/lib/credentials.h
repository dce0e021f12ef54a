#ifndef CONTACTS_CLIENT_LIB_CREDENTIALS_H_
#define CONTACTS_CLIENT_LIB_CREDENTIALS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "grpcpp/client_context.h"

namespace contacts::client {

// The caller of a call, for its metadata.
struct Caller {
  std::string account;         // Id of the acting account. Empty: none is sent.
  bool is_operator = false;    // Claims to be a directory operator.
  bool is_observer = false;    // Claims to be an observer, who may watch every change.
  bool is_support = false;     // Claims to be of the support desk.
  std::string bearer_token{};  // A JSON Web Token. Empty: none is sent.
};

// Whether gRPC sends `value` as metadata: printable ASCII without spaces. gRPC ends the
// program if it is given anything else.
bool IsMetadataValue(absl::string_view value);

// Reads a bearer token from the file `path` and removes the white space around it. Returns
// "" if the file cannot be read, is empty, or holds anything that is no metadata value.
std::string ReadBearerToken(const std::string& path);

// Adds the metadata of `caller`, and `call_id` as x-request-id, which the server's log shows.
// Every value must be a metadata value.
void AddMetadata(const Caller& caller, const std::string& call_id, grpc::ClientContext& context);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_LIB_CREDENTIALS_H_
