#ifndef CONTACTS_CORE_DOMAIN_OUTBOX_MAIL_H_
#define CONTACTS_CORE_DOMAIN_OUTBOX_MAIL_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "core/domain/ids.h"

namespace contacts {

enum class MailKind {
  kValidation = 1,
  kReminder = 2,
  kDone = 3,       // To the requester and the new contact.
  kRolesLost = 4,  // To an old contact.
  kRefused = 5,
  kCancelled = 6,
  kExpired = 7,
  kAborted = 8,
  kProfileChanged = 9,
  kOverride = 10,
};

// An e-mail that is owed: written in the transaction of what it tells of, sent afterwards.
struct OutboxMail {
  Uuid id;  // Names the e-mail: its Message-ID is made of it.
  MailKind kind = MailKind::kValidation;
  Uuid subject;            // The contact change, or the override; nil for kProfileChanged.
  AccountId recipient;     // Address and language are read when it is sent.
  std::string address;     // kProfileChanged alone: the address that was replaced.
  int64_t generation = 0;  // kValidation and kReminder alone.
  std::string cause;       // The account or operator whose act it follows from.
  absl::Time create_time;
  int64_t tries = 0;  // Deliveries tried so far.
  int64_t turn = 0;   // Its place in the line that it was claimed from.
  std::string claim;  // Of whom it is claimed by for now.

  bool IsValidation() const { return kind == MailKind::kValidation || kind == MailKind::kReminder; }
};

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_OUTBOX_MAIL_H_
