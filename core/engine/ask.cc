#include <algorithm>
#include <map>
#include <optional>

#include "core/domain/errors.h"
#include "core/engine/engine.h"
#include "core/engine/save.h"
#include "core/mysql/store/account.h"
#include "core/mysql/store/change.h"
#include "core/mysql/store/pending_role.h"
#include "core/mysql/store/quota_window.h"
#include "core/workflow/assignments.h"
#include "core/workflow/change.h"
#include "core/workflow/quota.h"

// ChangeContacts: asking.
namespace contacts {
namespace {

// Changes that are marked expired in one transaction.
constexpr std::size_t kExpiredAtOnce = 200;

// A dry run is in nobody's way.
store::Lock LockOf(const ChangeAsk& ask) {
  return ask.validate_only ? store::Lock::kNone : store::Lock::kForUpdate;
}

// Makes known which pending change is in the way of the first assignment that meets one, where
// the requester may see that change. For a service's admin, that needs no look at the change.
void NamePendingChange(Session& session, const std::vector<Assignment>& assignments,
                       const std::map<ServiceRole, Uuid>& pending, AskFacts& facts) {
  for (const Assignment& assignment : assignments) {
    const auto met = pending.find({assignment.service, assignment.role});
    if (met == pending.end()) continue;
    const Uuid& id = met->second;
    const bool visible = facts.services.at(assignment.service).admin == facts.requester || [&] {
      const auto loaded = store::LoadChanges(session, {id});
      return !loaded.empty() &&
             Concerns(loaded.front().change, loaded.front().admins, facts.requester);
    }();
    if (visible) facts.pending.at(met->first) = id;
    return;
  }
}

struct Loaded {
  AskFacts facts;
  QuotaUse use;
  std::set<Uuid> expired;  // Changes past their deadline that hold roles still.
  absl::Time now;          // Taken once everything was locked.
};

Loaded ReadFacts(Session& session, const Account& requester, const ChangeAsk& ask,
                 const Engine::Clock& clock) {
  Loaded result;
  AskFacts& facts = result.facts;
  facts.requester = requester.id;
  std::set<ServiceId> service_ids;
  std::set<AccountId> account_ids;
  for (const Assignment& assignment : ask.assignments) {
    service_ids.insert(assignment.service);
    account_ids.insert(assignment.new_contact);
  }

  store::ServicesAndPending loaded =
      store::LoadServicesAndPending(session, service_ids, LockOf(ask), requester.id);
  result.now = clock();
  std::map<ServiceRole, Uuid> pending_changes;
  for (const store::PendingRole& pending : loaded.pending) {
    const bool over = pending.expire_time <= result.now;
    if (over) result.expired.insert(pending.change_id);
    if (over && ask.validate_only) continue;
    facts.pending.emplace(pending.role, std::nullopt);
    pending_changes.emplace(pending.role, pending.change_id);
  }
  for (Service& service : loaded.services) {
    account_ids.insert(service.billing);
    facts.services.emplace(service.id, std::move(service));
  }
  if (result.expired.empty()) NamePendingChange(session, ask.assignments, pending_changes, facts);

  store::AccountsAndUse accounts =
      store::LoadAccountsAndUse(session, account_ids, requester.id, result.now);
  result.use = accounts.use;
  for (Account& account : accounts.accounts) facts.accounts.emplace(account.id, std::move(account));
  return result;
}

std::set<AccountId> AdminsOf(const ContactChange& change, const AskFacts& facts) {
  std::set<AccountId> admins;
  for (const ChangeItem& item : change.items) admins.insert(facts.services.at(item.service).admin);
  return admins;
}

void Create(Session& session, std::vector<ContactChange>& changes, const AskFacts& facts,
            absl::Time now) {
  const Uuid batch = Uuid::Version7(now);
  Transition all;
  std::vector<std::set<AccountId>> admins;
  for (ContactChange& change : changes) {
    change.id = Uuid::Version7(now);
    change.batch_id = batch;
    Transition transition = Request(change, now);
    all.events.insert(all.events.end(), transition.events.begin(), transition.events.end());
    all.mails.insert(all.mails.end(), transition.mails.begin(), transition.mails.end());
    admins.push_back(AdminsOf(change, facts));
  }
  store::InsertChanges(session, changes, admins);
  SaveEffects(session, all, now);
}

}  // namespace

absl::StatusOr<std::string> Engine::ChangeContacts(
    const Call& call, const ChangeAsk& ask, const Encode<std::vector<ContactChange>>& encode) {
  std::set<Uuid> expired;
  const auto body = [&](Session& session) -> absl::StatusOr<std::string> {
    expired.clear();
    // Locking the requester's account makes its calls take turns, so that its quotas hold.
    const std::optional<Account> requester = store::LoadAccount(session, call.account, LockOf(ask));
    if (!requester || requester->email.empty()) return errors::AccountNotFound(call.account);
    const Loaded loaded = ReadFacts(session, *requester, ask, clock_);
    const auto& [facts, use, over, now] = loaded;
    expired = over;
    if (!expired.empty() && !ask.validate_only) {
      return absl::AbortedError("expired changes are in the way");
    }

    if (absl::Status wrong = CheckAssignments(ask.assignments, facts); !wrong.ok()) return wrong;
    std::vector<ContactChange> changes =
        PlanChanges(ask.assignments, facts, keys_.active_id(), now, settings_);
    const auto window = TakeQuota(use, static_cast<int64_t>(changes.size()), now, settings_);
    if (!window.ok()) return window.status();
    if (!ask.validate_only) {
      Create(session, changes, facts, now);
      store::SaveAskWindow(session, call.account, *window);
    }
    return encode(changes);
  };

  if (ask.validate_only) return database_->Read<std::string>(call.limits, body);
  // A change past its deadline holds its roles until it is marked: that is done
  // here where it stands in the way.
  for (;;) {
    absl::StatusOr<std::string> reply = Mutate(call, body);
    if (reply.ok() || expired.empty()) return reply;
    while (!expired.empty()) {
      std::set<Uuid> some;
      while (some.size() < kExpiredAtOnce && !expired.empty()) {
        some.insert(expired.extract(expired.begin()));
      }
      const absl::StatusOr<int64_t> passed = PassTimeOver(some, call.limits);
      if (!passed.ok()) return passed.status();
    }
  }
}

}  // namespace contacts
