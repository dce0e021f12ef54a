#include "core/workflow/quota.h"

#include <set>
#include <utility>

#include "core/domain/errors.h"

namespace contacts {
namespace {

constexpr absl::Duration kMinute = absl::Minutes(1);
constexpr absl::Duration kDay = absl::Hours(24);

// The window that `now` is in, which lasts `length`: this one, or a new one without uses.
QuotaWindow Current(const QuotaWindow& window, absl::Duration length, absl::Time now) {
  // A window that begins after now was written with a clock ahead of this one.
  const bool over = now >= window.start + length || window.start > now + length;
  return over ? QuotaWindow{.start = now, .uses = 0} : window;
}

}  // namespace

absl::StatusOr<QuotaWindow> TakeQuota(const QuotaUse& use,
                                      const std::vector<ContactChange>& changes, absl::Time now,
                                      const Settings& settings) {
  const auto count = static_cast<int64_t>(changes.size());
  if (use.pending_changes + count > settings.max_pending_changes) {
    return errors::QuotaExceeded(settings.max_pending_changes);
  }
  QuotaWindow asks = Current(use.asks, kMinute, now);
  if (asks.uses >= settings.max_asks_per_minute) {
    return errors::AskedTooOften(settings.max_asks_per_minute, asks.start + kMinute - now);
  }
  const QuotaWindow items = Current(use.items, kDay, now);
  int64_t asked = 0;
  for (const ContactChange& change : changes) asked += static_cast<int64_t>(change.items.size());
  if (items.uses + asked > settings.max_items_per_day) {
    return errors::TooManyItems(settings.max_items_per_day, items.start + kDay - now);
  }
  for (const ContactChange& change : changes) {
    // The change sends a token to its new contact, its effect a notice to each old contact. The
    // e-mails before this ask decide: it may give one old contact's roles to many accounts.
    std::set<AccountId> recipients = {change.new_contact};
    for (const ChangeItem& item : change.items) recipients.insert(item.old_contact);
    recipients.erase(change.requester);
    for (const AccountId& recipient : recipients) {
      const auto mails = use.mails.find(recipient);
      if (mails == use.mails.end()) continue;
      const absl::Duration wait = MailWait(mails->second, now, settings);
      if (wait > absl::ZeroDuration()) {
        return errors::TooManyMails(recipient, settings.max_mails_per_day, wait);
      }
    }
  }
  ++asks.uses;
  return asks;
}

absl::Duration MailWait(const QuotaWindow& mails, absl::Time now, const Settings& settings) {
  const QuotaWindow current = Current(mails, kDay, now);
  return current.uses < settings.max_mails_per_day ? absl::ZeroDuration()
                                                   : current.start + kDay - now;
}

absl::Status CheckWrongAccounts(const QuotaWindow& wrong_accounts, absl::Time now,
                                const Settings& settings) {
  const QuotaWindow current = Current(wrong_accounts, kDay, now);
  if (current.uses < settings.max_wrong_accounts_per_day) return absl::OkStatus();
  return errors::TooManyWrongAccounts(settings.max_wrong_accounts_per_day,
                                      current.start + kDay - now);
}

WrongAccounts TakeWrongAccounts(const QuotaWindow& wrong_accounts, int64_t wrong, absl::Time now,
                                const Settings& settings) {
  if (absl::Status used_up = CheckWrongAccounts(wrong_accounts, now, settings); !used_up.ok()) {
    return {.status = std::move(used_up)};
  }
  const QuotaWindow current = Current(wrong_accounts, kDay, now);
  const int64_t limit = settings.max_wrong_accounts_per_day;
  if (current.uses + wrong <= limit) return {.uses = wrong};
  // This tells that there are more wrong accounts than may still be told, so it costs a use too.
  return {.status = errors::TooManyWrongAccounts(limit, current.start + kDay - now), .uses = 1};
}

absl::StatusOr<QuotaWindow> TakeAddressQuota(const QuotaWindow& changes, absl::Time now,
                                             const Settings& settings) {
  QuotaWindow current = Current(changes, kDay, now);
  if (current.uses >= settings.max_addresses_per_day) {
    return errors::AddressChangedTooOften(settings.max_addresses_per_day,
                                          current.start + kDay - now);
  }
  ++current.uses;
  return current;
}

}  // namespace contacts
