#include "core/engine/profiles.h"

#include <optional>
#include <utility>
#include <vector>

#include "core/domain/errors.h"
#include "core/engine/mutation.h"
#include "core/engine/save.h"
#include "core/mysql/store/account.h"
#include "core/mysql/store/earlier_address.h"
#include "core/mysql/store/quota_window.h"
#include "core/mysql/store/service.h"
#include "core/workflow/quota.h"

namespace contacts {
namespace {

// Saves the row, and queues what follows from its change.
void SaveProfile(Session& session, const Account& account, ProfileEffects effects, absl::Time now,
                 const Settings& settings) {
  store::UpdateAccount(session, account);
  store::InsertEarlierAddresses(session, effects.earlier, now);
  SaveMails(session, std::move(effects.mails), now, settings);
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
        return Presented(*std::move(account), context_.clock());
      });
}

absl::StatusOr<AccountMap> Profiles::FindAccounts(const CallLimits& limits,
                                                  const std::set<AccountId>& ids) {
  return context_.database->Read<AccountMap>(
      limits, [&](Session& session) -> absl::StatusOr<AccountMap> {
        return ById(store::LoadAccounts(session, ids, store::Lock::kNone));
      });
}

absl::StatusOr<std::string> Profiles::UpdateAccount(const Call& call, const ProfileUpdate& update,
                                                    const Encode<Account>& encode) {
  const bool by_itself = !call.account.empty();
  const ProfileUpdater updater{
      .cause = ActorOf(call),
      .confirm_within = by_itself ? context_.settings.email_confirmation : absl::ZeroDuration(),
      .token_key_id = context_.keys.active()};
  Call kept = call;
  kept.about = update.id;
  return MutateOnce(context_, kept, [&](Session& session) -> absl::StatusOr<std::string> {
    std::optional<Account> account =
        store::LoadAccount(session, update.id, store::Lock::kForUpdate);
    if (!account) return errors::AccountNotFound(update.id);
    const absl::Time now = context_.clock();
    absl::StatusOr<ProfileEffects> effects = ApplyProfileUpdate(*account, update, updater, now);
    if (!effects.ok()) return effects.status();
    // Operators have no quota.
    if (by_itself && effects->takes_address_quota) {
      const auto window =
          TakeAddressQuota(store::LoadAddressWindow(session, call.account), now, context_.settings);
      if (!window.ok()) return window.status();
      store::SaveAddressWindow(session, call.account, *window);
      // An e-mail to an address that is not confirmed counts as one to another account does.
      const absl::Duration wait =
          MailWait(store::LoadDailyUse(session, call.account, DailyUse::kMails, call.account,
                                       store::Lock::kNone),
                   now, context_.settings);
      if (wait > absl::ZeroDuration()) {
        return errors::TooManyMails(call.account, context_.settings.max_mails_per_day, wait);
      }
    }
    SaveProfile(session, *account, *std::move(effects), now, context_.settings);
    return encode(Presented(*std::move(account), now));
  });
}

TokenCheck Profiles::CheckToken(Session& session, const Account& account,
                                const std::string& token) const {
  if (!AwaitsConfirmation(account, context_.clock(), context_.settings)) return TokenCheck::kWrong;
  const PendingEmail& pending = account.pending;
  const TokenSource source{.change = Uuid(),
                           .account = account.id,
                           .generation = pending.generation,
                           .address = AddressDigest(account.id, pending.address)};
  const TokenCheck check = context_.keys.Check(token, pending.token_key_id, source);
  if (check != TokenCheck::kWrong) return check;
  // The present address was confirmed by a token too.
  std::vector<std::string> before = store::LoadEarlierAddresses(session, account.id);
  before.push_back(AddressDigest(account.id, account.email));
  return context_.keys.IsSuperseded(token, source, before) ? TokenCheck::kSuperseded : check;
}

absl::StatusOr<std::string> Profiles::ConfirmEmail(const Call& call, const std::string& token,
                                                   const Encode<Account>& encode) {
  std::string missing_key;
  absl::StatusOr<std::string> reply =
      MutateOnce(context_, call, [&](Session& session) -> absl::StatusOr<std::string> {
        missing_key.clear();
        std::optional<Account> account =
            store::LoadAccount(session, call.account, store::Lock::kForUpdate);
        if (!account) return errors::AccountNotFound(call.account);
        const TokenCheck check = CheckToken(session, *account, token);
        if (check == TokenCheck::kNoKey) missing_key = account->pending.token_key_id;
        const absl::Time now = context_.clock();
        Confirmation confirmation = contacts::ConfirmEmail(*account, check, now, context_.settings);
        if (confirmation.save) {
          SaveProfile(session, *account, std::move(confirmation.effects), now, context_.settings);
          if (!confirmation.status.ok()) session.CommitAnyway();
        }
        if (!confirmation.status.ok()) return confirmation.status;
        return encode(*account);
      });
  missing_keys_.Count(missing_key);
  return reply;
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
