#ifndef CONTACTS_SERVER_CONFIG_MAIL_FLAGS_H_
#define CONTACTS_SERVER_CONFIG_MAIL_FLAGS_H_

#include <string>

#include "absl/time/time.h"
#include "server/config/config.h"
#include "server/config/flags.h"

namespace contacts::server {

// The flags that say how e-mails are written and where they go.
class MailFlags {
 public:
  // Both `config` and this must outlive the parsing.
  void Add(Flags& flags, Config& config);
  // Reads the files and fills in `config`. Refuses a wrong design of the e-mails. Refuses what does
  // not go together, what would send the password unencrypted beyond loopback and, unless
  // `development`, the absence of a sender and of links to https pages.
  void Check(bool development, Config& config) const;

 private:
  static void LoadDesign(Config& config);
  void CheckSender(bool development, MailRenderer::Options& letters) const;
  // `place`: HOST[:PORT].
  SmtpOptions CheckSmtp(const std::string& place, bool implicit) const;
  void CheckUser(SmtpOptions& smtp) const;

  std::string place_;
  std::string from_;
  std::string link_url_;
  std::string confirm_url_;
  std::string tls_ = "required";
  std::string ca_file_;
  std::string ehlo_;
  std::string user_;
  std::string password_file_;
  absl::Duration timeout_ = absl::Seconds(30);
};

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CONFIG_MAIL_FLAGS_H_
