#ifndef CONTACTS_TESTS_UNIT_CORE_LETTER_RENDER_FACTS_H_
#define CONTACTS_TESTS_UNIT_CORE_LETTER_RENDER_FACTS_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/letter/render.h"

// The facts of one change and one override, and the e-mails about them.
namespace contacts {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

inline constexpr char kRequester[] = "aa123456-ovh";
inline constexpr char kNewContact[] = "bb234567-ovh";
inline constexpr char kOldContact[] = "cc345678-ovh";
inline constexpr char kToken[] = "7H2KQ-0M9XT-4RWVB-E8N3C-ZJ5PD-G";
// 1 June 2026, 14:05 UTC, a Monday.
inline const absl::Time kNow = absl::FromUnixSeconds(1780322700);

inline MailRenderer Renderer() {
  return MailRenderer({.from = "contacts@example.net",
                       .from_name = "",
                       .link_url = "https://example.net/{contact_change_id}?t={token}&a={answer}",
                       .confirm_url = "https://example.net/confirm?t={token}&l={language}"});
}

inline ItemOutcome UsualOutcome(MailKind kind) {
  switch (kind) {
    case MailKind::kValidation:
    case MailKind::kReminder: return ItemOutcome::kPending;
    case MailKind::kDone:
    case MailKind::kRolesLost: return ItemOutcome::kApplied;
    case MailKind::kAborted: return ItemOutcome::kSkippedServiceRemoved;
    default: return ItemOutcome::kNotApplied;
  }
}

// The tech role of example.com goes from the old to the new contact.
inline MailFacts Facts(MailKind kind, const std::string& recipient,
                       const std::string& language = "en") {
  MailFacts facts;
  facts.mail = {.id = *Uuid::Parse("0197c3a0-0000-7000-8000-000000000001"),
                .kind = kind,
                .subject = *Uuid::Parse("0197c3a0-0000-7000-8000-00000000000c"),
                .recipient = AccountId(recipient),
                .address = "old@example.org",
                .generation = 1,
                .create_time = kNow};
  facts.recipient.id = AccountId(recipient);
  facts.recipient.email = "jane@example.org";
  facts.recipient.language = language;
  ContactChange change;
  change.id = facts.mail.subject;
  change.requester = AccountId(kRequester);
  change.new_contact = AccountId(kNewContact);
  change.items = {{.service = ServiceId("example.com"),
                   .role = Role::kTech,
                   .old_contact = AccountId(kOldContact),
                   .outcome = UsualOutcome(kind)}};
  change.validations = {{.account = change.requester}, {.account = change.new_contact}};
  change.expire_time = kNow + absl::Hours(24);
  if (UsualOutcome(kind) != ItemOutcome::kPending) change.close_time = kNow;
  facts.change = change;
  if (UsualOutcome(kind) == ItemOutcome::kPending) facts.token = kToken;
  return facts;
}

inline MailFacts OverrideFacts(const std::string& recipient, const std::string& language = "en") {
  MailFacts facts = Facts(MailKind::kOverride, recipient, language);
  facts.change.reset();
  facts.override_record = ContactOverride{
      .id = facts.mail.subject,
      .reason = "the former contact has left",
      .create_time = kNow,
      .items = {
          {ServiceId("example.com"), Role::kAdmin, AccountId(kOldContact), AccountId(kNewContact)},
          {ServiceId("unrelated.example"), Role::kAdmin, AccountId("dd4-ovh"),
           AccountId("ee5-ovh")}}};
  return facts;
}

// An e-mail about the recipient's profile.
inline MailFacts ProfileFacts(MailKind kind, const std::string& language = "en") {
  MailFacts facts = Facts(kind, kRequester, language);
  facts.change.reset();
  facts.mail.subject = Uuid();
  facts.mail.masked_address = "j***@new.example";
  facts.recipient.pending.expire_time = kNow + absl::Hours(24);
  if (kind == MailKind::kConfirmEmail) facts.token = kToken;
  return facts;
}

inline RenderedMail Render(const MailFacts& facts) {
  absl::StatusOr<RenderedMail> mail = Renderer().Render(facts, kNow);
  EXPECT_TRUE(mail.ok()) << mail.status();
  return mail.ok() ? *mail : RenderedMail();
}

}  // namespace contacts

#endif  // CONTACTS_TESTS_UNIT_CORE_LETTER_RENDER_FACTS_H_
