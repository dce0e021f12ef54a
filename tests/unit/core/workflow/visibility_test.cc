#include "core/workflow/visibility.h"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

namespace contacts {
namespace {

const AccountId kRequester("aa1-ovh");
const AccountId kNew("bb2-ovh");
const AccountId kAdmin("cc3-ovh");
const AccountId kOld("dd4-ovh");
const AccountId kStranger("ee5-ovh");
const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

ContactChange Change(ChangeState state, ItemOutcome outcome) {
  ContactChange change;
  change.requester = kRequester;
  change.new_contact = kNew;
  change.state = state;
  change.expire_time = kNow + absl::Hours(1);
  change.items = {{.service = ServiceId("s.example"), .old_contact = kOld, .outcome = outcome}};
  for (const AccountId& account : {kRequester, kNew}) {
    change.validations.push_back(
        {.account = account, .email_send_time = kNow, .email_hint = "j***@example.com"});
  }
  return change;
}

TEST(VisibilityTest, AChangeConcernsItsPartiesAndThePresentAdmins) {
  const ContactChange change = Change(ChangeState::kValidating, ItemOutcome::kPending);
  EXPECT_TRUE(Concerns(change, {kAdmin}, kRequester));
  EXPECT_TRUE(Concerns(change, {kAdmin}, kNew));
  EXPECT_TRUE(Concerns(change, {kAdmin}, kAdmin));
  EXPECT_FALSE(Concerns(change, {}, kAdmin));
  EXPECT_FALSE(Concerns(change, {kAdmin}, kStranger));
}

TEST(VisibilityTest, ARemovedServiceHasNoAdminWhoSeesIt) {
  EXPECT_FALSE(Concerns(Change(ChangeState::kValidating, ItemOutcome::kPending), {AccountId()},
                        AccountId()));
}

TEST(VisibilityTest, AnOldContactSeesTheChangeOnceItLostTheRole) {
  EXPECT_TRUE(Concerns(Change(ChangeState::kDone, ItemOutcome::kApplied), {}, kOld));
  EXPECT_FALSE(Concerns(Change(ChangeState::kDone, ItemOutcome::kSkippedAuthorityLost), {}, kOld));
  EXPECT_FALSE(Concerns(Change(ChangeState::kValidating, ItemOutcome::kPending), {}, kOld));
}

TEST(VisibilityTest, AnAccountMadeAgainUnderADeletedOnesIdSeesNothingOfWhatCameBefore) {
  ContactChange change = Change(ChangeState::kDone, ItemOutcome::kApplied);
  change.requester_gone = change.new_contact_gone = change.items[0].old_contact_gone = true;
  for (const AccountId& account : {kRequester, kNew, kOld}) {
    EXPECT_FALSE(Concerns(change, {}, account));
    // As admin of a service it sees those on the service, and is neither requester nor validator.
    EXPECT_TRUE(Concerns(change, {account}, account));
    for (const Involvement involvement :
         {Involvement::kRequester, Involvement::kNewContact, Involvement::kOldContact}) {
      EXPECT_FALSE(Matches(change, {account}, {.states = {}, .involvement = involvement}, account));
    }
  }
  const ContactChange view = ViewOf(change, kRequester, kNow, Settings());
  EXPECT_FALSE(view.validations[1].email_send_time.has_value());
}

TEST(VisibilityTest, HintsAreForTheValidatorAndSendTimesForTheRequesterToo) {
  const ContactChange change = Change(ChangeState::kValidating, ItemOutcome::kPending);
  const ContactChange requesters = ViewOf(change, kRequester, kNow, Settings());
  EXPECT_EQ(requesters.validations[0].email_hint, "j***@example.com");
  EXPECT_EQ(requesters.validations[1].email_hint, "");
  EXPECT_TRUE(requesters.validations[1].email_send_time.has_value());
  const ContactChange admins = ViewOf(change, kAdmin, kNow, Settings());
  EXPECT_EQ(admins.validations[0].email_hint, "");
  EXPECT_FALSE(admins.validations[0].email_send_time.has_value());
}

TEST(VisibilityTest, ResendTimesAreForTheValidatorAndTheRequesterWhilePending) {
  ContactChange change = Change(ChangeState::kValidating, ItemOutcome::kPending);
  change.create_time = kNow;
  const auto times = [&](const AccountId& viewer) {
    const ContactChange view = ViewOf(change, viewer, kNow, Settings());
    return std::pair(view.validations[0].resend_time, view.validations[1].resend_time);
  };
  // The first needs no wait.
  EXPECT_EQ(times(kRequester), std::pair(std::optional(kNow), std::optional(kNow)));
  // Each is counted by who asked.
  change.validations[1].other_resends = {.last_time = kNow, .day_start = kNow, .in_day = 1};
  const absl::Time later = kNow + Settings().resend_interval;
  EXPECT_EQ(times(kRequester), std::pair(std::optional(kNow), std::optional(later)));
  EXPECT_EQ(times(kNew), std::pair(std::optional<absl::Time>(), std::optional(kNow)));
  std::swap(change.validations[1].own_resends, change.validations[1].other_resends);
  EXPECT_EQ(times(kRequester), std::pair(std::optional(kNow), std::optional(kNow)));
  EXPECT_EQ(times(kNew), std::pair(std::optional<absl::Time>(), std::optional(later)));
  EXPECT_EQ(times(kAdmin), std::pair(std::optional<absl::Time>(), std::optional<absl::Time>()));
  change.validations[1].state = ValidationState::kAccepted;
  EXPECT_FALSE(times(kNew).second.has_value());
  change.expire_time = kNow;
  EXPECT_FALSE(times(kRequester).first.has_value());
}

TEST(VisibilityTest, TheFirstItemsTellWhetherItConcernsItsPartiesAlone) {
  const ChangeSummary summary{.requester = kRequester, .new_contact = kNew};
  EXPECT_FALSE(MatchNeedsItems(summary, {}, kRequester));
  EXPECT_FALSE(MatchNeedsItems(summary, {}, kNew));
  EXPECT_TRUE(MatchNeedsItems(summary, {}, kAdmin));
  EXPECT_TRUE(MatchNeedsItems(summary, {.involvement = Involvement::kOldContact}, kRequester));
}

TEST(VisibilityTest, OnlyTheAdminSeesTheOwnerAndAllPendingChanges) {
  Service service;
  service.admin = kAdmin;
  service.tech = kOld;
  service.owner.emplace();
  EXPECT_TRUE(ViewOf(service, kAdmin).owner.has_value());
  EXPECT_FALSE(ViewOf(service, kOld).owner.has_value());
  EXPECT_TRUE(SeesAllChangesOn(service, kAdmin));
  EXPECT_FALSE(SeesAllChangesOn(service, kOld));
}

TEST(VisibilityTest, AFilterSeesAnOverdueChangeAsExpired) {
  ChangeSummary summary;
  summary.expire_time = kNow;
  summary.requester = kRequester;
  ChangeFilter filter;
  filter.states = {ChangeState::kExpired};
  EXPECT_TRUE(MayMatch(summary, filter, kRequester, kNow));
  EXPECT_FALSE(MayMatch(summary, filter, kRequester, kNow - absl::Microseconds(1)));
  filter = {.involvement = Involvement::kAwaitingMyValidation};
  EXPECT_FALSE(MayMatch(summary, filter, kRequester, kNow));
  EXPECT_TRUE(MayMatch(summary, filter, kRequester, kNow - absl::Microseconds(1)));
  EXPECT_FALSE(MayMatch(summary, filter, kStranger, kNow - absl::Microseconds(1)));
}

TEST(VisibilityTest, TheOldContactFilterKeepsLostRolesAlone) {
  const ChangeFilter filter = {.involvement = Involvement::kOldContact};
  const ContactChange done = Change(ChangeState::kDone, ItemOutcome::kApplied);
  EXPECT_TRUE(Matches(done, {}, filter, kOld));
  EXPECT_FALSE(Matches(done, {}, filter, kRequester));
}

}  // namespace
}  // namespace contacts
