#ifndef CONTACTS_CORE_MAIL_MAILDIR_H_
#define CONTACTS_CORE_MAIL_MAILDIR_H_

#include <atomic>
#include <string>

#include "absl/status/status.h"
#include "core/mail/transport.h"

namespace contacts {

// Delivers into a Maildir: each message is written and synced below tmp/, then
// renamed into new/. Any number of processes may deliver into the same Maildir.
class Maildir : public MailTransport {
 public:
  explicit Maildir(std::string directory) : directory_(std::move(directory)) {}

  // Makes missing folders, with mode 0700. Returns UNAVAILABLE if it cannot.
  absl::Status Create() const;

  absl::Status Prepare() override { return Create(); }
  DeliveryResult Deliver(const std::string& envelope_from, const std::string& to,
                         const std::string& message) override;

 private:
  const std::string directory_;
  std::atomic<int64_t> deliveries_ = 0;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_MAIL_MAILDIR_H_
