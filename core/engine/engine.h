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
#include "core/domain/model.h"
#include "core/domain/settings.h"
#include "core/domain/token.h"
#include "core/engine/batcher.h"
#include "core/mysql/database.h"
#include "core/workflow/change.h"
#include "core/workflow/import.h"

namespace contacts {

// Caller, request id, deadline and cancellation of one call.
struct Call {
  // The acting account of ContactService. Empty if an operator acts.
  AccountId account;
  // The operator that acts, if no account does. Owns request ids like an account.
  std::string operator_name;
  // The caller's request id, if it sent one.
  std::optional<Uuid> request_id;
  // Method name and SHA-256 of the request's content, without its request id.
  std::string fingerprint;
  // Deadline and cancellation, respected down to the database.
  CallLimits limits;
};

// Turns a result into the serialized reply. A mutating use case stores that
// reply in its own transaction, so that a retry gets the same bytes.
template <typename T>
using Encode = std::function<std::string(const T&)>;

struct PageRequest {
  int64_t size = 50;  // 1 to Settings::max_page_size.
  std::string after;  // Cursor of the page before. Empty for the first page.
};
// Limit of the encoded rows of a page, in bytes. A single larger row is a page of its own. By
// default clients refuse responses of more than 4 MiB.
inline constexpr std::size_t kMaxPageBytes = 3 << 20;

template <typename T>
struct Page {
  std::vector<T> rows;
  std::string next;  // Cursor for the next page. Empty on the last page.
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
  std::vector<Uuid> pending_change_ids;  // Only changes that the acting account may see.
};
struct ProfileUpdate {
  AccountId id;
  std::optional<std::string> email;
  std::optional<std::string> language;
  std::optional<BillingStanding> standing;  // Only for operators.
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

// The use cases. Each loads its facts, decides with the pure functions of core/workflow, and saves
// state, history and outbox rows in one transaction. The caller must have checked the form of the
// input (errors::InvalidField). Errors are those of core/domain/errors.h. Thread safe. Calls block
// on the database: make them from worker threads, at most as many as the database has connections.
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

  // Contact changes. Results are views of `call.account`: a field that it may not see is empty.
  absl::StatusOr<std::string> ChangeContacts(const Call& call, const ChangeAsk& ask,
                                             const Encode<std::vector<ContactChange>>& encode);
  absl::StatusOr<ContactChange> GetContactChange(const Call& call, const Uuid& id);
  // The same, in a round trip that may be shared with other calls. Calls `got` once, before it
  // returns or in a thread of the engine. The call must live until then. `got` must not throw.
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

  // Creates or updates the accounts and services of the records, in one transaction and at most
  // four round trips. Returns the rejected records, in order. The others are committed. Running it
  // again ends in the same state.
  absl::StatusOr<std::vector<ImportRejection>> ImportBatch(
      const CallLimits& limits, const std::vector<ImportRecord>& records);
  absl::StatusOr<DirectoryPage> ExportDirectory(const Call& call, const PageRequest& page);

  // Number of answers that could not be checked because this server lacks the token's key.
  int64_t answers_without_key() const { return answers_without_key_; }

  // Background work, safe to run in every server of the fleet at once.
  // Acts on at most `limit` changes that are due: sends reminders, marks expired
  // ones. Returns their number. A change that fails is logged and tried again after five minutes.
  // The others go on.
  absl::StatusOr<int64_t> RunTimers(int64_t limit);
  // Removes at most `limit` kept replies past their retention. Returns their number.
  absl::StatusOr<int64_t> PurgeRequests(int64_t limit);

 private:
  using Body = std::function<absl::StatusOr<std::string>(Session&)>;

  // Runs a mutating use case in one transaction, and keeps its reply under the call's request id. A
  // retry gets the committed reply, and so does a call that lost the answer to its COMMIT.
  absl::StatusOr<std::string> Mutate(const Call& call, const Body& body);
  // Like Mutate. Runs again if `body` returned ABORTED without a reason, because another
  // transaction came between two of its reads.
  absl::StatusOr<std::string> MutateAgainWhileAborted(const Call& call, const Body& body);
  // Looks for a kept reply. Returns null if there is no reply, REQUEST_ID_REUSED if it answers
  // another request.
  absl::StatusOr<std::optional<std::string>> KeptReply(Session& session, const Call& call,
                                                       const Uuid& request_id) const;
  // Returns ACCOUNT_NOT_FOUND if the acting account does not exist, else `otherwise`.
  absl::Status Unless(Session& session, const Call& call, absl::Status otherwise) const;

  // Whether the change would take effect if this answer is accepted.
  using Completes = std::function<bool(const ContactChange&)>;
  using Decide = std::function<Transition(ContactChange&, const EffectFacts&,
                                          const std::vector<AccountId>& admins, absl::Time now)>;
  // Locks a change that concerns the acting account, lets `decide` act on it and saves the effect.
  absl::StatusOr<std::string> AnswerChange(const Call& call, const Uuid& id,
                                           const Completes& completes, const Decide& decide,
                                           const Encode<ContactChange>& encode);
  TokenCheck CheckToken(const ContactChange& change, const AccountId& account,
                        const std::string& token) const;
  // Expires or reminds of these changes if due, in one transaction. Returns the number of due ones.
  absl::StatusOr<int64_t> PassTimeOver(const std::set<Uuid>& ids, const CallLimits& limits);

  struct ChangeRead {
    const Call* call;
    Uuid id;
    Got got;
    absl::Time since;
    const AccountId& whose() const { return call->account; }
  };
  using Views = std::vector<absl::StatusOr<ContactChange>>;
  // Reads each change in the view of its caller. One round trip, or two if a caller may not see its
  // change.
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
