#include "core/engine/outbox.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/engine/save.h"
#include "core/mysql/store/account.h"
#include "core/mysql/store/change.h"
#include "core/mysql/store/contact_override.h"
#include "core/mysql/store/outbox.h"
#include "core/mysql/store/pending_role.h"
#include "core/workflow/change.h"
#include "core/workflow/notification.h"

namespace contacts {
namespace {

constexpr absl::Duration kTimeLimit = absl::Seconds(20);

CallLimits Limits() { return {.deadline = absl::Now() + kTimeLimit}; }

// Number of waiting e-mails that are put into line again for each claimed one.
constexpr int64_t kQueuedPerClaimed = 4;

template <typename T, typename Id>
const T* Find(const std::vector<T>& all, const Id& id) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const T& one) { return one.id == id; });
  return found == all.end() ? nullptr : &*found;
}

// The items that are pending on those of `services` of which `admin` is admin, without those that
// it asked for.
std::vector<PendingItem> PendingFor(const AccountId& admin, const std::set<ServiceId>& services,
                                    const std::vector<store::PendingItemAndAdmin>& pending) {
  std::vector<PendingItem> items;
  for (const auto& [item, holder] : pending) {
    if (holder == admin && item.requester != admin && services.contains(item.role.service)) {
      items.push_back(item);
    }
  }
  return items;
}

}  // namespace

Outbox::Outbox(Database* database, TokenKeys keys, Settings settings)
    : database_(database), keys_(std::move(keys)), settings_(settings) {}

absl::StatusOr<std::vector<MailFacts>> Outbox::Claim(int64_t limit, absl::Duration lease,
                                                     absl::Time now,
                                                     std::optional<absl::Time> before) {
  for (;;) {
    bool found = false;
    absl::StatusOr<std::vector<MailFacts>> claimed = ClaimSome(
        limit, lease, now, before ? std::optional(Uuid::Version7(*before)) : std::nullopt, found);
    if (!claimed.ok() || !claimed->empty() || !found) return claimed;
  }
}

absl::StatusOr<std::vector<MailFacts>> Outbox::ClaimSome(int64_t limit, absl::Duration lease,
                                                         absl::Time now,
                                                         const std::optional<Uuid>& before,
                                                         bool& found) {
  const std::string claim = Uuid::Version4().text();
  auto locked = database_->Write<std::vector<OutboxMail>>(Limits(), [&](Session& session) {
    const int64_t queued = store::QueueWaitingMails(session, now, kQueuedPerClaimed * limit);
    std::vector<OutboxMail> mails = store::LockDueMails(session, now, limit, before);
    std::set<Uuid> ids;
    for (OutboxMail& mail : mails) {
      mail.claim = claim;
      ids.insert(mail.id);
    }
    store::ClaimMails(session, ids, claim, now, now + lease);
    found = queued > 0 || !mails.empty();
    return mails;
  });
  if (!locked.ok()) return locked.status();
  std::vector<OutboxMail>& mails = *locked;
  if (mails.empty()) return std::vector<MailFacts>();

  std::set<Uuid> ids;
  for (const OutboxMail& mail : mails) ids.insert(mail.id);
  std::set<AccountId> account_ids;
  std::set<Uuid> change_ids, override_ids;
  for (const OutboxMail& mail : mails) {
    account_ids.insert(mail.recipient);
    if (mail.kind == MailKind::kOverride) {
      override_ids.insert(mail.subject);
    } else if (!mail.subject.is_nil()) {
      change_ids.insert(mail.subject);
    }
  }
  std::vector<Account> accounts;
  std::vector<ContactChange> changes;
  std::vector<ContactOverride> overrides;
  std::map<Uuid, std::set<ServiceId>> told;         // By e-mail: see AdminRolesTold.
  std::vector<store::PendingItemAndAdmin> pending;  // On the services of all of them.
  std::set<Uuid> held;
  absl::Status status = database_->Read(Limits(), [&](Session& session) {
    changes.clear();
    // SKIP LOCKED does not exclude other servers on every engine. The claim's condition does.
    held = store::LoadClaimed(session, ids, claim, store::Lock::kNone);
    accounts = store::LoadAccounts(session, account_ids);
    if (!override_ids.empty()) overrides = store::LoadOverrides(session, override_ids);
    if (!change_ids.empty()) {
      for (store::ChangeAndAdmins& loaded :
           store::LoadChanges(session, {change_ids.begin(), change_ids.end()})) {
        changes.push_back(std::move(loaded.change));
      }
    }
    told.clear();
    pending.clear();
    std::set<ServiceId> services;
    for (const OutboxMail& mail : mails) {
      std::set<ServiceId> own =
          AdminRolesTold(mail, Find(changes, mail.subject), Find(overrides, mail.subject));
      services.insert(own.begin(), own.end());
      if (!own.empty()) told.emplace(mail.id, std::move(own));
    }
    if (!services.empty()) pending = store::LoadPendingItems(session, services, now);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;

  std::vector<MailFacts> claimed;
  std::set<Uuid> unwanted;
  for (OutboxMail& mail : mails) {
    if (!held.contains(mail.id)) continue;
    MailFacts facts;
    ++mail.tries;
    const Account* account = Find(accounts, mail.recipient);
    const ContactChange* change = Find(changes, mail.subject);
    if (account == nullptr || !IsStillWanted(mail, *account, change, now)) {
      unwanted.insert(mail.id);
      continue;
    }
    facts.recipient = *account;
    if (change != nullptr) facts.change = *change;
    if (const ContactOverride* record = Find(overrides, mail.subject)) {
      facts.override_record = *record;
    }
    if (const auto services = told.find(mail.id); services != told.end()) {
      facts.pending = PendingFor(mail.recipient, services->second, pending);
    }
    if (mail.HasToken()) facts.token = DeriveToken(mail, *account, change);
    facts.mail = std::move(mail);
    claimed.push_back(std::move(facts));
  }
  if (!unwanted.empty()) {
    status = database_->Write(Limits(), [&](Session& session) {
      store::DeleteMails(session,
                         store::LoadClaimed(session, unwanted, claim, store::Lock::kForUpdate));
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
  }
  return claimed;
}

std::string Outbox::DeriveToken(const OutboxMail& mail, const Account& recipient,
                                const ContactChange* change) const {
  const bool confirms = mail.kind == MailKind::kConfirmEmail;
  const std::string& key_id = confirms ? recipient.pending.token_key_id
                                       : change->FindValidation(mail.recipient)->token_key_id;
  const std::string& address = confirms ? recipient.pending.address : recipient.email;
  return keys_
      .Derive(key_id, {.change = confirms ? Uuid() : change->id,
                       .account = mail.recipient,
                       .generation = mail.generation,
                       .address = AddressDigest(mail.recipient, address)})
      .value_or("");
}

absl::StatusOr<Outbox::Depth> Outbox::GetDepth(absl::Time now) {
  constexpr int64_t kMostCounted = 10'000;
  return database_->Read<Depth>(Limits(), [&](Session& session) {
    const store::OutboxDepth loaded = store::LoadOutboxDepth(session, kMostCounted);
    return Depth{.mails = loaded.mails, .oldest = now - loaded.oldest.value_or(now)};
  });
}

absl::Status Outbox::Sent(const std::vector<MailFacts>& mails, const Clock& clock) {
  return Finish(mails, EventType::kValidationSent, clock);
}

absl::Status Outbox::GiveUp(const MailFacts& mail, const Clock& clock) {
  return Finish({mail}, EventType::kValidationUndeliverable, clock);
}

absl::Status Outbox::Finish(const std::vector<MailFacts>& mails, EventType event,
                            const Clock& clock) {
  std::set<Uuid> ids, change_ids;
  for (const MailFacts& facts : mails) {
    const OutboxMail& mail = facts.mail;
    ids.insert(mail.id);
    if (mail.IsValidation()) change_ids.insert(mail.subject);
  }
  return database_->Write(Limits(), [&](Session& session) {
    // Locks changes before outbox rows, in the same order as answers.
    std::vector<ContactChange> changes;
    if (!change_ids.empty()) changes = store::LockChanges(session, change_ids);
    const std::set<Uuid> held =
        store::LoadClaimed(session, ids, mails.front().mail.claim, store::Lock::kForUpdate);
    const absl::Time now = clock();
    Transition history;
    for (const MailFacts& facts : mails) {
      const OutboxMail& mail = facts.mail;
      if (!mail.IsValidation() || !held.contains(mail.id)) continue;
      for (ContactChange& change : changes) {
        // The history of a closed change gets no further events.
        if (change.id == mail.subject && StateAt(change, now) == ChangeState::kValidating) {
          RecordDelivery(history, change, mail, MaskEmail(facts.recipient.email), event,
                         facts.answer, now);
        }
      }
    }
    for (const ContactChange& change : changes) {
      if (change.open()) store::SaveChange(session, change);
    }
    SaveEffects(session, history, now, settings_);
    store::DeleteMails(session, held);
    return absl::OkStatus();
  });
}

absl::Status Outbox::Retry(const OutboxMail& mail, absl::Time next_try) {
  return database_->Write(Limits(), [&](Session& session) {
    store::PostponeMail(session, mail, next_try);
    return absl::OkStatus();
  });
}

absl::Status Outbox::Release(const std::vector<OutboxMail>& mails, absl::Time next_try) {
  return database_->Write(Limits(), [&](Session& session) {
    for (const OutboxMail& mail : mails) store::ReleaseMail(session, mail, next_try);
    return absl::OkStatus();
  });
}

}  // namespace contacts
