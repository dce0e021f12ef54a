#ifndef CONTACTS_TESTS_UNIT_CORE_WORKFLOW_CHANGE_CASES_H_
#define CONTACTS_TESTS_UNIT_CORE_WORKFLOW_CHANGE_CASES_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/workflow/change.h"
#include "tests/testing/names.h"
#include "tests/testing/reasons.h"

// Fixtures and readable results for the tests of the contact change's state machine.
namespace contacts::change_cases {

using ::testing::ElementsAre;
using testing::HasReason;
using ::testing::IsEmpty;
using testing::MailName;
using testing::OverdueOf;
using testing::RetryDelayOf;
using ::testing::SizeIs;
using enum Role;

inline const AccountId kMarie("aa1-ovh");   // Requester; admin of both services.
inline const AccountId kThomas("bb2-ovh");  // Tech of both services.
inline const AccountId kBill("cc3-ovh");    // Billing of both services.
inline const AccountId kDana("dd4-ovh");    // New contact.
inline const AccountId kEve("ee5-ovh");     // Somebody else.
inline const ServiceId kS0("s0.example");
inline const ServiceId kS1("s1.example");
inline const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);
inline const Settings kSettings;

// --- Results ---------------------------------------------------------------------

inline const char* EventName(EventType type) {
  switch (type) {
    case EventType::kRequested: return "REQUESTED";
    case EventType::kValidationSent: return "VALIDATION_SENT";
    case EventType::kValidationUndeliverable: return "VALIDATION_UNDELIVERABLE";
    case EventType::kAccepted: return "ACCEPTED";
    case EventType::kRefused: return "REFUSED";
    case EventType::kTokenRejected: return "TOKEN_REJECTED";
    case EventType::kResendRequested: return "RESEND_REQUESTED";
    case EventType::kDone: return "DONE";
    case EventType::kCancelled: return "CANCELLED";
    case EventType::kExpired: return "EXPIRED";
    case EventType::kAborted: return "ABORTED";
    case EventType::kItemsWithdrawn: return "ITEMS_WITHDRAWN";
  }
  return "";
}

// "TYPE by ACTOR about ACCOUNT -> STATE" of each event.
inline std::vector<std::string> EventsOf(const Transition& transition) {
  std::vector<std::string> lines;
  for (const ChangeEvent& event : transition.events) {
    std::string line = EventName(event.type);
    if (!event.actor.empty()) absl::StrAppend(&line, " by ", event.actor.text());
    if (event.by_staff) absl::StrAppend(&line, " by staff");
    if (!event.staff.empty()) absl::StrAppend(&line, " ", event.staff);
    if (!event.account.empty()) absl::StrAppend(&line, " about ", event.account.text());
    lines.push_back(absl::StrCat(line, " -> ", Name(event.state)));
  }
  return lines;
}

// "KIND RECIPIENT" of each e-mail, with the generation of those that have one.
inline std::vector<std::string> MailsOf(const Transition& transition) {
  std::vector<std::string> lines;
  for (const OutboxMail& mail : transition.mails) {
    std::string line = absl::StrCat(MailName(mail.kind), " ", mail.recipient.text());
    if (mail.generation != 0) absl::StrAppend(&line, " #", mail.generation);
    lines.push_back(line);
  }
  return lines;
}

inline std::string Printed(const std::optional<absl::Time>& time) {
  return time ? absl::StrCat(absl::ToUnixMicros(*time)) : "-";
}

// All of a change, to check that nothing of it has changed.
inline std::string Printed(const ContactChange& change) {
  std::string text = absl::StrCat(Name(change.state), " ", Printed(change.close_time), " ",
                                  Printed(change.remind_time), " ", Printed(change.expire_time),
                                  " ", change.event_count, "\n");
  for (const ChangeItem& item : change.items) {
    absl::StrAppend(&text, item.service.text(), " ", Name(item.role), " ", item.old_contact.text(),
                    " ", static_cast<int>(item.outcome), "\n");
  }
  for (const Validation& v : change.validations) {
    absl::StrAppend(&text, v.account.text(), " ", static_cast<int>(v.state), " ",
                    Printed(v.decide_time), " ", v.refuse_reason, " ", v.generation, " ",
                    v.token_key_id, " ", v.wrong_tokens, " ", v.own_resends.in_day, " ",
                    v.other_resends.in_day, " ", v.email_hint, " ", Printed(v.email_send_time),
                    "\n");
  }
  return text;
}

inline std::vector<ItemOutcome> OutcomesOf(const ContactChange& change) {
  std::vector<ItemOutcome> outcomes;
  for (const ChangeItem& item : change.items) outcomes.push_back(item.outcome);
  return outcomes;
}

inline void ExpectNothingHappened(const Transition& transition, const ContactChange& before,
                                  const ContactChange& after) {
  EXPECT_FALSE(transition.save);
  EXPECT_THAT(EventsOf(transition), IsEmpty());
  EXPECT_THAT(MailsOf(transition), IsEmpty());
  EXPECT_EQ(Printed(after), Printed(before));
}

// --- Fixtures --------------------------------------------------------------------

inline Service MakeService(const ServiceId& id) {
  Service service;
  service.id = id;
  service.admin = kMarie;
  service.tech = kThomas;
  service.billing = kBill;
  return service;
}

inline EffectFacts Facts() {
  EffectFacts facts;
  facts.services.emplace(kS0, MakeService(kS0));
  facts.services.emplace(kS1, MakeService(kS1));
  return facts;
}

// Marie asks that Dana get `role` of s0 and of s1.
inline ContactChange Asked(Role role = kTech, const AccountId& new_contact = kDana) {
  AskFacts facts;
  facts.requester = kMarie;
  facts.services = Facts().services;
  ContactChange change = PlanChanges({{kS0, role, new_contact}, {kS1, role, new_contact}}, facts,
                                     "k1", kNow, kSettings)
                             .front();
  change.id = *Uuid::Parse("01890a5d-ac96-774b-bcce-b302099a8057");
  Request(change, kNow);
  return change;
}

inline Transition AcceptBy(ContactChange& change, const AccountId& account,
                           const EffectFacts& facts = Facts(), absl::Time now = kNow) {
  return Accept(change, account, TokenCheck::kRight, facts, now, kSettings);
}

inline Transition AcceptWrongly(ContactChange& change, const AccountId& account,
                                const Settings& settings = kSettings) {
  return Accept(change, account, TokenCheck::kWrong, Facts(), kNow, settings);
}

inline Transition RefuseBy(ContactChange& change, const AccountId& account,
                           const std::string& reason = "not mine") {
  return Refuse(change, account, TokenCheck::kRight, reason, kNow, kSettings);
}

inline bool Every(const ChangeItem&) { return true; }
inline bool OnS0(const ChangeItem& item) { return item.service == kS0; }

// Dana may give the last acceptance.
inline ContactChange AcceptedByMarie(Role role = kTech) {
  ContactChange change = Asked(role);
  AcceptBy(change, kMarie);
  return change;
}
}  // namespace contacts::change_cases

#endif  // CONTACTS_TESTS_UNIT_CORE_WORKFLOW_CHANGE_CASES_H_
