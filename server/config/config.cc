#include "server/config/config.h"

#include <re2/re2.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "server/auth/caller_policy.h"
#include "server/config/database_flags.h"
#include "server/config/flags.h"
#include "server/config/hosts.h"
#include "server/config/mail_flags.h"
#include "server/config/token_keys_file.h"
#include "server/support/reloaded_file.h"

namespace contacts::server {
namespace {

constexpr char kTokenKeysFile[] = "contacts-token-keys";

// Values of flags that are checked together and become parts of a Config.
struct FlagValues {
  std::string listen = "127.0.0.1:50051";
  DatabaseFlags database;
  MailFlags mail;
  TlsFiles tls;
  std::string auth = "development";
  std::string policy_file;
  std::string jwks_file;
  JwtOptions jwt;
  bool behind_edge = false;
  bool make_token_key = false;
  bool metrics_plain = false;
  std::string reflection = "on";
  std::string good_standing = "billing";
  std::string token_keys_file;
  std::string token_binding = "address";
  std::string account_id_pattern = AccountIdForm::kDefaultPattern;
};

void AddServing(Flags& flags, FlagValues& values, Config& config) {
  flags.Group("Serving");
  flags.String("listen", &values.listen,
               "Addresses to serve on: HOST:PORT, comma-separated. Port 0 picks a free port. An "
               "address beyond loopback needs --tls_cert and an --auth other than development");
  flags.Switch("behind_edge", &values.behind_edge,
               "An edge, such as nginx with deploy/edge.conf, is between strangers and --listen. "
               "Needed beyond loopback without --tls_client_ca");
  flags.String("reflection", &values.reflection,
               "on or off: whether gRPC's reflection tells callers the contract");
  flags.Count("max_connections", &config.max_connections, 1, 1'000'000,
              "Open connections of this server; further ones are closed at once");
  flags.Duration("max_connection_idle", &config.max_connection_idle, absl::Seconds(1),
                 absl::Hours(24), "A connection that has had no call for this long is closed");
  flags.Duration(
      "max_connection_age", &config.max_connection_age, absl::Seconds(1), absl::Hours(24),
      "A connection takes no more calls after this long. Its calls and streams may go on "
      "as long again, up to 10 minutes");
  flags.Count("max_concurrent_streams", &config.max_concurrent_streams, 1, 100'000,
              "Concurrent calls on one connection");
  flags.Count("workers", &config.workers, 1, 256, "Threads that run calls");
  flags.Count(
      "queue_limit", &config.queue_limit, 1, 100'000,
      "Calls that may wait for a thread, but no more than begin in a second while all threads "
      "are busy; further calls get UNAVAILABLE");
  flags.Duration("default_deadline", &config.default_deadline, absl::Seconds(1), absl::Hours(1),
                 "Deadline of a call that sets none, and the longest one granted. Reading the "
                 "answer may take as long again");
  flags.Duration("drain_timeout", &config.drain_timeout, absl::ZeroDuration(), absl::Hours(1),
                 "Time for running calls to end after SIGTERM. A delivery that the mail server has "
                 "in full is awaited for up to --mail_timeout. Stopping takes at most 5 s more "
                 "than the longer of the two");
  flags.Count("max_message_bytes", &config.max_message_bytes, 1024, 64 * 1024 * 1024,
              "Largest request, in bytes");
  flags.Count("max_error_details", &config.max_error_details, 2048, 1024 * 1024,
              "Largest details of an error, in bytes before base64; longer lists in them are "
              "shortened. Above the default, clients that accept 8 KiB of headers fail");
  flags.Count("max_imports", &config.max_imports, 1, 64,
              "Concurrent calls of ImportDirectory, each on its own thread; further ones get "
              "UNAVAILABLE");
  flags.Duration("import_idle_limit", &config.import_idle_limit, absl::Seconds(1), absl::Hours(24),
                 "An import that sends no record for this long is ended");
  flags.Count("max_watchers", &config.max_watchers, 1, 100'000,
              "Concurrent streams of WatchContactChanges; a tenth is reserved for observers. A "
              "further one ends the oldest stream of the account with most streams, or gets "
              "UNAVAILABLE if its own account has as many");
  flags.Count("max_watch_lag", &config.max_watch_lag, 1, 10'000'000,
              "Events that a watcher may fall behind; beyond that its stream is ended");
}

// Flags that choose how the program runs.
void AddStarting(Flags& flags, Config& config) {
  flags.Group("Starting");
  flags.File(
      "flagfile",
      "File with flags, one NAME=VALUE a line; lines that begin with # are comments. The command "
      "line has precedence over the file, and the file over the environment");
  flags.Switch(
      "check", &config.check,
      "Check the flags, the files that they name, the database and its schema, then exit with "
      "status 0, or with a line that says what is wrong. Changes nothing. Ports and the "
      "delivery of e-mails are not tried");
  flags.Optional("probe", &config.probe,
                 "Ask the server that runs on this machine with these flags for its health, then "
                 "exit with status 0 if it says SERVING, else 1 (2 for wrong flags). --probe or "
                 "--probe=readiness: whether it can answer calls; --probe=liveness: whether it "
                 "runs");
}

void AddDatabase(Flags& flags, FlagValues& values, Config& config) {
  flags.Group("Database");
  values.database.Add(flags);
  flags.Switch("migrate", &config.migrate, "Apply the schema, then serve");
  flags.Switch("migrate_only", &config.migrate_only, "Apply the schema, then exit");
  flags.Duration("health_interval", &config.health_interval, absl::Milliseconds(100),
                 absl::Minutes(10), "Time between two checks of the database for the health state");
}

void AddCallers(Flags& flags, FlagValues& values) {
  flags.Group("Callers");
  flags.String("auth", &values.auth,
               "Credentials that are believed: mtls (client certificates, with --policy_file), jwt "
               "(a session token in the metadata authorization), mtls,jwt (both) or development "
               "(the metadata contacts-account and contacts-caller; on loopback only)");
  flags.String("tls_cert", &values.tls.certificate,
               "PEM file of the server's certificate and its chain. If empty: plain text, on "
               "loopback only. This file and the next two are reloaded when they change");
  flags.String("tls_key", &values.tls.key,
               "PEM file of the certificate's private key; mode 0600 or 0440");
  flags.String("tls_client_ca", &values.tls.client_ca,
               "PEM file of the authorities of client certificates. If set, every caller needs a "
               "certificate that one of them signed");
  flags.String(
      "policy_file", &values.policy_file,
      "JSON file with the roles of each client certificate. Required with --auth=mtls, and "
      "reloaded when it changes");
  flags.String("jwt_jwks_file", &values.jwks_file,
               "Public keys of the issuer of session tokens: a JSON Web Key Set (ES256, EdDSA, "
               "RS256). Required with --auth=jwt, and reloaded when it changes");
  flags.String("jwt_issuer", &values.jwt.issuer,
               "Value that a session token has as \"iss\". Required with --auth=jwt");
  flags.String("jwt_audience", &values.jwt.audience,
               "Value that a session token has in \"aud\". Required with --auth=jwt");
  flags.String("jwt_account_claim", &values.jwt.account_claim,
               "Claim of a session token that contains the account id");
  flags.Duration("jwt_skew", &values.jwt.skew, absl::ZeroDuration(), JwtVerifier::kMaxSkew,
                 "Greatest difference allowed between the issuer's clock and the server's");
  flags.Duration("jwt_max_lifetime", &values.jwt.max_lifetime, absl::Minutes(1), 30 * kDay,
                 "Longest lifetime of a session token");
  flags.String("account_id_pattern", &values.account_id_pattern,
               "Regular expression that matches an account id in lower case");
}

void AddMail(Flags& flags, FlagValues& values, Config& config) {
  flags.Group("E-mails");
  values.mail.Add(flags, config);
  flags.String(
      "token_keys_file", &values.token_keys_file,
      "Keys that the tokens in links are derived from, one \"ID SECRET\" a line; mode 0600 "
      "or 0440. Required, except with --auth=development: then contacts-token-keys is made "
      "in the working directory");
  flags.String("token_binding", &values.token_binding,
               "address: new tokens serve while their account has the address that they went to. "
               "none: as servers from before this flag make and check them, for the time of a "
               "rolling upgrade from those");
  flags.Switch("make_token_key", &values.make_token_key,
               "Print a fresh line for --token_keys_file and exit");
}

void AddMonitoring(Flags& flags, FlagValues& values, Config& config) {
  flags.Group("Monitoring");
  flags.String("metrics", &config.metrics,
               "HOST:PORT of Prometheus metrics, at /metrics. On loopback: over HTTP. Beyond: over "
               "HTTPS, with --auth=mtls, to callers with the role metrics_reader");
  flags.Switch("metrics_plain", &values.metrics_plain,
               "Metrics beyond loopback are served over HTTP to anyone. For networks that let only "
               "Prometheus reach that port");
  flags.String(
      "log_level", &config.log_level,
      "Least severe line that is logged: trace, debug, info, warn, error or off. The lines "
      "of calls that are not slow are info");
  flags.Duration("slow_call", &config.slow_call, absl::ZeroDuration(), absl::Hours(1),
                 "The log line of a unary call that takes longer is a warning with the parts of "
                 "its latency; 0 for none");
}

void AddRules(Flags& flags, FlagValues& values, Config& config) {
  Settings& settings = config.settings;
  flags.Group("Rules");
  flags.Duration("change_lifetime", &settings.change_lifetime, absl::Hours(1),
                 kLongestChangeLifetime, "Time after which a contact change expires");
  flags.Duration("reminder_lead", &settings.reminder_lead, absl::Minutes(1), 90 * kDay,
                 "Time before a change expires at which its validators are reminded");
  flags.Duration("sweep_interval", &config.sweep_interval, absl::Milliseconds(100), absl::Hours(1),
                 "Time between two searches for due reminders and expired changes");
  flags.String("good_standing", &values.good_standing,
               "Contact changes whose old and new contacts must be up to date with their payments: "
               "billing (of billing roles) or every");
  flags.Count("max_assignments", &settings.max_assignments, 1, 1000,
              "Assignments in one call of ChangeContacts");
  flags.Count("max_reason", &settings.max_reason, 1, 500,
              "Characters in the reason of a refusal or of an override");
  flags.Count("max_pending_changes", &settings.max_pending_changes, 1, 1'000'000,
              "Pending contact changes of one requester");
  flags.Count("max_asks_per_minute", &settings.max_asks_per_minute, 1, 1'000'000,
              "Successful calls of ChangeContacts by one requester in a minute, over all servers");
  flags.Count("max_items_per_day", &settings.max_items_per_day, 1000, 1'000'000'000,
              "Items (one role of one service each) that a requester may ask for in a day, over "
              "all servers");
  flags.Count("max_mails_per_day", &settings.max_mails_per_day, 1, 1'000'000,
              "E-mails of every kind that an account may cause to one other account in a day, over "
              "all servers");
  flags.Count("max_wrong_accounts_per_day", &settings.max_wrong_accounts_per_day, 1, 1'000'000,
              "Accounts that do not exist or have overdue payments, named in asks and dry runs of "
              "one account in a day, over all servers. Beyond it, every dry run and every ask that "
              "would fail gets QUOTA_EXCEEDED");
  flags.Count("max_addresses_per_day", &settings.max_addresses_per_day, 1, 1'000'000,
              "Times in a day that an account may ask for another e-mail address of its own");
  flags.Duration(
      "email_confirmation", &settings.email_confirmation, absl::ZeroDuration(), 30 * kDay,
      "Time in which an account must confirm a new e-mail address of its own before it is "
      "in use. 0: it is in use at once, for front ends that confirm it themselves");
  flags.Count("max_wrong_tokens", &settings.max_wrong_tokens, 1, 100,
              "Wrong tokens after which a validator's answer is locked until a resend, and the "
              "confirmation of an address until the address is asked for again");
  flags.Duration("resend_interval", &settings.resend_interval, absl::Seconds(1), kDay,
                 "Time between two e-mails to one validator about one change");
  flags.Count("max_resends_per_day", &settings.max_resends_per_day, 1, 1000,
              "E-mails in a day to one validator about one change");
  flags.Duration(
      "change_retention", &settings.change_retention, absl::ZeroDuration(), 36500 * kDay,
      "Time for which closed contact changes are kept, with their history; 0 for ever. At "
      "least --change_lifetime and --event_retention");
  flags.Duration("request_retention", &settings.request_retention, 7 * kDay, 365 * kDay,
                 "Time for which a request_id is remembered");
  flags.Count("default_page_size", &settings.default_page_size, 1, 1000,
              "Rows of a page if the request says 0");
  flags.Count("default_event_page_size", &settings.default_event_page_size, 1, 1000,
              "Events of a page if the request says 0");
  flags.Count("max_page_size", &settings.max_page_size, 1, 1000, "Largest page, in rows");
  flags.Duration("event_retention", &settings.event_retention, absl::Hours(1), 3650 * kDay,
                 "Time for which events are kept, so that a watcher can resume");
}

// The host of HOST:PORT.
std::string HostOf(const std::string& flag, const std::string& address) {
  const std::size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  int port = -1;
  if (colon == std::string::npos || host.empty() ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 0 || port > 65535 ||
      (absl::StrContains(host, ":") && !absl::StartsWith(host, "["))) {
    RejectFlag(flag, absl::StrCat(Echo(address), "; want HOST:PORT"));
  }
  return host;
}

void CheckListen(const FlagValues& values, Config& config) {
  config.listen = absl::StrSplit(values.listen, ',');
  const bool development = values.auth == "development";
  for (const std::string& address : config.listen) {
    if (IsLoopback(HostOf("listen", address)) || (config.credentials.tls && !development)) continue;
    RejectFlag(
        "listen",
        absl::StrCat(Echo(address), "; want a loopback address, such as 127.0.0.1:50051, ",
                     development ? "with --auth=development"
                                 : "or --tls_cert and --tls_key: nothing is said in plain text "
                                   "on a network"));
  }
  if (config.metrics.empty()) return;
  config.secure_metrics = !IsLoopback(HostOf("metrics", config.metrics)) && !values.metrics_plain;
  if (config.secure_metrics && values.policy_file.empty()) {
    RejectFlag("metrics", absl::StrCat(Echo(config.metrics),
                                       "; want a loopback address, such as 127.0.0.1:9464, or "
                                       "--auth=mtls, whose policy says who reads metrics, or "
                                       "--metrics_plain"));
  }
}

void CheckTls(const FlagValues& values, Config& config) {
  const TlsFiles& files = values.tls;
  if (files.certificate.empty() != files.key.empty()) {
    RejectFlag(files.certificate.empty() ? "tls_cert" : "tls_key",
               "missing; want --tls_cert and --tls_key together");
  }
  if (files.certificate.empty()) {
    if (!files.client_ca.empty()) RejectFlag("tls_cert", "missing; --tls_client_ca needs it");
    return;
  }
  auto read = ReadTls(files);
  if (!read.ok()) RejectFlag("tls_cert", std::string(read.status().message()));
  config.credentials.tls = files;
  config.credentials.tls_pem = *std::move(read);
}

void CheckMtls(const FlagValues& values, Config& config) {
  if (values.policy_file.empty()) RejectFlag("policy_file", "missing; --auth=mtls needs it");
  if (values.tls.client_ca.empty()) RejectFlag("tls_client_ca", "missing; --auth=mtls needs it");
  std::string policy = TextOrReject("policy_file", ReadTrustedFile(values.policy_file));
  if (const auto parsed = CallerPolicy::Parse(policy); !parsed.ok()) {
    RejectFlag("policy_file", absl::StrCat(values.policy_file, ": ", parsed.status().message()));
  }
  config.credentials.policy_file = values.policy_file;
  config.credentials.policy = std::move(policy);
}

void CheckJwt(const FlagValues& values, Config& config) {
  const std::pair<const char*, const std::string*> needed[] = {
      {"jwt_jwks_file", &values.jwks_file},
      {"jwt_issuer", &values.jwt.issuer},
      {"jwt_audience", &values.jwt.audience},
      {"jwt_account_claim", &values.jwt.account_claim}};
  for (const auto& [flag, value] : needed) {
    if (value->empty()) RejectFlag(flag, "missing; --auth=jwt needs it");
  }
  std::string jwks = TextOrReject("jwt_jwks_file", ReadTrustedFile(values.jwks_file));
  if (const auto keys = ReadJwks(jwks, values.jwt.algorithms); !keys.ok()) {
    RejectFlag("jwt_jwks_file", absl::StrCat(values.jwks_file, ": ", keys.status().message()));
  }
  config.credentials.jwt = values.jwt;
  config.credentials.jwks_file = values.jwks_file;
  config.credentials.jwks = std::move(jwks);
}

void CheckAuth(const FlagValues& values, Config& config) {
  const bool mtls = values.auth == "mtls" || values.auth == "mtls,jwt" || values.auth == "jwt,mtls";
  const bool jwt = values.auth == "jwt" || (mtls && values.auth != "mtls");
  if (!mtls && !jwt && values.auth != "development") {
    RejectFlag("auth",
               absl::StrCat(Echo(values.auth), "; want mtls, jwt, mtls,jwt or development"));
  }
  if (mtls) CheckMtls(values, config);
  if (!mtls && !values.policy_file.empty()) {
    RejectFlag("policy_file", "applies to --auth=mtls alone; want none");
  }
  if (jwt) CheckJwt(values, config);
  if (!jwt || !values.tls.client_ca.empty() || values.behind_edge) return;
  for (const std::string& address : config.listen) {
    if (IsLoopback(HostOf("listen", address))) continue;
    RejectFlag("listen",
               absl::StrCat(Echo(address),
                            "; want a loopback address, --tls_client_ca, or --behind_edge if an "
                            "edge as in deploy/README.md is before this server: gRPC does not "
                            "withstand every stranger"));
  }
}

void CheckKeys(const FlagValues& values, Config& config) {
  std::string path = values.token_keys_file;
  if (path.empty()) {
    if (values.auth != "development") {
      RejectFlag("token_keys_file", "missing; made in development alone");
    }
    path = kTokenKeysFile;
    if (config.check) return;  // A start makes the file.
    if (auto made = MakeTokenKeysFile(path); !made.ok()) {
      RejectFlag("token_keys_file", std::string(made.message()));
    }
  }
  auto keys = ReadTokenKeysFile(path);
  if (!keys.ok()) RejectFlag("token_keys_file", std::string(keys.status().message()));
  config.token_keys = *std::move(keys);
  if (values.token_binding == "none") config.token_keys.UnbindNewTokens();
}

void CheckRest(const FlagValues& values, Config& config) {
  if (values.reflection != "on" && values.reflection != "off") {
    RejectFlag("reflection", absl::StrCat(Echo(values.reflection), "; want on or off"));
  }
  config.reflection = values.reflection == "on";
  if (values.good_standing != "billing" && values.good_standing != "every") {
    RejectFlag("good_standing",
               absl::StrCat(Echo(values.good_standing), "; want billing or every"));
  }
  Settings& settings = config.settings;
  settings.standing_for_every_role = values.good_standing == "every";
  const absl::Duration least = std::max(settings.change_lifetime, settings.event_retention);
  if (settings.change_retention > absl::ZeroDuration() && settings.change_retention < least) {
    RejectFlag("change_retention",
               absl::StrCat(Echo(absl::FormatDuration(settings.change_retention)),
                            "; want 0 or at "
                            "least ",
                            absl::FormatDuration(least),
                            ", the longer of --change_lifetime and --event_retention"));
  }
  if (values.token_binding != "address" && values.token_binding != "none") {
    RejectFlag("token_binding", absl::StrCat(Echo(values.token_binding), "; want address or none"));
  }
  auto form = AccountIdForm::Parse(values.account_id_pattern);
  if (!form.ok()) RejectFlag("account_id_pattern", std::string(form.status().message()));
  config.account_id = *std::move(form);
  constexpr const char* kLevels[] = {"trace", "debug", "info", "warn", "error", "off"};
  if (std::find(std::begin(kLevels), std::end(kLevels), config.log_level) == std::end(kLevels)) {
    RejectFlag("log_level", absl::StrCat(Echo(config.log_level), "; want one of ",
                                         absl::StrJoin(kLevels, ", ")));
  }
  const int64_t most = config.settings.max_page_size;
  if (config.settings.default_page_size > most || config.settings.default_event_page_size > most) {
    RejectFlag("max_page_size", absl::StrCat(most, "; want no less than the default page sizes"));
  }
}

void CheckProbe(const FlagValues& values, Config& config) {
  if (config.probe == "true") config.probe = "readiness";  // As CLI11 reads --probe alone.
  if (config.probe != "readiness" && config.probe != "liveness") {
    RejectFlag("probe", absl::StrCat(Echo(config.probe), "; want readiness or liveness"));
  }
  config.listen = absl::StrSplit(values.listen, ',');
  for (const std::string& address : config.listen) HostOf("listen", address);
  if (!values.tls.certificate.empty()) config.credentials.tls = values.tls;
}

// Returns the arguments last first, as CLI11 wants them. "--metrics=" becomes "--metrics" and an
// empty value, because CLI11 would use the next argument as its value.
std::vector<std::string> ReversedArguments(int argc, const char* const* argv) {
  std::vector<std::string> arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool empty =
        absl::StartsWith(argument, "--") && argument.find('=') == argument.size() - 1;
    arguments.push_back(empty ? argument.substr(0, argument.size() - 1) : argument);
    if (empty) arguments.emplace_back();
  }
  std::reverse(arguments.begin(), arguments.end());
  return arguments;
}

}  // namespace

absl::StatusOr<std::optional<Config>> ReadConfig(int argc, const char* const* argv,
                                                 std::ostream& help) {
  Config config;
  FlagValues values;
  CLI::App app("Serves contact changes over gRPC.", "contactsd");
  app.set_version_flag("-V,--version", "contactsd " CONTACTS_VERSION, "Print the version and exit");
  Flags flags(&app);
  AddStarting(flags, config);
  AddServing(flags, values, config);
  AddDatabase(flags, values, config);
  AddCallers(flags, values);
  AddMail(flags, values, config);
  AddMonitoring(flags, values, config);
  AddRules(flags, values, config);
  try {
    app.parse(ReversedArguments(argc, argv));
    if (values.make_token_key) {
      help << TokenKeys::Generate();
      return std::nullopt;
    }
    if (!config.probe.empty()) {
      CheckProbe(values, config);
      return config;
    }
    CheckRest(values, config);
    config.database = values.database.Check();
    if (config.migrate_only) return config;
    CheckTls(values, config);
    CheckListen(values, config);
    CheckAuth(values, config);
    values.mail.Check(values.auth == "development", config);
    CheckKeys(values, config);
  } catch (const CLI::CallForVersion& version) {
    help << version.what() << "\n";
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    help << app.help();
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    std::string why = absl::StrJoin(absl::StrSplit(error.what(), '\n'), " ");
    // CLI11 shows arguments and lines that it does not understand: an address with its password.
    static const LazyRE2 kLogin = {"://[^@ ]*@"};
    RE2::GlobalReplace(&why, *kLogin, "://...@");
    return absl::InvalidArgumentError(why);
  }
  return config;
}

}  // namespace contacts::server
