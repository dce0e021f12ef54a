#include "core/workflow/notification.h"

#include <set>

#include "core/workflow/change.h"

namespace contacts {

std::vector<OutboxMail> MailsOfOverride(const ContactOverride& record, const std::string& cause,
                                        absl::Time now) {
  std::set<AccountId> concerned;
  for (const OverrideItem& item : record.items) {
    if (item.moves()) concerned.insert({item.old_contact, item.new_contact});
  }
  std::vector<OutboxMail> mails;
  for (const AccountId& account : concerned) {
    mails.push_back({.kind = MailKind::kOverride,
                     .subject = record.id,
                     .recipient = account,
                     .cause = cause,
                     .create_time = now});
  }
  return mails;
}

OutboxMail MailOfAddressChange(const Account& before, const std::string& cause, absl::Time now) {
  return {.kind = MailKind::kProfileChanged,
          .recipient = before.id,
          .address = before.email,
          .cause = cause,
          .create_time = now};
}

std::set<ServiceId> AdminRolesTold(const OutboxMail& mail, const ContactChange* change,
                                   const ContactOverride* record) {
  std::set<ServiceId> services;
  if (mail.kind == MailKind::kDone && change != nullptr && change->new_contact == mail.recipient) {
    for (const ChangeItem& item : change->items) {
      const bool got = item.role == Role::kAdmin && item.outcome == ItemOutcome::kApplied;
      if (got) services.insert(item.service);
    }
  }
  if (mail.kind == MailKind::kOverride && record != nullptr) {
    for (const OverrideItem& item : record->items) {
      const bool got = item.role == Role::kAdmin && item.new_contact == mail.recipient;
      if (got && item.moves()) services.insert(item.service);
    }
  }
  return services;
}

std::vector<OutboxMail> MailsOfAskedAddress(const Account& account, const std::string& cause,
                                            absl::Time now) {
  const PendingEmail& pending = account.pending;
  return {{.kind = MailKind::kConfirmEmail,
           .recipient = account.id,
           .address = pending.address,
           .generation = pending.generation,
           .cause = cause,
           .sender = account.id,
           .create_time = now},
          {.kind = MailKind::kEmailAsked,
           .recipient = account.id,
           .address = account.email,
           .masked_address = MaskEmail(pending.address),
           .cause = cause,
           .create_time = now}};
}

bool IsStillWanted(const OutboxMail& mail, const Account& recipient, const ContactChange* change,
                   absl::Time now) {
  if (mail.kind == MailKind::kConfirmEmail) {
    const PendingEmail& pending = recipient.pending;
    return pending.address == mail.address && pending.generation == mail.generation &&
           now < pending.expire_time;
  }
  if (!mail.IsValidation()) return true;
  if (change == nullptr || StateAt(*change, now) != ChangeState::kValidating) return false;
  const Validation* validation = change->FindValidation(mail.recipient);
  return validation != nullptr && validation->state == ValidationState::kPending &&
         validation->generation == mail.generation;
}

}  // namespace contacts
