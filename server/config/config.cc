#include "server/config/config.h"

#include <arpa/inet.h>
#include <re2/re2.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/auth/policy.h"
#include "server/config/flags.h"
#include "server/config/token_keys_file.h"
#include "server/support/reloaded_file.h"

namespace contacts::server {
namespace {

constexpr char kTokenKeysFile[] = "contacts-token-keys";
constexpr absl::Duration kDay = absl::Hours(24);

// What the flags say, before the parts are looked at together.
struct Texts {
  std::string listen = "127.0.0.1:50051";
  std::string mysql;
  std::string mysql_password_file;
  std::string mail;
  std::string mail_tls = "required";
  std::string mail_ca_file;
  std::string mail_ehlo;
  std::string mail_user;
  std::string mail_password_file;
  absl::Duration mail_timeout = absl::Seconds(30);
  TlsFiles tls;
  std::string auth = "development";
  std::string policy_file;
  std::string jwks_file;
  JwtOptions jwt;
  bool make_token_key = false;
  std::string token_keys_file;
  std::string account_id_pattern = AccountIdForm::kDefaultPattern;
};

void AddPlaces(Flags& flags, Texts& texts, Config& config) {
  flags.Text("listen", &texts.listen, "Addresses to serve on, comma separated; port 0 picks one");
  flags.Text(
      "mysql", &texts.mysql,
      "Database: mysql://USER[:PASSWORD]@HOST[:PORT][,HOST[:PORT]...]/DATABASE[?socket=PATH]");
  flags.Text("mysql_password_file", &texts.mysql_password_file,
             "File that holds the database user's password; mode 0600");
  flags.Switch("migrate", &config.migrate, "Apply the schema before serving");
  flags.Switch("migrate_only", &config.migrate_only, "Apply the schema and exit");
  flags.Text("link_url", &config.link_url,
             "Template of the links in validation e-mails, with {contact_change_id}, {token} and "
             "{answer} (accept or refuse)");
  flags.Text(
      "auth", &texts.auth,
      "Where identities come from: mtls (client certificates and --policy_file), jwt (a "
      "session token in the metadata authorization), mtls,jwt (both) or development (believes "
      "the metadata; loopback alone)");
  flags.Switch("make_token_key", &texts.make_token_key,
               "Print a fresh line for the token keys file and exit");
  flags.Text("token_keys_file", &texts.token_keys_file,
             "Keys that tokens are derived from, one \"ID SECRET\" a line; mode 0600. In "
             "development contacts-token-keys is made in the working directory");
  flags.Text("account_id_pattern", &texts.account_id_pattern,
             "Regular expression of an account id in lower case");
  flags.Text("log_level", &config.log_level, "trace, debug, info, warn, error or off");
  flags.Text("metrics", &config.metrics,
             "HOST:PORT to serve Prometheus metrics on: over HTTP on loopback, else over HTTPS "
             "to callers that the policy makes a metrics_reader; empty for none");
}

void AddTls(Flags& flags, Texts& texts) {
  flags.Text("tls_cert", &texts.tls.certificate,
             "PEM file of the server's certificate and what leads to its authority; read again "
             "when it changes, as the two below are. Empty: plain text, on loopback alone");
  flags.Text("tls_key", &texts.tls.key, "PEM file of its private key; mode 0600");
  flags.Text("tls_client_ca", &texts.tls.client_ca,
             "PEM file of the authorities that must have signed a caller's certificate; empty: "
             "callers need none");
  flags.Text("policy_file", &texts.policy_file,
             "JSON file that says what each client certificate's owner may be; for --auth=mtls; "
             "read again when it changes");
}

void AddJwt(Flags& flags, Texts& texts) {
  flags.Text("jwt_jwks_file", &texts.jwks_file,
             "Public keys of --auth=jwt, a JSON Web Key Set (ES256, EdDSA, RS256); read again when "
             "it changes");
  flags.Text("jwt_issuer", &texts.jwt.issuer, "\"iss\" that a token must have");
  flags.Text("jwt_audience", &texts.jwt.audience, "\"aud\" that a token must name");
  flags.Text("jwt_account_claim", &texts.jwt.account_claim,
             "Claim of a token that holds the account's id");
  flags.Duration("jwt_skew", &texts.jwt.skew, absl::ZeroDuration(), JwtVerifier::kMaxSkew,
                 "How far the issuer's clock may be from ours");
  flags.Duration("jwt_max_lifetime", &texts.jwt.max_lifetime, absl::Minutes(1), 30 * kDay,
                 "The longest life of a token");
}

void AddMail(Flags& flags, Texts& texts, Config& config) {
  flags.Text("mail", &texts.mail,
             "Where e-mails go: maildir:DIR, smtp://HOST[:PORT] (25, STARTTLS) or "
             "smtps://HOST[:PORT] (465)");
  flags.Text("mail_from", &config.mail_from, "Sender's address of the e-mails");
  flags.Text("mail_tls", &texts.mail_tls,
             "STARTTLS with smtp://: required, optional (where the server offers it) or none");
  flags.Text("mail_ca_file", &texts.mail_ca_file,
             "PEM file that the mail server's certificate is checked against; empty: the system's");
  flags.Text(
      "mail_ehlo", &texts.mail_ehlo,
      "Full host name, or [ADDRESS], that the server calls itself at the mail server; empty: "
      "the machine's, or the domain of --mail_from where the machine has none");
  flags.Text("mail_user", &texts.mail_user, "User to log in as at the mail server; empty for none");
  flags.Text("mail_password_file", &texts.mail_password_file,
             "File that holds that user's password; mode 0600");
  flags.Count("mail_connections", &config.mail_connections, 1, 64,
              "Deliveries at once to the mail server, each on its own connection");
  flags.Duration("mail_timeout", &texts.mail_timeout, absl::Seconds(1), absl::Minutes(10),
                 "Time limit of one delivery; a mail server that takes longer to accept one gets "
                 "it again");
}

void AddServing(Flags& flags, Config& config) {
  flags.Count("workers", &config.workers, 1, 256, "Threads that work on calls");
  flags.Count("queue_limit", &config.queue_limit, 1, 100'000,
              "Calls that may wait for a thread; beyond them UNAVAILABLE");
  flags.Count("max_imports", &config.max_imports, 1, 64,
              "Imports at once, each on a thread of its own; beyond them UNAVAILABLE");
  flags.Duration("import_idle_limit", &config.import_idle_limit, absl::Seconds(1), absl::Hours(24),
                 "Time without a record after which an import is ended");
  flags.Duration("default_deadline", &config.default_deadline, absl::Seconds(1), absl::Hours(1),
                 "Time limit of a call that brings none, and the most for any");
  flags.Duration("slow_call", &config.slow_call, absl::ZeroDuration(), absl::Hours(1),
                 "A unary call that takes longer warns in the log, and says where the time went; "
                 "0 for none");
  flags.Duration("health_interval", &config.health_interval, absl::Milliseconds(100),
                 absl::Minutes(10), "Time between two looks at the database for health");
  flags.Duration("sweep_interval", &config.sweep_interval, absl::Milliseconds(100), absl::Hours(1),
                 "Time between two looks for reminders and expired changes");
  flags.Duration("drain_timeout", &config.drain_timeout, absl::ZeroDuration(), absl::Hours(1),
                 "Time for calls under way to end once the server is told to stop");
  flags.Count("max_message_bytes", &config.max_message_bytes, 1024, 64 * 1024 * 1024,
              "Size of a request");
  flags.Count("max_error_details", &config.max_error_details, 2048, 1024 * 1024,
              "Bytes of an error's details; its lists of what is wrong are shortened to fit. With "
              "more than the default, clients that take 8 KiB of headers fail");
  flags.Count("max_concurrent_streams", &config.max_concurrent_streams, 1, 100'000,
              "Calls at once on one connection");
  flags.Count("max_connections", &config.max_connections, 1, 1'000'000,
              "Connections of one server; more are closed at once");
  flags.Count(
      "max_watchers", &config.max_watchers, 1, 100'000,
      "Streams of WatchContactChanges, half of them for one account at most and a tenth for "
      "observers alone; beyond them UNAVAILABLE");
  flags.Count("max_watch_lag", &config.max_watch_lag, 1, 10'000'000,
              "Events that a watcher may fall behind before it is cut off");
}

void AddRules(Flags& flags, Settings& settings) {
  flags.Duration("change_lifetime", &settings.change_lifetime, absl::Hours(1), 90 * kDay,
                 "Time after which a contact change expires");
  flags.Duration("reminder_lead", &settings.reminder_lead, absl::Minutes(1), 90 * kDay,
                 "Time before that at which validators are reminded");
  flags.Count("max_assignments", &settings.max_assignments, 1, 1000, "Assignments in one call");
  flags.Count("max_reason", &settings.max_reason, 1, 500,
              "Characters of the reason of a refusal or an override");
  flags.Count("max_pending_changes", &settings.max_pending_changes, 1, 1'000'000,
              "Pending contact changes of one requester");
  flags.Count("max_asks_per_minute", &settings.max_asks_per_minute, 1, 1'000'000,
              "Calls of ChangeContacts a minute that one requester may make with success");
  flags.Count("max_addresses_per_day", &settings.max_addresses_per_day, 1, 1'000'000,
              "Times a day that an account may change its own e-mail address");
  flags.Count("max_wrong_tokens", &settings.max_wrong_tokens, 1, 100,
              "Wrong tokens after which an answer is locked");
  flags.Duration("resend_interval", &settings.resend_interval, absl::Seconds(1), kDay,
                 "Time between two e-mails to one validator about one change");
  flags.Count("max_resends_per_day", &settings.max_resends_per_day, 1, 1000,
              "E-mails a day to one validator about one change");
  flags.Duration("request_retention", &settings.request_retention, 7 * kDay, 365 * kDay,
                 "Time for which a request_id is known");
  flags.Count("default_page_size", &settings.default_page_size, 1, 1000,
              "Rows of a page where the request says 0");
  flags.Count("default_event_page_size", &settings.default_event_page_size, 1, 1000,
              "The same for events");
  flags.Count("max_page_size", &settings.max_page_size, 1, 1000, "Rows of a page at most");
  flags.Duration("mail_give_up", &settings.mail_give_up, absl::Minutes(1), 30 * kDay,
                 "Time after which an e-mail that cannot be delivered is given up");
  flags.Duration("event_retention", &settings.event_retention, absl::Hours(1), 3650 * kDay,
                 "Time for which a watcher can resume");
}

bool IsLoopback(const std::string& host) {
  in_addr four{};
  if (inet_pton(AF_INET, host.c_str(), &four) == 1) return ntohl(four.s_addr) >> 24U == 127;
  return host == "localhost" || host == "[::1]";
}

// The host of HOST:PORT.
std::string HostOf(const std::string& flag, const std::string& address) {
  const std::size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  int port = -1;
  if (colon == std::string::npos || host.empty() ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 0 || port > 65535 ||
      (absl::StrContains(host, ":") && !absl::StartsWith(host, "["))) {
    Refuse(flag, absl::StrCat(Echo(address), "; want HOST:PORT"));
  }
  return host;
}

void CheckListen(const Texts& texts, Config& config) {
  config.listen = absl::StrSplit(texts.listen, ',');
  const bool development = texts.auth == "development";
  for (const std::string& address : config.listen) {
    if (IsLoopback(HostOf("listen", address)) || (config.credentials.tls && !development)) continue;
    Refuse("listen",
           absl::StrCat(Echo(address), "; want a loopback address, such as 127.0.0.1:50051, ",
                        development ? "with --auth=development"
                                    : "or --tls_cert and --tls_key: nothing is said in plain text "
                                      "on a network"));
  }
  if (config.metrics.empty()) return;
  config.secure_metrics = !IsLoopback(HostOf("metrics", config.metrics));
  if (config.secure_metrics && texts.policy_file.empty()) {
    Refuse("metrics", absl::StrCat(Echo(config.metrics),
                                   "; want a loopback address, such as 127.0.0.1:9464, or "
                                   "--auth=mtls, whose policy says who reads metrics"));
  }
}

void CheckDatabase(const Texts& texts, Config& config) {
  if (texts.mysql.empty()) Refuse("mysql", "missing; want mysql://USER@HOST/DATABASE");
  auto options = DatabaseOptions::Parse(texts.mysql);
  if (!options.ok()) Refuse("mysql", std::string(options.status().message()));
  config.database = *std::move(options);
  if (texts.mysql_password_file.empty()) return;
  auto password = ReadSecretFile(texts.mysql_password_file);
  if (!password.ok()) {
    Refuse("mysql_password_file", std::string(password.status().message()));
  }
  config.database.password = std::string(absl::StripTrailingAsciiWhitespace(*password));
}

MailTls ParseTls(const std::string& text, bool implicit) {
  if (implicit) {
    if (text != "required") {
      Refuse("mail_tls", absl::StrCat(Echo(text), "; want required with smtps://"));
    }
    return MailTls::kImplicit;
  }
  if (text == "required") return MailTls::kRequired;
  if (text == "optional") return MailTls::kOptional;
  if (text == "none") return MailTls::kNone;
  Refuse("mail_tls", absl::StrCat(Echo(text), "; want required, optional or none"));
}

void CheckMailUser(const Texts& texts, SmtpOptions& smtp) {
  if (texts.mail_user.empty() != texts.mail_password_file.empty()) {
    Refuse(texts.mail_user.empty() ? "mail_user" : "mail_password_file",
           "missing; want --mail_user and --mail_password_file together");
  }
  if (texts.mail_user.empty()) return;
  if ((smtp.tls == MailTls::kNone || smtp.tls == MailTls::kOptional) && !IsLoopback(smtp.host)) {
    Refuse("mail_tls",
           absl::StrCat(Echo(texts.mail_tls),
                        "; want required, so that the password is never sent unencrypted"));
  }
  auto password = ReadSecretFile(texts.mail_password_file);
  if (!password.ok()) Refuse("mail_password_file", std::string(password.status().message()));
  smtp.user = texts.mail_user;
  smtp.password = std::string(absl::StripTrailingAsciiWhitespace(*password));
}

// `place`: HOST[:PORT].
SmtpOptions CheckSmtp(const Texts& texts, const std::string& place, bool implicit) {
  static const LazyRE2 kPlace = {R"(([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?/?)"};
  SmtpOptions smtp;
  std::string port;
  if (!RE2::FullMatch(place, *kPlace, &smtp.host, &port) ||
      !absl::SimpleAtoi(port.empty() ? (implicit ? "465" : "25") : port, &smtp.port) ||
      smtp.port < 1 || smtp.port > 65535) {
    // Not shown: someone may have put a password into it.
    Refuse("mail", "want smtp://HOST[:PORT] or smtps://HOST[:PORT]; a login goes into --mail_user");
  }
  smtp.tls = ParseTls(texts.mail_tls, implicit);
  smtp.timeout = texts.mail_timeout;
  smtp.ca_file = texts.mail_ca_file;
  if (!smtp.ca_file.empty() && access(smtp.ca_file.c_str(), R_OK) != 0) {
    Refuse("mail_ca_file", absl::StrCat(Echo(smtp.ca_file), "; want a file that can be read"));
  }
  CheckMailUser(texts, smtp);
  return smtp;
}

void CheckMail(const Texts& texts, Config& config) {
  absl::string_view place = texts.mail;
  if (absl::ConsumePrefix(&place, "maildir:") && !place.empty()) {
    config.mail_directory = std::string(place);
  } else if (absl::ConsumePrefix(&place, "smtp://")) {
    config.smtp = CheckSmtp(texts, std::string(place), /*implicit=*/false);
  } else if (absl::ConsumePrefix(&place, "smtps://")) {
    config.smtp = CheckSmtp(texts, std::string(place), /*implicit=*/true);
  } else {
    Refuse("mail", absl::StrCat(texts.mail.empty() ? "missing" : Echo(texts.mail),
                                "; want maildir:DIR, smtp://HOST[:PORT] or smtps://HOST[:PORT]"));
  }
  if (!IsEmailAddress(config.mail_from)) {
    Refuse("mail_from", absl::StrCat(Echo(config.mail_from), "; want an e-mail address"));
  }
  if (config.smtp) {
    static const LazyRE2 kName = {R"([A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|\[[A-Za-z0-9:.]+\])"};
    std::string& ehlo = config.smtp->ehlo;
    ehlo = texts.mail_ehlo.empty() ? FullHostName() : texts.mail_ehlo;
    if (ehlo.empty()) ehlo = config.mail_from.substr(config.mail_from.rfind('@') + 1);
    if (!RE2::FullMatch(ehlo, *kName)) {
      Refuse("mail_ehlo", absl::StrCat(Echo(ehlo), "; want a full host name or [ADDRESS]"));
    }
  }
  const bool url =
      absl::StartsWith(config.link_url, "http://") || absl::StartsWith(config.link_url, "https://");
  for (const char* part : {"{contact_change_id}", "{token}", "{answer}"}) {
    if (url && absl::StrContains(config.link_url, part)) continue;
    Refuse("link_url", absl::StrCat(Echo(config.link_url),
                                    "; want an http or https address with "
                                    "{contact_change_id}, {token} and {answer}"));
  }
}

void CheckTls(const Texts& texts, Config& config) {
  const TlsFiles& files = texts.tls;
  if (files.certificate.empty() != files.key.empty()) {
    Refuse(files.certificate.empty() ? "tls_cert" : "tls_key",
           "missing; want --tls_cert and --tls_key together");
  }
  if (files.certificate.empty()) {
    if (!files.client_ca.empty()) Refuse("tls_cert", "missing; --tls_client_ca needs it");
    return;
  }
  auto read = ReadTls(files);
  if (!read.ok()) Refuse("tls_cert", std::string(read.status().message()));
  config.credentials.tls = files;
  config.credentials.tls_texts = *std::move(read);
}

void CheckMtls(const Texts& texts, Config& config) {
  if (texts.policy_file.empty()) Refuse("policy_file", "missing; --auth=mtls needs it");
  if (texts.tls.client_ca.empty()) Refuse("tls_client_ca", "missing; --auth=mtls needs it");
  auto policy = ReadTrustedFile(texts.policy_file);
  if (!policy.ok()) Refuse("policy_file", std::string(policy.status().message()));
  if (const auto parsed = Policy::Parse(*policy); !parsed.ok()) {
    Refuse("policy_file", absl::StrCat(texts.policy_file, ": ", parsed.status().message()));
  }
  config.credentials.policy_file = texts.policy_file;
  config.credentials.policy = *std::move(policy);
}

void CheckJwt(const Texts& texts, Config& config) {
  const std::pair<const char*, const std::string*> needed[] = {
      {"jwt_jwks_file", &texts.jwks_file},
      {"jwt_issuer", &texts.jwt.issuer},
      {"jwt_audience", &texts.jwt.audience},
      {"jwt_account_claim", &texts.jwt.account_claim}};
  for (const auto& [flag, value] : needed) {
    if (value->empty()) Refuse(flag, "missing; --auth=jwt needs it");
  }
  auto jwks = ReadTrustedFile(texts.jwks_file);
  if (!jwks.ok()) Refuse("jwt_jwks_file", std::string(jwks.status().message()));
  if (const auto keys = ReadJwks(*jwks, texts.jwt.algorithms); !keys.ok()) {
    Refuse("jwt_jwks_file", absl::StrCat(texts.jwks_file, ": ", keys.status().message()));
  }
  config.credentials.jwt = texts.jwt;
  config.credentials.jwks_file = texts.jwks_file;
  config.credentials.jwks = *std::move(jwks);
}

void CheckAuth(const Texts& texts, Config& config) {
  const bool mtls = texts.auth == "mtls" || texts.auth == "mtls,jwt" || texts.auth == "jwt,mtls";
  const bool jwt = texts.auth == "jwt" || (mtls && texts.auth != "mtls");
  if (!mtls && !jwt && texts.auth != "development") {
    Refuse("auth", absl::StrCat(Echo(texts.auth), "; want mtls, jwt, mtls,jwt or development"));
  }
  if (mtls) CheckMtls(texts, config);
  if (!mtls && !texts.policy_file.empty()) {
    Refuse("policy_file", "applies to --auth=mtls alone; want none");
  }
  if (jwt) CheckJwt(texts, config);
}

void CheckKeys(const Texts& texts, Config& config) {
  std::string path = texts.token_keys_file;
  if (path.empty()) {
    if (texts.auth != "development") {
      Refuse("token_keys_file", "missing; made in development alone");
    }
    path = kTokenKeysFile;
    if (auto made = MakeTokenKeysFile(path); !made.ok()) {
      Refuse("token_keys_file", std::string(made.message()));
    }
  }
  auto keys = ReadTokenKeysFile(path);
  if (!keys.ok()) Refuse("token_keys_file", std::string(keys.status().message()));
  config.token_keys = *std::move(keys);
}

void CheckRest(const Texts& texts, Config& config) {
  auto form = AccountIdForm::Parse(texts.account_id_pattern);
  if (!form.ok()) Refuse("account_id_pattern", std::string(form.status().message()));
  config.account_id = *std::move(form);
  constexpr const char* kLevels[] = {"trace", "debug", "info", "warn", "error", "off"};
  if (std::find(std::begin(kLevels), std::end(kLevels), config.log_level) == std::end(kLevels)) {
    Refuse("log_level",
           absl::StrCat(Echo(config.log_level), "; want one of ", absl::StrJoin(kLevels, ", ")));
  }
  const int64_t most = config.settings.max_page_size;
  if (config.settings.default_page_size > most || config.settings.default_event_page_size > most) {
    Refuse("max_page_size", absl::StrCat(most, "; want no less than the default page sizes"));
  }
}

// CLI11 takes the argument after "--metrics=" for its value, and needs them last first.
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
  Texts texts;
  CLI::App app("Serves contact changes over gRPC.", "contactsd");
  Flags flags(&app);
  AddPlaces(flags, texts, config);
  AddTls(flags, texts);
  AddJwt(flags, texts);
  AddMail(flags, texts, config);
  AddServing(flags, config);
  AddRules(flags, config.settings);
  try {
    app.parse(ReversedArguments(argc, argv));
    if (texts.make_token_key) {
      help << TokenKeys::Generate();
      return std::nullopt;
    }
    CheckRest(texts, config);
    CheckDatabase(texts, config);
    if (config.migrate_only) return config;
    CheckTls(texts, config);
    CheckListen(texts, config);
    CheckAuth(texts, config);
    CheckMail(texts, config);
    CheckKeys(texts, config);
  } catch (const CLI::CallForHelp&) {
    help << app.help();
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(absl::StrJoin(absl::StrSplit(error.what(), '\n'), " "));
  }
  return config;
}

}  // namespace contacts::server
