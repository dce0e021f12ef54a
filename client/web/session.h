#ifndef CONTACTS_CLIENT_WEB_SESSION_H_
#define CONTACTS_CLIENT_WEB_SESSION_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace contacts::web {

// Content of the session cookie. It is the only state, and it is kept by the browser.
struct Session {
  std::string id;        // Random. Another one after each sign-in.
  std::string account;   // Empty: nobody is signed in by this cookie.
  std::string language;  // Of the account's profile. Empty: not known.
  absl::Time end;
};

// Signs sessions, and tokens against cross-site requests, with HMAC-SHA256. Thread-safe.
class Signer {
 public:
  // The first key signs; each verifies. At least one.
  explicit Signer(std::vector<std::string> keys) : keys_(std::move(keys)) {}

  std::string Seal(const Session& session) const;
  // Returns nothing if `cookie` is not one that Seal returned, or if the session has ended.
  std::optional<Session> Open(const std::string& cookie, absl::Time now) const;

  // Token that nobody makes for another session, nor for another purpose.
  std::string Token(const Session& session, const std::string& purpose) const;
  bool IsToken(const std::string& token, const Session& session, const std::string& purpose) const;

 private:
  bool IsSigned(const std::string& text, const std::string& signature) const;

  const std::vector<std::string> keys_;
};

}  // namespace contacts::web

#endif  // CONTACTS_CLIENT_WEB_SESSION_H_
