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
#include "core/letter/render.h"
#include "core/mail/transport.h"

namespace contacts {

struct RelayOptions {
  // Threads that each claim and deliver on their own. A slow e-mail delays only the e-mails of its
  // own batch.
  int64_t lanes = 1;
  int64_t batch = 20;                       // E-mails claimed at once by a lane.
  absl::Duration lease = absl::Minutes(2);  // How long a claim lasts.
  // A delivery begins only if at least so much of the lease is left. Longer than a transport's time
  // limit, so that no other server begins the same delivery before this one has ended.
  absl::Duration lease_reserve = absl::Seconds(40);
  absl::Duration poll_interval = absl::Milliseconds(500);  // Between looks at an idle outbox.
  absl::Duration first_delay = absl::Seconds(30);          // After the first failed try; doubles.
  absl::Duration longest_delay = absl::Hours(1);
  absl::Duration give_up = absl::Hours(48);  // After the e-mail was written.
  // Time between two e-mails that try a mail server that is down: at first, and at most.
  absl::Duration first_probe_pause = absl::Seconds(1);
  absl::Duration longest_probe_pause = absl::Seconds(30);

  std::function<absl::Time()> clock = absl::Now;
  // Returns 0 to 1, for jitter. Called from every lane. Unset: the relay's own generator.
  std::function<double()> random;
};

// Counts since the relay was made.
struct RelayCounts {
  int64_t delivered = 0;
  int64_t failed = 0;    // Failed tries of e-mails that will be tried again.
  int64_t given_up = 0;  // Rejected for good, or too old.
};

// The time to wait after the `tries`th failed try: doubles from the first delay
// up to the longest, spread by `random` (0 to 1) over 80 to 120 percent.
absl::Duration RetryDelay(const RelayOptions& options, int64_t tries, double random);

// Makes a mail server's answer safe for the log: masks every address, removes every `token` and
// control character, and cuts the text to a line.
std::string Loggable(absl::string_view said, const std::string& address, const std::string& token);

// Whether the mail server accepts e-mails, as one relay sees it. After a few failures in a row that
// would also meet any other e-mail, the server counts as down. Then one e-mail at a time tries it,
// and all others go on as soon as it is back. Thread safe.
class MailServerState {
 public:
  MailServerState(absl::Duration first_pause, absl::Duration longest_pause)
      : first_pause_(first_pause), longest_pause_(longest_pause) {}

  // Whether an e-mail may be tried at `now`. If the server is down, true once a pause.
  bool MayTry(absl::Time now);
  bool down() const;
  // Each returns true if it changed down().
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

// Delivers the outbox, on its own threads. Every server runs a relay. A lease gives each e-mail to
// one relay at a time. Failures of an e-mail or of the database are logged and tried again. They
// never end a thread. Call Start and Stop once each. counts() is thread safe.
class MailRelay {
 public:
  // The outbox, the transport and the renderer must outlive the relay.
  MailRelay(Outbox* outbox, MailTransport* transport, const MailRenderer* renderer,
            RelayOptions options);
  ~MailRelay();
  MailRelay(const MailRelay&) = delete;
  MailRelay& operator=(const MailRelay&) = delete;

  void Start();
  // Breaks off deliveries that the mail server has not received in full. Begins no further one.
  void BeginStop();
  // Like BeginStop. Then waits for the deliveries in progress, records the delivered e-mails and
  // gives the others back.
  void Stop();

  // Claims one batch as of `now` and delivers it. Returns the number of claimed e-mails, or the
  // database's error. For tests, instead of Start.
  absl::StatusOr<int64_t> RunOnce(absl::Time now);

  RelayCounts counts() const;

 private:
  // The time within one batch: the `now` of its claim plus the time since.
  class BatchClock;

  // `first_pause`: before the first look at the outbox.
  void Loop(absl::Duration first_pause);
  // Waits for `duration`. Returns false at once if the relay is stopped.
  bool Wait(absl::Duration duration);
  // Delivers the claimed e-mails in their order, until the relay is stopped, the lease is nearly
  // over or the mail server is down. Gives the rest back.
  absl::Status Deliver(std::vector<MailFacts> claimed, const BatchClock& clock);
  // Hands one e-mail over and sets its answer. Records every outcome except delivered and
  // interrupted.
  DeliveryResult::Kind TryOne(MailFacts& facts, const BatchClock& clock);
  DeliveryResult HandOver(const MailFacts& facts, absl::Time now);
  absl::Status RecordSent(const std::vector<MailFacts>& delivered, const BatchClock& clock);
  void TryLater(const MailFacts& facts, const BatchClock& clock, DeliveryResult::Kind kind);
  void GiveUpOld(const BatchClock& clock);
  void GiveUp(const MailFacts& facts, const BatchClock& clock);

  Outbox* const outbox_;
  MailTransport* const transport_;
  const MailRenderer* const renderer_;
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
