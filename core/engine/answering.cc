#include "core/engine/answering.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/domain/errors.h"
#include "core/engine/mutation.h"
#include "core/engine/save.h"
#include "core/mysql/store/account.h"
#include "core/mysql/store/change.h"
#include "core/mysql/store/earlier_address.h"
#include "core/mysql/store/involvement.h"
#include "core/mysql/store/quota_window.h"
#include "core/mysql/store/service.h"
#include "core/workflow/visibility.h"

namespace contacts {
namespace {

// Loads the items and locks their services. Then loads the other facts that an acceptance needs
// to take effect.
EffectFacts ReadEffectFacts(Session& session, ContactChange& change, const Settings& settings) {
  EffectFacts facts;
  store::LockedItems locked = store::LoadItemsLockServices(session, change);
  for (Service& service : locked.services) {
    facts.services.emplace(service.id, std::move(service));
  }
  std::set<AccountId> payers;
  bool authority_in_doubt = locked.admin_moved;
  for (const ChangeItem& item : change.items) {
    if (item.outcome != ItemOutcome::kPending) continue;
    if (NeedsStanding(item.role, settings.standing_for_every_role)) {
      payers.insert({item.old_contact, change.new_contact});
    }
    const auto service = facts.services.find(item.service);
    authority_in_doubt =
        authority_in_doubt ||
        (service != facts.services.end() && !MayMove(service->second, change.requester, item.role));
  }
  if (!payers.empty()) {
    const std::vector<AccountId> overdue = store::LoadOverdue(session, payers);
    facts.overdue.insert(overdue.begin(), overdue.end());
  }
  if (authority_in_doubt) {
    facts.given_by_batch = store::LoadGivenByBatch(session, change.batch_id, change.requester);
  }
  return facts;
}

// Moves the roles of the items that were applied, one statement a role.
void ApplyItems(Session& session, const ContactChange& change, absl::Time now) {
  std::set<AccountId> old_contacts;
  for (Role role : kRoles) {
    std::vector<ServiceId> services;
    for (const ChangeItem& item : change.items) {
      if (item.role != role || item.outcome != ItemOutcome::kApplied) continue;
      services.push_back(item.service);
      old_contacts.insert(item.old_contact);
    }
    store::MoveRole(session, services, role, change.new_contact,
                    {.cause = MoveCause::kContactChange, .cause_id = change.id, .time = now});
  }
  // The ask already wrote the rows of these two.
  old_contacts.erase(change.requester);
  old_contacts.erase(change.new_contact);
  store::AddInvolvement(session, old_contacts, change.id, /*open=*/false);
}

// Loads the items of a locked change and returns their present admins. Returns
// CONTACT_CHANGE_NOT_FOUND if the change does not concern the acting account.
absl::StatusOr<std::vector<AccountId>> LoadVisibleItems(Session& session, const Call& call,
                                                        ContactChange& change,
                                                        store::Lock lock = store::Lock::kNone) {
  std::vector<AccountId> admins = store::LoadItems(session, change, lock);
  if (Concerns(change, admins, call.account)) return admins;
  return AccountNotFoundOr(session, call, errors::ContactChangeNotFound(change.id));
}

// Locks a change and loads its items and their present admins. Returns CONTACT_CHANGE_NOT_FOUND
// if no such change concerns the acting account. `services`: the lock on the services of the items
// unless the requester acts.
absl::StatusOr<store::ChangeAndAdmins> LockVisibleChange(
    Session& session, const Call& call, const Uuid& id, store::Lock services = store::Lock::kNone) {
  std::optional<ContactChange> change = store::LockChange(session, id);
  if (!change) return AccountNotFoundOr(session, call, errors::ContactChangeNotFound(id));
  absl::StatusOr<std::vector<AccountId>> admins = LoadVisibleItems(
      session, call, *change, IsRequester(*change, call.account) ? store::Lock::kNone : services);
  if (!admins.ok()) return admins.status();
  return store::ChangeAndAdmins{*std::move(change), *std::move(admins)};
}

// Saves the effects of a command and encodes the change for the acting account. Returns the
// command's error; a wrong token is counted nevertheless.
absl::StatusOr<std::string> SaveAnswer(Session& session, const Call& call,
                                       const ContactChange& change, Transition transition,
                                       absl::Time now, const Settings& settings,
                                       const Encode<ContactChange>& encode) {
  if (transition.save) {
    SaveChangeAndItems(session, change, transition);
    if (change.state == ChangeState::kDone) ApplyItems(session, change, now);
    SaveEffects(session, transition, now, settings);
    if (!transition.status.ok()) session.CommitAnyway();
  }
  if (!transition.status.ok()) return transition.status;
  return encode(ViewOf(change, call.account, now, settings));
}

// The id of the key that this server lacks for the account's token; empty if it has the key.
std::string MissingKey(const Transition& transition, const ContactChange& change,
                       const AccountId& account) {
  if (!absl::IsUnavailable(transition.status)) return "";
  return change.FindValidation(account)->token_key_id;
}

}  // namespace

TokenCheck Answering::CheckToken(Session& session, const ContactChange& change,
                                 const AccountId& account, const std::string& email,
                                 const std::string& token) const {
  if (!AwaitsToken(change, account, context_.clock(), context_.settings)) return TokenCheck::kWrong;
  const Validation& validation = *change.FindValidation(account);
  const TokenSource source{.change = change.id,
                           .account = account,
                           .generation = validation.generation,
                           .address = AddressDigest(account, email)};
  const TokenCheck check = context_.keys.Check(token, validation.token_key_id, source);
  if (check == TokenCheck::kWrong) {
    const std::vector<std::string> before = store::LoadEarlierAddresses(session, account);
    return context_.keys.IsSuperseded(token, source, before) ? TokenCheck::kSuperseded : check;
  }
  // A token that is not bound to its address serves until the address changes.
  const absl::Time sent =
      std::max(validation.own_resends.last_time, validation.other_resends.last_time);
  if (check == TokenCheck::kRight && !TokenKeys::IsBound(validation.token_key_id) &&
      store::AddressReplacedSince(session, account, sent)) {
    return TokenCheck::kSuperseded;
  }
  return check;
}

absl::StatusOr<std::string> Answering::AcceptContactChange(const Call& call, const Uuid& id,
                                                           const std::string& token,
                                                           const Encode<ContactChange>& encode) {
  std::string missing_key;
  absl::StatusOr<std::string> reply =
      MutateOnce(context_, call, [&](Session& session) -> absl::StatusOr<std::string> {
        missing_key.clear();
        const absl::Status not_found = errors::ContactChangeNotFound(id);
        auto locked = store::LockChangeAndEmail(session, id, call.account);
        if (!locked) return AccountNotFoundOr(session, call, not_found);
        ContactChange* const change = &locked->change;
        // Only a right token that is the last one needed locks the services.
        const TokenCheck check = CheckToken(session, *change, call.account, locked->email, token);
        EffectFacts facts;
        std::vector<AccountId> admins;
        if (change->open() && WouldComplete(*change, call.account) && check == TokenCheck::kRight) {
          facts = ReadEffectFacts(session, *change, context_.settings);
        } else {
          admins = store::LoadItems(session, *change);
        }
        const absl::Time now = context_.clock();
        if (!Concerns(*change, admins, call.account)) {
          return AccountNotFoundOr(session, call, not_found);
        }
        Transition transition = Accept(*change, call.account, check, facts, now, context_.settings);
        missing_key = MissingKey(transition, *change, call.account);
        return SaveAnswer(session, call, *change, std::move(transition), now, context_.settings,
                          encode);
      });
  missing_keys_.Count(missing_key);
  return reply;
}

absl::StatusOr<std::string> Answering::RefuseContactChange(const Call& call, const Uuid& id,
                                                           const std::string& token,
                                                           const std::string& reason,
                                                           const Encode<ContactChange>& encode) {
  std::string missing_key;
  absl::StatusOr<std::string> reply =
      MutateOnce(context_, call, [&](Session& session) -> absl::StatusOr<std::string> {
        missing_key.clear();
        auto locked = store::LockChangeAndEmail(session, id, call.account);
        if (!locked) return AccountNotFoundOr(session, call, errors::ContactChangeNotFound(id));
        ContactChange& change = locked->change;
        const auto admins = LoadVisibleItems(session, call, change);
        if (!admins.ok()) return admins.status();
        const TokenCheck check = CheckToken(session, change, call.account, locked->email, token);
        const absl::Time now = context_.clock();
        Transition transition = Refuse(change, call.account, check, reason, now, context_.settings);
        missing_key = MissingKey(transition, change, call.account);
        return SaveAnswer(session, call, change, std::move(transition), now, context_.settings,
                          encode);
      });
  missing_keys_.Count(missing_key);
  return reply;
}

absl::StatusOr<std::string> Answering::ResendValidation(const Call& call, const Uuid& id,
                                                        const AccountId& validator,
                                                        const Encode<ContactChange>& encode) {
  return MutateOnce(context_, call, [&](Session& session) -> absl::StatusOr<std::string> {
    absl::StatusOr<store::ChangeAndAdmins> locked = LockVisibleChange(session, call, id);
    if (!locked.ok()) return locked.status();
    const AccountId& recipient = validator.empty() ? call.account : validator;
    // The change is pending, so its first e-mail has made this row: the lock makes the resends of
    // all changes between the two accounts take turns.
    QuotaWindow mails;
    if (recipient != call.account) {
      mails = store::LoadDailyUse(session, call.account, DailyUse::kMails, recipient,
                                  store::Lock::kForUpdate);
    }
    const absl::Time now = context_.clock();
    Transition transition = Resend(locked->change, call.account, recipient, context_.keys.active(),
                                   mails, now, context_.settings);
    return SaveAnswer(session, call, locked->change, std::move(transition), now, context_.settings,
                      encode);
  });
}

absl::StatusOr<std::string> Answering::CancelContactChange(const Call& call, const Uuid& id,
                                                           const Encode<ContactChange>& encode) {
  return MutateOnce(context_, call, [&](Session& session) -> absl::StatusOr<std::string> {
    // A withdrawal depends on the admins, so nobody moves their roles meanwhile.
    absl::StatusOr<store::ChangeAndAdmins> locked =
        LockVisibleChange(session, call, id, store::Lock::kShare);
    if (!locked.ok()) return locked.status();
    const absl::Time now = context_.clock();
    Transition transition = Cancel(locked->change, call.account, locked->admins, now);
    return SaveAnswer(session, call, locked->change, std::move(transition), now, context_.settings,
                      encode);
  });
}

}  // namespace contacts
