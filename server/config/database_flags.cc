#include "server/config/database_flags.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/config/hosts.h"
#include "server/support/reloaded_file.h"

namespace contacts::server {
namespace {

// In the order of DatabaseTls.
constexpr const char* kModes[] = {"disabled", "preferred", "required", "verify_ca",
                                  "verify_identity"};

void CheckPem(const std::string& flag, const std::string& path,
              const absl::StatusOr<std::string>& text) {
  if (absl::StrContains(TextOrReject(flag, text), "-----BEGIN ")) return;
  RejectFlag(flag, absl::StrCat(path, ": want a PEM file"));
}

}  // namespace

void DatabaseFlags::Add(Flags& flags) {
  flags.String(
      "mysql", &uri_,
      "Required. mysql://USER[:PASSWORD]@HOST[:PORT][,HOST[:PORT]...]/DATABASE[?socket=PATH]. "
      "Several hosts, or a host name with several addresses, are the members of one cluster. An "
      "IPv6 address is written in brackets. A PASSWORD is accepted on loopback only");
  flags.String("mysql_password_file", &password_file_,
               "File with the database user's password; mode 0600, or 0440 if root or the server's "
               "user owns it");
  flags.String("mysql_tls", &tls_,
               "Encryption of connections to the database: disabled, preferred (if the database "
               "offers it), required, verify_ca (an authority of --mysql_ca_file signed the "
               "database's certificate) or verify_identity (it also names the host in --mysql, or "
               "the address if that name has several). If empty: preferred on loopback and for "
               "sockets, else verify_identity. Beyond loopback the first two are refused");
  flags.String("mysql_ca_file", &ca_file_,
               "PEM file of the authorities of the database's certificate, for verify_ca and "
               "verify_identity. If empty: the system's. This file and the next two are read for "
               "each new connection");
  flags.String("mysql_cert_file", &cert_file_,
               "PEM file of the certificate shown to the database, for a user that REQUIREs X509");
  flags.String("mysql_key_file", &key_file_,
               "PEM file of that certificate's private key; mode as for --mysql_password_file");
}

DatabaseOptions DatabaseFlags::Check() const {
  if (uri_.empty()) RejectFlag("mysql", "missing; want mysql://USER@HOST/DATABASE");
  auto parsed = DatabaseOptions::Parse(uri_);
  if (!parsed.ok()) RejectFlag("mysql", std::string(parsed.status().message()));
  DatabaseOptions options = *std::move(parsed);
  const bool local = !options.socket.empty() ||
                     std::all_of(options.endpoints.begin(), options.endpoints.end(),
                                 [](const auto& endpoint) { return IsLoopback(endpoint.host); });
  CheckPassword(local, options);
  CheckTls(local, options);
  return options;
}

void DatabaseFlags::CheckPassword(bool local, DatabaseOptions& options) const {
  if (!local && !options.password.empty()) {
    RejectFlag("mysql", "has a password; want it in --mysql_password_file beyond loopback");
  }
  if (password_file_.empty()) return;
  options.password = PasswordOrReject("mysql_password_file", password_file_);
}

void DatabaseFlags::CheckTls(bool local, DatabaseOptions& options) const {
  options.tls = local ? DatabaseTls::kPreferred : DatabaseTls::kVerifyIdentity;
  if (!tls_.empty()) {
    const auto* const mode = std::find(std::begin(kModes), std::end(kModes), tls_);
    if (mode == std::end(kModes)) {
      RejectFlag("mysql_tls", absl::StrCat(Echo(tls_), "; want ", absl::StrJoin(kModes, ", ")));
    }
    options.tls = static_cast<DatabaseTls>(mode - std::begin(kModes));
  }
  if (!local && options.tls < DatabaseTls::kRequired) {
    RejectFlag("mysql_tls", absl::StrCat(Echo(tls_),
                                         "; want required, verify_ca or verify_identity beyond "
                                         "loopback: the password could be sent unencrypted"));
  }
  if (cert_file_.empty() != key_file_.empty()) {
    RejectFlag(cert_file_.empty() ? "mysql_cert_file" : "mysql_key_file",
               "missing; want --mysql_cert_file and --mysql_key_file together");
  }
  if (!cert_file_.empty()) {
    if (options.tls == DatabaseTls::kDisabled) {
      RejectFlag("mysql_cert_file", "want another --mysql_tls than disabled with it");
    }
    CheckPem("mysql_cert_file", cert_file_, ReadTrustedFile(cert_file_));
    CheckPem("mysql_key_file", key_file_, ReadSecretFile(key_file_));
    options.tls_cert_file = cert_file_;
    options.tls_key_file = key_file_;
  }
  if (!ca_file_.empty()) {
    if (options.tls < DatabaseTls::kVerifyCa) {
      RejectFlag("mysql_ca_file", "want --mysql_tls=verify_ca or verify_identity with it");
    }
    CheckPem("mysql_ca_file", ca_file_, ReadTrustedFile(ca_file_));
    options.tls_ca_file = ca_file_;
  }
}

void HidePassword(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    char* const scheme = std::strstr(argv[i], "mysql://");
    if (scheme == nullptr) continue;
    char* const login = scheme + std::strlen("mysql://");
    // As DatabaseOptions::Parse divides it: the last @ before the last slash.
    char* const slash = std::strrchr(login, '/');
    char* const colon = std::strchr(login, ':');
    char* at = slash == nullptr ? login + std::strlen(login) : slash;
    while (at > login && *at != '@') --at;
    if (colon != nullptr && colon < at) std::fill(colon + 1, at, '*');
  }
}

}  // namespace contacts::server
