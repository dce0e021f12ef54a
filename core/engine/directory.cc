#include <map>

#include "absl/strings/str_cat.h"
#include "core/domain/errors.h"
#include "core/domain/etag.h"
#include "core/engine/engine.h"
#include "core/engine/save.h"
#include "core/mysql/store/account.h"
#include "core/mysql/store/contact_override.h"
#include "core/mysql/store/quota_window.h"
#include "core/mysql/store/service.h"
#include "core/workflow/quota.h"

// Accounts and services: what people change of their own, and what operators may.
namespace contacts {
namespace {

absl::Status FirstMissing(Session& session, const Service& service) {
  std::set<AccountId> ids = {service.admin, service.tech, service.billing};
  std::set<AccountId> missing = ids;
  for (const Account& account : store::LoadAccounts(session, ids)) missing.erase(account.id);
  for (Role role : kRoles) {
    if (missing.contains(service.holder(role))) {
      return errors::AccountNotFound(service.holder(role));
    }
  }
  return absl::OkStatus();
}

void CopyField(const std::string& field, const Owner& from, Owner& to) {
  if (field == "name") to.name = from.name;
  if (field == "organisation") to.organisation = from.organisation;
  if (field == "email") to.email = from.email;
  if (field == "phone") to.phone = from.phone;
  if (field == "address_lines") to.address_lines = from.address_lines;
  if (field == "city") to.city = from.city;
  if (field == "postal_code") to.postal_code = from.postal_code;
  if (field == "country_code") to.country_code = from.country_code;
}

// Moves the roles of an override, in the database and in `services`; returns its record.
ContactOverride ApplyOverride(Session& session, const OverrideAsk& ask, ServiceMap& services,
                              absl::Time now) {
  ContactOverride record{
      .id = Uuid::Version7(now), .reason = ask.reason, .create_time = now, .items = {}};
  std::map<std::pair<Role, AccountId>, std::vector<ServiceId>> moves;
  for (const Assignment& assignment : ask.assignments) {
    Service& service = services.at(assignment.service);
    AccountId& holder = service.holder(assignment.role);
    record.items.push_back({assignment.service, assignment.role, holder, assignment.new_contact});
    if (holder == assignment.new_contact) continue;
    moves[{assignment.role, assignment.new_contact}].push_back(assignment.service);
    holder = assignment.new_contact;
    ++service.version;
    service.update_time = now;
  }
  for (const auto& [to, ids] : moves) store::MoveRole(session, ids, to.first, to.second, now);
  store::InsertOverride(session, record);
  return record;
}

void TellOfOverride(Session& session, const ContactOverride& record, const std::string& cause,
                    absl::Time now) {
  std::set<AccountId> concerned;
  for (const OverrideItem& item : record.items) {
    if (item.old_contact != item.new_contact) {
      concerned.insert({item.old_contact, item.new_contact});
    }
  }
  std::vector<OutboxMail> mails;
  for (const AccountId& account : concerned) {
    mails.push_back({.kind = MailKind::kOverride,
                     .subject = record.id,
                     .recipient = account,
                     .cause = cause,
                     .create_time = now});
  }
  SaveMails(session, mails, now);
}

}  // namespace

absl::StatusOr<Account> Engine::GetAccount(const Call& call, const AccountId& id) {
  return database_->Read<Account>(call.limits, [&](Session& session) -> absl::StatusOr<Account> {
    std::optional<Account> account = store::LoadAccount(session, id, store::Lock::kNone);
    if (!account) return errors::AccountNotFound(id);
    return *std::move(account);
  });
}

absl::StatusOr<std::string> Engine::CreateAccount(const Call& call, const Account& account,
                                                  const Encode<Account>& encode) {
  return Mutate(call, [&](Session& session) -> absl::StatusOr<std::string> {
    if (store::LoadAccount(session, account.id, store::Lock::kNone)) {
      return errors::AlreadyExists("account", account.id.text());
    }
    Account created = account;
    created.version = 1;
    created.create_time = created.update_time = clock_();
    store::InsertAccounts(session, {created});
    return encode(created);
  });
}

absl::StatusOr<std::string> Engine::UpdateProfile(const Call& call, const ProfileUpdate& update,
                                                  const Encode<Account>& encode) {
  return UpdateAccount(call, update, encode);
}

absl::StatusOr<std::string> Engine::UpdateAccount(const Call& call, const ProfileUpdate& update,
                                                  const Encode<Account>& encode) {
  return Mutate(call, [&](Session& session) -> absl::StatusOr<std::string> {
    std::optional<Account> account =
        store::LoadAccount(session, update.id, store::Lock::kForUpdate);
    if (!account) return errors::AccountNotFound(update.id);
    if (!update.etag.empty() && update.etag != Etag(account->version)) {
      return errors::EtagMismatch("account", update.id.text());
    }
    const absl::Time now = clock_();
    if (update.email && *update.email != account->email) {
      if (!call.account.empty()) {
        const auto window =
            TakeAddressQuota(store::LoadAddressWindow(session, call.account), now, settings_);
        if (!window.ok()) return window.status();
        store::SaveAddressWindow(session, call.account, *window);
      }
      std::vector<OutboxMail> mails = {{.kind = MailKind::kProfileChanged,
                                        .recipient = account->id,
                                        .address = account->email,
                                        .cause = ActorOf(call),
                                        .create_time = now}};
      SaveMails(session, mails, now);
      account->email = *update.email;
    }
    if (update.language) account->language = *update.language;
    if (update.standing) account->standing = *update.standing;
    ++account->version;
    account->update_time = now;
    store::UpdateAccount(session, *account);
    return encode(*account);
  });
}

absl::StatusOr<std::string> Engine::UpdateServiceOwner(const Call& call, const OwnerUpdate& update,
                                                       const Encode<Service>& encode) {
  return Mutate(call, [&](Session& session) -> absl::StatusOr<std::string> {
    std::optional<Service> service =
        store::LoadService(session, update.service, store::Lock::kForUpdate);
    if (!service || !service->HasContact(call.account)) {
      return Unless(session, call, errors::ServiceNotFoundOrNotHeld(update.service));
    }
    if (service->admin != call.account) {
      return errors::RoleNotAllowed(absl::StrCat("only the admin contact of \"",
                                                 update.service.text(),
                                                 "\" may change its owner's details"));
    }
    if (!update.etag.empty() && update.etag != Etag(service->version)) {
      return errors::EtagMismatch("service", update.service.text());
    }
    for (const std::string& field : update.fields) {
      CopyField(field, update.owner, *service->owner);
    }
    ++service->version;
    service->update_time = clock_();
    store::UpdateOwner(session, *service);
    return encode(*service);
  });
}

absl::StatusOr<std::string> Engine::CreateService(const Call& call, const Service& service,
                                                  const Encode<Service>& encode) {
  return Mutate(call, [&](Session& session) -> absl::StatusOr<std::string> {
    if (store::LoadService(session, service.id, store::Lock::kNone)) {
      return errors::AlreadyExists("service", service.id.text());
    }
    if (absl::Status missing = FirstMissing(session, service); !missing.ok()) return missing;
    Service created = service;
    created.version = 1;
    created.create_time = created.update_time = clock_();
    if (!created.owner) created.owner.emplace();
    store::InsertServices(session, {created});
    return encode(created);
  });
}

absl::StatusOr<Service> Engine::LookupService(const Call& call, const ServiceId& id) {
  return database_->Read<Service>(call.limits, [&](Session& session) -> absl::StatusOr<Service> {
    std::optional<Service> service = store::LoadService(session, id, store::Lock::kNone);
    if (!service) return errors::ServiceNotFound(id);
    return *std::move(service);
  });
}

absl::StatusOr<std::string> Engine::DeleteService(const Call& call, const ServiceId& id,
                                                  const Encode<Service>& encode) {
  const auto body = [&](Session& session) -> absl::StatusOr<std::string> {
    const absl::StatusOr<TakenOut> taken_out = TakeOutOfPending(
        session, {id}, [](const ServiceRole&) { return true; }, ItemOutcome::kSkippedServiceRemoved,
        clock_);
    if (!taken_out.ok()) return taken_out.status();
    if (taken_out->services.empty()) return errors::ServiceNotFound(id);
    store::DeleteService(session, id);
    return encode(taken_out->services.front());
  };
  return MutateAgainWhileAborted(call, body);
}

absl::StatusOr<std::string> Engine::OverrideContacts(const Call& call, const OverrideAsk& ask,
                                                     const Encode<std::vector<Service>>& encode) {
  std::set<ServiceId> service_ids;
  std::set<AccountId> account_ids;
  std::set<ServiceRole> roles;
  for (const Assignment& assignment : ask.assignments) {
    service_ids.insert(assignment.service);
    account_ids.insert(assignment.new_contact);
    roles.insert({assignment.service, assignment.role});
  }
  const auto body = [&](Session& session) -> absl::StatusOr<std::string> {
    absl::StatusOr<TakenOut> taken_out = TakeOutOfPending(
        session, service_ids, [&](const ServiceRole& role) { return roles.contains(role); },
        ItemOutcome::kSkippedContactChanged, clock_);
    if (!taken_out.ok()) return taken_out.status();
    const absl::Time now = taken_out->now;
    ServiceMap services;
    for (Service& service : taken_out->services) services.emplace(service.id, std::move(service));
    AccountMap accounts;
    for (Account& account : store::LoadAccounts(session, account_ids)) {
      accounts.emplace(account.id, std::move(account));
    }
    if (absl::Status wrong = CheckOverride(ask.assignments, services, accounts); !wrong.ok())
      return wrong;

    const ContactOverride record = ApplyOverride(session, ask, services, now);
    TellOfOverride(session, record, ActorOf(call), now);
    std::vector<Service> updated;
    for (const ServiceId& id : service_ids) updated.push_back(services.at(id));
    return encode(updated);
  };
  return MutateAgainWhileAborted(call, body);
}

}  // namespace contacts
