#include "core/engine/save.h"

#include <utility>

#include "core/mysql/store/change.h"
#include "core/mysql/store/event.h"
#include "core/mysql/store/outbox.h"
#include "core/mysql/store/pending_role.h"
#include "core/mysql/store/quota_window.h"

namespace contacts {

namespace {

// Whether the change entered its state with this event.
bool EntersState(EventType type) {
  switch (type) {
    case EventType::kRequested:
    case EventType::kRefused:
    case EventType::kDone:
    case EventType::kCancelled:
    case EventType::kExpired:
    case EventType::kAborted: return true;
    case EventType::kValidationSent:
    case EventType::kValidationUndeliverable:
    case EventType::kAccepted:
    case EventType::kTokenRejected:
    case EventType::kItemsWithdrawn:
    case EventType::kResendRequested: return false;
  }
  return false;
}

}  // namespace

void SaveChangeAndItems(Session& session, const ContactChange& change,
                        const Transition& transition) {
  store::SaveChange(session, change);
  if (!change.open() || transition.items_changed) store::SaveItems(session, change);
}

void SaveEffects(Session& session, Transition& transition, absl::Time now, const Settings& settings,
                 std::vector<DailyCount> uses) {
  for (ChangeEvent& event : transition.events) {
    event.id = Uuid::Version7(now);
    if (EntersState(event.type)) session.CountEntered(event.state);
  }
  store::InsertEvents(session, transition.events);
  SaveMails(session, std::move(transition.mails), now, settings, std::move(uses));
}

void SaveMails(Session& session, std::vector<OutboxMail> mails, absl::Time now,
               const Settings& settings, std::vector<DailyCount> uses) {
  for (OutboxMail& mail : mails) {
    mail.id = Uuid::Version7(now);
    if (!mail.sender.empty()) uses.push_back({mail.sender, DailyUse::kMails, mail.recipient, 1});
  }
  store::CountDailyUses(session, uses, now);
  store::InsertMails(session, mails, settings.max_mails_per_day);
}

std::size_t MaxEncodedSize(const Service& service) {
  // Kind, contacts, etag, times, the owner's phone and country, tags and sizes.
  std::size_t size = 400 + service.id.text().size();
  if (service.owner) {
    const Owner& owner = *service.owner;
    size += owner.name.size() + owner.organisation.size() + owner.email.size() + owner.city.size() +
            owner.postal_code.size();
    for (const std::string& line : owner.address_lines) size += line.size();
  }
  return size;
}

std::size_t MaxEncodedSize(const ContactChange& change) {
  // Ids, accounts, times, both validations, tags and sizes.
  std::size_t size = 500 + change.abort_reason.size();
  for (const Validation& validation : change.validations) {
    size += validation.refuse_reason.size() + validation.email_hint.size();
  }
  // Role, outcome, tags and sizes.
  constexpr std::size_t kItem = 16;
  for (const ChangeItem& item : change.items) {
    size += kItem + item.service.text().size() + item.old_contact.text().size();
  }
  return size;
}

std::optional<LockedServices> RemoveFromPendingChanges(
    Session& session, const std::set<ServiceId>& ids,
    const std::function<bool(const ServiceRole&)>& concerned, ItemOutcome outcome,
    const std::string& staff, const std::function<absl::Time()>& clock, const Settings& settings) {
  std::set<Uuid> change_ids;
  for (const store::PendingRole& pending : store::LoadPendingRoles(session, ids)) {
    if (concerned(pending.role)) change_ids.insert(pending.change_id);
  }
  std::vector<ContactChange> changes;
  if (!change_ids.empty()) {
    changes = store::LockChanges(session, change_ids);
    store::LoadItemsOf(session, changes);
  }
  store::ServicesAndPending locked =
      store::LoadServicesAndPending(session, ids, store::Lock::kForUpdate);
  const absl::Time now = clock();
  for (const store::PendingRole& pending : locked.pending) {
    if (concerned(pending.role) && !change_ids.contains(pending.change_id)) {
      return std::nullopt;
    }
  }
  Transition all;
  for (ContactChange& change : changes) {
    Transition transition = RemoveItems(
        change,
        [&](const ChangeItem& item) {
          return ids.contains(item.service) && concerned({item.service, item.role});
        },
        outcome, now, staff);
    if (!transition.save) continue;
    SaveChangeAndItems(session, change, transition);
    all.Add(std::move(transition));
  }
  SaveEffects(session, all, now, settings);
  return LockedServices{.services = std::move(locked.services), .now = now};
}

}  // namespace contacts
