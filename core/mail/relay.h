#ifndef CONTACTS_CORE_MAIL_RELAY_H_
#define CONTACTS_CORE_MAIL_RELAY_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "core/engine/outbox.h"
#include "core/mail/render.h"
#include "core/mail/transport.h"

namespace contacts {

struct RelayOptions {
  // Threads that each claim and deliver on their own: an e-mail that takes long
  // keeps back those of its own batch alone.
  int64_t lanes = 1;
  int64_t batch = 20;                       // E-mails claimed at once by a lane.
  absl::Duration lease = absl::Minutes(2);  // How long a claim lasts.
  // No delivery begins with less of the lease left: longer than a transport
  // takes at most, so that no other server begins the same delivery meanwhile.
  absl::Duration lease_reserve = absl::Seconds(40);
  absl::Duration poll_interval = absl::Milliseconds(500);  // Between looks at an idle outbox.
  absl::Duration first_delay = absl::Seconds(30);          // After the first failed try; doubles.
  absl::Duration longest_delay = absl::Hours(1);
  absl::Duration give_up = absl::Hours(48);  // After the e-mail was written.
  // While the mail server is down: between two e-mails that try it, at first and at most.
  absl::Duration first_probe_pause = absl::Seconds(1);
  absl::Duration longest_probe_pause = absl::Seconds(30);

  std::function<absl::Time()> clock = absl::Now;
  // From 0 to 1, for jitter; called from every lane. Unset: the relay's own.
  std::function<double()> random;
};

// What a relay did since it was made.
struct RelayCounts {
  int64_t delivered = 0;
  int64_t failed = 0;    // Tries that are to be made again.
  int64_t given_up = 0;  // Refused for good, or too old.
};

// The time to wait after the `tries`th failed try: doubles from the first delay
// up to the longest, spread by `random` (0 to 1) over 80 to 120 percent.
absl::Duration RetryDelay(const RelayOptions& options, int64_t tries, double random);

// Makes what a mail server said fit for the log: `address` is masked and `token`
// taken out wherever they occur, control characters are, and it is cut to a line.
std::string Loggable(absl::string_view said, const std::string& address, const std::string& token);

// Whether the mail server takes e-mails, as one relay sees it. After a few failures in a row that
// any e-mail would meet, it is taken for down: then one e-mail at a time tries it, so that the
// others need not wait for a time of their own once it is back. Thread safe.
class MailServerState {
 public:
  MailServerState(absl::Duration first_pause, absl::Duration longest_pause)
      : first_pause_(first_pause), longest_pause_(longest_pause) {}

  // Whether e-mails may be tried at `now`; where the server is down, true once a pause.
  bool MayTry(absl::Time now);
  bool down() const;
  // Each returns true where it changed what down() says.
  bool Worked();
  bool Failed(absl::Time now);

 private:
  const absl::Duration first_pause_;
  const absl::Duration longest_pause_;
  mutable std::mutex mutex_;
  int failures_in_row_ = 0;
  absl::Duration pause_;
  absl::Time next_try_;
};

// Empties the outbox, on threads of its own. Every server runs one; a lease
// gives each e-mail to one of them at a time. Trouble of any kind, with one e-mail
// or with the database, is logged and tried again; it never ends a thread.
// Start and Stop once each; counts() may be called from any thread.
class MailRelay {
 public:
  // What is pointed to must outlive it.
  MailRelay(Outbox* outbox, MailTransport* transport, MailRenderer renderer, RelayOptions options);
  ~MailRelay();
  MailRelay(const MailRelay&) = delete;
  MailRelay& operator=(const MailRelay&) = delete;

  void Start();
  // Breaks off what the mail server does not have in full yet, and begins nothing more.
  void BeginStop();
  // As BeginStop; waits for the e-mails at hand, records what was delivered and gives the
  // others back.
  void Stop();

  // Claims one batch as of `now` and delivers it; returns how many were claimed,
  // or the database's error. For tests, in place of Start.
  absl::StatusOr<int64_t> RunOnce(absl::Time now);

  RelayCounts counts() const;

 private:
  // The time of one batch: it goes on from the `now` of its claim.
  class BatchClock;

  // `first_pause`: before the first look at the outbox.
  void Loop(absl::Duration first_pause);
  // Waits, unless stopped; returns false once stopped.
  bool Wait(absl::Duration duration);
  // Delivers what was claimed, as far as it gets, and gives the rest back.
  absl::Status Deliver(const std::vector<MailFacts>& claimed, const BatchClock& clock);
  // Hands one e-mail over, and records any outcome but that it was delivered or interrupted.
  DeliveryResult::Kind TryOne(const MailFacts& facts, const BatchClock& clock);
  DeliveryResult HandOver(const MailFacts& facts, absl::Time now);
  absl::Status RecordSent(const std::vector<MailFacts>& delivered, const BatchClock& clock);
  void TryLater(const OutboxMail& mail, const BatchClock& clock, const DeliveryResult& result);
  void GiveUpOld(const BatchClock& clock);
  void GiveUp(const OutboxMail& mail, const BatchClock& clock, const std::string& why);

  Outbox* const outbox_;
  MailTransport* const transport_;
  const MailRenderer renderer_;
  const RelayOptions options_;
  MailServerState server_;
  std::atomic<int64_t> delivered_ = 0;
  std::atomic<int64_t> failed_ = 0;
  std::atomic<int64_t> given_up_ = 0;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_MAIL_RELAY_H_
