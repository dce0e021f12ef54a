#ifndef CONTACTS_TESTS_TESTING_NAMES_H_
#define CONTACTS_TESTS_TESTING_NAMES_H_

#include "core/domain/outbox_mail.h"

namespace contacts::testing {

// How tests write the kind of an e-mail.
inline const char* MailName(MailKind kind) {
  switch (kind) {
    case MailKind::kValidation: return "VALIDATION";
    case MailKind::kReminder: return "REMINDER";
    case MailKind::kDone: return "DONE";
    case MailKind::kRolesLost: return "ROLES_LOST";
    case MailKind::kRefused: return "REFUSED";
    case MailKind::kCancelled: return "CANCELLED";
    case MailKind::kExpired: return "EXPIRED";
    case MailKind::kAborted: return "ABORTED";
    case MailKind::kProfileChanged: return "PROFILE_CHANGED";
    case MailKind::kItemsWithdrawn: return "ITEMS_WITHDRAWN";
    case MailKind::kOverride: return "OVERRIDE";
    case MailKind::kConfirmEmail: return "CONFIRM_EMAIL";
    case MailKind::kEmailAsked: return "EMAIL_ASKED";
  }
  return "";
}

}  // namespace contacts::testing

#endif  // CONTACTS_TESTS_TESTING_NAMES_H_
