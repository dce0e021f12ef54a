#ifndef CONTACTS_SERVER_AUTH_CALLER_POLICY_H_
#define CONTACTS_SERVER_AUTH_CALLER_POLICY_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// The policy: which client certificate belongs to which caller, and the caller's roles.
namespace contacts::server {

// The names of a verified client certificate (RFC 5280, 4.2.1.6). Both are empty for a connection
// without a client certificate.
struct PeerNames {
  std::vector<std::string> uris;  // For example SPIFFE ids.
  std::vector<std::string> dns;
};

// A program that calls this service.
struct PolicyEntry {
  std::string name;  // 48 characters at most. Used in the log, and as the owner of request ids.
  bool is_front_end = false;       // May name the acting account.
  bool is_operator = false;        // May call DirectoryService.
  bool is_observer = false;        // May watch every change.
  bool is_support = false;         // May call SupportService.
  bool is_metrics_reader = false;  // May read the metrics beyond loopback.
};

// Immutable and thread safe.
class CallerPolicy {
 public:
  // Reads a policy file, strictly:
  //   {"callers": [{"name": "shop", "uri": "spiffe://example.org/shop", "may": ["front_end"]},
  //                {"name": "sync", "dns": "sync.example.org", "may": ["operator"]}]}
  // Returns INVALID_ARGUMENT, with the position of the invalid entry.
  static absl::StatusOr<CallerPolicy> Parse(absl::string_view text);

  // The empty policy: no caller may do anything.
  CallerPolicy() = default;

  // Returns the caller that a certificate belongs to. Null if it matches no entry or several.
  const PolicyEntry* Find(const PeerNames& names) const;

 private:
  std::map<std::string, PolicyEntry, std::less<>> by_uri_;
  std::map<std::string, PolicyEntry, std::less<>> by_dns_;  // In lower case.
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_AUTH_CALLER_POLICY_H_
