// Lists and their pages.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/mysql/session.h"
#include "core/mysql/store/change.h"
#include "core/mysql/store/involvement.h"
#include "core/mysql/store/service.h"
#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using enum Role;

using ::testing::UnorderedElementsAre;

constexpr char kS0[] = "s0.example";
constexpr char kS1[] = "s1.example";

// The ids of a list, all pages of it, as `account` sees them.
std::vector<Uuid> List(World& world, const std::string& account, const ChangeFilter& filter = {},
                       int64_t page_size = 50) {
  return IdsOfAllPages(page_size, [&](const PageRequest& request) {
    return world.engine.reading.ListContactChanges(World::As(account), filter, request);
  });
}

TEST(ChangeList, IsNewestFirst) {
  World world;
  const Uuid first = world.AskLater(kMarie, Move(kS0, kTech, kDana)).id;
  const Uuid second = world.AskLater(kBill, Move(kS0, kBilling, kDana)).id;
  const Uuid third = world.AskLater(kMarie, Move(kS1, kTech, kDana)).id;
  EXPECT_THAT(List(world, kMarie), ElementsAre(third, second, first));
  EXPECT_THAT(List(world, kDana), ElementsAre(third, second, first));
  EXPECT_THAT(List(world, kBill), ElementsAre(second));
  EXPECT_THAT(List(world, kEve), IsEmpty());
}

TEST(ChangeList, OfOneBatchHoldsEachChangeOnce) {
  World world;
  const World::Asked asked = world.Ask(
      kMarie, {Move(kS0, kTech, kDana), Move(kS1, kTech, kEve), Move(kS0, kBilling, kMarie)});
  EXPECT_THAT(List(world, kMarie),
              UnorderedElementsAre(asked.changes[0].id, asked.changes[1].id, asked.changes[2].id));
}

TEST(ChangeList, FiltersByStateWithExpiredOnesBeforeTheSweepToo) {
  World world(Settings(), 6);
  const auto ask = [&](int i) {
    return world.AskLater(kMarie, Move(absl::StrCat("s", i, ".example"), kTech, kDana));
  };
  const ContactChange expired = ask(0);
  world.clock.Advance(absl::Hours(24 * 7));
  const ContactChange validating = ask(1);
  const ContactChange done = ask(2);
  world.Accept(kMarie, done);
  world.Accept(kDana, done);
  const ContactChange refused = ask(3);
  world.Refuse(kMarie, refused.id, world.Token(refused.id, kMarie));
  const ContactChange cancelled = ask(4);
  world.Cancel(kMarie, cancelled.id);
  const ContactChange aborted = ask(5);
  ASSERT_TRUE(world.DeleteService("s5.example").ok());

  const auto in = [&](std::vector<ChangeState> states) {
    return List(world, kMarie, {.states = std::move(states)});
  };
  for (int swept = 0; swept < 2; ++swept) {
    EXPECT_THAT(in({ChangeState::kExpired}), ElementsAre(expired.id));
    EXPECT_THAT(in({ChangeState::kValidating}), ElementsAre(validating.id));
    EXPECT_THAT(in({ChangeState::kDone}), ElementsAre(done.id));
    EXPECT_THAT(in({ChangeState::kRefused}), ElementsAre(refused.id));
    EXPECT_THAT(in({ChangeState::kCancelled}), ElementsAre(cancelled.id));
    EXPECT_THAT(in({ChangeState::kAborted}), ElementsAre(aborted.id));
    EXPECT_THAT(in({ChangeState::kExpired, ChangeState::kValidating, ChangeState::kDone}),
                ElementsAre(done.id, validating.id, expired.id));
    EXPECT_EQ(in({}).size(), 6U);
    ASSERT_EQ(*world.engine.maintenance.RunTimers(10), swept == 0 ? 1 : 0);
  }
}

TEST(ChangeList, ShowsAnExpiredChangeAsExpiredBeforeTheSweep) {
  World world;
  world.AskLater(kMarie, Move(kS0, kTech, kDana));
  world.clock.Advance(absl::Hours(24 * 7));
  const auto page = world.engine.reading.ListContactChanges(World::As(kDana), {}, {});
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->rows.at(0).state, ChangeState::kExpired);
  EXPECT_EQ(page->rows.at(0).items.at(0).outcome, ItemOutcome::kNotApplied);
}

TEST(ChangeList, FiltersByEachInvolvement) {
  World world;
  const Uuid by_thomas = world.AskLater(kThomas, Move(kS0, kTech, kDana)).id;
  const ContactChange by_marie = world.AskLater(kMarie, Move(kS0, kBilling, kThomas));
  const Uuid takeover = world.AskLater(kMarie, Move("s2.example", kTech, kMarie)).id;
  const ContactChange from_thomas = world.AskLater(kMarie, Move(kS1, kTech, kDana));
  world.Accept(kMarie, from_thomas);
  world.Accept(kDana, from_thomas);
  world.Accept(kMarie, by_marie);

  const auto as = [&](const char* account, Involvement involvement) {
    return List(world, account, {.involvement = involvement});
  };
  EXPECT_THAT(as(kThomas, Involvement::kAny), ElementsAre(from_thomas.id, by_marie.id, by_thomas));
  EXPECT_THAT(as(kThomas, Involvement::kRequester), ElementsAre(by_thomas));
  EXPECT_THAT(as(kThomas, Involvement::kNewContact), ElementsAre(by_marie.id));
  EXPECT_THAT(as(kThomas, Involvement::kAwaitingMyValidation), ElementsAre(by_marie.id, by_thomas));
  EXPECT_THAT(as(kThomas, Involvement::kOldContact), ElementsAre(from_thomas.id));

  EXPECT_THAT(as(kMarie, Involvement::kAny),
              ElementsAre(from_thomas.id, takeover, by_marie.id, by_thomas));
  EXPECT_THAT(as(kMarie, Involvement::kRequester),
              ElementsAre(from_thomas.id, takeover, by_marie.id));
  EXPECT_THAT(as(kMarie, Involvement::kNewContact), ElementsAre(takeover));
  EXPECT_THAT(as(kMarie, Involvement::kAwaitingMyValidation), ElementsAre(takeover));
  EXPECT_THAT(as(kMarie, Involvement::kOldContact), IsEmpty());
  EXPECT_THAT(as(kBill, Involvement::kOldContact), IsEmpty());

  world.clock.Advance(absl::Hours(24 * 7));
  EXPECT_THAT(as(kThomas, Involvement::kAwaitingMyValidation), IsEmpty());
  EXPECT_THAT(as(kThomas, Involvement::kNewContact), ElementsAre(by_marie.id));
}

TEST(ChangeList, FiltersByServiceAmongThoseThatConcernTheViewer) {
  World world;
  const Uuid on_s0 = world.AskLater(kMarie, Move(kS0, kTech, kDana)).id;
  const Uuid on_s1 = world.AskLater(kMarie, Move(kS1, kTech, kDana)).id;
  const Uuid by_bill = world.AskLater(kBill, Move(kS0, kBilling, kEve)).id;
  const auto on = [&](const char* account, const char* service) {
    return List(world, account, {.service = ServiceId(service)});
  };
  EXPECT_THAT(on(kMarie, kS0), ElementsAre(by_bill, on_s0));
  EXPECT_THAT(on(kMarie, kS1), ElementsAre(on_s1));
  EXPECT_THAT(on(kDana, kS0), ElementsAre(on_s0));
  EXPECT_THAT(on(kEve, kS0), ElementsAre(by_bill));
  EXPECT_THAT(on(kThomas, kS0), IsEmpty());
  EXPECT_THAT(on(kMarie, "gone.example"), IsEmpty());
}

TEST(ChangeList, PagesOverManyChangesWithoutGapsOrDoubles) {
  // One change for each new contact. All are made by one call, in the same millisecond.
  constexpr int kMany = 620;
  World world(Settings(), kMany);
  std::vector<Assignment> assignments;
  for (int i = 0; i < kMany; ++i) {
    const std::string account = absl::StrCat("mm", i, "-ovh");
    world.AddAccount(account, absl::StrCat(account, "@mail.example"));
    assignments.push_back(Move(absl::StrCat("s", i, ".example"), kTech, account));
  }
  const World::Asked asked = world.Ask(kMarie, assignments);
  ASSERT_THAT(asked.status, HasReason(""));
  ASSERT_EQ(asked.changes.size(), static_cast<std::size_t>(kMany));

  // An operator withdraws every third item.
  std::vector<Assignment> taken;
  std::set<std::string> aborted, all;
  for (std::size_t i = 0; i < asked.changes.size(); ++i) {
    all.insert(asked.changes[i].id.text());
    if (i % 3 != 0) continue;
    taken.push_back(Move(asked.changes[i].items[0].service.text(), kTech, kEve));
    aborted.insert(asked.changes[i].id.text());
  }
  ASSERT_TRUE(world.Override(taken).ok());

  const auto texts = [](const std::vector<Uuid>& ids) {
    std::vector<std::string> lines;
    for (const Uuid& id : ids) lines.push_back(id.text());
    return lines;
  };
  for (const int64_t size : {7, 50, 619, 620, 1000}) {
    const std::vector<std::string> listed = texts(List(world, kMarie, {}, size));
    EXPECT_EQ(listed.size(), all.size()) << size;
    EXPECT_EQ(std::set<std::string>(listed.begin(), listed.end()), all) << size;
    EXPECT_TRUE(std::is_sorted(listed.rbegin(), listed.rend())) << size;
  }
  for (const int64_t size : {7, 50, 500}) {
    const std::vector<std::string> listed =
        texts(List(world, kMarie, {.states = {ChangeState::kAborted}}, size));
    EXPECT_EQ(listed.size(), aborted.size()) << size;
    EXPECT_EQ(std::set<std::string>(listed.begin(), listed.end()), aborted) << size;
    EXPECT_EQ(
        List(world, kMarie, {.states = {ChangeState::kValidating}}, size).size() + aborted.size(),
        all.size());
  }
}

TEST(ChangeList, ReadsNoMoreThanItsPageHoweverMuchConcernsTheAccount) {
  World world;
  world.AskLater(kMarie, Move(kS0, kTech, kDana));  // Joins with an empty table read nothing.
  // A thousand changes concern the account. Five thousand newer ones do not.
  constexpr char kFill[] =
      "INSERT INTO involvement WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n"
      " WHERE i < 1000) SELECT ";
  world.test_database.Execute(
      absl::StrCat(kFill, "'aa1-ovh', UNHEX(LPAD(HEX(i), 32, '0')), i % 2 FROM n"));
  world.test_database.Execute(absl::StrCat(
      kFill, "CONCAT('bb', i, '-ovh'), UNHEX(LPAD(HEX(i + 1000 * k), 32, '0')), i % 2 FROM n,",
      " (SELECT 1 AS k UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5) m"));
  world.test_database.Execute("ANALYZE TABLE involvement");
  for (const bool open_only : {false, true}) {
    EXPECT_TRUE(world.database
                    .Read({},
                          [&](Session& session) {
                            const int64_t before = RowsRead(session);
                            store::ListAccountChanges(session, AccountId(kMarie), open_only, Uuid(),
                                                      10);
                            EXPECT_LT(RowsRead(session) - before, 200) << open_only;
                            return absl::OkStatus();
                          })
                    .ok());
  }
}

TEST(ChangeList, OfOneServiceReadsNoMoreThanItsPageHoweverManyChangesItHas) {
  World world;
  const Uuid id = world.AskLater(kMarie, Move(kS0, kTech, kDana)).id;
  // Three thousand more, each with two of the service's roles.
  constexpr char kNumbers[] =
      " WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT ";
  constexpr char kFrom[] = " FROM n, (SELECT 0 AS k UNION SELECT 1 UNION SELECT 2) m";
  const std::string key = "UNHEX(LPAD(HEX(i + 1000 * k), 32, '0'))";
  world.test_database.Execute(
      absl::StrCat("INSERT INTO involvement", kNumbers, "'aa1-ovh', ", key, ", 0", kFrom));
  world.test_database.Execute(absl::StrCat(
      "INSERT INTO contact_change_item (change_id, service_id, role, old_contact, outcome)",
      kNumbers, key, ", 's0.example', r, 'bb2-ovh', 6", kFrom,
      ", (SELECT 2 AS r UNION SELECT 3) o"));
  world.test_database.Execute("ANALYZE TABLE involvement");
  world.test_database.Execute("ANALYZE TABLE contact_change_item");
  EXPECT_TRUE(world.database
                  .Read({},
                        [&](Session& session) {
                          const int64_t before = RowsRead(session);
                          const auto found = store::ListServiceChanges(session, AccountId(kMarie),
                                                                       ServiceId(kS0), Uuid(), 10);
                          EXPECT_LT(RowsRead(session) - before, 300);
                          EXPECT_EQ(found.size(), 1U);  // The others have no involvement row.
                          EXPECT_EQ(found.front().id, id);
                          return absl::OkStatus();
                        })
                  .ok());
}

TEST(ChangeList, PagesOfOneHoldOneEach) {
  World world;
  std::vector<Uuid> newest_first;
  for (const char* service : {kS0, kS1, "s2.example"}) {
    newest_first.insert(newest_first.begin(),
                        world.AskLater(kMarie, Move(service, kTech, kDana)).id);
  }
  EXPECT_EQ(List(world, kMarie, {}, 1), newest_first);
  EXPECT_EQ(List(world, kMarie, {.involvement = Involvement::kRequester}, 1), newest_first);
  EXPECT_EQ(List(world, kMarie, {}, 3), newest_first);
}

// The item counts of a list: those that it has, and those that the changes have.
std::vector<std::pair<std::size_t, int64_t>> ItemCounts(World& world, const std::string& account,
                                                        const ChangeFilter& filter,
                                                        int64_t max_items) {
  const auto page =
      world.engine.reading.ListContactChanges(World::As(account), filter, {}, max_items);
  EXPECT_TRUE(page.ok()) << page.status();
  std::vector<std::pair<std::size_t, int64_t>> counts;
  for (const ContactChange& change : page->rows) {
    const auto count = static_cast<int64_t>(change.items.size());
    counts.emplace_back(change.items.size(), count + change.items_left_out);
    EXPECT_EQ(change.items.front().service.text(), kS0) << "want the first of them";
  }
  return counts;
}

TEST(ChangeList, ShowsTheFirstItemsAloneWithTheirCountWhereTheCallerAsksSo) {
  World world;
  std::vector<Assignment> three;
  for (const char* service : {kS0, kS1, "s2.example"}) {
    three.push_back(Move(service, kTech, kDana));
  }
  const ContactChange change = world.Ask(kMarie, three).changes.at(0);
  world.AskLater(kMarie, Move(kS0, kBilling, kDana));
  using Counts = std::vector<std::pair<std::size_t, int64_t>>;
  for (const char* account : {kMarie, kDana}) {
    EXPECT_EQ(ItemCounts(world, account, {}, 0), (Counts{{1, 1}, {3, 3}}));
    EXPECT_EQ(ItemCounts(world, account, {}, 2), (Counts{{1, 1}, {2, 3}}));
    EXPECT_EQ(ItemCounts(world, account, {}, 3), (Counts{{1, 1}, {3, 3}}));
  }
  world.Accept(kMarie, change);
  ASSERT_EQ(world.Accept(kDana, change).change.state, ChangeState::kDone);
  // Whether it concerns an old contact or an admin, all items say.
  ASSERT_TRUE(world.Override({Move(kS1, kAdmin, kEve)}).ok());
  EXPECT_EQ(ItemCounts(world, kThomas, {.involvement = Involvement::kOldContact}, 1),
            (Counts{{1, 3}}));
  EXPECT_EQ(ItemCounts(world, kEve, {}, 1), (Counts{{1, 3}}));
}

TEST(ChangeList, OfFirstItemsReadsNoOtherItems) {
  constexpr int kChanges = 130;  // More than are loaded at once.
  World world(Settings(), 2 * kChanges);
  std::vector<Assignment> assignments;
  for (int i = 0; i < 2 * kChanges; ++i) {
    const std::string account = absl::StrCat("mm", i / 2, "-ovh");
    if (i % 2 == 0) world.AddAccount(account, absl::StrCat(account, "@mail.example"));
    assignments.push_back(Move(absl::StrCat("s", i, ".example"), kTech, account));
  }
  const World::Asked asked = world.Ask(kMarie, assignments);
  ASSERT_EQ(asked.changes.size(), static_cast<std::size_t>(kChanges));
  // A thousand more items of each.
  world.test_database.Execute(
      "INSERT INTO contact_change_item (change_id, service_id, role, old_contact, outcome)"
      " WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
      " SELECT c.id, CONCAT('z', n.i, '.example'), 2, 'bb2-ovh', 1 FROM contact_change c, n");
  world.test_database.Execute("UPDATE contact_change SET item_count = 1002");
  world.test_database.Execute("ANALYZE TABLE contact_change_item");
  std::set<Uuid> seen;
  PageRequest request{.size = 1000, .after = ""};
  const absl::Status read = world.database.Read({}, [&](Session& session) {
    const int64_t before = RowsRead(session);
    const auto first = store::LoadFirstItems(session, {asked.changes[0].id}, 3);
    EXPECT_EQ(first.at(0).items.size(), 3U);
    EXPECT_LT(RowsRead(session) - before, 30);
    return absl::OkStatus();
  });
  ASSERT_TRUE(read.ok()) << read;
  const int64_t trips = world.database.round_trips();
  const auto page = world.engine.reading.ListContactChanges(World::As(kMarie), {}, request, 3);
  ASSERT_TRUE(page.ok()) << page.status();
  // One scan; 64, 64 and 2 changes.
  EXPECT_EQ(world.database.round_trips() - trips, 4);
  for (const ContactChange& change : page->rows) {
    seen.insert(change.id);
    EXPECT_EQ(change.items.size(), 3U);
    EXPECT_EQ(change.items_left_out, 999);
  }
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kChanges));
  EXPECT_TRUE(page->next.empty());
}

TEST(EventList, IsOldestFirstAndPaged) {
  World world;
  const ContactChange change = world.AskLater(kMarie, Move(kS0, kTech, kDana));
  world.Accept(kDana, change.id, "wrong");
  world.Resend(kMarie, change.id, kDana);
  world.Accept(kDana, change);
  world.Accept(kMarie, change);
  std::vector<EventType> types;
  PageRequest request{.size = 2, .after = ""};
  for (int pages = 1;; ++pages) {
    const auto page =
        world.engine.reading.ListContactChangeEvents(World::As(kMarie), change.id, request);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_EQ(page->change.has_value(), pages == 1);
    for (const ChangeEvent& event : page->rows) types.push_back(event.type);
    request.after = page->next;
    if (page->next.empty()) {
      EXPECT_EQ(pages, 3);
      break;
    }
  }
  EXPECT_THAT(types, ElementsAre(EventType::kRequested, EventType::kTokenRejected,
                                 EventType::kResendRequested, EventType::kAccepted,
                                 EventType::kAccepted, EventType::kDone));
}

// --- Services ----------------------------------------------------------------------

std::vector<std::string> Services(World& world, const std::string& account,
                                  const ServiceFilter& filter = {}, int64_t page_size = 50) {
  std::vector<std::string> ids;
  PageRequest request{.size = page_size, .after = ""};
  for (int pages = 0; pages < 1000; ++pages) {
    const auto page = world.engine.reading.ListServices(World::As(account), filter, request);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) break;
    EXPECT_LE(static_cast<int64_t>(page->rows.size()), page_size);
    for (const Service& service : page->rows) ids.push_back(service.id.text());
    if (page->next.empty()) return ids;
    request.after = page->next;
  }
  ADD_FAILURE() << "the list does not end";
  return ids;
}

TEST(ServiceList, HoldsThoseOnWhichTheAccountHasARoleOnceEachInOrder) {
  World world;
  world.AddService("all.example", kThomas, kThomas, kThomas);
  world.AddService("eve.example", kEve, kEve, kEve);
  EXPECT_THAT(Services(world, kThomas),
              ElementsAre("all.example", "s0.example", "s1.example", "s2.example"));
  EXPECT_THAT(Services(world, kEve), ElementsAre("eve.example"));
  EXPECT_THAT(Services(world, kDana), IsEmpty());
}

TEST(ServiceList, FiltersByRole) {
  World world;
  world.AddService("admin.example", kThomas, kEve, kEve);
  world.AddService("billing.example", kEve, kEve, kThomas);
  EXPECT_THAT(Services(world, kThomas, {.roles = {kAdmin}}), ElementsAre("admin.example"));
  EXPECT_THAT(Services(world, kThomas, {.roles = {kBilling}}), ElementsAre("billing.example"));
  EXPECT_THAT(Services(world, kThomas, {.roles = {kAdmin, kBilling}}),
              ElementsAre("admin.example", "billing.example"));
  EXPECT_THAT(Services(world, kThomas, {.roles = {kTech}}),
              ElementsAre("s0.example", "s1.example", "s2.example"));
}

TEST(ServiceList, FiltersByPrefix) {
  World world;
  for (const char* id :
       {"ab.example", "abc.example", "ab-1.example", "ab_1.example", "ac.example"}) {
    world.AddService(id);
  }
  EXPECT_THAT(Services(world, kMarie, {.id_prefix = "ab"}),
              ElementsAre("ab-1.example", "ab.example", "ab_1.example", "abc.example"));
  EXPECT_THAT(Services(world, kMarie, {.id_prefix = "ab"}, 1),
              ElementsAre("ab-1.example", "ab.example", "ab_1.example", "abc.example"));
  EXPECT_THAT(Services(world, kMarie, {.id_prefix = "ab.example"}), ElementsAre("ab.example"));
  EXPECT_THAT(Services(world, kMarie, {.id_prefix = "x"}), IsEmpty());
  // A prefix is not a pattern.
  EXPECT_THAT(Services(world, kMarie, {.id_prefix = "%"}), IsEmpty());
  EXPECT_THAT(Services(world, kMarie, {.roles = {kTech}, .id_prefix = "ab"}), IsEmpty());
}

TEST(ServiceList, FiltersByAnotherContact) {
  World world;
  world.AddService("a.example", kMarie, kEve, kBill);
  world.AddService("b.example", kEve, kEve, kMarie);
  world.AddService("c.example", kEve, kEve, kEve);
  const ServiceFilter with_eve{.contact = AccountId(kEve)};
  EXPECT_THAT(Services(world, kMarie, with_eve), ElementsAre("a.example", "b.example"));
  EXPECT_THAT(Services(world, kMarie, with_eve, 1), ElementsAre("a.example", "b.example"));
  EXPECT_THAT(Services(world, kMarie, {.roles = {kAdmin}, .contact = AccountId(kEve)}),
              ElementsAre("a.example"));
  EXPECT_THAT(Services(world, kThomas, with_eve), IsEmpty());
  EXPECT_THAT(Services(world, kMarie, {.id_prefix = "s1", .contact = AccountId(kBill)}),
              ElementsAre(kS1));
}

TEST(ServiceList, PagesWithoutGapsOrDoubles) {
  World world(Settings(), 40);
  std::vector<std::string> all = Services(world, kMarie, {}, 1000);
  ASSERT_THAT(all, SizeIs(40));
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  for (const int64_t size : {1, 3, 39, 40, 41}) {
    EXPECT_EQ(Services(world, kMarie, {}, size), all) << size;
    EXPECT_EQ(Services(world, kThomas, {.roles = {kTech, kBilling}}, size), all) << size;
  }
}

// Rows that a page of ten services reads.
int64_t RowsOfServices(World& world, const std::string& account, const std::string& contact) {
  int64_t rows = 0;
  const absl::Status read = world.database.Read({}, [&](Session& session) {
    const auto list = [&] {
      return store::ListServices(session, AccountId(account), {}, "", AccountId(contact), "", 10,
                                 world.clock.Now());
    };
    list();
    const int64_t before = RowsRead(session);
    EXPECT_THAT(list(), SizeIs(10));
    rows = RowsRead(session) - before;
    return absl::OkStatus();
  });
  EXPECT_TRUE(read.ok()) << read;
  return rows;
}

TEST(ServiceList, ReadsNoMoreThanItsPageHoweverManyServicesTheAccountHas) {
  World world(Settings(), 1000);
  world.test_database.Execute("ANALYZE TABLE service");
  for (const char* account : {kMarie, kThomas, kBill}) {
    EXPECT_LT(RowsOfServices(world, account, ""), 150) << account;
  }
}

TEST(ServiceList, ByAnotherContactReadsNoMoreThanItsPageHoweverManyServicesThereAre) {
  World world(Settings(), 1000);
  for (int i = 0; i < 10; ++i)
    world.AddService(absl::StrCat("z", i, ".example"), kMarie, kEve, kDana);
  world.test_database.Execute("ANALYZE TABLE service");
  for (const char* contact : {kEve, kDana}) {
    EXPECT_LT(RowsOfServices(world, kMarie, contact), 150) << contact;
  }
  EXPECT_LT(RowsOfServices(world, kEve, kDana), 150);
}

TEST(ServiceList, ReadsTheItemsOfAPendingChangeOnceHoweverManyOfItsServicesAreListed) {
  World world;
  std::vector<Assignment> assignments = {Move("zz.example", kTech, kDana)};
  world.AddService("zz.example", kEve, kThomas, kBill);
  for (int i = 0; i < 10; ++i) {
    const std::string id = absl::StrCat("a", i, ".example");
    world.AddService(id, kMarie, kThomas, kEve);
    assignments.push_back(Move(id, kTech, kDana));
  }
  ASSERT_THAT(world.Ask(kThomas, assignments).status, HasReason(""));
  world.test_database.Execute(
      "INSERT INTO contact_change_item (change_id, service_id, role, old_contact, outcome)"
      " WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 900)"
      " SELECT c.id, CONCAT('m', n.i, '.example'), 2, 'bb2-ovh', 1 FROM contact_change c, n");
  world.test_database.Execute("ANALYZE TABLE contact_change_item");
  EXPECT_LT(RowsOfServices(world, kEve, ""), 3000);
  const auto page = world.engine.reading.ListServices(World::As(kEve), {}, {});
  for (const Service& service : page->rows) {
    EXPECT_THAT(service.pending_roles, ElementsAre(kTech)) << service.id.text();
  }
  // Once Eve is admin of none of its services, the change is none of hers.
  ASSERT_TRUE(world.Override({Move("zz.example", kAdmin, kMarie)}).ok());
  const auto after = world.engine.reading.ListServices(World::As(kEve), {}, {});
  for (const Service& service : after->rows) {
    EXPECT_THAT(service.pending_roles, IsEmpty()) << service.id.text();
  }
}

}  // namespace
}  // namespace contacts
