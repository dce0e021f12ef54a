// The history of a service's contacts: every move of a role.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/mysql/store/change.h"
#include "core/mysql/store/contact_move.h"
#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using enum Role;

constexpr char kS0[] = "s0.example";

// "role old -> new CAUSE id staff".
std::string Line(Role role, const std::string& from, const std::string& to, MoveCause cause,
                 const Uuid& id = {}, const std::string& staff = "") {
  return absl::StrCat(Name(role), " ", from, " -> ", to, " ", static_cast<int>(cause), " ",
                      id.is_nil() ? "" : id.text(), " ", staff);
}

// The whole history of a service, oldest first, read in pages.
std::vector<std::string> History(World& world, const std::string& service) {
  std::vector<std::string> lines;
  const absl::Status read = world.database.Read({}, [&](Session& session) {
    lines.clear();
    store::MovePlace place;
    for (;;) {
      const auto page = store::ListMoves(session, ServiceId(service), std::nullopt, place, 4);
      for (const ContactMove& move : page) {
        lines.insert(lines.begin(),
                     Line(move.role, move.old_contact.text(), move.new_contact.text(),
                          move.origin.cause, move.origin.cause_id, move.origin.staff));
        place = {move.service_create_time, move.version, move.role};
      }
      if (page.size() < 4) return absl::OkStatus();
    }
  });
  EXPECT_TRUE(read.ok()) << read;
  return lines;
}

// Does at random what can move a role, and keeps what each service's history must be.
class Walk {
 public:
  explicit Walk(unsigned seed) : random_(seed) {
    for (const char* id : kIds) {
      std::vector<std::string>& lines = expected_[id];
      if (std::string(id)[0] == 'x') continue;
      Registered(id, {kMarie, kThomas, kBill}, "", lines);
    }
  }

  void Step() {
    world_.clock.Advance(absl::Milliseconds(Pick(3)));  // Also none.
    const std::string id = kIds[Pick(std::size(kIds))];
    if (!holders_.contains(id)) {
      Pick(2) == 0 ? Register(id) : Import(id);
      return;
    }
    switch (Pick(8)) {
      case 0: return Remove(id);
      case 1:
      case 2: return Override(id);
      case 3:
      case 4: return Import(id);
      default: return Change(id);
    }
  }

  void Check() {
    for (const auto& [id, lines] : expected_) {
      EXPECT_EQ(History(world_, id), lines) << id;
      const auto stands = world_.engine.directory.LookupService(World::AsOperator(), ServiceId(id));
      EXPECT_EQ(stands.ok(), holders_.contains(id)) << id;
      if (!stands.ok()) continue;
      for (Role role : kRoles) EXPECT_EQ(stands->holder(role).text(), holders_.at(id).at(role));
    }
  }
  int moves_by(MoveCause cause) const { return by_cause_.at(cause); }

 private:
  using Holders = std::map<Role, std::string>;
  static constexpr const char* kIds[] = {"s0.example", "s1.example", "s2.example", "x.example"};
  static constexpr const char* kAccounts[] = {kMarie, kThomas, kBill, kDana, kEve};

  std::size_t Pick(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }
  std::string Someone() { return kAccounts[Pick(std::size(kAccounts))]; }
  Role SomeRole() { return static_cast<Role>(1 + Pick(3)); }
  Call Operator() {
    Call call = World::AsOperator();
    call.staff = "desk";
    return call;
  }

  void Registered(const std::string& id, const std::vector<std::string>& contacts,
                  const std::string& staff, std::vector<std::string>& lines) {
    for (Role role : kRoles) {
      const std::string& to = contacts[static_cast<std::size_t>(role) - 1];
      holders_[id][role] = to;
      lines.push_back(Line(role, "", to, MoveCause::kRegistered, {}, staff));
      ++by_cause_[MoveCause::kRegistered];
    }
  }
  void Moved(const std::string& id, Role role, const std::string& to, MoveCause cause,
             const Uuid& cause_id, const std::string& staff) {
    std::string& holder = holders_.at(id).at(role);
    if (holder == to) return;
    expected_[id].push_back(Line(role, holder, to, cause, cause_id, staff));
    holder = to;
    ++by_cause_[cause];
  }
  Service Record(const std::string& id) {
    Service service;
    service.id = ServiceId(id);
    service.kind = "domain";
    for (Role role : kRoles) service.holder(role) = AccountId(Someone());
    return service;
  }

  void Register(const std::string& id) {
    const Service service = Record(id);
    const auto made = world_.engine.directory.CreateService(
        Operator(), service, [](const Service&) { return std::string(); });
    ASSERT_TRUE(made.ok()) << made.status();
    Registered(id, {service.admin.text(), service.tech.text(), service.billing.text()}, "desk",
               expected_[id]);
  }
  void Import(const std::string& id) {
    // Two records about the same service: each moves what it moves.
    for (int records = 0; records < 2; ++records) {
      imported_.push_back(Record(id));
    }
    const std::vector<ImportRecord> records(imported_.begin(), imported_.end());
    imported_.clear();
    const auto rejected = world_.engine.bulk.ImportBatch({}, records, "sync");
    ASSERT_TRUE(rejected.ok()) << rejected.status();
    std::set<std::size_t> left_out;
    for (const ImportRejection& rejection : *rejected) left_out.insert(rejection.position);
    for (std::size_t i = 0; i < records.size(); ++i) {
      const auto& record = std::get<Service>(records[i]);
      if (left_out.contains(i)) continue;
      if (!holders_.contains(id)) {
        Registered(id, {record.admin.text(), record.tech.text(), record.billing.text()}, "sync",
                   expected_[id]);
        continue;
      }
      for (Role role : kRoles) {
        Moved(id, role, record.holder(role).text(), MoveCause::kImport, {}, "sync");
      }
    }
  }
  void Remove(const std::string& id) {
    // Registered again, it is another service.
    world_.clock.Advance(absl::Microseconds(1));
    const auto removed = world_.engine.directory.DeleteService(
        Operator(), ServiceId(id), [](const Service&) { return std::string(); });
    ASSERT_TRUE(removed.ok()) << removed.status();
    for (Role role : kRoles) {
      expected_[id].push_back(
          Line(role, holders_.at(id).at(role), "", MoveCause::kRemoved, {}, "desk"));
      ++by_cause_[MoveCause::kRemoved];
    }
    holders_.erase(id);
  }
  void Override(const std::string& id) {
    std::vector<Assignment> assignments;
    for (Role role : kRoles) {
      if (Pick(2) == 0) assignments.push_back(Move(id, role, Someone()));
    }
    if (assignments.empty()) return;
    world_.clock.Advance(absl::Milliseconds(1));  // The highest id is the latest.
    const auto done = world_.engine.directory.OverrideContacts(
        Operator(), {.assignments = assignments, .reason = "why"},
        [](const std::vector<Service>&) { return std::string(); });
    ASSERT_TRUE(done.ok()) << done.status();
    const std::string record =
        world_.test_database.Query("SELECT HEX(MAX(id)) FROM contact_override").at(0);
    const Uuid cause = Uuid::FromBytes(absl::HexStringToBytes(record));
    for (const Assignment& assignment : assignments) {
      Moved(id, assignment.role, assignment.new_contact.text(), MoveCause::kOverride, cause,
            "desk");
    }
  }
  void Change(const std::string& id) {
    const std::string to = Someone();
    std::vector<Assignment> assignments = {Move(id, SomeRole(), to)};
    if (Pick(2) == 0) assignments.push_back(Move(id, SomeRole(), to));
    if (assignments.size() == 2 && assignments[0].role == assignments[1].role) return;
    const World::Asked asked = world_.Ask(holders_.at(id).at(kAdmin), assignments);
    if (!asked.status.ok()) return;  // It holds the role already, or a change is pending.
    const ContactChange& change = asked.changes.at(0);
    if (Pick(4) == 0) return;  // Left pending.
    for (const Validation& validation : change.validations) {
      world_.Accept(validation.account.text(), change);
    }
    const ContactChange ended = *world_.Get(change.requester.text(), change.id);
    for (const ChangeItem& item : ended.items) {
      if (item.outcome != ItemOutcome::kApplied) continue;
      Moved(id, item.role, to, MoveCause::kContactChange, change.id, "");
    }
  }

  World world_;
  std::mt19937 random_;
  std::map<std::string, Holders> holders_;
  std::map<std::string, std::vector<std::string>> expected_;
  std::map<MoveCause, int> by_cause_;
  std::vector<Service> imported_;
};

TEST(ContactHistory, EqualsTheFoldOfWhatWasDoneToTheServiceInARandomWalk) {
  for (const unsigned seed : {1U, 2U, 3U}) {
    Walk walk(seed);
    for (int step = 0; step < 150; ++step) walk.Step();
    walk.Check();
    for (const MoveCause cause : {MoveCause::kRegistered, MoveCause::kContactChange,
                                  MoveCause::kOverride, MoveCause::kImport, MoveCause::kRemoved}) {
      EXPECT_GT(walk.moves_by(cause), 5) << static_cast<int>(cause);
    }
  }
}

TEST(ContactHistory, HasARowForEachMovedRoleAndNoneForWhatDidNotMove) {
  World world;
  const auto rows = [&] { return world.test_database.Count("SELECT COUNT(*) FROM contact_move"); };
  const int64_t before = rows();
  EXPECT_EQ(before, 9);  // Three services, registered.
  ASSERT_TRUE(world.Override({Move(kS0, kTech, kThomas), Move(kS0, kBilling, kDana)}).ok());
  EXPECT_EQ(rows(), before + 1);
  const ContactChange refused = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  world.Refuse(kDana, refused.id, world.Token(refused.id, kDana));
  EXPECT_EQ(rows(), before + 1);
  world.AskAndAccept(kMarie, {Move(kS0, kTech, kDana), Move("s1.example", kTech, kDana)});
  EXPECT_EQ(rows(), before + 3);
}

// Adds three thousand moves of the service's tech role to its history, from its version 100 on.
void AddMoves(World& world) {
  world.test_database.Execute(
      "INSERT INTO contact_move (service_id, service_create_time, version, role, old_contact,"
      " new_contact, cause, cause_id, time, staff)"
      " WITH RECURSIVE n AS (SELECT 0 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 999) SELECT"
      " s.id, s.create_time, 100 + n.i + 1000 * k, r, 'bb2-ovh', 'dd4-ovh', 3,"
      " UNHEX(LPAD('1', 32, '0')), s.create_time, '' FROM n, service s,"
      " (SELECT 0 AS k UNION SELECT 1 UNION SELECT 2) m, (SELECT 1 AS r UNION SELECT 2) o"
      " WHERE s.id = 's0.example'");
  world.test_database.Execute("ANALYZE TABLE contact_move");
}

// Rows that `body` reads.
int64_t RowsOf(Session& session, const std::function<void()>& body) {
  int64_t before = RowsRead(session);
  const int64_t own = RowsRead(session) - before;
  before = RowsRead(session);
  body();
  return RowsRead(session) - before - own;
}

TEST(ContactHistory, ALaterPageReadsNoMoreThanItselfHoweverLongTheHistoryIs) {
  World world;
  AddMoves(world);
  const absl::Time registered =
      absl::FromUnixMicros(world.test_database.Count("SELECT MIN(create_time) FROM service"));
  const absl::Status read = world.database.Read({}, [&](Session& session) {
    for (const auto& registration : {std::optional<absl::Time>(), std::optional(registered)}) {
      for (const int64_t version : {110, 3000}) {
        EXPECT_LT(RowsOf(session,
                         [&] {
                           const auto page = store::ListMoves(session, ServiceId(kS0), registration,
                                                              {registered, version, kTech}, 10);
                           EXPECT_THAT(page, ::testing::SizeIs(10));
                           EXPECT_EQ(page.front().version, version);
                           EXPECT_EQ(page.front().role, kAdmin);
                         }),
                  60);
      }
    }
    return absl::OkStatus();
  });
  EXPECT_TRUE(read.ok()) << read;
}

TEST(ContactHistory, TheLastAcceptanceReadsTheLatestMoveOfARoleAlone) {
  World world;
  const World::Asked batch = world.Ask(kMarie, {Move(kS0, kAdmin, kEve), Move(kS0, kTech, kDana)});
  ASSERT_THAT(batch.status, HasReason(""));
  AddMoves(world);
  world.Accept(kMarie, batch.changes.at(0));
  ASSERT_EQ(world.Accept(kEve, batch.changes.at(0)).change.state, ChangeState::kDone);
  const absl::Status read = world.database.Write({}, [&](Session& session) {
    ContactChange change = batch.changes.at(1);
    EXPECT_LT(
        RowsOf(session,
               [&] { EXPECT_TRUE(store::LoadItemsLockServices(session, change).admin_moved); }),
        30);
    EXPECT_LT(RowsOf(session,
                     [&] {
                       const auto given =
                           store::LoadGivenByBatch(session, change.batch_id, AccountId(kMarie));
                       EXPECT_THAT(given, ::testing::SizeIs(1));
                     }),
              40);
    return absl::OkStatus();
  });
  EXPECT_TRUE(read.ok()) << read;
}

}  // namespace
}  // namespace contacts
