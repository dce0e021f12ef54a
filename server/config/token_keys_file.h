#ifndef CONTACTS_SERVER_CONFIG_TOKEN_KEYS_FILE_H_
#define CONTACTS_SERVER_CONFIG_TOKEN_KEYS_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/domain/token.h"

namespace contacts::server {

// Makes a token keys file with one fresh key, readable by its owner alone, unless
// there is one. Of servers that do so at once one makes it, and all find the same.
absl::Status MakeTokenKeysFile(const std::string& path);

// Reads a token keys file; see TokenKeys for its form.
absl::StatusOr<TokenKeys> ReadTokenKeysFile(const std::string& path);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CONFIG_TOKEN_KEYS_FILE_H_
