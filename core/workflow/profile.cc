#include "core/workflow/profile.h"

#include "absl/strings/str_cat.h"
#include "core/domain/errors.h"
#include "core/domain/etag.h"

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

absl::Status ApplyProfileUpdate(Account& account, const ProfileUpdate& update, absl::Time now) {
  if (!update.etag.empty() && update.etag != Etag(account.version)) {
    return errors::EtagMismatch("account", account.id.text());
  }
  if (update.email) account.email = *update.email;
  if (update.language) account.language = *update.language;
  if (update.standing) account.standing = *update.standing;
  ++account.version;
  account.update_time = now;
  return absl::OkStatus();
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
