#ifndef CONTACTS_TESTS_TESTING_WORLD_H_
#define CONTACTS_TESTS_TESTING_WORLD_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/engine/engine.h"
#include "core/engine/outbox.h"
#include "tests/testing/test_database.h"

namespace contacts::testing {

// A clock that tests move by hand.
class FakeClock {
 public:
  absl::Time Now() const { return absl::FromUnixMicros(micros_); }
  void Advance(absl::Duration by) { micros_ += absl::ToInt64Microseconds(by); }

 private:
  std::atomic<int64_t> micros_ = 1'790'000'000'000'000;
};

// An engine on a fresh database with a small directory, driven as a caller would:
// marie-admin "aa1-ovh" is admin of the services, thomas "bb2-ovh" tech, bill
// "cc3-ovh" billing; "dd4-ovh" and "ee5-ovh" hold nothing.
class World {
 public:
  static constexpr char kAdmin[] = "aa1-ovh";
  static constexpr char kTech[] = "bb2-ovh";
  static constexpr char kBilling[] = "cc3-ovh";
  static constexpr char kOther[] = "dd4-ovh";
  static constexpr char kThird[] = "ee5-ovh";

  // `services` services called s0.example, s1.example and so on.
  explicit World(Settings settings = {}, int services = 3);

  // What a call answered: its status, and the result that its reply encodes.
  struct Asked {
    absl::Status status;
    std::vector<ContactChange> changes;
    std::string reply;
  };
  struct Answered {
    absl::Status status;
    ContactChange change;
    std::string reply;
  };

  Asked Ask(const std::string& account, const std::vector<Assignment>& assignments,
            std::optional<Uuid> request_id = std::nullopt, bool validate_only = false);
  Answered Accept(const std::string& account, const Uuid& id, const std::string& token,
                  std::optional<Uuid> request_id = std::nullopt);
  // With the right token.
  Answered Accept(const std::string& account, const ContactChange& change) {
    return Accept(account, change.id, Token(change.id, account));
  }
  Answered Refuse(const std::string& account, const Uuid& id, const std::string& token,
                  const std::string& reason = "");
  Answered Resend(const std::string& account, const Uuid& id, const std::string& to = "");
  Answered Cancel(const std::string& account, const Uuid& id);
  absl::Status Override(const std::vector<Assignment>& assignments,
                        const std::string& reason = "support case");
  absl::Status DeleteService(const std::string& id);
  absl::Status SetStanding(const std::string& account, BillingStanding standing);

  absl::StatusOr<ContactChange> Get(const std::string& account, const Uuid& id);
  std::string Holder(const std::string& service, Role role);
  std::vector<EventType> History(const Uuid& id);
  // The token that the validator's latest e-mail carries.
  std::string Token(const Uuid& id, const std::string& account);
  // "KIND recipient" of every e-mail owed, in the order of their kinds; none stays.
  std::vector<std::string> TakeMails();

  Call As(const std::string& account, std::optional<Uuid> request_id = std::nullopt) const;
  Call AsOperator(std::optional<Uuid> request_id = std::nullopt) const;

  FakeClock clock;
  TestDatabase test_database;
  Database database;
  TokenKeys keys;
  Settings settings;
  Engine engine;
  Outbox outbox;
};

// "service", role, "account".
Assignment Move(const std::string& service, Role role, const std::string& new_contact);

}  // namespace contacts::testing

#endif  // CONTACTS_TESTS_TESTING_WORLD_H_
