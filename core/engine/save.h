#ifndef CONTACTS_CORE_ENGINE_SAVE_H_
#define CONTACTS_CORE_ENGINE_SAVE_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/domain/contact_change.h"
#include "core/domain/outbox_mail.h"
#include "core/domain/quota.h"
#include "core/domain/role.h"
#include "core/domain/service.h"
#include "core/domain/settings.h"
#include "core/mysql/session.h"
#include "core/workflow/change.h"

// Steps that several use cases share.
namespace contacts {

// Queues the row of a changed change and, if they changed too, those of its items.
void SaveChangeAndItems(Session& session, const ContactChange& change,
                        const Transition& transition);

// Queues a transition's history and e-mails, with fresh ids, and counts `uses`. Queue it after the
// other writes about changes: it locks the days of the causing accounts, which come last in the
// order of locks.
void SaveEffects(Session& session, Transition& transition, absl::Time now, const Settings& settings,
                 std::vector<DailyCount> uses = {});

// Queues e-mails, with fresh ids, and counts each for its sender and recipient, beside `uses`. To
// refuse what would send one e-mail too many, check MailWait of core/workflow/quota.h before, with
// the sender's LoadDailyUse of kMails.
void SaveMails(Session& session, std::vector<OutboxMail> mails, absl::Time now,
               const Settings& settings, std::vector<DailyCount> uses = {});

struct LockedServices {
  std::vector<Service> services;  // The services that exist, locked.
  absl::Time now;                 // Read once they were locked.
};
// Removes the roles that are `concerned` from the pending changes about them, with `outcome`, as
// the operator `staff` changes or removes their services. First locks those changes, then the
// services with their pending roles. Returns nothing, with no write queued, if another change came
// in between.
std::optional<LockedServices> RemoveFromPendingChanges(
    Session& session, const std::set<ServiceId>& ids,
    const std::function<bool(const ServiceRole&)>& concerned, ItemOutcome outcome,
    const std::string& staff, const std::function<absl::Time()>& clock, const Settings& settings);

// An upper bound of the bytes that a row has in the contract's encoding.
std::size_t MaxEncodedSize(const Service& service);
std::size_t MaxEncodedSize(const ContactChange& change);

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_SAVE_H_
