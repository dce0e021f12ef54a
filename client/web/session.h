#ifndef CONTACTS_CLIENT_WEB_SESSION_H_
#define CONTACTS_CLIENT_WEB_SESSION_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace contacts::web {

// Content of the session cookie. It is the only state, and it is kept by the browser.
struct Session {
  std::string id;        // Random. Another one after each sign-in.
  std::string account;   // Empty: nobody is signed in by this cookie.
  std::string language;  // Of the account's profile. Empty: not known.
  absl::Time end;
};

// A session with a new random id.
Session NewSession(std::string account, std::string language, absl::Time end);

// Reads keys for a Signer from a file: one a line, at least 32 characters each. Returns
// FAILED_PRECONDITION if the file cannot be read, holds no key or a short one, or if others than
// its owner and group may use it.
absl::StatusOr<std::vector<std::string>> ReadKeys(const std::string& path);

// Signs sessions, and tokens against cross-site requests, with HMAC-SHA256. Thread-safe.
class Signer {
 public:
  // The first key signs; each verifies. At least one.
  explicit Signer(std::vector<std::string> keys) : keys_(std::move(keys)) {}

  std::string Seal(const Session& session) const;
  // Returns NOT_FOUND if `cookie` is not one that Seal returned, or if the session has ended.
  absl::StatusOr<Session> Open(absl::string_view cookie, absl::Time now) const;

  // Token that nobody makes for another session, nor for another purpose.
  std::string Token(const Session& session, const std::string& purpose) const;
  bool IsToken(const std::string& token, const Session& session, const std::string& purpose) const;

 private:
  bool IsSigned(absl::string_view purpose, absl::string_view text,
                absl::string_view signature) const;

  const std::vector<std::string> keys_;
};

}  // namespace contacts::web

#endif  // CONTACTS_CLIENT_WEB_SESSION_H_
