#include "core/engine/profiles.h"

#include <optional>
#include <utility>

#include "core/domain/errors.h"
#include "core/engine/mutation.h"
#include "core/engine/save.h"
#include "core/mysql/store/account.h"
#include "core/mysql/store/quota_window.h"
#include "core/mysql/store/service.h"
#include "core/workflow/notification.h"
#include "core/workflow/quota.h"

namespace contacts {

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
    const Account before = *account;
    const absl::Time now = context_.clock();
    absl::Status applied = ApplyProfileUpdate(*account, update, now);
    if (!applied.ok()) return applied;
    if (account->email != before.email) {
      // Operators have no quota.
      if (!call.account.empty()) {
        const auto window = TakeAddressQuota(store::LoadAddressWindow(session, call.account), now,
                                             context_.settings);
        if (!window.ok()) return window.status();
        store::SaveAddressWindow(session, call.account, *window);
      }
      SaveMails(session, {MailOfAddressChange(before, ActorOf(call), now)}, now, context_.settings);
    }
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
    absl::Status applied = ApplyOwnerUpdate(*service, update, call.account, context_.clock());
    if (!applied.ok()) return applied;
    store::UpdateOwner(session, *service);
    return encode(*service);
  });
}

}  // namespace contacts
