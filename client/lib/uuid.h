#ifndef CONTACTS_CLIENT_LIB_UUID_H_
#define CONTACTS_CLIENT_LIB_UUID_H_

#include <string>

#include "absl/strings/string_view.h"

namespace contacts::client {

// Draws a random UUID (version 4) in its canonical lower-case form.
std::string NewUuid();

// Whether `text` is a UUID in its canonical text form, in any case.
bool IsUuid(absl::string_view text);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_LIB_UUID_H_
