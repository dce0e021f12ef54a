#ifndef CONTACTS_SERVER_CONFIG_CONFIG_H_
#define CONTACTS_SERVER_CONFIG_CONFIG_H_

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/domain/settings.h"
#include "core/domain/token.h"
#include "core/letter/design.h"
#include "core/letter/render.h"
#include "core/mail/smtp.h"
#include "core/mysql/database.h"
#include "server/auth/credentials.h"
#include "server/messages/forms.h"
#include "server/messages/status.h"

namespace contacts::server {

// Settings of one server.
struct Config {
  std::vector<std::string> listen = {"127.0.0.1:50051"};  // HOST:PORT each.
  DatabaseOptions database;
  bool migrate = false;
  bool migrate_only = false;
  bool check = false;      // Look at everything that is needed for serving, and exit.
  bool reflection = true;  // Tell callers the contract's descriptors.
  // Ask the server that runs with these flags for this service's health, and exit: "liveness" or
  // "readiness"; empty for none. `listen` and `credentials.tls` alone are filled in then.
  std::string probe;
  std::string mail_directory;  // Maildir that e-mails go to; empty: `smtp` is set.
  std::optional<SmtpOptions> smtp;
  int64_t mail_connections = 4;  // To the mail server at once.
  // How e-mails are written. The defaults are those of --auth=development.
  MailRenderer::Options letters = {
      .from = "contacts@localhost.localdomain",
      .link_url =
          "http://localhost:8080/contact-changes/"
          "{contact_change_id}?token={token}&answer={answer}",
      .confirm_url = "http://localhost:8080/confirm-email?token={token}"};
  std::string mail_templates;            // Directory; empty: the shipped templates and catalogues.
  std::string mail_brand_file;           // Empty: no brand.
  DesignFiles design_files;              // Their content.
  std::shared_ptr<const Design> design;  // Null: the shipped one.
  CredentialsOptions credentials;
  TokenKeys token_keys;
  AccountIdForm account_id;
  Settings settings;

  int64_t workers = 8;         // Threads that run calls.
  int64_t queue_limit = 1024;  // Calls that may wait for a thread.
  int64_t max_imports = 2;     // Concurrent streams of ImportDirectory.
  absl::Duration import_idle_limit = absl::Minutes(5);
  absl::Duration default_deadline = absl::Seconds(30);
  absl::Duration health_interval = absl::Seconds(2);
  absl::Duration sweep_interval = absl::Seconds(5);
  absl::Duration drain_timeout = absl::Seconds(10);
  int64_t max_message_bytes = 4 * 1024 * 1024;
  int64_t max_concurrent_streams = 1000;
  int64_t max_connections = 15000;  // Further ones are closed at once.
  // A connection without a call ends after the first, any connection after the second.
  absl::Duration max_connection_idle = absl::Minutes(5);
  absl::Duration max_connection_age = absl::Hours(1);
  int64_t max_watchers = 2000;    // Streams of WatchContactChanges.
  int64_t max_watch_lag = 10000;  // Events that a watcher may fall behind.
  int64_t max_error_details = kDefaultMaxDetails;
  std::string log_level = "info";
  absl::Duration slow_call =
      absl::Seconds(1);         // Longer unary calls are logged as warnings. Zero for none.
  std::string metrics;          // HOST:PORT of Prometheus metrics. Empty for none.
  bool secure_metrics = false;  // Over HTTPS, to callers with the role metrics_reader.
};

// Reads the command line and, for flags that it lacks, the environment. Reads the files of secrets.
// With --auth=development, makes the token keys file if it does not exist. Returns nullopt after it
// wrote the help or a fresh token key to `help`. INVALID_ARGUMENT with one line that names the
// flag, its value and the values wanted; secrets are not shown.
absl::StatusOr<std::optional<Config>> ReadConfig(int argc, const char* const* argv,
                                                 std::ostream& help);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CONFIG_CONFIG_H_
