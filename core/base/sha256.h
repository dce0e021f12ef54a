#ifndef CONTACTS_CORE_BASE_SHA256_H_
#define CONTACTS_CORE_BASE_SHA256_H_

#include <string>

#include "absl/strings/string_view.h"

namespace contacts {

// Returns the SHA-256 digest of `data`: 32 bytes, not text.
std::string Sha256(absl::string_view data);

}  // namespace contacts

#endif  // CONTACTS_CORE_BASE_SHA256_H_
