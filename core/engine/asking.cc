#include "core/engine/asking.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/domain/errors.h"
#include "core/engine/maintenance.h"
#include "core/engine/mutation.h"
#include "core/engine/save.h"
#include "core/mysql/store/account.h"
#include "core/mysql/store/change.h"
#include "core/mysql/store/pending_role.h"
#include "core/mysql/store/quota_window.h"
#include "core/workflow/assignments.h"
#include "core/workflow/change.h"
#include "core/workflow/quota.h"
#include "core/workflow/visibility.h"

namespace contacts {
namespace {

// Number of changes that are marked expired in one transaction.
constexpr std::size_t kExpiredAtOnce = 200;

// validate_only takes no locks, except to count wrong accounts.
store::Lock LockOf(const ChangeAsk& ask) {
  return ask.validate_only ? store::Lock::kNone : store::Lock::kForUpdate;
}

// Adds to the facts the id of the pending change that the first such assignment meets, if the
// requester may see that change.
void NamePendingChange(Session& session, const std::vector<Assignment>& assignments,
                       const std::map<ServiceRole, Uuid>& pending, AskFacts& facts) {
  for (const Assignment& assignment : assignments) {
    const auto met = pending.find({assignment.service, assignment.role});
    if (met == pending.end()) continue;
    const Uuid& id = met->second;
    const bool visible =
        SeesAllChangesOn(facts.services.at(assignment.service), facts.requester) || [&] {
          const auto loaded = store::LoadChanges(session, {id});
          return !loaded.empty() &&
                 Concerns(loaded.front().change, loaded.front().admins, facts.requester);
        }();
    if (visible) facts.pending.at(met->first) = id;
    return;
  }
}

struct LoadedFacts {
  AskFacts facts;
  QuotaUse use;
  std::set<Uuid> expired;  // Changes past their deadline whose roles are still taken.
  absl::Time now;          // Read after everything was locked.
};

// Returns ACCOUNT_NOT_FOUND if the requester does not exist.
absl::StatusOr<LoadedFacts> ReadFacts(Session& session, const AccountId& requester,
                                      const ChangeAsk& ask, const EngineContext& context) {
  LoadedFacts result;
  AskFacts& facts = result.facts;
  facts.requester = requester;
  facts.standing_for_every_role = context.settings.standing_for_every_role;
  std::set<ServiceId> service_ids;
  std::set<AccountId> new_contacts, payers, recipients;
  for (const Assignment& assignment : ask.assignments) {
    service_ids.insert(assignment.service);
    new_contacts.insert(assignment.new_contact);
  }

  // The lock on the requester's account makes its calls take turns, so that its quotas hold.
  store::RequesterAndServices loaded =
      store::LoadRequesterAndServices(session, requester, service_ids, LockOf(ask));
  if (!loaded.may_ask) return errors::AccountNotFound(requester);
  for (Service& service : loaded.services) facts.services.emplace(service.id, std::move(service));
  for (const auto& [service, role, new_contact] : ask.assignments) {
    recipients.insert(new_contact);
    const auto found = facts.services.find(service);
    if (found == facts.services.end()) continue;
    const AccountId& holder = found->second.holder(role);
    recipients.insert(holder);
    if (NeedsStanding(role, facts.standing_for_every_role) && !new_contacts.contains(holder)) {
      payers.insert(holder);
    }
  }
  recipients.erase(requester);
  // Locks: no new contact is deleted before the change that names it is there.
  store::AccountsAndUse accounts = store::LoadAccountsAndUse(
      session, new_contacts, payers, recipients, requester, context.clock(), LockOf(ask));
  result.use = accounts.use;
  facts.accounts = ById(std::move(accounts.accounts));

  result.now = context.clock();
  std::map<ServiceRole, Uuid> pending_changes;
  for (const store::PendingRole& pending : loaded.pending) {
    const bool over = StateAt(ChangeState::kValidating, pending.expire_time, result.now) !=
                      ChangeState::kValidating;
    if (over) result.expired.insert(pending.change_id);
    if (over && ask.validate_only) continue;
    facts.pending.emplace(pending.role, std::nullopt);
    pending_changes.emplace(pending.role, pending.change_id);
  }
  if (result.expired.empty()) NamePendingChange(session, ask.assignments, pending_changes, facts);
  return result;
}

std::set<AccountId> AdminsOf(const ContactChange& change, const AskFacts& facts) {
  std::set<AccountId> admins;
  for (const ChangeItem& item : change.items) admins.insert(facts.services.at(item.service).admin);
  return admins;
}

void Create(Session& session, std::vector<ContactChange>& changes, const AskFacts& facts,
            absl::Time now, const Settings& settings) {
  const Uuid batch = Uuid::Version7(now);
  Transition all;
  DailyCount items{.account = facts.requester, .use = DailyUse::kItems};
  std::vector<std::set<AccountId>> admins;
  for (ContactChange& change : changes) {
    change.id = Uuid::Version7(now);
    change.batch_id = batch;
    all.Add(Request(change, now));
    items.uses += static_cast<int64_t>(change.items.size());
    admins.push_back(AdminsOf(change, facts));
  }
  store::InsertChanges(session, changes, admins);
  SaveEffects(session, all, now, settings, {items});
}

// Findings of one run of ChangeContacts, beside its reply.
struct Found {
  std::set<Uuid> expired;      // Expired changes that still have roles that the ask is about.
  absl::Status rejected;       // The error of a body that rejected the ask.
  int64_t wrong_accounts = 0;  // That it tells of.
};

// One run of ChangeContacts. Nothing if it found expired changes in the way.
absl::StatusOr<ReplyOrOvertaken> Ask(Session& session, const EngineContext& context,
                                     const Call& call, const ChangeAsk& ask,
                                     const Encode<std::vector<ContactChange>>& encode,
                                     Found& found) {
  found = {};
  const absl::StatusOr<LoadedFacts> read = ReadFacts(session, call.account, ask, context);
  if (!read.ok()) return read.status();
  const LoadedFacts& loaded = *read;
  found.expired = loaded.expired;
  if (!found.expired.empty() && !ask.validate_only) return ReplyOrOvertaken();

  const absl::Time now = loaded.now;
  absl::Status rejected = CheckAssignments(ask.assignments, loaded.facts);
  absl::Status may_tell = CheckWrongAccounts(loaded.use.wrong_accounts, now, context.settings);
  if (!may_tell.ok() && (!rejected.ok() || ask.validate_only)) return may_tell;
  if (!rejected.ok()) {
    found.wrong_accounts =
        static_cast<int64_t>(FindWrongAccounts(ask.assignments, loaded.facts).size());
    found.rejected = rejected;
    return rejected;
  }
  std::vector<ContactChange> changes =
      PlanChanges(ask.assignments, loaded.facts, context.keys.active(), now, context.settings);
  const auto window = TakeQuota(loaded.use, changes, now, context.settings);
  // Once no wrong account may be told any more, the window's error would tell that none is wrong.
  if (!window.ok()) return may_tell.ok() ? window.status() : may_tell;
  if (!ask.validate_only) {
    Create(session, changes, loaded.facts, now, context.settings);
    store::SaveAskWindow(session, call.account, *window);
    for (ContactChange& change : changes) {
      change = ViewOf(change, call.account, now, context.settings);
    }
  }
  return ReplyOrOvertaken(encode(changes));
}

// Counts the wrong accounts that an error is about to tell of, in a transaction of its own, as the
// ask has none or is rolled back. Returns QUOTA_EXCEEDED if the error must not be returned.
absl::Status CountWrongAccounts(const EngineContext& context, const Call& call, int64_t wrong) {
  return context.database->Write(call.limits, [&](Session& session) {
    // The lock makes the account's calls take turns.
    store::LoadAccount(session, call.account, store::Lock::kForUpdate);
    const QuotaWindow used = store::LoadDailyUse(session, call.account, DailyUse::kWrongAccounts,
                                                 AccountId(), store::Lock::kNone);
    const absl::Time now = context.clock();
    WrongAccounts taken = TakeWrongAccounts(used, wrong, now, context.settings);
    if (taken.uses > 0) {
      store::CountDailyUses(session,
                            {{.account = call.account,
                              .use = DailyUse::kWrongAccounts,
                              .other = AccountId(),
                              .uses = taken.uses}},
                            now);
      session.CommitAnyway();
    }
    return std::move(taken.status);
  });
}

// Marks changes past their deadline, which frees their roles.
absl::Status Expire(const EngineContext& context, std::set<Uuid> expired,
                    const CallLimits& limits) {
  while (!expired.empty()) {
    std::set<Uuid> some;
    while (some.size() < kExpiredAtOnce && !expired.empty()) {
      some.insert(expired.extract(expired.begin()));
    }
    const absl::StatusOr<int64_t> acted = ExpireOrRemind(context, some, limits);
    if (!acted.ok()) return acted.status();
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> Asking::ChangeContacts(
    const Call& call, const ChangeAsk& ask, const Encode<std::vector<ContactChange>>& encode) {
  Found found;
  const auto body = [&](Session& session) {
    return Ask(session, context_, call, ask, encode, found);
  };
  for (;;) {
    const absl::StatusOr<ReplyOrOvertaken> reply =
        ask.validate_only ? context_.database->Read<ReplyOrOvertaken>(call.limits, body)
                          : TryMutateOnce(context_, call, body);
    // A stored reply, or REQUEST_ID_REUSED in its place, tells of none.
    if (found.wrong_accounts > 0 && reply.status() == found.rejected) {
      const absl::Status counted = CountWrongAccounts(context_, call, found.wrong_accounts);
      return counted.ok() ? reply.status() : counted;
    }
    if (!reply.ok()) return reply.status();
    if (reply->has_value()) return **reply;
    absl::Status marked = Expire(context_, std::move(found.expired), call.limits);
    if (!marked.ok()) return marked;
  }
}

}  // namespace contacts
