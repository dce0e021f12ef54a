// contacts-web: the account area, pages over ContactService.
#include <gmime/gmime.h>
#include <re2/re2.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/lib/channel.h"
#include "client/lib/uuid.h"
#include "client/web/site.h"

namespace contacts::web {
namespace {

// One connection carries 100 calls at a time by default, and every open page keeps one.
constexpr int kWatchChannels = 16;
constexpr std::size_t kShortestKey = 32;

struct Flags {
  std::string listen = "127.0.0.1:8080";
  std::string server = "127.0.0.1:50051";
  client::TlsFiles tls;
  std::string sign_in;
  std::string session_key_file;
  std::string session_lifetime = "1h";
  std::string request_timeout = "10s";
  HttpOptions http;
  SiteOptions site;
};

void AddFlags(CLI::App& app, Flags& flags) {
  const auto add = [&](const std::string& name, auto& value, const std::string& help) {
    app.add_option("--" + name, value, help)
        ->envname("CONTACTS_WEB_" + absl::AsciiStrToUpper(name))
        ->capture_default_str()
        ->type_name("");
  };
  add("listen", flags.listen, "Address of the pages: an IP address and a port. 0 chooses a port");
  add("server", flags.server, "Address of contactsd. Without TLS, only on this machine");
  add("tls_ca", flags.tls.ca, "File with the authorities of contactsd's certificate; turns TLS on");
  add("tls_cert", flags.tls.certificate, "File with this program's certificate, for mutual TLS");
  add("tls_key", flags.tls.key, "File with the key of that certificate");
  add("sign_in", flags.sign_in,
      "development: a form asks for the account, without a password; only on this machine. header: "
      "a reverse proxy has signed the person in and sends the session's token. Required");
  add("token_header", flags.site.token_header,
      "Header with the session's token, for contactsd. The proxy must remove it from what it gets");
  add("account_claim", flags.site.account_claim,
      "Claim of the token with the account's id. Only shown: contactsd verifies the token");
  add("session_key_file", flags.session_key_file,
      "File with keys of 32 characters at least, one a line, the same on every server. The first "
      "signs cookies and forms, all verify. Required with --sign_in=header; else drawn at the "
      "start");
  add("session_lifetime", flags.session_lifetime, "A session that is not used ends after this");
  add("request_timeout", flags.request_timeout,
      "A request that has not come whole this long after its first byte is cut off");
  add("max_connections", flags.http.connections,
      "Open connections of browsers. Beyond it, the one that is idle longest is closed");
  add("mail_folder", flags.site.mail_folder,
      "Maildir whose e-mails a page shows. Only with --sign_in=development");
}

// Ends the parsing: CLI11 reports the flag and the reason.
void Require(bool valid, const std::string& flag, const std::string& why) {
  if (!valid) throw CLI::ValidationError("--" + flag, why);
}

// The host, without the brackets of IPv6, and the port.
std::pair<std::string, std::uint16_t> HostAndPort(const std::string& flag,
                                                  const std::string& text) {
  std::string host;
  std::uint16_t port = 0;
  Require(RE2::FullMatch(text, R"re(\[?(.+?)\]?:(\d+))re", &host, &port), flag, "want HOST:PORT");
  return {host == "localhost" ? "127.0.0.1" : host, port};
}

bool IsLoopback(const std::string& host) { return absl::StartsWith(host, "127.") || host == "::1"; }

// Keys that sign: one a line.
std::vector<std::string> ReadKeys(const std::string& flag, const std::string& path) {
  using std::filesystem::perms;
  std::ifstream file(path);
  Require(file.good(), flag, "the file cannot be read");
  const perms allowed = std::filesystem::status(path).permissions();
  Require((allowed & perms::others_all) == perms::none, flag,
          "others may use the file; want mode 0600 or 0640");
  std::vector<std::string> keys(std::istream_iterator<std::string>(file), {});
  const bool is_short = std::any_of(
      keys.begin(), keys.end(), [](const std::string& key) { return key.size() < kShortestKey; });
  Require(!keys.empty() && !is_short, flag, "want keys of 32 characters or more, one a line");
  return keys;
}

absl::Duration Duration(const std::string& flag, const std::string& text) {
  absl::Duration duration;
  const bool valid = absl::ParseDuration(text, &duration) && duration >= absl::Seconds(1) &&
                     duration <= absl::Hours(24 * 30);
  Require(valid, flag, "want 1s to 720h");
  return duration;
}

// Checks the flags and fills the options in. Returns the keys.
std::vector<std::string> Check(Flags& flags) {
  flags.site.development = flags.sign_in == "development";
  Require(flags.site.development || flags.sign_in == "header", "sign_in",
          "want development or header");
  std::tie(flags.http.address, flags.http.port) = HostAndPort("listen", flags.listen);
  Require(!flags.site.development || IsLoopback(flags.http.address), "listen",
          "with --sign_in=development, want an address of this machine alone");
  Require(flags.site.development || flags.site.mail_folder.empty(), "mail_folder",
          "want --sign_in=development with it");
  Require(flags.tls.certificate.empty() == flags.tls.key.empty(), "tls_cert",
          "want --tls_cert and --tls_key together");
  flags.tls.enabled = !flags.tls.ca.empty() || !flags.tls.certificate.empty();
  Require(flags.tls.enabled || IsLoopback(HostAndPort("server", flags.server).first), "server",
          "another machine: want --tls_ca");
  Require(flags.http.connections > 0, "max_connections", "want 1 or more");
  flags.site.session_time = Duration("session_lifetime", flags.session_lifetime);
  flags.http.request = absl::ToChronoSeconds(Duration("request_timeout", flags.request_timeout));
  absl::AsciiStrToLower(&flags.site.token_header);
  Require(flags.site.development || !flags.session_key_file.empty(), "session_key_file", "missing");
  if (!flags.session_key_file.empty()) return ReadKeys("session_key_file", flags.session_key_file);
  return {absl::StrCat(client::NewUuid(), client::NewUuid())};
}

int Run(int argc, char** argv) {
  CLI::App app("The account area of Contacts: pages for customers, over a contactsd.",
               "contacts-web");
  app.set_version_flag("--version", CONTACTS_VERSION, "Print the version and exit");
  Flags flags;
  AddFlags(app, flags);
  try {
    app.parse(argc, argv);
    const std::vector<std::string> keys = Check(flags);
    g_mime_init();
    std::vector<std::unique_ptr<Stub>> stubs;
    for (int i = 0; i <= kWatchChannels; ++i) {
      stubs.push_back(v1::ContactService::NewStub(client::OpenChannel(flags.server, flags.tls, i)));
    }
    Site site{flags.site, keys, std::move(stubs)};
    ServeHttp(flags.http, [&site](const Request& request) { return site.Handle(request); });
    // Threads of gRPC may still end streams of pages that are gone.
    std::quick_exit(0);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::cerr << "contacts-web: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace
}  // namespace contacts::web

int main(int argc, char** argv) {
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);  // NOLINT(concurrency-mt-unsafe)
  return contacts::web::Run(argc, argv);
}
