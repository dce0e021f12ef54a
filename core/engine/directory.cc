#include "core/engine/directory.h"

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/domain/errors.h"
#include "core/engine/mutation.h"
#include "core/engine/save.h"
#include "core/mysql/store/account.h"
#include "core/mysql/store/change.h"
#include "core/mysql/store/contact_move.h"
#include "core/mysql/store/contact_override.h"
#include "core/mysql/store/involvement.h"
#include "core/mysql/store/service.h"
#include "core/workflow/assignments.h"
#include "core/workflow/change.h"
#include "core/workflow/move.h"
#include "core/workflow/notification.h"

namespace contacts {
namespace {

// Number of services that ACCOUNT_IN_USE names.
constexpr int64_t kNamedServices = 20;

absl::Status FirstMissing(Session& session, const Service& service) {
  std::set<AccountId> ids = {service.admin, service.tech, service.billing};
  std::set<AccountId> missing = ids;
  // Locked, so that no contact is deleted meanwhile.
  for (const AccountId& id : store::LoadExisting(session, ids, store::Lock::kShare)) {
    missing.erase(id);
  }
  for (Role role : kRoles) {
    if (missing.contains(service.holder(role))) {
      return errors::AccountNotFound(service.holder(role));
    }
  }
  return absl::OkStatus();
}

// Queues the moves and the record of an override.
void SaveOverride(Session& session, const ContactOverride& record) {
  std::map<std::pair<Role, AccountId>, std::vector<ServiceId>> moves;
  for (const OverrideItem& item : record.items) {
    if (item.moves()) moves[{item.role, item.new_contact}].push_back(item.service);
  }
  for (const auto& [to, services] : moves) {
    store::MoveRole(session, services, to.first, to.second,
                    {.cause = MoveCause::kOverride,
                     .cause_id = record.id,
                     .staff = record.staff,
                     .time = record.create_time});
  }
  store::InsertOverride(session, record);
}

}  // namespace

absl::StatusOr<std::string> Directory::CreateAccount(const Call& call, const Account& account,
                                                     const Encode<Account>& encode) {
  Call kept = call;
  kept.about = account.id;
  return MutateOnce(context_, kept, [&](Session& session) -> absl::StatusOr<std::string> {
    if (store::LoadAccount(session, account.id, store::Lock::kNone)) {
      return errors::AlreadyExists("account", account.id.text());
    }
    Account created = account;
    created.version = 1;
    created.create_time = created.update_time = context_.clock();
    store::InsertAccounts(session, {created});
    return encode(created);
  });
}

absl::StatusOr<std::string> Directory::DeleteAccount(const Call& call, const AccountId& id,
                                                     const Encode<AccountId>& encode) {
  return MutateOnce(context_, call, [&](Session& session) -> absl::StatusOr<std::string> {
    // Calls that name the account in a change or give it a role lock it too, so none comes in
    // between.
    if (!store::LoadAccount(session, id, store::Lock::kForUpdate)) {
      return errors::AccountNotFound(id);
    }
    const std::set<Uuid> open = store::ListOpenChanges(session, id);
    std::vector<ContactChange> changes;
    if (!open.empty()) {
      changes = store::LockChanges(session, open);
      store::LoadItemsOf(session, changes);
    }
    // Read once the changes are locked: an acceptance has given the account its roles by then, or
    // finds its change closed.
    const absl::Time now = context_.clock();
    std::vector<ServiceId> held;
    for (const Service& service :
         store::ListServices(session, id, {}, "", AccountId(), "", kNamedServices, now)) {
      held.push_back(service.id);
    }
    if (!held.empty()) return errors::AccountInUse(id, held);
    Transition all;
    for (ContactChange& change : changes) {
      if (change.requester != id && change.new_contact != id) continue;
      Transition transition = AbortForDeletedAccount(change, id, call.staff, now);
      if (!transition.save) continue;
      SaveChangeAndItems(session, change, transition);
      all.Add(std::move(transition));
    }
    SaveEffects(session, all, now, context_.settings);
    store::EraseAccount(session, id);
    return encode(id);
  });
}

absl::StatusOr<std::string> Directory::CreateService(const Call& call, const Service& service,
                                                     const Encode<Service>& encode) {
  return MutateOnce(context_, call, [&](Session& session) -> absl::StatusOr<std::string> {
    if (store::LoadService(session, service.id, store::Lock::kNone)) {
      return errors::AlreadyExists("service", service.id.text());
    }
    if (absl::Status missing = FirstMissing(session, service); !missing.ok()) return missing;
    Service created = service;
    created.version = 1;
    created.create_time = created.update_time = context_.clock();
    if (!created.owner) created.owner.emplace();
    store::InsertServices(session, {created});
    store::InsertMoves(session, MovesBetween(nullptr, created,
                                             {.staff = call.staff, .time = created.create_time}));
    return encode(created);
  });
}

absl::StatusOr<Service> Directory::LookupService(const Call& call, const ServiceId& id) {
  return context_.database->Read<Service>(
      call.limits, [&](Session& session) -> absl::StatusOr<Service> {
        std::optional<Service> service = store::LoadService(session, id, store::Lock::kNone);
        if (!service) return errors::ServiceNotFound(id);
        return *std::move(service);
      });
}

absl::StatusOr<std::string> Directory::DeleteService(const Call& call, const ServiceId& id,
                                                     const Encode<Service>& encode) {
  const auto all = [](const ServiceRole&) { return true; };
  const auto body = [&](Session& session) -> absl::StatusOr<ReplyOrOvertaken> {
    const std::optional<LockedServices> locked =
        RemoveFromPendingChanges(session, {id}, all, ItemOutcome::kSkippedServiceRemoved,
                                 call.staff, context_.clock, context_.settings);
    if (!locked) return ReplyOrOvertaken();
    if (locked->services.empty()) return errors::ServiceNotFound(id);
    store::DeleteService(
        session, id,
        {.cause = MoveCause::kRemoved, .cause_id = {}, .staff = call.staff, .time = locked->now});
    return ReplyOrOvertaken(encode(locked->services.front()));
  };
  return MutateOnceUntilNotOvertaken(context_, call, body);
}

absl::StatusOr<std::string> Directory::OverrideContacts(
    const Call& call, const OverrideAsk& ask, const Encode<std::vector<Service>>& encode) {
  std::set<ServiceId> service_ids;
  std::set<AccountId> account_ids;
  std::set<ServiceRole> roles;
  for (const Assignment& assignment : ask.assignments) {
    service_ids.insert(assignment.service);
    account_ids.insert(assignment.new_contact);
    roles.insert({assignment.service, assignment.role});
  }
  const auto assigned = [&](const ServiceRole& role) { return roles.contains(role); };
  const auto body = [&](Session& session) -> absl::StatusOr<ReplyOrOvertaken> {
    // Locked, so that no contact is deleted meanwhile.
    const AccountMap accounts =
        ById(store::LoadAccounts(session, account_ids, store::Lock::kShare));
    std::optional<LockedServices> locked = RemoveFromPendingChanges(
        session, service_ids, assigned, ItemOutcome::kSkippedContactChanged, call.staff,
        context_.clock, context_.settings);
    if (!locked) return ReplyOrOvertaken();
    ServiceMap services;
    for (Service& service : locked->services) services.emplace(service.id, std::move(service));
    absl::Status rejected = CheckOverride(ask.assignments, services, accounts);
    if (!rejected.ok()) return rejected;

    const ContactOverride record{.id = Uuid::Version7(locked->now),
                                 .reason = ask.reason,
                                 .staff = call.staff,
                                 .create_time = locked->now,
                                 .items = ApplyOverride(ask.assignments, services, locked->now)};
    SaveOverride(session, record);
    SaveMails(session, MailsOfOverride(record, ActorOf(call), locked->now), locked->now,
              context_.settings);
    std::vector<Service> updated;
    for (const ServiceId& id : service_ids) updated.push_back(services.at(id));
    return ReplyOrOvertaken(encode(updated));
  };
  return MutateOnceUntilNotOvertaken(context_, call, body);
}

}  // namespace contacts
