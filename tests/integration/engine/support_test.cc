// The use cases of the support desk, and the limits of its view.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/engine/feed.h"
#include "core/mysql/store/change_search.h"
#include "core/mysql/store/contact_override.h"
#include "core/workflow/visibility.h"
#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using enum Role;

constexpr char kS0[] = "s0.example";
constexpr char kS1[] = "s1.example";
constexpr char kWhy[] = "the domain is disputed";

Call Desk(std::optional<Uuid> request_id = std::nullopt) {
  Call call = World::As("", request_id);
  call.operator_name = "mTLS:claire";
  call.staff = "claire";
  return call;
}

// The ids of a search, all pages of it.
std::vector<Uuid> Search(World& world, const ChangeSearch& search, int64_t page_size = 50) {
  return IdsOfAllPages(page_size, [&](const PageRequest& request) {
    return world.engine.support.SearchContactChanges(Desk(), search, request, 1);
  });
}

World::Answered Abort(World& world, const Uuid& id, const std::string& reason = kWhy) {
  World::Answered answered;
  const auto reply =
      world.engine.support.AbortContactChange(Desk(), id, reason, [&](const ContactChange& change) {
        answered.change = change;
        return std::string("aborted");
      });
  answered.status = reply.status();
  return answered;
}

absl::Status ResendFor(World& world, const Uuid& id, const std::string& validator) {
  return world.engine.support
      .ResendValidationFor(Desk(), id, AccountId(validator),
                           [](const ContactChange&) { return std::string("resent"); })
      .status();
}

ChangeAndHistory Lookup(World& world, const Uuid& id) {
  const auto found = world.engine.support.LookupContactChange(Desk(), id);
  EXPECT_TRUE(found.ok()) << found.status();
  return found.ok() ? *found : ChangeAndHistory();
}

TEST(SupportSearch, FindsChangesByAccountInAnyPartNewestFirst) {
  World world;
  const Uuid asked = world.AskLater(kThomas, Move(kS0, kTech, kDana)).id;
  const Uuid given = world.AskLater(kMarie, Move(kS1, kBilling, kThomas)).id;
  const Uuid taken = world.AskLater(kMarie, Move(kS1, kTech, kDana)).id;  // From Thomas.
  const Uuid other = world.AskLater(kMarie, Move(kS0, kBilling, kDana)).id;
  EXPECT_THAT(Search(world, {.account = AccountId(kThomas)}), ElementsAre(taken, given, asked));
  EXPECT_THAT(Search(world, {.account = AccountId(kThomas)}, 1), ElementsAre(taken, given, asked));
  // Marie is admin of all services, which is no part in a change.
  EXPECT_THAT(Search(world, {.account = AccountId(kMarie)}), ElementsAre(other, taken, given));
  EXPECT_THAT(Search(world, {.account = AccountId(kEve)}), IsEmpty());
}

TEST(SupportSearch, FindsChangesByServiceStateAndTimeAndAllOfThese) {
  World world;
  const Uuid first = world.AskLater(kThomas, Move(kS0, kTech, kDana)).id;
  const absl::Time between = world.clock.Now() + absl::Microseconds(1);
  const Uuid second = world.AskLater(kMarie, Move(kS0, kBilling, kDana)).id;
  const Uuid third = world.AskLater(kMarie, Move(kS1, kTech, kDana)).id;
  ASSERT_TRUE(Abort(world, second).status.ok());
  const ServiceId s0(kS0);
  EXPECT_THAT(Search(world, {.service = s0}), ElementsAre(second, first));
  EXPECT_THAT(Search(world, {.service = s0, .states = {ChangeState::kAborted}}),
              ElementsAre(second));
  EXPECT_THAT(Search(world, {.from = between}), ElementsAre(third, second));
  EXPECT_THAT(Search(world, {.from = between - absl::Microseconds(1)}),
              ElementsAre(third, second, first));
  EXPECT_THAT(Search(world, {.service = s0, .before = between}), ElementsAre(first));
  EXPECT_THAT(Search(world, {.account = AccountId(kThomas), .before = between}),
              ElementsAre(first));
  EXPECT_THAT(Search(world, {.account = AccountId(kThomas), .service = s0}), ElementsAre(first));
  EXPECT_THAT(Search(world, {.account = AccountId(kBill), .service = s0}), ElementsAre(second));
  world.clock.Advance(absl::Hours(24 * 7));  // Not swept.
  EXPECT_THAT(Search(world, {.service = s0, .states = {ChangeState::kExpired}}),
              ElementsAre(first));
}

TEST(SupportSearch, ByServiceAndAccountFindsAnOldContactOfThatServiceAlone) {
  World world;
  world.clock.Advance(absl::Seconds(1));
  const World::Asked asked =
      world.Ask(kMarie, {Move(kS0, kBilling, kDana), Move(kS1, kTech, kDana)});
  const Uuid id = asked.changes.at(0).id;
  EXPECT_THAT(Search(world, {.account = AccountId(kThomas), .service = ServiceId(kS1)}),
              ElementsAre(id));
  EXPECT_THAT(Search(world, {.account = AccountId(kThomas), .service = ServiceId(kS0)}), IsEmpty());
  EXPECT_THAT(Search(world, {.account = AccountId(kMarie), .service = ServiceId(kS0)}),
              ElementsAre(id));
}

TEST(SupportSearch, ReadsRowsInProportionToItsPageHoweverManyChangesThereAre) {
  World world;
  world.AskLater(kMarie, Move(kS0, kTech, kDana));
  // Thousands of changes of others, of the account, and of the service.
  constexpr char kNumbers[] =
      "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT ";
  const std::string columns = [&] {
    std::string list;
    for (const std::string& name : world.test_database.Query(
             "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE()"
             " AND table_name = 'contact_change' AND column_name NOT IN"
             " ('id', 'requester', 'new_contact')")) {
      absl::StrAppend(&list, ", ", name);
    }
    return list;
  }();
  for (int k = 0; k < 4; ++k) {
    const std::string id = absl::StrCat("UNHEX(LPAD(HEX(n.i + ", 1000 * k, "), 32, '0'))");
    const std::string requester = k == 0 ? "'aa1-ovh'" : "CONCAT('zz', n.i, '-ovh')";
    const std::string new_contact = k == 1 ? "'aa1-ovh'" : "'yy1-ovh'";
    world.test_database.Execute(
        absl::StrCat("INSERT INTO contact_change (id, requester, new_contact", columns, ") ",
                     kNumbers, id, ", ", requester, ", ", new_contact, columns,
                     " FROM n, (SELECT * FROM contact_change ORDER BY id DESC LIMIT 1) c"));
    world.test_database.Execute(absl::StrCat(
        "INSERT INTO contact_change_item (change_id, service_id, role, old_contact, outcome) ",
        kNumbers, id, k == 2 ? ", 's0.example'" : ", CONCAT('t', n.i, '.example')", ", 2, ",
        k == 3 ? "'aa1-ovh'" : "'xx1-ovh'", ", 1 FROM n"));
  }
  for (const char* table : {"contact_change", "contact_change_item"}) {
    world.test_database.Execute(absl::StrCat("ANALYZE TABLE ", table));
  }
  const absl::Status read = world.database.Read({}, [&](Session& session) {
    int64_t before = RowsRead(session);
    const auto rows = [&] {
      const int64_t now = RowsRead(session);
      return now - std::exchange(before, now);
    };
    rows();
    EXPECT_THAT(store::SearchByAccount(session, AccountId(kMarie), Uuid(), Uuid::Max(), 10),
                SizeIs(10));
    EXPECT_LT(rows(), 400);
    EXPECT_THAT(store::SearchByService(session, ServiceId(kS0), Uuid(), Uuid::Max(), 10),
                SizeIs(10));
    EXPECT_LT(rows(), 200);
    EXPECT_THAT(store::SearchByTime(session, Uuid(), Uuid::Max(), 10), SizeIs(10));
    EXPECT_LT(rows(), 100);
    return absl::OkStatus();
  });
  EXPECT_TRUE(read.ok()) << read;
}

TEST(SupportLookup, HasTheMaskedAddressesOfBothValidatorsAndWhatTheMailServerSaid) {
  World world;
  const ContactChange change = world.AskLater(kMarie, Move(kS0, kTech, kDana));
  auto claimed = world.outbox.Claim(100, absl::Minutes(1), world.clock.Now());
  ASSERT_THAT(*claimed, SizeIs(2));
  for (MailFacts& facts : *claimed) {
    const bool undeliverable = facts.recipient.id.text() == kDana;
    facts.answer = undeliverable ? "550 5.1.1 no such user" : "250 2.0.0 queued as 4F3";
    const absl::Status told = undeliverable ? world.outbox.GiveUp(facts, world.Clock())
                                            : world.outbox.Sent({facts}, world.Clock());
    ASSERT_TRUE(told.ok()) << told;
  }
  const ChangeAndHistory found = Lookup(world, change.id);
  EXPECT_EQ(found.change.FindValidation(AccountId(kMarie))->email_hint, "a***@mail.example");
  EXPECT_TRUE(found.change.FindValidation(AccountId(kMarie))->email_send_time.has_value());
  EXPECT_EQ(found.change.FindValidation(AccountId(kDana))->email_hint, "d***@mail.example");
  EXPECT_FALSE(found.change.FindValidation(AccountId(kDana))->email_send_time.has_value());
  EXPECT_TRUE(found.change.FindValidation(AccountId(kDana))->resend_time.has_value());
  std::vector<std::string> details;
  for (const ChangeEvent& event : found.events) {
    if (!event.detail.empty()) details.push_back(event.detail);
  }
  EXPECT_THAT(details, UnorderedElementsAre("250 2.0.0 queued as 4F3", "550 5.1.1 no such user"));
  // Customers do not see it.
  const auto events =
      world.engine.reading.ListContactChangeEvents(World::As(kMarie), change.id, {.size = 100});
  EXPECT_THAT(events->rows, SizeIs(found.events.size()));
  for (const ChangeEvent& event : events->rows) EXPECT_EQ(event.detail, "");
  EXPECT_THAT(world.engine.support.LookupContactChange(Desk(), Uuid::Version4()).status(),
              HasReason("CONTACT_CHANGE_NOT_FOUND"));
}

TEST(SupportResend, ForEitherValidatorWithinTheSameLimitsRaisesTheGeneration) {
  World world;
  const ContactChange change = world.AskLater(kMarie, Move(kS0, kTech, kDana));
  const std::string before = world.Token(change.id, kDana);
  EXPECT_THAT(ResendFor(world, change.id, kDana), HasReason(""));
  EXPECT_THAT(ResendFor(world, change.id, kDana), HasReason("RESEND_TOO_SOON"));
  EXPECT_THAT(ResendFor(world, change.id, kMarie), HasReason(""));
  EXPECT_THAT(ResendFor(world, change.id, kThomas), HasReason("CALLER_NOT_ALLOWED"));
  EXPECT_THAT(ResendFor(world, Uuid::Version4(), kDana), HasReason("CONTACT_CHANGE_NOT_FOUND"));
  EXPECT_THAT(world.Accept(kDana, change.id, before).status, HasReason("TOKEN_INVALID"));
  world.Accept(kDana, change);
  EXPECT_THAT(ResendFor(world, change.id, kDana), HasReason("ALREADY_VALIDATED"));
  world.Accept(kMarie, change);
  EXPECT_THAT(ResendFor(world, change.id, kDana), HasReason("CHANGE_CLOSED"));
}

TEST(SupportAbort, ClosesTheChangeAndTellsBothPartiesTheReason) {
  World world;
  const ContactChange change = world.AskLater(kMarie, Move(kS0, kTech, kDana));
  world.TakeMails();
  const World::Answered aborted = Abort(world, change.id);
  EXPECT_THAT(aborted.status, HasReason(""));
  EXPECT_EQ(aborted.change.state, ChangeState::kAborted);
  EXPECT_EQ(world.Get(kDana, change.id)->abort_reason, kWhy);
  EXPECT_EQ(world.Get(kMarie, change.id)->items.at(0).outcome, ItemOutcome::kNotApplied);
  EXPECT_THAT(world.TakeMails(), ElementsAre("ABORTED aa1-ovh", "ABORTED dd4-ovh"));
  EXPECT_THAT(Abort(world, change.id).status, HasReason("CHANGE_CLOSED"));
  EXPECT_THAT(Abort(world, Uuid::Version4()).status, HasReason("CONTACT_CHANGE_NOT_FOUND"));
  // The role is free.
  EXPECT_THAT(world.Ask(kMarie, {Move(kS0, kTech, kDana)}).status, HasReason(""));
}

TEST(SupportAbort, WithItsRequestIdIsReplayed) {
  World world;
  const ContactChange change = world.AskLater(kMarie, Move(kS0, kTech, kDana));
  const Call call = Desk(Uuid::Version4());
  for (int i = 0; i < 2; ++i) {
    const auto reply = world.engine.support.AbortContactChange(
        call, change.id, kWhy, [](const ContactChange&) { return std::string("aborted"); });
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(*reply, "aborted");
  }
}

TEST(SupportHistory, ACustomerNeverSeesASupportPersonsName) {
  World world;
  const ContactChange change = world.AskLater(kMarie, Move(kS0, kTech, kDana));
  EXPECT_TRUE(ResendFor(world, change.id, kDana).ok());
  Abort(world, change.id);
  // The desk sees it.
  std::vector<std::string> staff;
  for (const ChangeEvent& event : Lookup(world, change.id).events) {
    if (event.by_staff) staff.push_back(event.staff);
  }
  EXPECT_THAT(staff, ElementsAre("claire", "claire"));
  // Customers see that staff did it, in the history and in the feed.
  const auto events =
      world.engine.reading.ListContactChangeEvents(World::As(kMarie), change.id, {.size = 100});
  std::vector<EventType> by_staff;
  for (const ChangeEvent& event : events->rows) {
    EXPECT_EQ(event.staff, "");
    EXPECT_EQ(event.by_staff, event.actor.empty());
    if (event.by_staff) by_staff.push_back(event.type);
  }
  EXPECT_THAT(by_staff, ElementsAre(EventType::kResendRequested, EventType::kAborted));
  Feed feed(&world.database, world.settings);
  ASSERT_TRUE(feed.Advance(world.clock.Now(), {}).ok());
  const auto streamed = feed.Read({}, 100, {}, {});
  ASSERT_TRUE(streamed.ok());
  int staff_events = 0;
  for (const FeedEvent& event : *streamed) {
    EXPECT_EQ(event.event.staff, "");
    staff_events += event.event.by_staff ? 1 : 0;
  }
  EXPECT_EQ(staff_events, 2);
}

TEST(SupportHistory, OfAServiceIsForTheDeskAlsoWhenRemovedAndForItsAdminSinceItsRegistration) {
  World world;
  Call operator_call = World::AsOperator();
  operator_call.staff = "olga";
  ASSERT_TRUE(world.engine.directory
                  .OverrideContacts(operator_call,
                                    {.assignments = {Move(kS0, kAdmin, kEve)}, .reason = kWhy},
                                    [](const std::vector<Service>&) { return std::string(); })
                  .ok());
  const auto desk = [&] {
    const auto page =
        world.engine.support.ListServiceContactHistory(Desk(), ServiceId(kS0), {.size = 100});
    EXPECT_TRUE(page.ok()) << page.status();
    return page->rows;
  };
  const auto of = [&](const char* account) {
    return world.engine.reading.ListContactHistory(World::As(account), ServiceId(kS0),
                                                   {.size = 100});
  };
  ASSERT_THAT(desk(), SizeIs(4));
  EXPECT_EQ(desk().front().origin.cause, MoveCause::kOverride);
  EXPECT_EQ(desk().front().origin.staff, "olga");
  ASSERT_TRUE(of(kEve).ok());
  EXPECT_THAT(of(kEve)->rows, SizeIs(4));
  EXPECT_EQ(of(kEve)->rows.front().new_contact, AccountId(kEve));
  EXPECT_EQ(of(kEve)->rows.front().origin.staff, "");
  EXPECT_THAT(of(kThomas).status(), HasReason("ROLE_NOT_ALLOWED"));
  EXPECT_THAT(of(kMarie).status(), HasReason("SERVICE_NOT_FOUND"));  // She was its admin.
  // Registered again, it is another service.
  world.clock.Advance(absl::Microseconds(1));
  ASSERT_TRUE(world.DeleteService(kS0).ok());
  EXPECT_THAT(of(kEve).status(), HasReason("SERVICE_NOT_FOUND"));
  EXPECT_THAT(desk(), SizeIs(7));
  world.AddService(kS0, kMarie, kMarie, kMarie);
  EXPECT_THAT(of(kMarie)->rows, SizeIs(3));
  EXPECT_THAT(desk(), SizeIs(10));
  EXPECT_THAT(world.engine.support.ListServiceContactHistory(Desk(), ServiceId("gone.example"), {})
                  .status(),
              HasReason("SERVICE_NOT_FOUND"));
}

TEST(SupportOverrides, AreListedByServiceAndByAccountWithReasonAndWho) {
  World world;
  Call olga = World::AsOperator();
  olga.staff = "olga";
  const auto override_by = [&](const std::vector<Assignment>& assignments) {
    world.clock.Advance(absl::Seconds(1));
    ASSERT_TRUE(world.engine.directory
                    .OverrideContacts(olga, {.assignments = assignments, .reason = kWhy},
                                      [](const std::vector<Service>&) { return std::string(); })
                    .ok());
  };
  override_by({Move(kS0, kTech, kDana)});
  override_by({Move(kS1, kTech, kDana), Move(kS1, kBilling, kBill)});  // One of them moves.
  override_by({Move(kS0, kTech, kEve)});
  const auto listed = [&](const OverrideFilter& filter, int64_t size = 50) {
    std::vector<std::string> lines;
    PageRequest request{.size = size, .after = ""};
    do {
      const auto page = world.engine.support.ListContactOverrides(Desk(), filter, request);
      EXPECT_TRUE(page.ok()) << page.status();
      for (const ContactOverride& record : page->rows) {
        EXPECT_EQ(record.reason, kWhy);
        EXPECT_EQ(record.staff, "olga");
        const auto& item = record.items.back();
        lines.push_back(absl::StrCat(item.service.text(), " ", item.new_contact.text()));
      }
      request.after = page->next;
    } while (!request.after.empty());
    return lines;
  };
  for (const int64_t size : {1, 50}) {
    EXPECT_THAT(listed({}, size),
                ElementsAre("s0.example ee5-ovh", "s1.example cc3-ovh", "s0.example dd4-ovh"));
    EXPECT_THAT(listed({.service = ServiceId(kS0)}, size),
                ElementsAre("s0.example ee5-ovh", "s0.example dd4-ovh"));
    EXPECT_THAT(listed({.account = AccountId(kEve)}, size), ElementsAre("s0.example ee5-ovh"));
    EXPECT_THAT(listed({.account = AccountId(kDana)}, size),
                ElementsAre("s0.example ee5-ovh", "s1.example cc3-ovh", "s0.example dd4-ovh"));
    EXPECT_THAT(listed({.service = ServiceId(kS1), .account = AccountId(kThomas)}, size),
                ElementsAre("s1.example cc3-ovh"));
    EXPECT_THAT(listed({.account = AccountId(kBill)}, size), IsEmpty());  // Nothing moved.
  }
}

TEST(SupportOverrides, AreLoadedAFewAtATimeHoweverManyItemsTheyHave) {
  World world;
  for (int i = 0; i < 5; ++i) {
    world.clock.Advance(absl::Seconds(1));
    ASSERT_TRUE(world.Override({Move(kS0, kTech, i % 2 == 0 ? kDana : kEve)}).ok());
  }
  // The last one has more items than are loaded at once.
  constexpr char kFill[] =
      "INSERT INTO contact_override_item WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL"
      " SELECT i + 1 FROM n WHERE i < 900) SELECT o.id, CONCAT('t', k, LPAD(n.i, 4, '0'),"
      " '.example'), 2, 'bb2-ovh', 'dd4-ovh' FROM contact_override o, n,";
  world.test_database.Execute(absl::StrCat(kFill, " (SELECT 1 AS k) m"));
  world.test_database.Execute(absl::StrCat(kFill,
                                           " (SELECT 2 AS k UNION SELECT 3) m"
                                           " WHERE o.id = (SELECT MAX(id) FROM contact_override)"));
  world.test_database.Execute("ANALYZE TABLE contact_override_item");
  const absl::Status read = world.database.Read({}, [&](Session& session) {
    const auto listed = store::ListOverrides(session, std::nullopt, AccountId(), Uuid::Max(), 100);
    const std::set<Uuid> ids(listed.begin(), listed.end());
    EXPECT_THAT(store::LoadOverrides(session, ids, 2000), IsEmpty());
    const int64_t before = RowsRead(session);
    EXPECT_THAT(store::LoadOverrides(session, {std::next(ids.begin()), std::prev(ids.end())}, 2000),
                SizeIs(2));
    EXPECT_LT(RowsRead(session) - before, 5000);
    return absl::OkStatus();
  });
  EXPECT_TRUE(read.ok()) << read;
  std::vector<std::size_t> sizes;
  PageRequest request{.size = 50, .after = ""};
  do {
    const auto page = world.engine.support.ListContactOverrides(Desk(), {}, request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const ContactOverride& record : page->rows) {
      sizes.push_back(record.items.size());
      EXPECT_TRUE(std::is_sorted(
          record.items.begin(), record.items.end(),
          [](const OverrideItem& a, const OverrideItem& b) { return a.service < b.service; }));
    }
    request.after = page->next;
  } while (!request.after.empty());
  EXPECT_THAT(sizes, ElementsAre(2701U, 901U, 901U, 901U, 901U));
}

}  // namespace
}  // namespace contacts
