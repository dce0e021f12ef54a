#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/domain/errors.h"
#include "core/engine/engine.h"
#include "core/engine/save.h"
#include "core/mysql/store/account.h"
#include "core/mysql/store/change.h"
#include "core/mysql/store/involvement.h"
#include "core/mysql/store/service.h"
#include "core/workflow/change.h"

// What people do with a contact change: accept, refuse, resend, cancel.
namespace contacts {
namespace {

// Loads the items and, where an acceptance is about to take effect, what else
// that needs; locks the services.
EffectFacts ReadEffectFacts(Session& session, ContactChange& change) {
  EffectFacts facts;
  for (Service& service : store::LoadItemsLockServices(session, change)) {
    facts.services.emplace(service.id, std::move(service));
  }
  std::set<AccountId> payers;
  bool authority_in_doubt = false;
  for (const ChangeItem& item : change.items) {
    if (item.outcome != ItemOutcome::kPending) continue;
    if (item.role == Role::kBilling) payers.insert({item.old_contact, change.new_contact});
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
    store::MoveRole(session, services, role, change.new_contact, now);
  }
  store::AddInvolvement(session, old_contacts, change.id, /*open=*/false);
}

bool Never(const ContactChange&) { return false; }

// Saves what a command did; the items too where it closed the change.
void Save(Session& session, const ContactChange& change, Transition& transition, absl::Time now) {
  if (!transition.save) return;
  store::SaveChange(session, change);
  if (!change.open()) {
    store::SaveItems(session, change);
    if (change.state == ChangeState::kDone) ApplyItems(session, change, now);
  }
  SaveEffects(session, transition, now);
  if (!transition.status.ok()) session.CommitAnyway();  // A wrong token is counted.
}

}  // namespace

TokenCheck Engine::CheckToken(const ContactChange& change, const AccountId& account,
                              const std::string& token) const {
  const Validation* validation = change.FindValidation(account);
  if (validation == nullptr) return TokenCheck::kWrong;
  return keys_.Check(token, validation->token_key_id, change.id, account, validation->generation);
}

absl::StatusOr<std::string> Engine::AnswerChange(const Call& call, const Uuid& id,
                                                 const Completes& completes, const Decide& decide,
                                                 const Encode<ContactChange>& encode) {
  std::string missing_key;
  absl::StatusOr<std::string> reply =
      Mutate(call, [&](Session& session) -> absl::StatusOr<std::string> {
        missing_key.clear();
        const absl::Status not_found = errors::ContactChangeNotFound(id);
        std::optional<ContactChange> change = store::LockChange(session, id);
        if (!change) return Unless(session, call, not_found);
        EffectFacts facts;
        std::vector<AccountId> admins;
        if (completes(*change)) {
          facts = ReadEffectFacts(session, *change);
        } else {
          admins = store::LoadItems(session, *change);
        }
        const absl::Time now = clock_();
        if (!Concerns(*change, admins, call.account)) return Unless(session, call, not_found);
        Transition transition = decide(*change, facts, admins, now);
        Save(session, *change, transition, now);
        if (absl::IsUnavailable(transition.status)) {
          missing_key = change->FindValidation(call.account)->token_key_id;
        }
        if (!transition.status.ok()) return transition.status;
        return encode(ViewOf(*change, call.account, now));
      });
  if (!missing_key.empty()) {
    ++answers_without_key_;
    spdlog::error("token keys: none is called \"{}\", which a token was made with", missing_key);
  }
  return reply;
}

absl::StatusOr<std::string> Engine::AcceptContactChange(const Call& call, const Uuid& id,
                                                        const std::string& token,
                                                        const Encode<ContactChange>& encode) {
  // The services are locked only by the holder of a right token.
  const auto completes = [&](const ContactChange& change) {
    return change.open() && WouldComplete(change, call.account) &&
           CheckToken(change, call.account, token) == TokenCheck::kRight;
  };
  const auto decide = [&](ContactChange& change, const EffectFacts& facts,
                          const std::vector<AccountId>&, absl::Time now) {
    return Accept(change, call.account, CheckToken(change, call.account, token), facts, now,
                  settings_);
  };
  return AnswerChange(call, id, completes, decide, encode);
}

absl::StatusOr<std::string> Engine::RefuseContactChange(const Call& call, const Uuid& id,
                                                        const std::string& token,
                                                        const std::string& reason,
                                                        const Encode<ContactChange>& encode) {
  const auto decide = [&](ContactChange& change, const EffectFacts&, const std::vector<AccountId>&,
                          absl::Time now) {
    return Refuse(change, call.account, CheckToken(change, call.account, token), reason, now,
                  settings_);
  };
  return AnswerChange(call, id, Never, decide, encode);
}

absl::StatusOr<std::string> Engine::ResendValidation(const Call& call, const Uuid& id,
                                                     const AccountId& validator,
                                                     const Encode<ContactChange>& encode) {
  const auto decide = [&](ContactChange& change, const EffectFacts&, const std::vector<AccountId>&,
                          absl::Time now) {
    return Resend(change, call.account, validator.empty() ? call.account : validator,
                  keys_.active_id(), now, settings_);
  };
  return AnswerChange(call, id, Never, decide, encode);
}

absl::StatusOr<std::string> Engine::CancelContactChange(const Call& call, const Uuid& id,
                                                        const Encode<ContactChange>& encode) {
  const auto decide = [&](ContactChange& change, const EffectFacts&,
                          const std::vector<AccountId>& admins, absl::Time now) {
    // Items already taken out no longer count.
    bool is_admin_of_all = true;
    for (std::size_t i = 0; i < admins.size(); ++i) {
      if (change.open() && change.items[i].outcome != ItemOutcome::kPending) continue;
      is_admin_of_all = is_admin_of_all && admins[i] == call.account;
    }
    return Cancel(change, call.account, is_admin_of_all, now);
  };
  return AnswerChange(call, id, Never, decide, encode);
}

}  // namespace contacts
