#include "server/messages/convert.h"

#include "core/domain/etag.h"
#include "core/workflow/move.h"

#include <google/protobuf/timestamp.pb.h>

#include <optional>

namespace contacts::server {
namespace {

google::protobuf::Timestamp ToMessage(absl::Time time) {
  google::protobuf::Timestamp message;
  message.set_seconds(absl::ToUnixSeconds(time));
  message.set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(message.seconds()))));
  return message;
}

v1::Owner ToMessage(const Owner& owner) {
  v1::Owner message;
  message.set_name(owner.name);
  message.set_organisation(owner.organisation);
  message.set_email(owner.email);
  message.set_phone(owner.phone);
  for (const std::string& line : owner.address_lines) message.add_address_lines(line);
  message.set_city(owner.city);
  message.set_postal_code(owner.postal_code);
  message.set_country_code(owner.country_code);
  return message;
}

v1::Validation ToMessage(const Validation& validation) {
  v1::Validation message;
  message.set_account(validation.account.text());
  message.set_state(static_cast<v1::ValidationState>(validation.state));
  if (validation.decide_time) *message.mutable_decide_time() = ToMessage(*validation.decide_time);
  message.set_refuse_reason(validation.refuse_reason);
  if (validation.email_send_time) {
    *message.mutable_email_send_time() = ToMessage(*validation.email_send_time);
  }
  message.set_email_hint(validation.email_hint);
  if (validation.resend_time) *message.mutable_resend_time() = ToMessage(*validation.resend_time);
  return message;
}

}  // namespace

v1::Account ToMessage(const Account& account) {
  v1::Account message;
  message.set_id(account.id.text());
  message.set_email(account.email);
  message.set_language_code(account.language);
  message.set_billing_standing(static_cast<v1::BillingStanding>(account.standing));
  message.set_etag(Etag(account.version));
  *message.mutable_create_time() = ToMessage(account.create_time);
  *message.mutable_update_time() = ToMessage(account.update_time);
  if (!account.pending.address.empty()) {
    message.set_pending_email(account.pending.address);
    *message.mutable_pending_email_expire_time() = ToMessage(account.pending.expire_time);
  }
  return message;
}

v1::Service ToMessage(const Service& service) {
  v1::Service message;
  message.set_id(service.id.text());
  message.set_kind(service.kind);
  message.set_admin(service.admin.text());
  message.set_tech(service.tech.text());
  message.set_billing(service.billing.text());
  if (service.owner) *message.mutable_owner() = ToMessage(*service.owner);
  message.set_etag(Etag(service.version));
  *message.mutable_create_time() = ToMessage(service.create_time);
  *message.mutable_update_time() = ToMessage(service.update_time);
  for (Role role : service.pending_roles) {
    message.add_pending_roles(static_cast<v1::ContactRole>(role));
  }
  return message;
}

v1::ContactChange ToMessage(const ContactChange& change) {
  v1::ContactChange message;
  // The changes of a dry run have no ids.
  if (!change.id.is_nil()) message.set_id(change.id.text());
  if (!change.batch_id.is_nil()) message.set_batch_id(change.batch_id.text());
  message.set_requester(change.requester.text());
  message.set_new_contact(change.new_contact.text());
  for (const ChangeItem& item : change.items) {
    auto* added = message.add_items();
    added->set_service(item.service.text());
    added->set_role(static_cast<v1::ContactRole>(item.role));
    added->set_old_contact(item.old_contact.text());
    added->set_outcome(static_cast<v1::ItemOutcome>(item.outcome));
  }
  message.set_state(static_cast<v1::ContactChangeState>(change.state));
  for (const Validation& validation : change.validations) {
    *message.add_validations() = ToMessage(validation);
  }
  *message.mutable_create_time() = ToMessage(change.create_time);
  *message.mutable_expire_time() = ToMessage(change.expire_time);
  if (change.close_time) *message.mutable_close_time() = ToMessage(*change.close_time);
  message.set_abort_reason(change.abort_reason);
  message.set_item_count(static_cast<int32_t>(message.items_size() + change.items_left_out));
  return message;
}

v1::ContactChangeEvent ToMessage(const ChangeEvent& event) {
  v1::ContactChangeEvent message;
  message.set_id(event.id.text());
  message.set_contact_change_id(event.change_id.text());
  message.set_type(static_cast<v1::ContactChangeEventType>(event.type));
  message.set_actor(event.actor.text());
  message.set_account(event.account.text());
  *message.mutable_time() = ToMessage(event.time);
  message.set_state(static_cast<v1::ContactChangeState>(event.state));
  message.set_by_staff(event.by_staff);
  message.set_staff(event.staff);
  message.set_detail(event.detail);
  return message;
}

v1::ContactMove ToMessage(const ContactMove& move) {
  v1::ContactMove message;
  message.set_service(move.service.text());
  message.set_role(static_cast<v1::ContactRole>(move.role));
  message.set_old_contact(move.old_contact.text());
  message.set_new_contact(move.new_contact.text());
  message.set_cause(static_cast<v1::ContactMoveCause>(move.origin.cause));
  if (!move.origin.cause_id.is_nil()) message.set_cause_id(move.origin.cause_id.text());
  *message.mutable_time() = ToMessage(move.origin.time);
  message.set_operator_(move.origin.staff);
  return message;
}

v1::ContactOverride ToMessage(const ContactOverride& record) {
  v1::ContactOverride message;
  message.set_id(record.id.text());
  message.set_operator_(record.staff);
  message.set_reason(record.reason);
  *message.mutable_time() = ToMessage(record.create_time);
  for (const ContactMove& move : MovesOf(record)) *message.add_moves() = ToMessage(move);
  return message;
}

absl::Time FromMessage(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

Account FromMessage(const v1::Account& message) {
  Account account;
  account.id = AccountId(message.id());
  account.email = message.email();
  if (!message.language_code().empty()) account.language = message.language_code();
  if (message.billing_standing() != v1::BILLING_STANDING_UNSPECIFIED) {
    account.standing = static_cast<BillingStanding>(message.billing_standing());
  }
  return account;
}

Owner FromMessage(const v1::Owner& message) {
  return {.name = message.name(),
          .organisation = message.organisation(),
          .email = message.email(),
          .phone = message.phone(),
          .address_lines = {message.address_lines().begin(), message.address_lines().end()},
          .city = message.city(),
          .postal_code = message.postal_code(),
          .country_code = message.country_code()};
}

Service FromMessage(const v1::Service& message) {
  Service service;
  service.id = ServiceId(message.id());
  service.kind = message.kind();
  service.admin = AccountId(message.admin());
  service.tech = AccountId(message.tech());
  service.billing = AccountId(message.billing());
  service.owner = FromMessage(message.owner());
  return service;
}

ImportRecord FromMessage(const v1::ImportDirectoryRequest& record) {
  if (record.has_service()) {
    Service service = FromMessage(record.service());
    if (!record.service().has_owner()) service.owner.reset();
    return service;
  }
  const v1::Account& message = record.account();
  AccountRecord account{.id = AccountId(message.id()), .email = message.email()};
  if (!message.language_code().empty()) account.language = message.language_code();
  if (message.billing_standing() != v1::BILLING_STANDING_UNSPECIFIED) {
    account.standing = static_cast<BillingStanding>(message.billing_standing());
  }
  return account;
}

ProfileUpdate ToProfileUpdate(const v1::Account& account,
                              const google::protobuf::FieldMask& update_mask) {
  ProfileUpdate update;
  update.id = AccountId(account.id());
  update.etag = account.etag();
  for (const std::string& path : update_mask.paths()) {
    if (path == "email") update.email = account.email();
    if (path == "language_code") update.language = account.language_code();
    if (path == "billing_standing") {
      update.standing = static_cast<BillingStanding>(account.billing_standing());
    }
  }
  return update;
}

}  // namespace contacts::server
