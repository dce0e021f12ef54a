#ifndef CONTACTS_CORE_DOMAIN_SETTINGS_H_
#define CONTACTS_CORE_DOMAIN_SETTINGS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace contacts {

// No change lives longer, also if the settings change meanwhile.
inline constexpr absl::Duration kLongestChangeLifetime = absl::Hours(24 * 90);

// Every limit and delay of the rules, with its default.
struct Settings {
  absl::Duration change_lifetime = absl::Hours(24 * 7);  // 1 hour to kLongestChangeLifetime.
  absl::Duration reminder_lead = absl::Hours(48);        // Before the change expires.
  // Whether every change needs its old and new contacts in good standing. Else only changes that
  // move a billing role do.
  bool standing_for_every_role = false;
  int64_t max_assignments = 1000;                          // In one call.
  int64_t max_reason = 500;                                // Characters, of a refusal or override.
  int64_t max_pending_changes = 1000;                      // Of one requester.
  int64_t max_asks_per_minute = 1000;                      // Of one requester, with success.
  int64_t max_items_per_day = 200'000;                     // Asked for by one requester.
  int64_t max_wrong_accounts_per_day = 100;                // Named by one requester.
  int64_t max_mails_per_day = 100;                         // From one account to one other.
  int64_t max_addresses_per_day = 20;                      // Asked for by the account itself.
  absl::Duration email_confirmation = absl::Hours(24);     // Zero: addresses are in use at once.
  int64_t max_wrong_tokens = 10;                           // Then the answer is locked.
  absl::Duration resend_interval = absl::Minutes(1);       // For each validator and change.
  int64_t max_resends_per_day = 20;                        // For each validator and change.
  absl::Duration change_retention;                         // Of closed changes; zero: for ever.
  absl::Duration request_retention = absl::Hours(24 * 8);  // How long replies are replayed.
  int64_t default_page_size = 50;
  int64_t default_event_page_size = 100;
  int64_t max_page_size = 1000;
  absl::Duration mail_give_up = absl::Hours(48);          // After the e-mail could first be tried.
  absl::Duration event_retention = absl::Hours(24 * 90);  // How long watchers can resume.
};

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_SETTINGS_H_
