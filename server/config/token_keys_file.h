#ifndef CONTACTS_SERVER_CONFIG_TOKEN_KEYS_FILE_H_
#define CONTACTS_SERVER_CONFIG_TOKEN_KEYS_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/domain/token.h"

namespace contacts::server {

// Makes a token keys file with one fresh key and mode 0600, unless the file exists. If several
// servers do so at once, one makes the file and all use it. FAILED_PRECONDITION if the file cannot
// be written.
absl::Status MakeTokenKeysFile(const std::string& path);

// Reads a token keys file in the format of TokenKeys. FAILED_PRECONDITION if the file cannot be
// read or others may use it. Errors of TokenKeys::Parse with the path.
absl::StatusOr<TokenKeys> ReadTokenKeysFile(const std::string& path);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CONFIG_TOKEN_KEYS_FILE_H_
