#include "core/engine/bulk.h"

#include <functional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/engine/save.h"
#include "core/mysql/store/account.h"
#include "core/mysql/store/contact_move.h"
#include "core/mysql/store/earlier_address.h"
#include "core/mysql/store/involvement.h"
#include "core/mysql/store/pending_role.h"
#include "core/mysql/store/service.h"
#include "core/workflow/change.h"
#include "core/workflow/profile.h"

namespace contacts {
namespace {

// How cursors of an export begin: with the kind that the page is of.
constexpr char kAccounts[] = "account ";
constexpr char kServices[] = "service ";

struct Named {
  std::set<AccountId> accounts;  // Of account records.
  std::set<ServiceId> services;  // Of service records.
  std::set<AccountId> contacts;  // Of service records, without the above.
};

Named NamesOf(const std::vector<ImportRecord>& records) {
  Named named;
  for (const ImportRecord& record : records) {
    if (const auto* account = std::get_if<AccountRecord>(&record)) {
      named.accounts.insert(account->id);
    }
  }
  for (const ImportRecord& record : records) {
    const auto* service = std::get_if<Service>(&record);
    if (service == nullptr) continue;
    named.services.insert(service->id);
    for (Role role : kRoles) {
      if (!named.accounts.contains(service->holder(role))) {
        named.contacts.insert(service->holder(role));
      }
    }
  }
  return named;
}

// Locks what the records are about, accounts before services. A contact is locked too, so that it
// is not deleted meanwhile. The time is taken once all is locked.
std::pair<ImportFacts, absl::Time> ReadFacts(Session& session, const Named& named,
                                             const std::function<absl::Time()>& clock) {
  ImportFacts facts;
  if (!named.accounts.empty()) {
    facts.accounts = ById(store::LockAccounts(session, named.accounts));
  }
  if (!named.contacts.empty()) {
    for (const AccountId& id : store::LoadExisting(session, named.contacts, store::Lock::kShare)) {
      facts.contacts.insert(id);
    }
  }
  if (named.services.empty()) return {std::move(facts), clock()};
  store::ServicesAndPending locked =
      store::LoadServicesAndPending(session, named.services, store::Lock::kForUpdate);
  const absl::Time now = clock();
  for (Service& service : locked.services) facts.services.emplace(service.id, std::move(service));
  for (const store::PendingRole& pending : locked.pending) {
    if (StateAt(ChangeState::kValidating, pending.expire_time, now) == ChangeState::kValidating) {
      facts.pending.insert(pending.role);
    }
  }
  return {std::move(facts), now};
}

}  // namespace

absl::StatusOr<std::vector<ImportRejection>> Bulk::ImportBatch(
    const CallLimits& limits, const std::vector<ImportRecord>& records, const std::string& staff) {
  const Named named = NamesOf(records);
  // Run again after a commit whose answer was lost, this finds everything as the
  // records say and writes nothing.
  return context_.database->Write<std::vector<ImportRejection>>(limits, [&](Session& session) {
    auto [facts, now] = ReadFacts(session, named, context_.clock);
    ImportPlan plan = PlanImport(records, std::move(facts), staff, now);
    store::InsertAccounts(session, plan.new_accounts);
    store::SaveAccounts(session, plan.changed_accounts);
    store::InsertEarlierAddresses(session, plan.earlier_addresses, now);
    store::InsertServices(session, plan.new_services);
    store::SaveServices(session, plan.changed_services);
    store::InsertMoves(session, plan.moves);
    store::ShowChangesToAdmins(session, plan.moved_admins);
    SaveMails(session, plan.mails, now, context_.settings);
    return std::move(plan.rejections);
  });
}

absl::StatusOr<DirectoryPage> Bulk::ExportDirectory(const Call& call, const PageRequest& page) {
  return context_.database->Read<DirectoryPage>(call.limits, [&](Session& session) {
    DirectoryPage result;
    absl::string_view after = page.after;
    const auto limit = static_cast<std::size_t>(page.size);
    if (!absl::ConsumePrefix(&after, kServices)) {
      absl::ConsumePrefix(&after, kAccounts);
      result.accounts = store::PageAccounts(session, std::string(after), page.size);
      for (Account& account : result.accounts) {
        account = Presented(std::move(account), context_.clock());
      }
      result.next = result.accounts.size() < limit
                        ? kServices
                        : absl::StrCat(kAccounts, result.accounts.back().id.text());
      return result;
    }
    result.services = store::PageServices(session, std::string(after), page.size);
    const bool full = result.services.size() == limit;
    std::size_t bytes = 0;
    std::size_t kept = 0;
    for (; kept < result.services.size(); ++kept) {
      bytes += MaxEncodedSize(result.services[kept]);
      if (bytes > kMaxPageBytes && kept > 0) break;
    }
    const bool cut = kept < result.services.size();
    result.services.resize(kept);
    if (full || cut) {
      result.next = absl::StrCat(kServices, result.services.back().id.text());
    }
    return result;
  });
}

}  // namespace contacts
