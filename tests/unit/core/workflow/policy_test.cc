// Who may change what: the policy table of the rules, row by row.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/workflow/assignments.h"
#include "tests/testing/reasons.h"

namespace contacts {
namespace {

using ::testing::ElementsAre;
using testing::HasReason;
using ::testing::IsEmpty;
using testing::OverdueOf;
using ::testing::SizeIs;
using testing::ViolationsOf;
using enum Role;

// On "shop.example" three accounts hold a role each; the others hold several.
constexpr char kMarie[] = "aa1-ovh";    // Admin.
constexpr char kThomas[] = "bb2-ovh";   // Tech.
constexpr char kBill[] = "cc3-ovh";     // Billing.
constexpr char kDana[] = "dd4-ovh";     // Nothing.
constexpr char kNoMail[] = "ee5-ovh";   // Exists, without an e-mail address.
constexpr char kUnknown[] = "zz9-ovh";  // Does not exist.
constexpr char kShop[] = "shop.example";
constexpr char kDuo[] = "duo.example";    // Thomas is both tech and billing.
constexpr char kSolo[] = "solo.example";  // Marie is all three.
constexpr char kPair[] = "pair.example";  // Marie is admin and tech.
constexpr char kGone[] = "gone.example";  // Does not exist.

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

void AddService(AskFacts& facts, const char* id, const char* admin, const char* tech,
                const char* billing) {
  Service service;
  service.id = ServiceId(id);
  service.admin = AccountId(admin);
  service.tech = AccountId(tech);
  service.billing = AccountId(billing);
  facts.services.emplace(service.id, service);
}

AskFacts FactsFor(const std::string& requester) {
  AskFacts facts;
  facts.requester = AccountId(requester);
  AddService(facts, kShop, kMarie, kThomas, kBill);
  AddService(facts, kDuo, kMarie, kThomas, kThomas);
  AddService(facts, kSolo, kMarie, kMarie, kMarie);
  AddService(facts, kPair, kMarie, kMarie, kBill);
  for (const char* id : {kMarie, kThomas, kBill, kDana, kNoMail}) {
    Account account;
    account.id = AccountId(id);
    if (id != kNoMail) account.email = std::string(id) + "@mail.example";
    facts.accounts.emplace(account.id, account);
  }
  return facts;
}

void SetOverdue(AskFacts& facts, const char* account) {
  facts.accounts.at(AccountId(account)).standing = BillingStanding::kOverdue;
}

Assignment Move(const char* service, Role role, const char* new_contact) {
  return {ServiceId(service), role, AccountId(new_contact)};
}

std::vector<ContactChange> Plan(const std::vector<Assignment>& assignments, const AskFacts& facts,
                                const Settings& settings = {}) {
  return PlanChanges(assignments, facts, "k1", kNow, settings);
}

// --- The table ---------------------------------------------------------------

struct Row {
  const char* name;
  const char* service;
  const char* requester;
  Role role;
  const char* new_contact;
  const char* reason;                   // "" where it is allowed.
  std::vector<std::string> validators;  // Where it is allowed.
};

std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

class PolicyTable : public ::testing::TestWithParam<Row> {};

TEST_P(PolicyTable, Row) {
  const Row& row = GetParam();
  const AskFacts facts = FactsFor(row.requester);
  const std::vector<Assignment> assignments = {Move(row.service, row.role, row.new_contact)};
  ASSERT_THAT(CheckAssignments(assignments, facts), HasReason(row.reason));
  if (*row.reason != '\0') return;
  const std::vector<ContactChange> changes = Plan(assignments, facts);
  ASSERT_THAT(changes, SizeIs(1));
  std::vector<std::string> validators;
  for (const Validation& validation : changes[0].validations) {
    validators.push_back(validation.account.text());
  }
  EXPECT_EQ(validators, row.validators);
}

constexpr char kNotFound[] = "SERVICE_NOT_FOUND";
constexpr char kNotAllowed[] = "ROLE_NOT_ALLOWED";
constexpr char kNoAccount[] = "ACCOUNT_NOT_FOUND";
constexpr char kUnchanged[] = "CONTACT_UNCHANGED";
constexpr char kAllowed[] = "";

const Row kRows[] = {
    // The admin contact: any role, to anyone.
    {"AdminMovesTechToAnother", kShop, kMarie, kTech, kDana, kAllowed, {kMarie, kDana}},
    {"AdminMovesBillingToAnother", kShop, kMarie, kBilling, kDana, kAllowed, {kMarie, kDana}},
    {"AdminMovesAdminToAnother", kShop, kMarie, kAdmin, kDana, kAllowed, {kMarie, kDana}},
    {"AdminMovesAdminToTechContact", kShop, kMarie, kAdmin, kThomas, kAllowed, {kMarie, kThomas}},
    {"AdminMovesTechToBillingContact", kShop, kMarie, kTech, kBill, kAllowed, {kMarie, kBill}},
    {"AdminTakesTechOverAlone", kShop, kMarie, kTech, kMarie, kAllowed, {kMarie}},
    {"AdminTakesBillingOverAlone", kShop, kMarie, kBilling, kMarie, kAllowed, {kMarie}},
    {"AdminKeepsAdmin", kShop, kMarie, kAdmin, kMarie, kUnchanged, {}},
    {"AdminGivesTechToItsHolder", kShop, kMarie, kTech, kThomas, kUnchanged, {}},
    {"AdminGivesBillingToItsHolder", kShop, kMarie, kBilling, kBill, kUnchanged, {}},
    // The tech contact: only its own role.
    {"TechMovesTechToAnother", kShop, kThomas, kTech, kDana, kAllowed, {kThomas, kDana}},
    {"TechMovesTechToAdmin", kShop, kThomas, kTech, kMarie, kAllowed, {kThomas, kMarie}},
    {"TechKeepsTech", kShop, kThomas, kTech, kThomas, kUnchanged, {}},
    {"TechMovesAdminToAnother", kShop, kThomas, kAdmin, kDana, kNotAllowed, {}},
    {"TechTakesAdminOver", kShop, kThomas, kAdmin, kThomas, kNotAllowed, {}},
    {"TechMovesBillingToAnother", kShop, kThomas, kBilling, kDana, kNotAllowed, {}},
    {"TechTakesBillingOver", kShop, kThomas, kBilling, kThomas, kNotAllowed, {}},
    // The billing contact: only its own role.
    {"BillingMovesBillingToAnother", kShop, kBill, kBilling, kDana, kAllowed, {kBill, kDana}},
    {"BillingMovesBillingToAdmin", kShop, kBill, kBilling, kMarie, kAllowed, {kBill, kMarie}},
    {"BillingKeepsBilling", kShop, kBill, kBilling, kBill, kUnchanged, {}},
    {"BillingMovesAdminToAnother", kShop, kBill, kAdmin, kDana, kNotAllowed, {}},
    {"BillingTakesAdminOver", kShop, kBill, kAdmin, kBill, kNotAllowed, {}},
    {"BillingMovesTechToAnother", kShop, kBill, kTech, kDana, kNotAllowed, {}},
    {"BillingTakesTechOver", kShop, kBill, kTech, kBill, kNotAllowed, {}},
    // No role: the error says nothing about the service.
    {"StrangerMovesAdmin", kShop, kDana, kAdmin, kThomas, kNotFound, {}},
    {"StrangerMovesTech", kShop, kDana, kTech, kBill, kNotFound, {}},
    {"StrangerMovesBilling", kShop, kDana, kBilling, kThomas, kNotFound, {}},
    {"StrangerTakesTechOver", kShop, kDana, kTech, kDana, kNotFound, {}},
    {"StrangerGivesTechToItsHolder", kShop, kDana, kTech, kThomas, kNotFound, {}},
    {"AnyoneOnMissingService", kGone, kMarie, kTech, kDana, kNotFound, {}},
    // Several roles: the union of their rights.
    {"TechAndBillingMovesTech", kDuo, kThomas, kTech, kDana, kAllowed, {kThomas, kDana}},
    {"TechAndBillingMovesBilling", kDuo, kThomas, kBilling, kDana, kAllowed, {kThomas, kDana}},
    {"TechAndBillingMovesAdmin", kDuo, kThomas, kAdmin, kDana, kNotAllowed, {}},
    {"AdminAndTechMovesBilling", kPair, kMarie, kBilling, kDana, kAllowed, {kMarie, kDana}},
    {"AdminAndTechMovesTech", kPair, kMarie, kTech, kDana, kAllowed, {kMarie, kDana}},
    {"HolderOfAllMovesAdmin", kSolo, kMarie, kAdmin, kDana, kAllowed, {kMarie, kDana}},
    {"HolderOfAllMovesTech", kSolo, kMarie, kTech, kDana, kAllowed, {kMarie, kDana}},
    {"HolderOfAllMovesBilling", kSolo, kMarie, kBilling, kDana, kAllowed, {kMarie, kDana}},
    {"HolderOfAllKeepsTech", kSolo, kMarie, kTech, kMarie, kUnchanged, {}},
    // The new contact must exist and have an e-mail address.
    {"AdminMovesTechToMissingAccount", kShop, kMarie, kTech, kUnknown, kNoAccount, {}},
    {"AdminMovesTechToAccountWithoutEmail", kShop, kMarie, kTech, kNoMail, kNoAccount, {}},
};

INSTANTIATE_TEST_SUITE_P(WhoMayChangeWhat, PolicyTable, ::testing::ValuesIn(kRows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Policy, RightsOnOneServiceGiveNoneOnAnother) {
  AskFacts facts = FactsFor(kBill);
  EXPECT_THAT(CheckAssignments({Move(kShop, kBilling, kDana)}, facts), HasReason(kAllowed));
  EXPECT_THAT(CheckAssignments({Move(kDuo, kBilling, kDana)}, facts), HasReason(kNotFound));
}

TEST(Policy, EveryRoleNeedsGoodStandingOfItsOldAndItsNewContactIfTheSettingSaysSo) {
  for (const Role role : kRoles) {
    for (const char* overdue : {kMarie, kThomas, kBill, kDana}) {
      AskFacts facts = FactsFor(kMarie);
      SetOverdue(facts, overdue);
      const AccountId& old_contact = facts.services.at(ServiceId(kShop)).holder(role);
      const bool counts = old_contact == AccountId(overdue) || overdue == std::string(kDana);
      const std::vector<Assignment> ask = {Move(kShop, role, kDana)};
      EXPECT_THAT(CheckAssignments(ask, facts),
                  HasReason(counts && role == kBilling ? "BILLING_OVERDUE" : kAllowed));
      facts.standing_for_every_role = true;
      EXPECT_THAT(CheckAssignments(ask, facts), HasReason(counts ? "BILLING_OVERDUE" : kAllowed));
    }
  }
}

// --- The order of reasons ----------------------------------------------------

TEST(ReasonsOrder, ServiceNotFoundComesBeforeEverythingElse) {
  AskFacts facts = FactsFor(kDana);
  facts.pending.emplace(ServiceRole{ServiceId(kShop), kBilling}, std::nullopt);
  SetOverdue(facts, kBill);
  EXPECT_THAT(CheckAssignments({Move(kShop, kBilling, kUnknown)}, facts), HasReason(kNotFound));
  EXPECT_THAT(CheckAssignments({Move(kShop, kBilling, kBill)}, facts), HasReason(kNotFound));
}

TEST(ReasonsOrder, RoleNotAllowedComesBeforeAccountNotFound) {
  EXPECT_THAT(CheckAssignments({Move(kShop, kAdmin, kUnknown)}, FactsFor(kThomas)),
              HasReason(kNotAllowed));
}

TEST(ReasonsOrder, RoleNotAllowedComesBeforeContactUnchanged) {
  EXPECT_THAT(CheckAssignments({Move(kShop, kAdmin, kMarie)}, FactsFor(kThomas)),
              HasReason(kNotAllowed));
}

TEST(ReasonsOrder, AccountNotFoundComesBeforeContactUnchanged) {
  AskFacts facts = FactsFor(kMarie);
  facts.services.at(ServiceId(kShop)).tech = AccountId(kNoMail);
  EXPECT_THAT(CheckAssignments({Move(kShop, kTech, kNoMail)}, facts), HasReason(kNoAccount));
}

TEST(ReasonsOrder, ContactUnchangedComesBeforeChangeAlreadyPending) {
  AskFacts facts = FactsFor(kMarie);
  facts.pending.emplace(ServiceRole{ServiceId(kShop), kTech}, std::nullopt);
  EXPECT_THAT(CheckAssignments({Move(kShop, kTech, kThomas)}, facts), HasReason(kUnchanged));
}

TEST(ReasonsOrder, ChangeAlreadyPendingComesBeforeBillingOverdue) {
  AskFacts facts = FactsFor(kMarie);
  facts.pending.emplace(ServiceRole{ServiceId(kShop), kBilling}, std::nullopt);
  SetOverdue(facts, kBill);
  EXPECT_THAT(CheckAssignments({Move(kShop, kBilling, kDana)}, facts),
              HasReason("CHANGE_ALREADY_PENDING"));
}

// --- One pending change for a role --------------------------------------------

TEST(Pending, SecondChangeOfSameRoleIsRefused) {
  AskFacts facts = FactsFor(kMarie);
  facts.pending.emplace(ServiceRole{ServiceId(kShop), kTech}, std::nullopt);
  EXPECT_THAT(CheckAssignments({Move(kShop, kTech, kDana)}, facts),
              HasReason("CHANGE_ALREADY_PENDING"));
}

TEST(Pending, OtherRoleAndOtherServiceAreFree) {
  AskFacts facts = FactsFor(kMarie);
  facts.pending.emplace(ServiceRole{ServiceId(kShop), kTech}, std::nullopt);
  EXPECT_THAT(CheckAssignments({Move(kShop, kAdmin, kDana), Move(kDuo, kTech, kDana)}, facts),
              HasReason(kAllowed));
}

// --- Billing standing ----------------------------------------------------------

TEST(Billing, OldBillingContactOverdueIsRefusedAndNamed) {
  AskFacts facts = FactsFor(kMarie);
  SetOverdue(facts, kBill);
  const absl::Status status = CheckAssignments({Move(kShop, kBilling, kDana)}, facts);
  EXPECT_THAT(status, HasReason("BILLING_OVERDUE"));
  EXPECT_THAT(OverdueOf(status), ElementsAre(kBill));
}

TEST(Billing, NewBillingContactOverdueIsRefusedAndNamed) {
  AskFacts facts = FactsFor(kMarie);
  SetOverdue(facts, kDana);
  const absl::Status status = CheckAssignments({Move(kShop, kBilling, kDana)}, facts);
  EXPECT_THAT(status, HasReason("BILLING_OVERDUE"));
  EXPECT_THAT(OverdueOf(status), ElementsAre(kDana));
}

TEST(Billing, BothOverdueAreBothNamed) {
  AskFacts facts = FactsFor(kMarie);
  SetOverdue(facts, kBill);
  SetOverdue(facts, kDana);
  EXPECT_THAT(OverdueOf(CheckAssignments({Move(kShop, kBilling, kDana)}, facts)),
              ElementsAre(kBill, kDana));
}

TEST(Billing, OverdueAccountsOfAllAssignmentsAreNamedOnce) {
  AskFacts facts = FactsFor(kMarie);
  facts.services.at(ServiceId(kDuo)).billing = AccountId(kThomas);
  facts.services.at(ServiceId(kDuo)).admin = AccountId(kMarie);
  for (const char* account : {kBill, kThomas, kDana}) SetOverdue(facts, account);
  const absl::Status status =
      CheckAssignments({Move(kShop, kBilling, kDana), Move(kDuo, kBilling, kDana)}, facts);
  EXPECT_THAT(OverdueOf(status), ElementsAre(kBill, kDana, kThomas));
}

TEST(Billing, TakeoverByOverdueAdminIsRefused) {
  AskFacts facts = FactsFor(kMarie);
  SetOverdue(facts, kMarie);
  EXPECT_THAT(CheckAssignments({Move(kShop, kBilling, kMarie)}, facts),
              HasReason("BILLING_OVERDUE"));
}

TEST(Billing, StandingOfRequesterWhoIsNeitherOldNorNewDoesNotCount) {
  AskFacts facts = FactsFor(kMarie);
  SetOverdue(facts, kMarie);
  EXPECT_THAT(CheckAssignments({Move(kShop, kBilling, kDana)}, facts), HasReason(kAllowed));
}

TEST(Billing, StandingDoesNotCountForOtherRoles) {
  AskFacts facts = FactsFor(kMarie);
  for (const char* account : {kMarie, kThomas, kBill, kDana}) SetOverdue(facts, account);
  EXPECT_THAT(CheckAssignments({Move(kShop, kTech, kDana), Move(kShop, kAdmin, kDana)}, facts),
              HasReason(kAllowed));
}

// --- Every wrong assignment is listed -------------------------------------------

TEST(Violations, EveryWrongAssignmentIsListedOnceWithItsFieldAndFirstReason) {
  AskFacts facts = FactsFor(kMarie);
  facts.services.at(ServiceId(kDuo)).admin = AccountId(kDana);
  facts.services.at(ServiceId(kDuo)).billing = AccountId(kMarie);
  facts.pending.emplace(ServiceRole{ServiceId(kPair), kTech}, std::nullopt);
  SetOverdue(facts, kBill);
  const absl::Status status =
      CheckAssignments({Move(kShop, kAdmin, kDana),     // 0: fine.
                        Move(kDuo, kTech, kUnknown),    // 1: only billing there.
                        Move(kGone, kTech, kDana),      // 2
                        Move(kShop, kTech, kUnknown),   // 3
                        Move(kSolo, kTech, kMarie),     // 4
                        Move(kPair, kTech, kDana),      // 5
                        Move(kPair, kBilling, kDana)},  // 6
                       facts);
  EXPECT_THAT(ViolationsOf(status), ElementsAre("assignments[1].role ROLE_NOT_ALLOWED",
                                                "assignments[2].service SERVICE_NOT_FOUND",
                                                "assignments[3].new_contact ACCOUNT_NOT_FOUND",
                                                "assignments[4].new_contact CONTACT_UNCHANGED",
                                                "assignments[5].new_contact CHANGE_ALREADY_PENDING",
                                                "assignments[6].new_contact BILLING_OVERDUE"));
}

TEST(Violations, StatusIsThatOfFirstWrongAssignmentInRequestOrder) {
  const AskFacts facts = FactsFor(kMarie);
  const absl::Status unchanged_first =
      CheckAssignments({Move(kShop, kTech, kThomas), Move(kGone, kTech, kDana)}, facts);
  EXPECT_THAT(unchanged_first, HasReason(kUnchanged));
  EXPECT_EQ(unchanged_first.code(), absl::StatusCode::kFailedPrecondition);
  const absl::Status missing_first =
      CheckAssignments({Move(kGone, kTech, kDana), Move(kShop, kTech, kThomas)}, facts);
  EXPECT_THAT(missing_first, HasReason(kNotFound));
  EXPECT_EQ(missing_first.code(), absl::StatusCode::kNotFound);
}

TEST(Violations, NothingIsListedWhereAllIsWell) {
  EXPECT_THAT(ViolationsOf(CheckAssignments({Move(kShop, kTech, kDana)}, FactsFor(kMarie))),
              IsEmpty());
}

// --- Grouping by new contact ----------------------------------------------------

TEST(Grouping, OneChangeForEachNewContactInRequestOrder) {
  const AskFacts facts = FactsFor(kMarie);
  const std::vector<ContactChange> changes =
      Plan({Move(kSolo, kTech, kDana), Move(kShop, kTech, kMarie), Move(kShop, kBilling, kDana),
            Move(kDuo, kAdmin, kDana), Move(kShop, kAdmin, kBill)},
           facts);
  ASSERT_THAT(changes, SizeIs(3));
  EXPECT_EQ(changes[0].new_contact, AccountId(kDana));
  EXPECT_EQ(changes[1].new_contact, AccountId(kMarie));
  EXPECT_EQ(changes[2].new_contact, AccountId(kBill));
  EXPECT_THAT(changes[0].items, SizeIs(3));
  EXPECT_THAT(changes[1].items, SizeIs(1));
  EXPECT_THAT(changes[2].items, SizeIs(1));
}

TEST(Grouping, ItemsAreOrderedByServiceThenRoleAndKeepTheirOldContacts) {
  const std::vector<ContactChange> changes =
      Plan({Move(kShop, kBilling, kDana), Move(kShop, kAdmin, kDana), Move(kDuo, kTech, kDana)},
           FactsFor(kMarie));
  ASSERT_THAT(changes, SizeIs(1));
  std::vector<std::string> items;
  for (const ChangeItem& item : changes[0].items) {
    EXPECT_EQ(item.outcome, ItemOutcome::kPending);
    items.push_back(item.service.text() + " " + Name(item.role) + " " + item.old_contact.text());
  }
  EXPECT_THAT(items, ElementsAre("duo.example tech bb2-ovh", "shop.example admin aa1-ovh",
                                 "shop.example billing cc3-ovh"));
}

TEST(Grouping, ThreeHundredServicesToOneColleagueAreOneChangeOfTwoValidations) {
  AskFacts facts = FactsFor(kMarie);
  std::vector<Assignment> assignments;
  for (int i = 0; i < 300; ++i) {
    const std::string id = absl::StrCat("d", i, ".example");
    AddService(facts, id.c_str(), kMarie, kThomas, kBill);
    assignments.push_back(Move(id.c_str(), kTech, kDana));
  }
  const std::vector<ContactChange> changes = Plan(assignments, facts);
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_THAT(changes[0].items, SizeIs(300));
  EXPECT_THAT(changes[0].validations, SizeIs(2));
}

TEST(Planning, NewChangeIsValidatingAndExpiresSevenDaysAfterItWasAskedFor) {
  const std::vector<ContactChange> changes = Plan({Move(kShop, kTech, kDana)}, FactsFor(kMarie));
  ASSERT_THAT(changes, SizeIs(1));
  const ContactChange& change = changes[0];
  EXPECT_EQ(change.requester, AccountId(kMarie));
  EXPECT_EQ(change.state, ChangeState::kValidating);
  EXPECT_EQ(change.create_time, kNow);
  EXPECT_EQ(change.expire_time, kNow + absl::Hours(7 * 24));
  EXPECT_FALSE(change.close_time.has_value());
  for (const Validation& validation : change.validations) {
    EXPECT_EQ(validation.state, ValidationState::kPending);
    EXPECT_EQ(validation.generation, 1);
    EXPECT_EQ(validation.token_key_id, "k1");
    EXPECT_EQ(validation.wrong_tokens, 0);
  }
}

// --- The reminder ---------------------------------------------------------------

std::optional<absl::Duration> ReminderAfter(absl::Duration lifetime, absl::Duration lead) {
  Settings settings;
  settings.change_lifetime = lifetime;
  settings.reminder_lead = lead;
  const ContactChange change =
      Plan({Move(kShop, kTech, kDana)}, FactsFor(kMarie), settings).front();
  if (!change.remind_time) return std::nullopt;
  return *change.remind_time - kNow;
}

TEST(Reminder, IsDueTwoDaysBeforeTheChangeExpires) {
  EXPECT_EQ(ReminderAfter(absl::Hours(168), absl::Hours(48)), absl::Hours(120));
}

TEST(Reminder, LeadIsASetting) {
  EXPECT_EQ(ReminderAfter(absl::Hours(168), absl::Hours(24)), absl::Hours(144));
}

TEST(Reminder, IsSentWhereExactlyHalfOfItsLifeHasPassed) {
  EXPECT_EQ(ReminderAfter(absl::Hours(96), absl::Hours(48)), absl::Hours(48));
}

TEST(Reminder, IsNotSentWhereLessThanHalfOfItsLifeHasPassed) {
  EXPECT_EQ(ReminderAfter(absl::Hours(95), absl::Hours(48)), std::nullopt);
  EXPECT_EQ(ReminderAfter(absl::Hours(1), absl::Hours(48)), std::nullopt);
}

}  // namespace
}  // namespace contacts
