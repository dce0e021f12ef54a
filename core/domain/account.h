#ifndef CONTACTS_CORE_DOMAIN_ACCOUNT_H_
#define CONTACTS_CORE_DOMAIN_ACCOUNT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/domain/ids.h"

namespace contacts {

enum class BillingStanding { kUpToDate = 1, kOverdue = 2 };

// The address that an account asked for and has not confirmed, with the values that check and limit
// its confirmation.
struct PendingEmail {
  std::string address;       // Empty: no address is pending.
  absl::Time expire_time;    // When its confirmation expires.
  int64_t generation = 0;    // Raised with each address that is asked for; never lowered.
  std::string token_key_id;  // Key that the token of this generation is derived with.
  int64_t wrong_tokens = 0;  // Of this generation.
};

struct Account {
  AccountId id;
  std::string email;
  std::string language = "en";
  BillingStanding standing = BillingStanding::kUpToDate;
  int64_t version = 1;  // The etag's source: one more at each update.
  absl::Time create_time;
  absl::Time update_time;
  PendingEmail pending;
};

// An address that e-mails of an account went to before.
struct EarlierAddress {
  AccountId account;
  std::string address;
  bool was_used = true;  // Whether it was the account's address, not only asked for.
};

// Masks an address for display, such as "j***@example.com". "***" for text without an at sign
// behind its first character.
std::string MaskEmail(const std::string& email);
// Masks every address in a text, such as the answer of a mail server.
std::string MaskEmails(absl::string_view text);

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_ACCOUNT_H_
