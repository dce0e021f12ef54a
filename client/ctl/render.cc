#include "client/ctl/render.h"

#include <algorithm>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/ctl/enum_names.h"
#include "client/ctl/table.h"
#include "client/lib/awaited.h"
#include "client/lib/terminal_text.h"
#include "client/lib/time_text.h"

namespace contacts::client {
namespace {

std::string When(bool is_set, const google::protobuf::Timestamp& timestamp,
                 const RenderOptions& options) {
  return is_set ? LocalTime(ToTime(timestamp), options.zone) : "";
}

std::string WhenAndRelative(bool is_set, const google::protobuf::Timestamp& timestamp,
                            const RenderOptions& options) {
  if (!is_set) return "";
  const absl::Time time = ToTime(timestamp);
  return absl::StrCat(LocalTime(time, options.zone), " (", Relative(time, options.now), ")");
}

Cell StateCell(v1::ContactChangeState state) {
  switch (state) {
    case v1::CONTACT_CHANGE_STATE_VALIDATING: return {EnumName(state), Style::kWaiting};
    case v1::CONTACT_CHANGE_STATE_DONE: return {EnumName(state), Style::kGood};
    case v1::CONTACT_CHANGE_STATE_REFUSED:
    case v1::CONTACT_CHANGE_STATE_EXPIRED:
    case v1::CONTACT_CHANGE_STATE_ABORTED: return {EnumName(state), Style::kBad};
    default: return EnumName(state);
  }
}

Cell AnswerCell(v1::ValidationState state) {
  switch (state) {
    case v1::VALIDATION_STATE_PENDING: return {"awaited", Style::kWaiting};
    case v1::VALIDATION_STATE_ACCEPTED: return {EnumName(state), Style::kGood};
    case v1::VALIDATION_STATE_REFUSED: return {EnumName(state), Style::kBad};
    default: return EnumName(state);
  }
}

Cell OutcomeCell(v1::ItemOutcome outcome) {
  switch (outcome) {
    case v1::ITEM_OUTCOME_PENDING: return {"pending", Style::kWaiting};
    case v1::ITEM_OUTCOME_APPLIED: return {"applied", Style::kGood};
    case v1::ITEM_OUTCOME_SKIPPED_CONTACT_CHANGED:
      return {"skipped: someone else holds the role by now", Style::kBad};
    case v1::ITEM_OUTCOME_SKIPPED_AUTHORITY_LOST:
      return {"skipped: the requester may no longer change it", Style::kBad};
    case v1::ITEM_OUTCOME_SKIPPED_SERVICE_REMOVED:
      return {"skipped: the service was removed", Style::kBad};
    case v1::ITEM_OUTCOME_WITHDRAWN: return {"withdrawn by the admin of the service", Style::kBad};
    default: return EnumName(outcome, " ");
  }
}

Cell BillingCell(v1::BillingStanding standing) {
  return {EnumName(standing, " "),
          standing == v1::BILLING_STANDING_OVERDUE ? Style::kBad : Style::kPlain};
}

// When another e-mail may be asked for, if that is not now.
std::string ResendFrom(const v1::Validation& validation, const RenderOptions& options) {
  const bool later = validation.has_resend_time() && ToTime(validation.resend_time()) > options.now;
  return When(later, validation.resend_time(), options);
}

// The roles on which a contact change is pending: "admin, tech".
std::string PendingRoles(const v1::Service& service) {
  return absl::StrJoin(service.pending_roles(), ", ", [](std::string* out, int role) {
    *out += EnumName(static_cast<v1::ContactRole>(role));
  });
}

// The roles that a change moves: "admin, tech of example.com" or "300 roles on 100 services".
// "300 roles on s1.example and others" if the list has only the first.
std::string WhatMoves(const v1::ContactChange& change) {
  std::set<std::string> services;
  std::vector<std::string> roles;
  for (const v1::ContactChangeItem& item : change.items()) {
    services.insert(item.service());
    roles.push_back(EnumName(item.role()));
  }
  if (change.item_count() > change.items_size() && !services.empty()) {
    return absl::StrCat(change.item_count(), " roles on ", *services.begin(), " and others");
  }
  if (services.size() == 1) {
    return absl::StrCat(absl::StrJoin(roles, ", "), " of ", *services.begin());
  }
  return absl::StrCat(roles.size(), " roles on ", services.size(), " services");
}

// The account, or "the provider's staff (NAME)", or "the system".
std::string ActorOf(const v1::ContactChangeEvent& event) {
  if (!event.by_staff()) return event.actor().empty() ? "the system" : event.actor();
  return event.staff().empty() ? "the provider's staff"
                               : absl::StrCat("the provider's staff (", event.staff(), ")");
}

std::string EndOf(const v1::ContactChange& change, const RenderOptions& options) {
  if (change.state() == v1::CONTACT_CHANGE_STATE_VALIDATING) {
    return change.has_expire_time()
               ? absl::StrCat("expires ", Relative(ToTime(change.expire_time()), options.now))
               : "";
  }
  return change.has_close_time()
             ? absl::StrCat("closed ", Relative(ToTime(change.close_time()), options.now))
             : "";
}

void RenderItems(const v1::ContactChange& change, std::size_t max_items,
                 const RenderOptions& options, std::ostream& out) {
  const auto count = static_cast<std::size_t>(change.items_size());
  const std::size_t shown = std::min(count, max_items);
  Table table({"SERVICE", "ROLE", "OLD CONTACT", "OUTCOME"});
  for (std::size_t i = 0; i < shown; ++i) {
    const v1::ContactChangeItem& item = change.items(static_cast<int>(i));
    table.Add(
        {item.service(), EnumName(item.role()), item.old_contact(), OutcomeCell(item.outcome())});
  }
  table.Print(out, options.colour, options.width);
  if (count > shown) out << "… and " << count - shown << " more, " << count << " in all\n";
}

}  // namespace

void RenderAccount(const v1::Account& account, const RenderOptions& options, std::ostream& out) {
  PrintFields(
      {
          {"Account", account.id()},
          {"E-mail", account.email()},
          {"To confirm", account.pending_email()},
          {"Confirm by", WhenAndRelative(account.has_pending_email_expire_time(),
                                         account.pending_email_expire_time(), options)},
          {"Language", account.language_code()},
          {"Billing", BillingCell(account.billing_standing())},
          {"Registered", When(account.has_create_time(), account.create_time(), options)},
          {"Updated", When(account.has_update_time(), account.update_time(), options)},
          {"Etag", account.etag()},
      },
      out, options.colour, options.width);
}

void RenderService(const v1::Service& service, const RenderOptions& options, std::ostream& out) {
  const v1::Owner& owner = service.owner();
  PrintFields(
      {
          {"Service", service.id()},
          {"Kind", service.kind()},
          {"Admin", service.admin()},
          {"Tech", service.tech()},
          {"Billing", service.billing()},
          {"Pending", PendingRoles(service)},
          {"Owner", owner.name()},
          {"Organisation", owner.organisation()},
          {"Owner's e-mail", owner.email()},
          {"Owner's phone", owner.phone()},
          {"Address", absl::StrJoin(owner.address_lines(), ", ")},
          {"City", absl::StrJoin({owner.postal_code(), owner.city()},
                                 owner.postal_code().empty() ? "" : " ")},
          {"Country", owner.country_code()},
          {"Registered", When(service.has_create_time(), service.create_time(), options)},
          {"Updated", When(service.has_update_time(), service.update_time(), options)},
          {"Etag", service.etag()},
      },
      out, options.colour, options.width);
}

void RenderServices(const google::protobuf::RepeatedPtrField<v1::Service>& services,
                    const RenderOptions& options, std::ostream& out) {
  Table table({"SERVICE", "KIND", "ADMIN", "TECH", "BILLING", "PENDING"});
  for (const v1::Service& service : services) {
    table.Add({service.id(), service.kind(), service.admin(), service.tech(), service.billing(),
               PendingRoles(service)});
  }
  table.Print(out, options.colour, options.width);
}

void RenderChanges(const google::protobuf::RepeatedPtrField<v1::ContactChange>& changes,
                   const RenderOptions& options, std::ostream& out) {
  Table table({"CHANGE", "STATE", "MOVES", "REQUESTER", "NEW CONTACT", "AWAITED", "WHEN"});
  for (const v1::ContactChange& change : changes) {
    table.Add({change.id(), StateCell(change.state()), WhatMoves(change), change.requester(),
               change.new_contact(), AwaitedNames(change), EndOf(change, options)});
  }
  table.Print(out, options.colour, options.width);
}

void RenderChange(const v1::ContactChange& change, std::size_t max_items,
                  const RenderOptions& options, std::ostream& out) {
  const bool open = change.state() == v1::CONTACT_CHANGE_STATE_VALIDATING;
  PrintFields(
      {
          {"Change", change.id()},
          {"State", StateCell(change.state())},
          {"Requester", change.requester()},
          {"New contact", change.new_contact()},
          {"Asked", When(change.has_create_time(), change.create_time(), options)},
          {"Expires", open
                          ? WhenAndRelative(change.has_expire_time(), change.expire_time(), options)
                          : std::string()},
          {"Closed", When(change.has_close_time(), change.close_time(), options)},
          {"Reason", change.abort_reason()},
          {"Batch", change.batch_id()},
      },
      out, options.colour, options.width);
  out << '\n';
  RenderItems(change, max_items, options, out);
  if (change.validations().empty()) return;

  out << '\n';
  Table table(
      {"VALIDATOR", "ANSWER", "ANSWERED", "E-MAIL SENT", "SENT TO", "RESEND FROM", "REASON"});
  for (const v1::Validation& validation : change.validations()) {
    table.Add({validation.account(), AnswerCell(validation.state()),
               When(validation.has_decide_time(), validation.decide_time(), options),
               When(validation.has_email_send_time(), validation.email_send_time(), options),
               validation.email_hint(), ResendFrom(validation, options),
               validation.refuse_reason()});
  }
  table.Print(out, options.colour, options.width);
}

void RenderEvents(const google::protobuf::RepeatedPtrField<v1::ContactChangeEvent>& events,
                  const RenderOptions& options, std::ostream& out) {
  Table table({"TIME", "EVENT", "BY", "ABOUT", "STATE AFTER", "DETAIL"});
  for (const v1::ContactChangeEvent& event : events) {
    table.Add({When(event.has_time(), event.time(), options), EnumName(event.type(), " "),
               ActorOf(event), event.account(), StateCell(event.state()), event.detail()});
  }
  table.Print(out, options.colour, options.width);
}

void RenderMoves(const google::protobuf::RepeatedPtrField<v1::ContactMove>& moves,
                 const RenderOptions& options, std::ostream& out) {
  Table table({"TIME", "SERVICE", "ROLE", "FROM", "TO", "BY", "ID", "OPERATOR"});
  for (const v1::ContactMove& move : moves) {
    table.Add({When(move.has_time(), move.time(), options), move.service(), EnumName(move.role()),
               move.old_contact().empty() ? "-" : move.old_contact(),
               move.new_contact().empty() ? "-" : move.new_contact(), EnumName(move.cause(), " "),
               move.cause_id(), move.operator_()});
  }
  table.Print(out, options.colour, options.width);
}

void RenderOverride(const v1::ContactOverride& record, const RenderOptions& options,
                    std::ostream& out) {
  PrintFields(
      {
          {"Override", record.id()},
          {"Made", When(record.has_time(), record.time(), options)},
          {"Operator", record.operator_()},
          {"Reason", record.reason()},
      },
      out, options.colour, options.width);
  out << '\n';
  Table table({"SERVICE", "ROLE", "FROM", "TO"});
  for (const v1::ContactMove& move : record.moves()) {
    table.Add({move.service(), EnumName(move.role()), move.old_contact(), move.new_contact()});
  }
  table.Print(out, options.colour, options.width);
  out << '\n';
}

void RenderEventLine(const v1::ContactChangeEvent& event, const RenderOptions& options,
                     std::ostream& out) {
  const Cell state = StateCell(event.state());
  out << When(event.has_time(), event.time(), options) << "  "
      << Printable(event.contact_change_id()) << "  " << EnumName(event.type(), " ");
  if (!event.account().empty()) out << "  " << Printable(event.account());
  out << "  by " << Printable(ActorOf(event)) << "  "
      << Styled(state.text, state.style, options.colour) << '\n';
}

std::string AwaitedNames(const v1::ContactChange& change) {
  return absl::StrJoin(AwaitedAccounts(change), ", ");
}

}  // namespace contacts::client
