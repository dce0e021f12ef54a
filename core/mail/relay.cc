#include "core/mail/relay.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <random>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/utf8.h"
#include "core/domain/email_address.h"

namespace contacts {
namespace {

constexpr absl::Duration kLongestTrouble = absl::Seconds(15);
constexpr absl::Duration kTroubleLogInterval = absl::Minutes(1);
constexpr std::size_t kLongestLogText = 300;
// Failures in a row, without a delivery between them, after which the mail server is down.
constexpr int kFailuresOfServer = 3;

double OwnRandom() {
  thread_local std::minstd_rand engine(std::random_device{}());
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

void ReplaceAnyCase(std::string& text, absl::string_view what, absl::string_view with) {
  if (what.empty()) return;
  for (std::size_t at = 0; at + what.size() <= text.size();) {
    if (absl::EqualsIgnoreCase(absl::string_view(text).substr(at, what.size()), what)) {
      text.replace(at, what.size(), with.data(), with.size());
      at += with.size();
    } else {
      ++at;
    }
  }
}

// Returns the beginning of `text`, of at most `most` bytes, without a cut character. Each byte that
// is not part of UTF-8 becomes a question mark: mail servers also answer in other character sets.
std::string BeginningInUtf8(absl::string_view text, std::size_t most) {
  std::string beginning;
  while (!text.empty()) {
    const std::optional<CodePoint> next = DecodeCodePoint(text);
    const std::size_t size = next ? next->size : 1;
    if (beginning.size() + size > most) break;
    absl::StrAppend(&beginning, next ? text.substr(0, size) : "?");
    text.remove_prefix(size);
  }
  return beginning;
}

// Logs the first of several database errors in a row, then one a minute with the number of errors
// in between.
class TroubleLog {
 public:
  void Add(const absl::Status& status, absl::Time now) {
    if (now - last_ < kTroubleLogInterval) {
      ++left_out_;
      return;
    }
    spdlog::warn("mail: outbox: {} ({} more not logged)", status.ToString(), left_out_);
    last_ = now;
    left_out_ = 0;
  }

 private:
  absl::Time last_ = absl::InfinitePast();
  int64_t left_out_ = 0;
};

}  // namespace

absl::Duration RetryDelay(const RelayOptions& options, int64_t tries, double random) {
  absl::Duration delay = options.first_delay;
  for (int64_t i = 1; i < tries && delay < options.longest_delay; ++i) delay *= 2;
  return std::min(delay, options.longest_delay) * (0.8 + 0.4 * random);
}

std::string Loggable(absl::string_view said, const std::string& address, const std::string& token) {
  std::string text(said);
  // MaskEmails would not know a quoted local part.
  for (const std::string& spelled : {address, WithAsciiDomain(address)}) {
    ReplaceAnyCase(text, spelled, MaskEmail(spelled));
  }
  text = MaskEmails(text);
  ReplaceAnyCase(text, token, "***");
  for (char& c : text) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = ' ';
  }
  return BeginningInUtf8(text, kLongestLogText);
}

bool MailServerState::MayTry(absl::Time now) {
  const std::lock_guard lock(mutex_);
  if (failures_in_row_ < kFailuresOfServer) return true;
  if (now < next_try_) return false;
  next_try_ = now + pause_;
  pause_ = std::min(2 * pause_, longest_pause_);
  return true;
}

bool MailServerState::down() const {
  const std::lock_guard lock(mutex_);
  return failures_in_row_ >= kFailuresOfServer;
}

bool MailServerState::Worked() {
  const std::lock_guard lock(mutex_);
  return std::exchange(failures_in_row_, 0) >= kFailuresOfServer;
}

bool MailServerState::Failed(absl::Time now) {
  const std::lock_guard lock(mutex_);
  if (failures_in_row_ >= kFailuresOfServer || ++failures_in_row_ < kFailuresOfServer) return false;
  next_try_ = now + first_pause_;
  pause_ = first_pause_;
  return true;
}

class MailRelay::BatchClock {
 public:
  BatchClock(absl::Time now, absl::Duration lease)
      : start_(now), lease_(lease), begin_(std::chrono::steady_clock::now()) {}

  absl::Time Now() const { return start_ + Elapsed(); }
  absl::Duration LeaseLeft() const { return lease_ - Elapsed(); }

 private:
  absl::Duration Elapsed() const {
    return absl::FromChrono(std::chrono::steady_clock::now() - begin_);
  }

  const absl::Time start_;
  const absl::Duration lease_;
  const std::chrono::steady_clock::time_point begin_;
};

MailRelay::MailRelay(Outbox* outbox, MailTransport* transport, const MailRenderer* renderer,
                     RelayOptions options)
    : outbox_(outbox),
      transport_(transport),
      renderer_(renderer),
      options_([&] {
        if (!options.random) options.random = OwnRandom;
        return std::move(options);
      }()),
      server_(options_.first_probe_pause, options_.longest_probe_pause) {}

MailRelay::~MailRelay() { Stop(); }

void MailRelay::Start() {
  for (int64_t i = 0; i < options_.lanes; ++i) {
    threads_.emplace_back([this, i] { Loop(i * options_.poll_interval); });
  }
}

void MailRelay::BeginStop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  transport_->Interrupt();
}

void MailRelay::Stop() {
  if (threads_.empty()) return;
  BeginStop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

RelayCounts MailRelay::counts() const {
  return {.delivered = delivered_, .failed = failed_, .given_up = given_up_};
}

bool MailRelay::Wait(absl::Duration duration) {
  std::unique_lock lock(mutex_);
  return !stop_.wait_for(lock, absl::ToChronoMilliseconds(duration), [&] { return stopping_; });
}

void MailRelay::Loop(absl::Duration first_pause) {
  TroubleLog log;
  // All lanes together look as often as a single lane would.
  const absl::Duration idle_pause = options_.poll_interval * options_.lanes;
  absl::Duration trouble_delay = idle_pause;
  for (absl::Duration pause = first_pause; Wait(pause);) {
    absl::Status trouble;
    try {
      const absl::StatusOr<int64_t> claimed = RunOnce(options_.clock());
      if (claimed.ok()) {
        trouble_delay = idle_pause;
        pause = *claimed > 0 ? absl::ZeroDuration() : idle_pause;
        continue;
      }
      trouble = claimed.status();
    } catch (const std::exception& error) {
      trouble = absl::UnknownError(error.what());
    } catch (...) {
      trouble = absl::UnknownError("unknown exception");
    }
    log.Add(trouble, absl::Now());
    pause = trouble_delay * (0.8 + 0.4 * options_.random());
    trouble_delay = std::min(trouble_delay * 2, kLongestTrouble);
  }
}

absl::StatusOr<int64_t> MailRelay::RunOnce(absl::Time now) {
  if (!server_.MayTry(now)) return 0;
  const BatchClock clock(now, options_.lease);
  const absl::StatusOr<std::vector<MailFacts>> claimed =
      outbox_->Claim(server_.down() ? 1 : options_.batch, options_.lease, now);
  if (!claimed.ok()) return claimed.status();
  if (absl::Status status = Deliver(*claimed, clock); !status.ok()) return status;
  if (server_.down()) GiveUpOld(clock);
  return static_cast<int64_t>(claimed->size());
}

absl::Status MailRelay::Deliver(std::vector<MailFacts> claimed, const BatchClock& clock) {
  using Kind = DeliveryResult::Kind;
  std::vector<MailFacts> delivered;
  std::vector<OutboxMail> rest;
  bool go_on = true;
  for (MailFacts& facts : claimed) {
    go_on = go_on && Wait(absl::ZeroDuration()) && clock.LeaseLeft() >= options_.lease_reserve;
    const Kind outcome = go_on ? TryOne(facts, clock) : Kind::kInterrupted;
    if (outcome == Kind::kInterrupted) {
      rest.push_back(facts.mail);
      --rest.back().tries;
    }
    if (outcome == Kind::kDelivered) delivered.push_back(std::move(facts));
    go_on = go_on && !server_.down();
  }
  absl::Status recorded = RecordSent(delivered, clock);
  if (rest.empty()) return recorded;
  // If this fails, the e-mail is free again when its lease ends.
  const absl::Status released = outbox_->Release(rest, clock.Now());
  if (!released.ok()) spdlog::warn("mail: {}", released.ToString());
  return recorded;
}

DeliveryResult MailRelay::HandOver(const MailFacts& facts, absl::Time now) {
  using Kind = DeliveryResult::Kind;
  try {
    const absl::StatusOr<RenderedMail> rendered = renderer_->Render(facts, now);
    if (!rendered.ok()) return {Kind::kTryLater, std::string(rendered.status().message())};
    const absl::StatusOr<std::string> message = EncodeMime(*rendered, transport_->line_end());
    if (!message.ok()) return {Kind::kTryLater, std::string(message.status().message())};
    DeliveryResult result = transport_->Deliver(rendered->from, rendered->to, *message);
    result.text = Loggable(result.text, rendered->to, facts.token);
    if (result.kind == Kind::kDelivered) {
      spdlog::info("mail: {} delivered to {}: {}", facts.mail.id.text(), MaskEmail(rendered->to),
                   result.text);
    }
    return result;
  } catch (const std::exception& error) {
    // A failing e-mail must not delay the others.
    return {Kind::kTryLater, Loggable(error.what(), facts.recipient.email, facts.token)};
  }
}

DeliveryResult::Kind MailRelay::TryOne(MailFacts& facts, const BatchClock& clock) {
  using Kind = DeliveryResult::Kind;
  const DeliveryResult result = HandOver(facts, clock.Now());
  facts.answer = result.text;
  if (result.kind == Kind::kDelivered || result.kind == Kind::kRejected) {
    if (server_.Worked()) spdlog::info("mail: the mail server takes e-mails again");
  } else if ((result.kind == Kind::kServerTrouble || result.kind == Kind::kUnclear) &&
             server_.Failed(clock.Now())) {
    spdlog::error("mail: the mail server takes no e-mails, one at a time tries it: {}",
                  result.text);
  }
  switch (result.kind) {
    case Kind::kDelivered: ++delivered_; break;
    case Kind::kTryLater:
    case Kind::kUnclear:
    case Kind::kServerTrouble: TryLater(facts, clock, result.kind); break;
    case Kind::kRejected: GiveUp(facts, clock); break;
    case Kind::kInterrupted: break;
  }
  return result.kind;
}

absl::Status MailRelay::RecordSent(const std::vector<MailFacts>& delivered,
                                   const BatchClock& clock) {
  if (delivered.empty()) return absl::OkStatus();
  // An e-mail that is not recorded within the lease is delivered a second time.
  absl::Status status;
  do {
    status = outbox_->Sent(delivered, [&] { return clock.Now(); });
  } while (!status.ok() && clock.LeaseLeft() > absl::ZeroDuration() && Wait(absl::Seconds(1)));
  if (!status.ok()) {
    spdlog::warn("mail: {} deliveries not recorded, they may be made again: {}", delivered.size(),
                 status.ToString());
  }
  return status;
}

void MailRelay::TryLater(const MailFacts& facts, const BatchClock& clock,
                         DeliveryResult::Kind kind) {
  const OutboxMail& mail = facts.mail;
  const absl::Time now = clock.Now();
  if (now - mail.create_time >= options_.give_up) return GiveUp(facts, clock);
  ++failed_;
  // An e-mail that may be rejected for its own recipient loses its place. Otherwise a few of them,
  // first in line, would be all that is tried while the mail server counts as down.
  const bool of_server = kind == DeliveryResult::Kind::kServerTrouble;
  absl::Duration delay = RetryDelay(options_, mail.tries, options_.random());
  if (of_server) delay = std::min(delay, options_.longest_probe_pause);
  spdlog::warn("mail: {} try {} failed, next in {}: {}", mail.id.text(), mail.tries,
               absl::FormatDuration(absl::Trunc(delay, absl::Seconds(1))), facts.answer);
  // If this fails, the e-mail is free again when its lease ends.
  const absl::Status status =
      of_server ? outbox_->Release({mail}, now + delay) : outbox_->Retry(mail, now + delay);
  if (!status.ok()) spdlog::warn("mail: {}: {}", mail.id.text(), status.ToString());
}

// While the mail server is down, most e-mails are not tried, so their age is checked here.
void MailRelay::GiveUpOld(const BatchClock& clock) {
  while (clock.LeaseLeft() >= options_.lease_reserve && Wait(absl::ZeroDuration())) {
    const absl::Time now = clock.Now();
    auto old = outbox_->Claim(options_.batch, options_.lease, now, now - options_.give_up);
    if (!old.ok()) spdlog::warn("mail: {}", old.status().ToString());
    if (!old.ok() || old->empty()) return;
    for (MailFacts& facts : *old) {
      facts.answer = "the mail server is down";
      GiveUp(facts, clock);
    }
  }
}

void MailRelay::GiveUp(const MailFacts& facts, const BatchClock& clock) {
  const OutboxMail& mail = facts.mail;
  const absl::Status status = outbox_->GiveUp(facts, [&] { return clock.Now(); });
  if (!status.ok()) {
    spdlog::warn("mail: {}: {}", mail.id.text(), status.ToString());
    return;
  }
  ++given_up_;
  spdlog::error("mail: {} given up after {} tries: {}", mail.id.text(), mail.tries, facts.answer);
}

}  // namespace contacts
