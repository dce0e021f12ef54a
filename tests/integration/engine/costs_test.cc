// What the calls of a workflow cost the database: statements and rows, by its own count.

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "absl/time/clock.h"
#include "tests/testing/reasons.h"
#include "tests/testing/world.h"

namespace contacts {
namespace {

using namespace contacts::testing;  // NOLINT(google-build-using-namespace): the test vocabulary.
using enum Role;

constexpr char kS0[] = "s0.example";

struct Costs {
  int64_t statements = 0;  // With COMMIT.
  int64_t inserted = 0;
  int64_t updated = 0;
  int64_t deleted = 0;

  bool operator==(const Costs&) const = default;
};

void PrintTo(const Costs& costs, std::ostream* out) {
  *out << costs.statements << " statements, " << costs.inserted << " rows inserted, "
       << costs.updated << " updated, " << costs.deleted << " deleted";
}

// Counts what the connection for writes does. A test has only one, as it has one thread.
class Meter {
 public:
  explicit Meter(World& world) : world_(world) {
    mariadb_ = world.test_database.Count("SELECT VERSION() LIKE '%MariaDB%'") == 1;
    Read();
    const Costs before = Read();
    own_ = Minus(Read(), before);
  }

  // The rows of Oracle MySQL are not counted: they are mixed with those of temporary tables.
  template <typename F>
  Costs Of(F call) {
    const Costs before = Read();
    call();
    Costs costs = Minus(Minus(Read(), before), own_);
    if (!mariadb_) costs = {.statements = costs.statements};
    return costs;
  }
  Costs Want(Costs costs) const { return mariadb_ ? costs : Costs{.statements = costs.statements}; }

 private:
  static Costs Minus(const Costs& a, const Costs& b) {
    return {a.statements - b.statements, a.inserted - b.inserted, a.updated - b.updated,
            a.deleted - b.deleted};
  }

  Costs Read() {
    Costs costs;
    const CallLimits limits{.deadline = absl::Now() + absl::Seconds(10)};
    EXPECT_TRUE(world_.database
                    .Write(limits,
                           [&](Session& session) {
                             Rows rows = session.Query(
                                 "SHOW SESSION STATUS WHERE Variable_name REGEXP"
                                 " '^(Com_(select|insert|insert_select|update|update_multi|delete"
                                 "|delete_multi|commit)|Handler_(write|update|delete))$'",
                                 {});
                             while (rows.Next()) {
                               const std::string name = rows.String();
                               int64_t& count = name == "Handler_write"    ? costs.inserted
                                                : name == "Handler_update" ? costs.updated
                                                : name == "Handler_delete" ? costs.deleted
                                                                           : costs.statements;
                               count += std::stoll(rows.String());
                             }
                             return absl::OkStatus();
                           })
                    .ok());
    return costs;
  }

  World& world_;
  bool mariadb_ = false;
  Costs own_;
};

TEST(Costs, OfAWorkflowAreFewStatementsAndRows) {
  World world;
  // The second workflow finds the rows of the requester's day and minute.
  for (const char* service : {"s1.example", kS0}) {
    Meter meter(world);
    World::Asked asked;
    const Costs ask = meter.Of([&] {
      asked = world.Ask(kMarie, {Move(service, kTech, kDana)}, Uuid::Version4());
      ASSERT_THAT(asked.status, HasReason(""));
    });
    const ContactChange change = asked.changes.at(0);
    const std::string maries = world.Token(change.id, kMarie);
    const std::string danas = world.Token(change.id, kDana);
    const auto accept = [&](const char* account, const std::string& token) {
      return meter.Of([&] {
        EXPECT_THAT(world.Accept(account, change.id, token, Uuid::Version4()).status,
                    HasReason(""));
      });
    };
    const Costs first = accept(kMarie, maries);
    const Costs last = accept(kDana, danas);
    if (service != std::string(kS0)) continue;
    EXPECT_EQ(ask, meter.Want({13, 13, 3, 0}));
    EXPECT_EQ(first, meter.Want({7, 3, 1, 0}));
    // With one more row of involvement, of the former tech contact.
    EXPECT_EQ(last, meter.Want({16, 12, 7, 3}));
  }
}

TEST(Costs, OfARepeatedAnswerAreThreeReads) {
  World world;
  const Uuid id = Uuid::Version4();
  const ContactChange change = world.Ask(kMarie, {Move(kS0, kTech, kDana)}).changes.at(0);
  const std::string token = world.Token(change.id, kMarie);
  Meter meter(world);
  const auto accept = [&] {
    return meter.Of(
        [&] { EXPECT_THAT(world.Accept(kMarie, change.id, token, id).status, HasReason("")); });
  };
  accept();
  // The change, its items, the record, and a COMMIT without writes.
  EXPECT_EQ(accept(), meter.Want({4, 0, 0, 0}));
}

}  // namespace
}  // namespace contacts
