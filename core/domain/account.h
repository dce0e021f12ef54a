#ifndef CONTACTS_CORE_DOMAIN_ACCOUNT_H_
#define CONTACTS_CORE_DOMAIN_ACCOUNT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/domain/ids.h"

namespace contacts {

enum class BillingStanding { kUpToDate = 1, kOverdue = 2 };

struct Account {
  AccountId id;
  std::string email;
  std::string language = "en";
  BillingStanding standing = BillingStanding::kUpToDate;
  int64_t version = 1;  // The etag's source: one more at each update.
  absl::Time create_time;
  absl::Time update_time;
};

// Masks an address for display, such as "j***@example.com". "***" for text without an at sign
// behind its first character.
std::string MaskEmail(const std::string& email);
// Masks every address in a text, such as the answer of a mail server.
std::string MaskEmails(absl::string_view text);

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_ACCOUNT_H_
