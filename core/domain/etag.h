#ifndef CONTACTS_CORE_DOMAIN_ETAG_H_
#define CONTACTS_CORE_DOMAIN_ETAG_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"

namespace contacts {

// Returns the opaque revision of a resource at `version`. It changes with each update.
inline std::string Etag(int64_t version) { return absl::StrCat("v", version); }

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_ETAG_H_
