#ifndef CONTACTS_CORE_MAIL_RELAY_H_
#define CONTACTS_CORE_MAIL_RELAY_H_

#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/engine/outbox.h"
#include "core/mail/render.h"
#include "core/mail/transport.h"

namespace contacts {

struct RelayOptions {
  int64_t batch = 20;                               // E-mails claimed at once.
  absl::Duration lease = absl::Minutes(2);          // How long a claim lasts.
  absl::Duration poll_interval = absl::Milliseconds(500);  // Between looks at an idle outbox.
  absl::Duration first_delay = absl::Seconds(30);   // After the first failed try; doubles.
  absl::Duration longest_delay = absl::Hours(1);
  absl::Duration give_up = absl::Hours(48);         // After the e-mail was written.
};

// Empties the outbox, on a thread of its own. Every server runs one; a lease
// gives each e-mail to one of them at a time. Start and Stop once each.
class MailRelay {
 public:
  // What is pointed to must outlive it.
  MailRelay(Outbox* outbox, MailTransport* transport, MailRenderer renderer, RelayOptions options);
  ~MailRelay();

  void Start();
  // Finishes the e-mail at hand and returns.
  void Stop();

  // Claims one batch and delivers it; returns how many were claimed. For tests,
  // in place of Start.
  absl::StatusOr<int64_t> RunOnce(absl::Time now);

 private:
  void Loop();
  // Waits, unless stopped; returns false once stopped.
  bool Wait(absl::Duration duration);
  void TryOne(const MailFacts& facts, absl::Time now, std::vector<MailFacts>& delivered);
  void Later(const MailFacts& facts, absl::Time now, const std::string& why);

  Outbox* const outbox_;
  MailTransport* const transport_;
  const MailRenderer renderer_;
  const RelayOptions options_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_MAIL_RELAY_H_
