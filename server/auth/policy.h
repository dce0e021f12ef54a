#ifndef CONTACTS_SERVER_AUTH_POLICY_H_
#define CONTACTS_SERVER_AUTH_POLICY_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Which client certificates are whose, and what they may do here.
namespace contacts::server {

// The names of a verified client certificate (RFC 5280, 4.2.1.6). Both empty where the
// connection has none.
struct PeerNames {
  std::vector<std::string> uris;  // Such as SPIFFE ids.
  std::vector<std::string> dns;
};

// A service that calls this one.
struct Caller {
  std::string name;           // Of 48 characters at most; in the log, and whose request ids are.
  bool is_front_end = false;  // May name the acting account.
  bool is_operator = false;   // May call DirectoryService.
  bool is_observer = false;   // May watch every change.
  bool is_metrics_reader = false;  // May read the metrics beyond loopback.
};

// Immutable, so safe for any thread.
class Policy {
 public:
  // Reads a policy file, strictly:
  //   {"callers": [{"name": "shop", "uri": "spiffe://example.org/shop", "may": ["front_end"]},
  //                {"name": "sync", "dns": "sync.example.org", "may": ["operator"]}]}
  // INVALID_ARGUMENT, which names the entry by its place.
  static absl::StatusOr<Policy> Parse(absl::string_view text);

  // Nobody may anything.
  Policy() = default;

  // Returns the one caller that a certificate is of; null where it is of none, or of several.
  const Caller* Find(const PeerNames& names) const;

 private:
  std::map<std::string, Caller, std::less<>> by_uri_;
  std::map<std::string, Caller, std::less<>> by_dns_;  // In lower case.
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_AUTH_POLICY_H_
