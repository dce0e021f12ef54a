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
  kConfirmEmail = 11,  // To an address that is not in use yet, with its token.
  kEmailAsked = 12,    // To the present address: another one was asked for.
  kItemsWithdrawn = 13,
};

// An e-mail of the outbox: written in the transaction of the event that it tells of, and delivered
// afterwards.
struct OutboxMail {
  Uuid id;  // The Message-ID is made from it.
  MailKind kind = MailKind::kValidation;
  Uuid subject;         // The contact change, or the override; nil if it is about a profile.
  AccountId recipient;  // Address and language are read when it is sent.
  // Of kProfileChanged the address that was replaced, of kConfirmEmail the new one, of kEmailAsked
  // the present one. It goes there.
  std::string address;
  std::string masked_address;  // Only of kEmailAsked: the new address, masked.
  int64_t generation = 0;      // Only of e-mails with a token.
  std::string cause;           // The account or operator that caused it.
  // The account whose daily limit of e-mails to `recipient` it uses; empty: none.
  AccountId sender;
  absl::Time create_time;
  int64_t tries = 0;  // Deliveries tried so far.
  int64_t turn = 0;   // Its place in the line that it was claimed from.
  std::string claim;  // Name of the present claim.

  bool IsValidation() const { return kind == MailKind::kValidation || kind == MailKind::kReminder; }
  bool HasToken() const { return IsValidation() || kind == MailKind::kConfirmEmail; }
  bool IsAboutProfile() const {
    return kind == MailKind::kProfileChanged || kind == MailKind::kConfirmEmail ||
           kind == MailKind::kEmailAsked;
  }
  // Whether it is not sent if its sender is past the daily limit. No ask or resend is left to be
  // refused then, and the change that it tells of had no effect.
  bool IsOptional() const {
    return kind == MailKind::kReminder || kind == MailKind::kRefused ||
           kind == MailKind::kCancelled || kind == MailKind::kItemsWithdrawn ||
           kind == MailKind::kExpired;
  }
};

}  // namespace contacts

#endif  // CONTACTS_CORE_DOMAIN_OUTBOX_MAIL_H_
