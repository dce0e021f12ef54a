// Which accounts see which changes and services.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/engine/feed.h"
#include "core/mysql/store/change.h"
#include "core/mysql/store/feed.h"
#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using enum Role;

constexpr char kS0[] = "s0.example";
constexpr char kS1[] = "s1.example";

// Whether the change exists for an account, by every call that could show it.
bool Sees(World& world, const std::string& account, const Uuid& id) {
  const absl::Status got = world.Get(account, id).status();
  const absl::Status events =
      world.engine.reading.ListContactChangeEvents(World::As(account), id, {}).status();
  EXPECT_EQ(got.ok(), events.ok()) << got << events;
  const auto listed = world.engine.reading.ListContactChanges(World::As(account), {}, {});
  EXPECT_TRUE(listed.ok()) << listed.status();
  bool in_list = false;
  for (const ContactChange& change : listed->rows) in_list = in_list || change.id == id;
  EXPECT_EQ(got.ok(), in_list) << account;
  if (!got.ok()) {
    EXPECT_THAT(got, HasReason("CONTACT_CHANGE_NOT_FOUND"));
    EXPECT_THAT(events, HasReason("CONTACT_CHANGE_NOT_FOUND"));
  }
  return got.ok();
}

std::vector<std::string> WhoSees(World& world, const Uuid& id) {
  std::vector<std::string> accounts;
  for (const char* account : {kMarie, kThomas, kBill, kDana, kEve}) {
    if (Sees(world, account, id)) accounts.emplace_back(account);
  }
  return accounts;
}

TEST(WhoSeesWhat, RequesterAndNewContactAndAdminFromTheStart) {
  World world;
  const Uuid id = world.Ask(kBill, {Move(kS0, kBilling, kDana)}).changes.at(0).id;
  EXPECT_THAT(WhoSees(world, id), ElementsAre(kMarie, kBill, kDana));
}

TEST(WhoSeesWhat, AdminOfOneOfItsServicesFromTheStart) {
  World world;
  world.AddService("eve.example", kEve, kThomas, kBill);
  const Uuid id = world.Ask(kThomas, {Move(kS0, kTech, kDana), Move("eve.example", kTech, kDana)})
                      .changes.at(0)
                      .id;
  EXPECT_THAT(WhoSees(world, id), ElementsAre(kMarie, kThomas, kDana, kEve));
}

TEST(WhoSeesWhat, OldContactOnceItHasTakenEffectOnly) {
  World world;
  const ContactChange change = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  EXPECT_THAT(WhoSees(world, change.id), ElementsAre(kMarie, kDana));
  world.Accept(kMarie, change);
  EXPECT_THAT(WhoSees(world, change.id), ElementsAre(kMarie, kDana));
  world.Accept(kDana, change);
  EXPECT_THAT(WhoSees(world, change.id), ElementsAre(kMarie, kThomas, kDana));
}

TEST(WhoSeesWhat, OldContactOfAChangeThatEndedOtherwiseNever) {
  World world;
  const ContactChange refused = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  world.Refuse(kDana, refused.id, world.Token(refused.id, kDana));
  EXPECT_THAT(WhoSees(world, refused.id), ElementsAre(kMarie, kDana));
  const ContactChange expired = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  world.clock.Advance(absl::Hours(24 * 7));
  EXPECT_THAT(WhoSees(world, expired.id), ElementsAre(kMarie, kDana));
}

TEST(WhoSeesWhat, OldContactOfASkippedItemNever) {
  World world;
  world.AddService("bill.example", kMarie, kBill, kBill);
  const ContactChange change =
      world.Ask(kMarie, {Move(kS0, kTech, kDana), Move("bill.example", kTech, kDana)})
          .changes.at(0);
  ASSERT_TRUE(world.Override({Move("bill.example", kTech, kEve)}).ok());
  world.Accept(kMarie, change);
  ASSERT_EQ(world.Accept(kDana, change).change.state, ChangeState::kDone);
  EXPECT_THAT(WhoSees(world, change.id), ElementsAre(kMarie, kThomas, kDana));
}

TEST(WhoSeesWhat, AdminWhoLostTheRoleSeesItNoMoreAndTheNewAdminDoes) {
  World world;
  const Uuid open = world.Ask(kThomas, {Move(kS0, kTech, kDana)}).changes.at(0).id;
  const Uuid closed = world.Ask(kBill, {Move(kS0, kBilling, kDana)}).changes.at(0).id;
  world.Cancel(kBill, closed);
  EXPECT_THAT(WhoSees(world, open), ElementsAre(kMarie, kThomas, kDana));
  ASSERT_TRUE(world.Override({Move(kS0, kAdmin, kEve)}).ok());
  EXPECT_THAT(WhoSees(world, open), ElementsAre(kThomas, kDana, kEve));
  EXPECT_THAT(WhoSees(world, closed), ElementsAre(kBill, kDana, kEve));
}

TEST(WhoSeesWhat, AdminByAContactChangeSeesThoseOfTheService) {
  World world;
  const Uuid tech = world.Ask(kThomas, {Move(kS0, kTech, kDana)}).changes.at(0).id;
  const World::Answered moved = world.AskAndAccept(kMarie, {Move(kS0, kAdmin, kEve)});
  EXPECT_THAT(WhoSees(world, tech), ElementsAre(kThomas, kDana, kEve));
  // Marie asked for it and was its old contact. It still concerns her.
  EXPECT_THAT(WhoSees(world, moved.change.id), ElementsAre(kMarie, kEve));
}

TEST(WhoSeesWhat, WhoeverRegistersARemovedServiceAnewSeesNothingOfTheOneBefore) {
  World world;
  const Uuid closed = world.AskAndAccept(kMarie, {Move(kS0, kTech, kDana)}).change.id;
  const Uuid open =
      world.Ask(kMarie, {Move(kS0, kBilling, kDana), Move(kS1, kTech, kDana)}).changes.at(0).id;
  world.clock.Advance(absl::Microseconds(1));
  ASSERT_TRUE(world.DeleteService(kS0).ok());
  world.AddService(kS0, kEve, kEve, kEve);
  EXPECT_THAT(WhoSees(world, closed), ElementsAre(kMarie, kThomas, kDana));
  EXPECT_THAT(WhoSees(world, open), ElementsAre(kMarie, kDana));
  EXPECT_THAT(world.Cancel(kEve, open).status, HasReason("CONTACT_CHANGE_NOT_FOUND"));
  const auto listed =
      world.engine.reading.ListContactChanges(World::As(kEve), {.service = ServiceId(kS0)}, {});
  EXPECT_THAT(listed->rows, IsEmpty());
  Feed feed(&world.database, world.settings);
  ASSERT_TRUE(feed.Advance(world.clock.Now(), {}).ok());
  const auto events = feed.Read({}, 100, {}, {});
  ASSERT_TRUE(events.ok());
  EXPECT_FALSE(events->empty());
  for (const FeedEvent& event : *events) EXPECT_FALSE(event.concerned.contains(AccountId(kEve)));

  // A change that is asked for now concerns her.
  const Uuid fresh = world.Ask(kEve, {Move(kS0, kTech, kDana)}).changes.at(0).id;
  EXPECT_THAT(WhoSees(world, fresh), ElementsAre(kDana, kEve));
  // So does a change with a time a little before the service's registration, from another clock.
  world.AddService("young.example", kEve, kThomas, kThomas);
  world.clock.Advance(-absl::Seconds(30));
  const Uuid behind = world.Ask(kThomas, {Move("young.example", kTech, kDana)}).changes.at(0).id;
  EXPECT_THAT(WhoSees(world, behind), ElementsAre(kThomas, kDana, kEve));
}

TEST(WhoSeesWhat, ForAnyoneElseItDoesNotExistWhateverTheyTry) {
  World world;
  const ContactChange change = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  const std::string token = world.Token(change.id, kDana);
  const std::string before = world.test_database.Dump();
  for (const char* account : {kThomas, kBill, kEve}) {
    EXPECT_THAT(world.Accept(account, change.id, token).status,
                HasReason("CONTACT_CHANGE_NOT_FOUND"));
    EXPECT_THAT(world.Refuse(account, change.id, "x").status,
                HasReason("CONTACT_CHANGE_NOT_FOUND"));
    EXPECT_THAT(world.Resend(account, change.id).status, HasReason("CONTACT_CHANGE_NOT_FOUND"));
    EXPECT_THAT(world.Cancel(account, change.id).status, HasReason("CONTACT_CHANGE_NOT_FOUND"));
  }
  EXPECT_EQ(world.test_database.Dump(), before);
}

TEST(WhoSeesWhat, UnknownChangeLooksTheSame) {
  World world;
  const Uuid id = Uuid::Version4();
  EXPECT_THAT(world.Get(kMarie, id).status(), HasReason("CONTACT_CHANGE_NOT_FOUND"));
  EXPECT_THAT(world.Accept(kMarie, id, "x").status, HasReason("CONTACT_CHANGE_NOT_FOUND"));
  EXPECT_THAT(world.Cancel(kMarie, id).status, HasReason("CONTACT_CHANGE_NOT_FOUND"));
}

TEST(WhoSeesWhat, ActingAccountThatDoesNotExistIsToldSo) {
  World world;
  const Uuid id = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0).id;
  const Call ghost = World::As("zz9-ovh");
  EXPECT_THAT(world.Get("zz9-ovh", id).status(), HasReason("ACCOUNT_NOT_FOUND"));
  EXPECT_THAT(world.Accept("zz9-ovh", id, "x").status, HasReason("ACCOUNT_NOT_FOUND"));
  EXPECT_THAT(world.engine.profiles.GetProfile(ghost).status(), HasReason("ACCOUNT_NOT_FOUND"));
  EXPECT_THAT(world.engine.reading.ListServices(ghost, {}, {}).status(),
              HasReason("ACCOUNT_NOT_FOUND"));
  EXPECT_THAT(world.engine.reading.GetService(ghost, ServiceId(kS0)).status(),
              HasReason("ACCOUNT_NOT_FOUND"));
  EXPECT_THAT(world.engine.reading.ListContactChanges(ghost, {}, {}).status(),
              HasReason("ACCOUNT_NOT_FOUND"));
}

TEST(WhoSeesWhat, AddressHintIsTheValidatorsOwnAndSendTimeAlsoTheRequesters) {
  World world;
  const Uuid id = world.Ask(kThomas, {Move(kS0, kTech, kDana)}).changes.at(0).id;
  world.TakeMails();
  const auto seen_by = [&](const char* viewer, const char* validator) {
    const Validation* validation = nullptr;
    const ContactChange change = *world.Get(viewer, id);
    validation = change.FindValidation(AccountId(validator));
    return absl::StrCat(validation->email_hint, validation->email_send_time ? " sent" : "");
  };
  EXPECT_EQ(seen_by(kDana, kDana), "d***@mail.example sent");
  EXPECT_EQ(seen_by(kThomas, kThomas), "b***@mail.example sent");
  EXPECT_EQ(seen_by(kThomas, kDana), " sent");
  EXPECT_EQ(seen_by(kDana, kThomas), "");
  EXPECT_EQ(seen_by(kMarie, kDana), "");  // Admin.
}

TEST(Owner, IsSeenByTheAdminAndByOperatorsAlone) {
  World world;
  const auto owner_for = [&](const char* account) {
    const auto view = world.engine.reading.GetService(World::As(account), ServiceId(kS0));
    EXPECT_TRUE(view.ok()) << view.status();
    const auto listed = world.engine.reading.ListServices(World::As(account), {}, {});
    EXPECT_TRUE(listed.ok());
    EXPECT_EQ(listed->rows.at(0).owner.has_value(), view->service.owner.has_value());
    return view->service.owner.has_value() ? view->service.owner->name : "";
  };
  EXPECT_EQ(owner_for(kMarie), "Marie Curie");
  EXPECT_EQ(owner_for(kThomas), "");
  EXPECT_EQ(owner_for(kBill), "");
  const auto looked_up = world.engine.directory.LookupService(World::AsOperator(), ServiceId(kS0));
  ASSERT_TRUE(looked_up.ok());
  EXPECT_EQ(looked_up->owner->name, "Marie Curie");
}

TEST(ServiceView, OfAServiceOneHasNoPartInIsNotFound) {
  World world;
  EXPECT_THAT(world.engine.reading.GetService(World::As(kEve), ServiceId(kS0)).status(),
              HasReason("SERVICE_NOT_FOUND"));
  EXPECT_THAT(
      world.engine.reading.GetService(World::As(kMarie), ServiceId("gone.example")).status(),
      HasReason("SERVICE_NOT_FOUND"));
}

TEST(ServiceView, ListsThePendingChangesThatTheViewerMaySee) {
  World world;
  const Uuid tech = world.Ask(kThomas, {Move(kS0, kTech, kDana)}).changes.at(0).id;
  const Uuid billing = world.Ask(kMarie, {Move(kS0, kBilling, kEve)}).changes.at(0).id;
  const auto pending = [&](const char* account) {
    return world.engine.reading.GetService(World::As(account), ServiceId(kS0))->pending_change_ids;
  };
  EXPECT_THAT(pending(kMarie), ::testing::UnorderedElementsAre(tech, billing));
  EXPECT_THAT(pending(kThomas), ElementsAre(tech));
  EXPECT_THAT(pending(kBill), IsEmpty());
  world.Cancel(kThomas, tech);
  EXPECT_THAT(pending(kMarie), ElementsAre(billing));
  world.clock.Advance(absl::Hours(24 * 7));  // Not swept.
  EXPECT_THAT(pending(kMarie), IsEmpty());
  EXPECT_THAT(
      world.engine.reading.GetService(World::As(kMarie), ServiceId(kS1))->pending_change_ids,
      IsEmpty());
}

TEST(ServiceList, TellsTheRolesOnWhichAChangeThatTheViewerMaySeeIsPending) {
  World world;
  world.AddService("eve.example", kEve, kThomas, kBill);
  // Concerns Eve, as it has an item on her service.
  world.Ask(kThomas, {Move(kS0, kTech, kDana), Move("eve.example", kTech, kDana)});
  world.Ask(kMarie, {Move(kS0, kBilling, kDana)});
  ASSERT_TRUE(world.Override({Move(kS0, kAdmin, kBill), Move(kS0, kTech, kEve)}).ok());
  const auto pending = [&](const char* account) {
    const auto page = world.engine.reading.ListServices(World::As(account), {.id_prefix = kS0}, {});
    return page->rows.at(0).pending_roles;
  };
  EXPECT_THAT(pending(kBill), ElementsAre(kBilling));  // The override ended that of the tech role.
  EXPECT_THAT(pending(kEve), IsEmpty());               // Neither her change nor her service.
  world.Ask(kEve, {Move(kS0, kTech, kDana)});
  EXPECT_THAT(pending(kBill), ElementsAre(kTech, kBilling));
  EXPECT_THAT(pending(kEve), ElementsAre(kTech));
  world.clock.Advance(absl::Hours(24 * 7));  // Not swept.
  EXPECT_THAT(pending(kBill), IsEmpty());
}

TEST(WhoSeesWhat, AdminSeesWhatAServerOfAnEarlierVersionWrote) {
  World world;
  const Uuid id = world.Ask(kThomas, {Move(kS0, kTech, kDana)}).changes.at(0).id;
  world.test_database.Execute("UPDATE contact_change_item SET service_create_time = 0");
  EXPECT_THAT(WhoSees(world, id), ElementsAre(kMarie, kThomas, kDana));
  world.clock.Advance(absl::Minutes(2));
  ASSERT_TRUE(world.DeleteService(kS0).ok());
  world.AddService(kS0, kEve, kEve, kEve);
  EXPECT_THAT(WhoSees(world, id), ElementsAre(kThomas, kDana));
}

// How a change of the grid below goes on. `services`: those of its two items.
using Ending = std::function<void(World&, const ContactChange&, const std::string (&services)[2])>;

void AcceptAsBoth(World& world, const ContactChange& change) {
  for (const AccountId& account : {change.requester, change.new_contact}) {
    EXPECT_TRUE(world.Accept(account.text(), change).status.ok());
  }
}

// Registers a service again, under the id of a removed one, for Eve.
void RegisterAgain(World& world, const std::string& service) {
  world.clock.Advance(absl::Microseconds(1));
  EXPECT_TRUE(world.DeleteService(service).ok());
  world.AddService(service, kEve, kEve, kEve);
}

const Ending kEndings[] = {
    [](World&, const ContactChange&, const auto&) {},  // Stays open.
    [](World& world, const ContactChange& change, const auto&) { AcceptAsBoth(world, change); },
    [](World& world, const ContactChange& change, const auto&) {
      world.Refuse(kDana, change.id, world.Token(change.id, kDana));
    },
    [](World& world, const ContactChange& change, const auto&) {
      world.Cancel(change.requester.text(), change.id);
    },
    // Done, with one item that was not applied.
    [](World& world, const ContactChange& change, const auto& services) {
      EXPECT_TRUE(world.Override({Move(services[0], kTech, kEve)}).ok());
      AcceptAsBoth(world, change);
    },
    // Aborted.
    [](World& world, const ContactChange&, const auto& services) {
      EXPECT_TRUE(
          world.Override({Move(services[0], kTech, kEve), Move(services[1], kTech, kEve)}).ok());
    },
    // Another admin, before and after it took effect.
    [](World& world, const ContactChange&, const auto& services) {
      EXPECT_TRUE(world.Override({Move(services[0], kAdmin, kEve)}).ok());
    },
    [](World& world, const ContactChange& change, const auto& services) {
      AcceptAsBoth(world, change);
      EXPECT_TRUE(world.Override({Move(services[0], kAdmin, kEve)}).ok());
    },
    [](World& world, const ContactChange& change, const auto& services) {
      EXPECT_TRUE(world.DeleteService(services[0]).ok());
      AcceptAsBoth(world, change);
    },
    [](World& world, const ContactChange&, const auto& services) {
      RegisterAgain(world, services[0]);
    },
    [](World& world, const ContactChange& change, const auto& services) {
      AcceptAsBoth(world, change);
      RegisterAgain(world, services[0]);
    },
};

// Compares the feed's statement with the rule, for all changes and accounts. Returns the states of
// the changes.
std::set<ChangeState> CompareConcerned(World& world, const std::vector<Uuid>& ids) {
  std::set<ChangeState> states;
  const absl::Status read =
      world.database
          .Read<bool>(
              {},
              [&](Session& session) {
                const auto by_statement = store::LoadConcerned(session, {ids.begin(), ids.end()});
                const auto loaded = store::LoadChanges(session, ids);
                EXPECT_EQ(loaded.size(), ids.size());
                for (const auto& [change, admins] : loaded) {
                  states.insert(change.state);
                  std::set<AccountId> by_rule;
                  for (const char* account : {kMarie, kThomas, kBill, kDana, kEve}) {
                    if (Concerns(change, admins, AccountId(account))) by_rule.emplace(account);
                  }
                  const auto found = by_statement.find(change.id);
                  EXPECT_TRUE(found != by_statement.end() && found->second == by_rule)
                      << Name(change.state) << " change on " << change.items[0].service
                      << ": by the rule " << ::testing::PrintToString(by_rule)
                      << ", by the statement "
                      << (found == by_statement.end() ? "none"
                                                      : ::testing::PrintToString(found->second));
                }
                return absl::StatusOr<bool>(true);
              })
          .status();
  EXPECT_TRUE(read.ok()) << read;
  return states;
}

// Compares the statement of ListServices with the rule, which GetService uses. Returns the number
// of pending roles that were seen.
std::size_t ComparePendingRoles(World& world) {
  std::size_t count = 0;
  for (const char* account : {kMarie, kThomas, kBill, kDana, kEve}) {
    const auto listed = world.engine.reading.ListServices(World::As(account), {}, {.size = 1000});
    EXPECT_TRUE(listed.ok()) << listed.status();
    for (const Service& service : listed->rows) {
      const auto one = world.engine.reading.GetService(World::As(account), service.id);
      EXPECT_EQ(service.pending_roles, one->service.pending_roles) << account << " " << service.id;
      EXPECT_EQ(one->service.pending_roles.empty(), one->pending_change_ids.empty());
      count += service.pending_roles.size();
    }
  }
  return count;
}

TEST(WhoSeesWhat, StatementsOfTheFeedAndOfListsAgreeWithTheRule) {
  World world;
  std::vector<Uuid> ids;
  for (const bool admin_asks : {true, false}) {
    const std::string requester = admin_asks ? kMarie : kThomas;
    for (const Ending& ending : kEndings) {
      const std::string services[] = {absl::StrCat("a", ids.size(), ".example"),
                                      absl::StrCat("b", ids.size(), ".example")};
      world.AddService(services[0], kMarie, kThomas, kBill);
      // Only a service that Marie administers may be in a change that she asks for.
      world.AddService(services[1], admin_asks ? kMarie : kEve, admin_asks ? kBill : kThomas,
                       kBill);
      const ContactChange change =
          world.Ask(requester, {Move(services[0], kTech, kDana), Move(services[1], kTech, kDana)})
              .changes.at(0);
      ids.push_back(change.id);
      ending(world, change, services);
    }
  }
  EXPECT_EQ(CompareConcerned(world, ids).size(), 5U);
  EXPECT_GT(ComparePendingRoles(world), 10U);
  world.clock.Advance(absl::Hours(24 * 8));
  ASSERT_TRUE(world.engine.maintenance.RunTimers(100).ok());
  EXPECT_THAT(CompareConcerned(world, ids), ::testing::Contains(ChangeState::kExpired));
  EXPECT_EQ(ComparePendingRoles(world), 0U);
}

}  // namespace
}  // namespace contacts
