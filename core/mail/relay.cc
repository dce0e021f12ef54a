#include "core/mail/relay.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <random>

namespace contacts {
namespace {

// Spreads tries, so that a mail server that comes back is not met by all at once.
absl::Duration WithJitter(absl::Duration delay) {
  thread_local std::minstd_rand random(std::random_device{}());
  return delay * std::uniform_real_distribution<double>(0.8, 1.2)(random);
}

}  // namespace

MailRelay::MailRelay(Outbox* outbox, MailTransport* transport, MailRenderer renderer,
                     RelayOptions options)
    : outbox_(outbox),
      transport_(transport),
      renderer_(std::move(renderer)),
      options_(options) {}

MailRelay::~MailRelay() { Stop(); }

void MailRelay::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void MailRelay::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool MailRelay::Wait(absl::Duration duration) {
  std::unique_lock lock(mutex_);
  return !stop_.wait_for(lock, absl::ToChronoMilliseconds(duration), [&] { return stopping_; });
}

void MailRelay::Loop() {
  absl::Duration trouble_delay = options_.poll_interval;
  for (absl::Duration pause = absl::ZeroDuration(); Wait(pause);) {
    try {
      const absl::StatusOr<int64_t> claimed = RunOnce(absl::Now());
      if (claimed.ok()) {
        trouble_delay = options_.poll_interval;
        pause = *claimed == options_.batch ? absl::ZeroDuration() : options_.poll_interval;
        continue;
      }
      spdlog::warn("mail: the outbox cannot be read: {}", claimed.status().ToString());
    } catch (const std::exception& error) {
      spdlog::error("mail: {}", error.what());
    }
    pause = WithJitter(trouble_delay);
    trouble_delay = std::min(trouble_delay * 2, absl::Seconds(15));
  }
}

absl::StatusOr<int64_t> MailRelay::RunOnce(absl::Time now) {
  const absl::StatusOr<std::vector<MailFacts>> claimed =
      outbox_->Claim(options_.batch, options_.lease, now);
  if (!claimed.ok()) return claimed.status();
  const absl::Time begin = absl::Now();
  std::vector<MailFacts> delivered;
  for (const MailFacts& facts : *claimed) {
    // The rest is claimed again, by whoever comes first, once the lease is over.
    if (!Wait(absl::ZeroDuration()) || absl::Now() - begin > options_.lease / 2) break;
    TryOne(facts, now, delivered);
  }
  if (!delivered.empty()) {
    const absl::Status sent = outbox_->Sent(delivered, now);
    if (!sent.ok()) return sent;
  }
  return static_cast<int64_t>(claimed->size());
}

void MailRelay::TryOne(const MailFacts& facts, absl::Time now,
                       std::vector<MailFacts>& delivered) {
  const absl::StatusOr<RenderedMail> rendered = renderer_.Render(facts, now);
  if (!rendered.ok()) return Later(facts, now, std::string(rendered.status().message()));
  const absl::StatusOr<std::string> message = EncodeMime(*rendered);
  if (!message.ok()) return Later(facts, now, std::string(message.status().message()));
  const DeliveryResult result = transport_->Deliver(rendered->from, rendered->to, *message);
  switch (result.kind) {
    case DeliveryResult::Kind::kDelivered:
      delivered.push_back(facts);
      spdlog::info("mail: {} delivered to {}", facts.mail.id.text(), MaskEmail(rendered->to));
      return;
    case DeliveryResult::Kind::kTryLater: return Later(facts, now, result.text);
    case DeliveryResult::Kind::kRefused: {
      spdlog::warn("mail: {} refused for good: {}", facts.mail.id.text(), result.text);
      const absl::Status given_up = outbox_->GiveUp(facts.mail, now);
      if (!given_up.ok()) spdlog::warn("mail: {}", given_up.ToString());
      return;
    }
  }
}

void MailRelay::Later(const MailFacts& facts, absl::Time now, const std::string& why) {
  const OutboxMail& mail = facts.mail;
  absl::Status status;
  if (now - mail.create_time >= options_.give_up) {
    spdlog::error("mail: {} given up after {} tries: {}", mail.id.text(), mail.tries, why);
    status = outbox_->GiveUp(mail, now);
  } else {
    absl::Duration delay = options_.first_delay;
    for (int64_t i = 1; i < mail.tries && delay < options_.longest_delay; ++i) delay *= 2;
    spdlog::warn("mail: {} try {} failed: {}", mail.id.text(), mail.tries, why);
    status = outbox_->Retry(mail, now + WithJitter(std::min(delay, options_.longest_delay)));
  }
  if (!status.ok()) spdlog::warn("mail: {}", status.ToString());
}

}  // namespace contacts
