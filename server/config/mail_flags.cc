#include "server/config/mail_flags.h"

#include <re2/re2.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "core/domain/email_address.h"
#include "server/config/hosts.h"
#include "server/messages/forms.h"
#include "server/support/reloaded_file.h"

namespace contacts::server {
namespace {

MailTls ParseTls(const std::string& text, bool implicit) {
  if (implicit) {
    if (text != "required") {
      RejectFlag("mail_tls", absl::StrCat(Echo(text), "; want required with smtps://"));
    }
    return MailTls::kImplicit;
  }
  if (text == "required") return MailTls::kRequired;
  if (text == "optional") return MailTls::kOptional;
  if (text == "none") return MailTls::kNone;
  RejectFlag("mail_tls", absl::StrCat(Echo(text), "; want required, optional or none"));
}

// Whether it is an address that every mail server takes. Writes its domain in A-labels.
bool IsSender(std::string& address) {
  if (!IsEmailAddress(address) || !IsAscii(LocalPartOf(address))) return false;
  if (!IsAscii(address)) address = WithAsciiDomain(address);
  return true;
}

}  // namespace

void MailFlags::Add(Flags& flags, Config& config) {
  flags.String("mail", &place_,
               "Required. Where e-mails are delivered: maildir:DIR, smtp://HOST[:PORT] (port 25, "
               "STARTTLS) or smtps://HOST[:PORT] (port 465)");
  flags.String("mail_from", &from_,
               "Sender of the e-mails: ADDRESS or NAME <ADDRESS>. Required, except with "
               "--auth=development");
  flags.String("mail_reply_to", &config.letters.reply_to,
               "Address that answers to the e-mails go to; if empty, the sender's");
  flags.String("mail_tls", &tls_,
               "STARTTLS with smtp://: required, optional (if the mail server offers it) or none. "
               "The certificate is always checked");
  flags.String(
      "mail_ca_file", &ca_file_,
      "PEM file of the authorities of the mail server's certificate; if empty, the system's");
  flags.String(
      "mail_ehlo", &ehlo_,
      "Name of this server in EHLO: a full host name or [ADDRESS]. If empty: the machine's "
      "full host name or, without one, the domain of --mail_from");
  flags.String("mail_user", &user_,
               "User name at the mail server. Beyond loopback it needs an encrypted connection");
  flags.String("mail_password_file", &password_file_,
               "File with the password of --mail_user; mode 0600 or 0440");
  flags.Count("mail_connections", &config.mail_connections, 1, 64,
              "Concurrent deliveries to the mail server, each on its own connection");
  flags.Duration("mail_timeout", &timeout_, absl::Seconds(1), absl::Minutes(10),
                 "Time limit of one delivery, all steps together. A mail server that takes longer "
                 "to accept an e-mail receives it again");
  flags.Duration("mail_give_up", &config.settings.mail_give_up, absl::Minutes(1), 30 * kDay,
                 "An e-mail that could not be delivered for this long is given up");
  flags.String("mail_templates", &config.mail_templates,
               "Directory with files in the place of shipped ones: the templates mail.html and "
               "mail.txt, and catalogues of messages, LANGUAGE.mo, which may add a language. "
               "Followed like certificates; core/letter/README.md describes them");
  flags.String(
      "mail_brand_file", &config.mail_brand_file,
      "YAML file with the provider's name, support, logo, logo_width, colors and footer in "
      "e-mails. Followed like certificates");
  flags.String("link_url", &link_url_,
               "Template of the links in validation e-mails, with {contact_change_id}, {token} and "
               "{answer} (accept or refuse). {account} (the recipient) and {language} (of the "
               "e-mail, such as fr) may be in it too. Required and https, except with "
               "--auth=development");
  flags.String(
      "confirm_url", &confirm_url_,
      "Template of the link that confirms a new e-mail address, with {token}. {account} and "
      "{language} may be in it too. Required and https, except with --auth=development or "
      "--email_confirmation=0");
}

// Reads the files of the design, and makes it.
void MailFlags::LoadDesign(Config& config) {
  if (config.mail_templates.empty() && config.mail_brand_file.empty()) return;
  const auto reject = [&](const absl::Status& status) {
    const std::string& brand = config.mail_brand_file;
    RejectFlag(!brand.empty() && absl::StartsWith(status.message(), brand) ? "mail_brand_file"
                                                                           : "mail_templates",
               std::string(status.message()));
  };
  auto files = ReadDesignFiles(config.mail_templates, config.mail_brand_file, ReadTrustedFile);
  if (!files.ok()) reject(files.status());
  auto design = Design::Make(*files);
  if (!design.ok()) reject(design.status());
  config.design_files = *std::move(files);
  config.design = *std::move(design);
}

void MailFlags::CheckUser(SmtpOptions& smtp) const {
  if (user_.empty() != password_file_.empty()) {
    RejectFlag(user_.empty() ? "mail_user" : "mail_password_file",
               "missing; want --mail_user and --mail_password_file together");
  }
  if (user_.empty()) return;
  if ((smtp.tls == MailTls::kNone || smtp.tls == MailTls::kOptional) && !IsLoopback(smtp.host)) {
    RejectFlag("mail_tls",
               absl::StrCat(Echo(tls_),
                            "; want required, so that the password is never sent unencrypted"));
  }
  smtp.user = user_;
  smtp.password = PasswordOrReject("mail_password_file", password_file_);
}

SmtpOptions MailFlags::CheckSmtp(const std::string& place, bool implicit) const {
  static const LazyRE2 kPlace = {R"(([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?/?)"};
  SmtpOptions smtp;
  std::string port;
  if (!RE2::FullMatch(place, *kPlace, &smtp.host, &port) ||
      !absl::SimpleAtoi(port.empty() ? (implicit ? "465" : "25") : port, &smtp.port) ||
      smtp.port < 1 || smtp.port > 65535) {
    // The value is not shown, because it may contain a password.
    RejectFlag("mail",
               "want smtp://HOST[:PORT] or smtps://HOST[:PORT]; a login goes into --mail_user");
  }
  smtp.tls = ParseTls(tls_, implicit);
  smtp.timeout = timeout_;
  smtp.ca_file = ca_file_;
  if (!smtp.ca_file.empty() && access(smtp.ca_file.c_str(), R_OK) != 0) {
    RejectFlag("mail_ca_file", absl::StrCat(Echo(smtp.ca_file), "; want a file that can be read"));
  }
  CheckUser(smtp);
  return smtp;
}

void MailFlags::CheckSender(bool development, MailRenderer::Options& letters) const {
  if (from_.empty()) {
    if (!development) {
      RejectFlag("mail_from",
                 "missing; want ADDRESS or NAME <ADDRESS>, except with --auth=development");
    }
  } else {
    static const LazyRE2 kNamed = {R"re(\s*"?([^"<>]*?)"?\s*<([^<>]*)>\s*)re"};
    constexpr std::size_t kMaxName = 200;
    if (!RE2::FullMatch(from_, *kNamed, &letters.from_name, &letters.from)) {
      letters.from = from_;
    }
    if (!IsSender(letters.from) || !IsPlainText(letters.from_name, kMaxName) ||
        absl::StrContains(letters.from_name, '\t')) {
      RejectFlag("mail_from", absl::StrCat(Echo(from_), "; want ADDRESS or NAME <ADDRESS>"));
    }
  }
  if (!letters.reply_to.empty() && !IsSender(letters.reply_to)) {
    RejectFlag("mail_reply_to", absl::StrCat(Echo(letters.reply_to), "; want an e-mail address"));
  }
}

namespace {

// Checks the template of a link, and puts it into `letters_url`. Empty keeps the default of
// development. `needed`: the names in braces that it must have.
void CheckTemplate(const std::string& flag, const std::string& url, bool development,
                   const std::vector<std::string>& needed, std::string& letters_url) {
  const std::string wanted =
      absl::StrCat("; want an https address with {", absl::StrJoin(needed, "}, {"), "}");
  if (url.empty()) {
    if (!development) RejectFlag(flag, absl::StrCat("missing", wanted));
    return;
  }
  bool good =
      absl::StartsWith(url, "https://") || (development && absl::StartsWith(url, "http://"));
  for (const std::string& name : needed) good = good && absl::StrContains(url, "{" + name + "}");
  if (!good) RejectFlag(flag, absl::StrCat(Echo(url), wanted));
  // A mistyped name in braces, a space or a line break would break the link in every e-mail.
  const std::string names = absl::StrCat(absl::StrJoin(needed, "|"), "|account|language");
  if (!RE2::FullMatch(url, absl::StrCat(R"((?:[^\s{}[:cntrl:]]|\{(?:)", names, R"()\})+)"))) {
    RejectFlag(flag, absl::StrCat(Echo(url), "; want no spaces, and in braces only ",
                                  absl::StrReplaceAll(names, {{"|", ", "}})));
  }
  letters_url = url;
}

}  // namespace

void MailFlags::Check(bool development, Config& config) const {
  absl::string_view place = place_;
  if (absl::ConsumePrefix(&place, "maildir:") && !place.empty()) {
    config.mail_directory = std::string(place);
  } else if (absl::ConsumePrefix(&place, "smtp://")) {
    config.smtp = CheckSmtp(std::string(place), /*implicit=*/false);
  } else if (absl::ConsumePrefix(&place, "smtps://")) {
    config.smtp = CheckSmtp(std::string(place), /*implicit=*/true);
  } else {
    RejectFlag("mail",
               absl::StrCat(place_.empty() ? "missing" : "wrong form",
                            "; want maildir:DIR, smtp://HOST[:PORT] or smtps://HOST[:PORT]"));
  }
  CheckSender(development, config.letters);
  LoadDesign(config);
  CheckTemplate("link_url", link_url_, development, {"contact_change_id", "token", "answer"},
                config.letters.link_url);
  if (config.settings.email_confirmation > absl::ZeroDuration() || !confirm_url_.empty()) {
    CheckTemplate("confirm_url", confirm_url_, development, {"token"}, config.letters.confirm_url);
  }
  if (config.smtp) {
    static const LazyRE2 kName = {R"([A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|\[[A-Za-z0-9:.]+\])"};
    std::string& ehlo = config.smtp->ehlo;
    ehlo = ehlo_.empty() ? FullHostName() : ehlo_;
    if (ehlo.empty()) ehlo = config.letters.from.substr(config.letters.from.rfind('@') + 1);
    if (!RE2::FullMatch(ehlo, *kName)) {
      RejectFlag("mail_ehlo", absl::StrCat(Echo(ehlo), "; want a full host name or [ADDRESS]"));
    }
  }
}

}  // namespace contacts::server
