#include "core/engine/profiles.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/domain/errors.h"
#include "core/domain/etag.h"
#include "core/engine/mutation.h"
#include "core/engine/save.h"
#include "core/mysql/store/account.h"
#include "core/mysql/store/quota_window.h"
#include "core/mysql/store/service.h"
#include "core/workflow/notification.h"
#include "core/workflow/quota.h"

namespace contacts {
namespace {

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

}  // namespace

absl::StatusOr<Account> Profiles::GetProfile(const Call& call) {
  return GetAccount(call, call.account);
}

absl::StatusOr<Account> Profiles::GetAccount(const Call& call, const AccountId& id) {
  return context_.database->Read<Account>(
      call.limits, [&](Session& session) -> absl::StatusOr<Account> {
        std::optional<Account> account = store::LoadAccount(session, id, store::Lock::kNone);
        if (!account) return errors::AccountNotFound(id);
        return *std::move(account);
      });
}

absl::StatusOr<std::string> Profiles::UpdateAccount(const Call& call, const ProfileUpdate& update,
                                                    const Encode<Account>& encode) {
  return MutateOnce(context_, call, [&](Session& session) -> absl::StatusOr<std::string> {
    std::optional<Account> account =
        store::LoadAccount(session, update.id, store::Lock::kForUpdate);
    if (!account) return errors::AccountNotFound(update.id);
    if (!update.etag.empty() && update.etag != Etag(account->version)) {
      return errors::EtagMismatch("account", update.id.text());
    }
    const absl::Time now = context_.clock();
    if (update.email && *update.email != account->email) {
      // Operators have no quota.
      if (!call.account.empty()) {
        const auto window = TakeAddressQuota(store::LoadAddressWindow(session, call.account), now,
                                             context_.settings);
        if (!window.ok()) return window.status();
        store::SaveAddressWindow(session, call.account, *window);
      }
      SaveMails(session, {MailOfAddressChange(*account, ActorOf(call), now)}, now);
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

absl::StatusOr<std::string> Profiles::UpdateServiceOwner(const Call& call,
                                                         const OwnerUpdate& update,
                                                         const Encode<Service>& encode) {
  return MutateOnce(context_, call, [&](Session& session) -> absl::StatusOr<std::string> {
    std::optional<Service> service =
        store::LoadService(session, update.service, store::Lock::kForUpdate);
    if (!service || !service->HasContact(call.account)) {
      return AccountNotFoundOr(session, call, errors::ServiceNotFoundOrNotHeld(update.service));
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
    service->update_time = context_.clock();
    store::UpdateOwner(session, *service);
    return encode(*service);
  });
}

}  // namespace contacts
