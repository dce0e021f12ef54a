#ifndef CONTACTS_CORE_ENGINE_ENGINE_H_
#define CONTACTS_CORE_ENGINE_ENGINE_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/domain/account.h"
#include "core/domain/change_event.h"
#include "core/domain/contact_change.h"
#include "core/domain/role.h"
#include "core/domain/service.h"
#include "core/domain/settings.h"
#include "core/domain/token.h"
#include "core/engine/batcher.h"
#include "core/mysql/database.h"
#include "core/workflow/change.h"
#include "core/workflow/import.h"

namespace contacts {

// Who calls, and how long the answer is worth waiting for.
struct Call {
  // The acting account of ContactService. Empty where an operator acts.
  AccountId account;
  // Who acts where no account does; scopes request ids like an account does.
  std::string operator_name;
  // The caller's request id, where it brought one.
  std::optional<Uuid> request_id;
  // Method name and SHA-256 of the request's content, without its request id.
  std::string fingerprint;
  // Deadline and cancellation, respected down to the database.
  CallLimits limits;
};

// Turns a result into the serialized reply. A mutating use case stores that
// reply in its own transaction, so that a retry is given the very same bytes.
template <typename T>
using Encode = std::function<std::string(const T&)>;

struct PageRequest {
  int64_t size = 50;  // 1 to Settings::max_page_size.
  std::string after;  // Cursor of the page before; empty for the first.
};
// The encoded rows of a page have at most this many bytes, unless the first alone has more: a
// client refuses responses of more than 4 MiB unless it was told otherwise.
inline constexpr std::size_t kMaxPageBytes = 3 << 20;

template <typename T>
struct Page {
  std::vector<T> rows;
  std::string next;  // Cursor for the next page; empty on the last.
};

struct ChangeAsk {
  std::vector<Assignment> assignments;  // In request order; each (service, role) once.
  bool validate_only = false;
};
struct ServiceFilter {
  std::vector<Role> roles;  // Empty keeps all.
  std::string id_prefix;
};
struct ChangeFilter {
  std::vector<ChangeState> states;  // Empty keeps all.
  Involvement involvement = Involvement::kAny;
  std::optional<ServiceId> service;
};
struct ServiceView {
  Service service;                       // Owner set only for its admin.
  std::vector<Uuid> pending_change_ids;  // Those that the acting account may see.
};
struct ProfileUpdate {
  AccountId id;
  std::optional<std::string> email;
  std::optional<std::string> language;
  std::optional<BillingStanding> standing;  // Operators alone.
  std::string etag;                         // Empty skips the check.
};
struct OwnerUpdate {
  ServiceId service;
  Owner owner;
  std::vector<std::string> fields;  // The contract's field names in Owner.
  std::string etag;
};
struct OverrideAsk {
  std::vector<Assignment> assignments;
  std::string reason;
};

// One page of the whole directory: all accounts come before all services.
struct DirectoryPage {
  std::vector<Account> accounts;
  std::vector<Service> services;
  std::string next;  // Cursor for the next page; empty on the last.
};

// The use cases: each loads, decides with the pure functions of core/workflow,
// and saves state, history and outbox rows in one transaction. Input has been
// checked for form (errors::InvalidField is the caller's to raise). Errors are
// those of core/domain/errors.h. Thread safe; calls block on the database and
// must be made from threads meant for that, at most as many as the database has
// connections.
class Engine {
 public:
  using Clock = std::function<absl::Time()>;

  // `database` must outlive the engine.
  Engine(Database* database, TokenKeys keys, Settings settings, Clock clock = absl::Now);

  const Settings& settings() const { return settings_; }

  // Directory side of an acting account.
  absl::StatusOr<Account> GetProfile(const Call& call);
  absl::StatusOr<std::string> UpdateProfile(const Call& call, const ProfileUpdate& update,
                                            const Encode<Account>& encode);
  absl::StatusOr<Page<Service>> ListServices(const Call& call, const ServiceFilter& filter,
                                             const PageRequest& page);
  absl::StatusOr<ServiceView> GetService(const Call& call, const ServiceId& id);
  absl::StatusOr<std::string> UpdateServiceOwner(const Call& call, const OwnerUpdate& update,
                                                 const Encode<Service>& encode);

  // Contact changes. What is returned is as `call.account` may see it: a field
  // that it may not see is empty.
  absl::StatusOr<std::string> ChangeContacts(const Call& call, const ChangeAsk& ask,
                                             const Encode<std::vector<ContactChange>>& encode);
  absl::StatusOr<ContactChange> GetContactChange(const Call& call, const Uuid& id);
  // As above, in a round trip that it may share with others that are asked for meanwhile. Calls
  // `got` once: before it returns, or in a thread of the engine's; the call must live until then.
  // `got` must not throw.
  using Got = std::function<void(absl::StatusOr<ContactChange>)>;
  void GetContactChange(const Call& call, const Uuid& id, Got got);
  absl::StatusOr<Page<ContactChange>> ListContactChanges(const Call& call,
                                                         const ChangeFilter& filter,
                                                         const PageRequest& page);
  absl::StatusOr<std::string> AcceptContactChange(const Call& call, const Uuid& id,
                                                  const std::string& token,
                                                  const Encode<ContactChange>& encode);
  absl::StatusOr<std::string> RefuseContactChange(const Call& call, const Uuid& id,
                                                  const std::string& token,
                                                  const std::string& reason,
                                                  const Encode<ContactChange>& encode);
  // An empty `validator` means the acting account.
  absl::StatusOr<std::string> ResendValidation(const Call& call, const Uuid& id,
                                               const AccountId& validator,
                                               const Encode<ContactChange>& encode);
  absl::StatusOr<std::string> CancelContactChange(const Call& call, const Uuid& id,
                                                  const Encode<ContactChange>& encode);
  absl::StatusOr<Page<ChangeEvent>> ListContactChangeEvents(const Call& call, const Uuid& id,
                                                            const PageRequest& page);

  // Directory operators.
  absl::StatusOr<std::string> CreateAccount(const Call& call, const Account& account,
                                            const Encode<Account>& encode);
  absl::StatusOr<Account> GetAccount(const Call& call, const AccountId& id);
  absl::StatusOr<std::string> UpdateAccount(const Call& call, const ProfileUpdate& update,
                                            const Encode<Account>& encode);
  absl::StatusOr<std::string> CreateService(const Call& call, const Service& service,
                                            const Encode<Service>& encode);
  absl::StatusOr<Service> LookupService(const Call& call, const ServiceId& id);
  absl::StatusOr<std::string> DeleteService(const Call& call, const ServiceId& id,
                                            const Encode<Service>& encode);
  absl::StatusOr<std::string> OverrideContacts(const Call& call, const OverrideAsk& ask,
                                               const Encode<std::vector<Service>>& encode);

  // Creates or updates what the records say, all in one transaction, in four round
  // trips at most. Returns those that were rejected, in order; the others are
  // committed. Running it again ends in the same state.
  absl::StatusOr<std::vector<ImportRejection>> ImportBatch(
      const CallLimits& limits, const std::vector<ImportRecord>& records);
  absl::StatusOr<DirectoryPage> ExportDirectory(const Call& call, const PageRequest& page);

  // Answers that could not be checked, as this server's key file lacks the token's key.
  int64_t answers_without_key() const { return answers_without_key_; }

  // Background work, safe to run in every server of the fleet at once.
  // Acts on at most `limit` changes that are due: sends reminders, marks expired
  // ones. Returns how many it acted on. A change that fails is logged and tried again after
  // five minutes; the others go on.
  absl::StatusOr<int64_t> RunTimers(int64_t limit);
  // Removes at most `limit` kept replies past their retention; returns how many.
  absl::StatusOr<int64_t> PurgeRequests(int64_t limit);

 private:
  using Body = std::function<absl::StatusOr<std::string>(Session&)>;

  // Runs a mutating use case in one transaction, with its reply kept under the
  // call's request id: a retry, or a commit whose answer was lost, is answered
  // with the reply that was committed.
  absl::StatusOr<std::string> Mutate(const Call& call, const Body& body);
  // As Mutate, run again where `body` returned ABORTED without a reason: another
  // transaction came between two of its reads.
  absl::StatusOr<std::string> MutateAgainWhileAborted(const Call& call, const Body& body);
  // Looks for a kept reply: null where there is none, REQUEST_ID_REUSED where it
  // answers another request.
  absl::StatusOr<std::optional<std::string>> KeptReply(Session& session, const Call& call,
                                                       const Uuid& request_id) const;
  // ACCOUNT_NOT_FOUND where the acting account does not exist, else `otherwise`.
  absl::Status Unless(Session& session, const Call& call, absl::Status otherwise) const;

  // Whether the answer, if accepted, would be the one that takes effect.
  using Completes = std::function<bool(const ContactChange&)>;
  using Decide = std::function<Transition(ContactChange&, const EffectFacts&,
                                          const std::vector<AccountId>& admins, absl::Time now)>;
  // Locks a change that concerns the acting account, lets `decide` act on it and
  // saves what it did.
  absl::StatusOr<std::string> AnswerChange(const Call& call, const Uuid& id,
                                           const Completes& completes, const Decide& decide,
                                           const Encode<ContactChange>& encode);
  TokenCheck CheckToken(const ContactChange& change, const AccountId& account,
                        const std::string& token) const;
  // Lets time pass over these changes, in one transaction. Returns for how many something was due.
  absl::StatusOr<int64_t> PassTimeOver(const std::set<Uuid>& ids, const CallLimits& limits);

  struct ChangeRead {
    const Call* call;
    Uuid id;
    Got got;
    absl::Time since;
    const AccountId& whose() const { return call->account; }
  };
  using Views = std::vector<absl::StatusOr<ContactChange>>;
  // Each change as its caller may see it, in one round trip, or in two where one may not.
  absl::StatusOr<Views> LoadViews(const CallLimits& limits, const std::vector<ChangeRead>& reads);
  void ReadChanges(std::vector<ChangeRead> reads);

  Database* const database_;
  const TokenKeys keys_;
  const Settings settings_;
  const Clock clock_;
  std::atomic<int64_t> answers_without_key_ = 0;
  Batcher<ChangeRead> change_reads_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_ENGINE_H_
