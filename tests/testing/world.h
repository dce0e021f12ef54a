#ifndef CONTACTS_TESTS_TESTING_WORLD_H_
#define CONTACTS_TESTS_TESTING_WORLD_H_

#include <atomic>
#include <functional>
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

// Accounts: Marie is admin of every service, Thomas tech, Bill billing. Dana and Eve hold no
// role.
inline constexpr char kMarie[] = "aa1-ovh";
inline constexpr char kThomas[] = "bb2-ovh";
inline constexpr char kBill[] = "cc3-ovh";
inline constexpr char kDana[] = "dd4-ovh";
inline constexpr char kEve[] = "ee5-ovh";

// The ids of the changes of a list, all pages of it. `fetch` reads a page.
std::vector<Uuid> IdsOfAllPages(
    int64_t page_size,
    const std::function<absl::StatusOr<Page<ContactChange>>(const PageRequest&)>& fetch);

// An engine on a fresh database with a small directory, driven as a caller would.
class World {
 public:
  // `services` services called s0.example, s1.example and so on.
  explicit World(Settings settings = {}, int services = 3);

  // The answer to a call: its status, and the result that its reply encodes.
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

  // Another server of the fleet, on the same database with the same keys.
  struct Server {
    explicit Server(const World& world);
    Database database;
    Engine engine;
    Outbox outbox;
  };

  // Every call uses this world's own engine by default.
  Asked Ask(const std::string& account, const std::vector<Assignment>& assignments,
            std::optional<Uuid> request_id = std::nullopt, bool validate_only = false,
            Engine* through = nullptr);
  // Asks a second after the last call, so that the order is known.
  ContactChange AskLater(const std::string& account, const Assignment& assignment);
  Answered Accept(const std::string& account, const Uuid& id, const std::string& token,
                  std::optional<Uuid> request_id = std::nullopt, Engine* through = nullptr);
  // With the right token.
  Answered Accept(const std::string& account, const ContactChange& change) {
    return Accept(account, change.id, Token(change.id, account));
  }
  // Asks, and accepts as both validators.
  Answered AskAndAccept(const std::string& account, const std::vector<Assignment>& assignments);
  Answered Refuse(const std::string& account, const Uuid& id, const std::string& token,
                  const std::string& reason = "");
  Answered Resend(const std::string& account, const Uuid& id, const std::string& to = "",
                  std::optional<Uuid> request_id = std::nullopt, Engine* through = nullptr);
  Answered Cancel(const std::string& account, const Uuid& id, Engine* through = nullptr);
  absl::Status Override(const std::vector<Assignment>& assignments,
                        const std::string& reason = "support case");
  absl::Status DeleteService(const std::string& id);
  absl::Status SetStanding(const std::string& account, BillingStanding standing);
  // By an operator, so it is in use at once.
  absl::Status SetEmail(const std::string& account, const std::string& email,
                        Engine* through = nullptr);

  absl::StatusOr<ContactChange> Get(const std::string& account, const Uuid& id);
  std::string Holder(const std::string& service, Role role);
  std::vector<EventType> History(const Uuid& id);
  // The token that the validator's latest e-mail carries.
  std::string Token(const Uuid& id, const std::string& account);
  // The account's address in use.
  std::string EmailOf(const std::string& account);
  // "KIND recipient" of every e-mail owed, in the order of their kinds; none stays.
  std::vector<std::string> TakeMails();

  // Adds a service held by `admin`, `tech` and `billing`, or one more account.
  void AddService(const std::string& id, const std::string& admin = kMarie,
                  const std::string& tech = kThomas, const std::string& billing = kBill);
  void AddAccount(const std::string& id, const std::string& email);

  static Call As(const std::string& account, std::optional<Uuid> request_id = std::nullopt);
  static Call AsOperator(std::optional<Uuid> request_id = std::nullopt);

  // Tells what `clock` says.
  Outbox::Clock Clock() {
    return [this] { return clock.Now(); };
  }

  FakeClock clock;
  TestDatabase test_database;
  Database database;
  std::string key_file = TokenKeys::Generate();
  TokenKeys keys;
  Settings settings;
  Engine engine;
  Outbox outbox;
};

// Rows that the statements of the session's connection have read so far, in all indexes.
int64_t RowsRead(Session& session);

// "service", role, "account".
Assignment Move(const std::string& service, Role role, const std::string& new_contact);

}  // namespace contacts::testing

#endif  // CONTACTS_TESTS_TESTING_WORLD_H_
