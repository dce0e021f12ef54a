#include "core/workflow/profile.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/domain/email_address.h"
#include "core/domain/errors.h"
#include "core/domain/etag.h"
#include "core/workflow/notification.h"

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

// Ends a pending address. Its token serves no more.
void EndPending(Account& account, ProfileEffects& effects) {
  if (account.pending.address.empty()) return;
  effects.earlier.push_back({.account = account.id,
                             .address = std::exchange(account.pending.address, ""),
                             .was_used = false});
}

// Makes an address the pending one. Its token goes to it; the present address is told.
ProfileEffects AskForAddress(Account& account, const std::string& address,
                             const ProfileUpdater& updater, absl::Time now) {
  ProfileEffects effects;
  EndPending(account, effects);
  PendingEmail& pending = account.pending;
  // Above those of an account that was deleted under the same id.
  const int64_t least = absl::ToUnixSeconds(account.create_time);
  pending = {.address = address,
             .expire_time = now + updater.confirm_within,
             .generation = std::max(pending.generation, least) + 1,
             .token_key_id = updater.token_key_id};
  effects.mails = MailsOfAskedAddress(account, updater.cause, now);
  return effects;
}

}  // namespace

ProfileEffects UseAddress(Account& account, const std::string& address, const std::string& cause,
                          absl::Time now) {
  ProfileEffects effects;
  EndPending(account, effects);
  if (SameEmailAddress(address, account.email)) return effects;
  effects.earlier.push_back({account.id, account.email});
  effects.mails.push_back(MailOfAddressChange(account, cause, now));
  account.email = address;
  return effects;
}

absl::StatusOr<ProfileEffects> ApplyProfileUpdate(Account& account, const ProfileUpdate& update,
                                                  const ProfileUpdater& updater, absl::Time now) {
  if (!update.etag.empty() && update.etag != Etag(account.version)) {
    return errors::EtagMismatch("account", account.id.text());
  }
  ProfileEffects effects;
  if (update.email) {
    const bool is_new = !SameEmailAddress(*update.email, account.email);
    effects = is_new && updater.confirm_within > absl::ZeroDuration()
                  ? AskForAddress(account, *update.email, updater, now)
                  : UseAddress(account, *update.email, updater.cause, now);
    effects.takes_address_quota = is_new;
  }
  if (update.language) account.language = *update.language;
  if (update.standing) account.standing = *update.standing;
  ++account.version;
  account.update_time = now;
  return effects;
}

bool AwaitsConfirmation(const Account& account, absl::Time now, const Settings& settings) {
  const PendingEmail& pending = account.pending;
  return !pending.address.empty() && now < pending.expire_time &&
         pending.wrong_tokens < settings.max_wrong_tokens;
}

Confirmation ConfirmEmail(Account& account, TokenCheck token, absl::Time now,
                          const Settings& settings) {
  PendingEmail& pending = account.pending;
  if (pending.address.empty() || now >= pending.expire_time) {
    return {.status = errors::NoPendingEmail()};
  }
  if (pending.wrong_tokens >= settings.max_wrong_tokens) {
    return {.status = errors::TokenLocked("UpdateProfile")};
  }
  switch (token) {
    case TokenCheck::kNoKey: return {.status = errors::TokenKeyMissing()};
    case TokenCheck::kSuperseded: return {.status = errors::TokenInvalid(/*superseded=*/true)};
    case TokenCheck::kWrong:
      ++pending.wrong_tokens;
      return {.status = errors::TokenInvalid(), .save = true};
    case TokenCheck::kRight: break;
  }
  const std::string address = std::exchange(pending.address, "");
  ++account.version;
  account.update_time = now;
  return {.save = true, .effects = UseAddress(account, address, account.id.text(), now)};
}

Account Presented(Account account, absl::Time now) {
  if (now >= account.pending.expire_time) account.pending.address.clear();
  return account;
}

absl::Status ApplyOwnerUpdate(Service& service, const OwnerUpdate& update, const AccountId& actor,
                              absl::Time now) {
  if (service.admin != actor) {
    return errors::RoleNotAllowed(absl::StrCat("only the admin contact of \"", service.id.text(),
                                               "\" may change its owner's details"));
  }
  if (!update.etag.empty() && update.etag != Etag(service.version)) {
    return errors::EtagMismatch("service", service.id.text());
  }
  for (const std::string& field : update.fields) CopyField(field, update.owner, *service.owner);
  ++service.version;
  service.update_time = now;
  return absl::OkStatus();
}

}  // namespace contacts
