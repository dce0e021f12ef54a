#include "core/letter/samples.h"

#include "absl/strings/str_cat.h"

namespace contacts {
namespace {

const AccountId& Requester() {
  static const auto& id = *new AccountId("aa123456-ovh");
  return id;
}
const AccountId& NewContact() {
  static const auto& id = *new AccountId("bb234567-ovh");
  return id;
}
const AccountId& OldContact() {
  static const auto& id = *new AccountId("cc345678-ovh");
  return id;
}
// 1 June 2026, 14:05 UTC.
const absl::Time kThen = absl::FromUnixSeconds(1780322700);

ChangeItem Item(const std::string& service, Role role, ItemOutcome outcome) {
  return {
      .service = ServiceId(service), .role = role, .old_contact = OldContact(), .outcome = outcome};
}

MailFacts About(MailKind kind, const AccountId& recipient) {
  MailFacts facts;
  facts.mail = {.id = *Uuid::Parse("0197c3a0-0000-7000-8000-000000000001"),
                .kind = kind,
                .recipient = recipient,
                .address = "jane@example.com",
                .masked_address = "j***@example.net",
                .generation = 1,
                .create_time = kThen};
  facts.recipient.id = recipient;
  facts.recipient.email = "jane@example.com";
  if (facts.mail.HasToken()) facts.token = "7H2KQ-0M9XT-4RWVB-E8N3C-ZJ5PD-G";
  return facts;
}

MailFacts OfChange(MailKind kind, const AccountId& recipient, ItemOutcome outcome) {
  MailFacts facts = About(kind, recipient);
  facts.mail.subject = *Uuid::Parse("0197c3a0-0000-7000-8000-00000000000c");
  ContactChange& change = facts.change.emplace();
  change.id = facts.mail.subject;
  change.requester = Requester();
  change.new_contact = NewContact();
  change.items = {Item("example.com", Role::kTech, outcome)};
  change.validations = {{.account = Requester()}, {.account = NewContact()}};
  change.expire_time = kThen + absl::Hours(7 * 24);
  if (outcome != ItemOutcome::kPending) change.close_time = kThen;
  return facts;
}

// The requester asked for the roles itself.
MailFacts TakeOver(MailFacts facts) {
  facts.change->new_contact = Requester();
  facts.change->validations.pop_back();
  return facts;
}

PendingItem Pending() {
  return {.role = {ServiceId("pending.example"), Role::kBilling},
          .requester = AccountId("dd456789-ovh"),
          .new_contact = AccountId("ee567890-ovh")};
}

MailFacts ManyServices() {
  MailFacts facts = OfChange(MailKind::kValidation, NewContact(), ItemOutcome::kPending);
  facts.change->items.clear();
  for (int i = 1; i <= 300; ++i) {
    const std::string service = absl::StrCat("shop-", 1000 + i, ".example");
    for (const Role role : {Role::kAdmin, Role::kTech, Role::kBilling}) {
      facts.change->items.push_back(Item(service, role, ItemOutcome::kPending));
    }
  }
  facts.change->validations[0].state = ValidationState::kAccepted;
  return facts;
}

MailFacts Skipped() {
  MailFacts facts = OfChange(MailKind::kDone, NewContact(), ItemOutcome::kApplied);
  for (const auto& [service, outcome] :
       {std::pair("changed.example", ItemOutcome::kSkippedContactChanged),
        {"gone.example", ItemOutcome::kSkippedServiceRemoved},
        {"lost.example", ItemOutcome::kSkippedAuthorityLost}}) {
    facts.change->items.push_back(Item(service, Role::kAdmin, outcome));
  }
  facts.change->items.push_back(Item("other.example", Role::kBilling, ItemOutcome::kApplied));
  facts.pending = {Pending()};
  return facts;
}

// The other validator refused.
MailFacts Refused(const AccountId& recipient, const std::string& reason) {
  MailFacts facts = OfChange(MailKind::kRefused, recipient, ItemOutcome::kNotApplied);
  Validation& answer = facts.change->validations[recipient == Requester() ? 1 : 0];
  answer.state = ValidationState::kRefused;
  answer.refuse_reason = reason;
  return facts;
}

MailFacts Aborted(ItemOutcome outcome, const std::string& reason) {
  MailFacts facts = OfChange(MailKind::kAborted, Requester(), outcome);
  facts.change->abort_reason = reason;
  return facts;
}

MailFacts Withdrawn() {
  MailFacts facts = OfChange(MailKind::kItemsWithdrawn, NewContact(), ItemOutcome::kWithdrawn);
  facts.change->items[0].withdrawn_by = AccountId("dd456789-ovh");
  facts.change->items.push_back(Item("left.example", Role::kTech, ItemOutcome::kPending));
  return facts;
}

MailFacts Override() {
  MailFacts facts = About(MailKind::kOverride, OldContact());
  facts.mail.subject = *Uuid::Parse("0197c3a0-0000-7000-8000-00000000000d");
  facts.override_record = ContactOverride{
      .id = facts.mail.subject,
      .reason = "The former contact has left the company.\nTicket 4711 <closed> & filed.",
      .create_time = kThen,
      .items = {{ServiceId("example.com"), Role::kAdmin, OldContact(), NewContact()},
                {ServiceId("example.com"), Role::kBilling, NewContact(), OldContact()}}};
  facts.pending = {Pending()};
  return facts;
}

MailFacts ConfirmEmail() {
  MailFacts facts = About(MailKind::kConfirmEmail, Requester());
  facts.recipient.pending.expire_time = kThen + absl::Hours(24);
  return facts;
}

std::vector<Sample> MakeSamples() {
  using Kind = MailKind;
  using Outcome = ItemOutcome;
  const AccountId &requester = Requester(), &taker = NewContact(), &old = OldContact();
  const auto validation = OfChange(Kind::kValidation, requester, Outcome::kPending);
  const auto expired = OfChange(Kind::kExpired, requester, Outcome::kNotApplied);
  const auto done = OfChange(Kind::kDone, requester, Outcome::kApplied);
  return {
      {"validation", OfChange(Kind::kValidation, taker, Outcome::kPending)},
      {"validation-of-requester", validation},
      {"validation-of-take-over", TakeOver(validation)},
      {"validation-of-many", ManyServices()},
      {"reminder", OfChange(Kind::kReminder, requester, Outcome::kPending)},
      {"done", done},
      {"done-take-over", TakeOver(done)},
      {"done-skipped", Skipped()},
      {"roles-lost", OfChange(Kind::kRolesLost, old, Outcome::kApplied)},
      {"roles-lost-of-requester",
       [&] {
         MailFacts facts = OfChange(Kind::kRolesLost, requester, Outcome::kApplied);
         facts.change->items[0].old_contact = requester;
         return facts;
       }()},
      {"refused", Refused(requester, "We keep this domain.\nSee <our> terms & conditions.")},
      {"refused-without-reason", Refused(requester, "")},
      {"refused-by-other", Refused(taker, "")},
      {"cancelled", OfChange(Kind::kCancelled, taker, Outcome::kNotApplied)},
      {"cancelled-by-admin", OfChange(Kind::kCancelled, requester, Outcome::kNotApplied)},
      {"expired", expired},
      {"expired-take-over", TakeOver(expired)},
      {"aborted", Aborted(Outcome::kSkippedServiceRemoved, "")},
      {"aborted-account-closed", Aborted(Outcome::kNotApplied, "")},
      {"aborted-by-support", Aborted(Outcome::kNotApplied, "The domain is disputed.")},
      {"profile-changed", About(Kind::kProfileChanged, requester)},
      {"override", Override()},
      {"confirm-email", ConfirmEmail()},
      {"email-asked", About(Kind::kEmailAsked, requester)},
      {"items-withdrawn", Withdrawn()},
  };
}

}  // namespace

const std::vector<Sample>& Samples() {
  static const auto& samples = *new std::vector<Sample>(MakeSamples());
  return samples;
}

}  // namespace contacts
