#include <algorithm>
#include <set>

#include "absl/strings/numbers.h"
#include "core/domain/errors.h"
#include "core/engine/engine.h"
#include "core/engine/save.h"
#include "core/mysql/store/account.h"
#include "core/mysql/store/change.h"
#include "core/mysql/store/event.h"
#include "core/mysql/store/involvement.h"
#include "core/mysql/store/pending_role.h"
#include "core/mysql/store/service.h"

// What an acting account may look at.
namespace contacts {
namespace {

// Bounds of one page beside its size, so that a call's cost stays the same however long an
// account's history is.
constexpr int64_t kMaxPageItems = 10'000;
constexpr int64_t kMaxScanned = 5'000;
constexpr int64_t kScanStep = 500;

void HideOwner(Service& service, const AccountId& viewer) {
  if (service.admin != viewer) service.owner.reset();
}

bool MayMatch(const store::ChangeSummary& summary, const ChangeFilter& filter,
              const AccountId& account, absl::Time now) {
  const bool expired = summary.state == ChangeState::kValidating && now >= summary.expire_time;
  const ChangeState state = expired ? ChangeState::kExpired : summary.state;
  if (!filter.states.empty() &&
      std::find(filter.states.begin(), filter.states.end(), state) == filter.states.end()) {
    return false;
  }
  switch (filter.involvement) {
    case Involvement::kAny: return true;
    case Involvement::kRequester: return summary.requester == account;
    case Involvement::kNewContact: return summary.new_contact == account;
    case Involvement::kAwaitingMyValidation:
      return state == ChangeState::kValidating &&
             ((summary.requester == account &&
               summary.requester_state == ValidationState::kPending) ||
              (summary.new_contact == account &&
               summary.new_contact_state == ValidationState::kPending));
    case Involvement::kOldContact: return summary.state == ChangeState::kDone;
  }
  return false;
}

bool Matches(const store::ChangeAndAdmins& loaded, const ChangeFilter& filter,
             const AccountId& account) {
  if (!Concerns(loaded.change, loaded.admins, account)) return false;
  if (filter.involvement != Involvement::kOldContact) return true;
  return std::any_of(loaded.change.items.begin(), loaded.change.items.end(),
                     [&](const ChangeItem& item) {
                       return item.outcome == ItemOutcome::kApplied && item.old_contact == account;
                     });
}

bool OpenOnly(const ChangeFilter& filter) {
  return filter.involvement == Involvement::kAwaitingMyValidation ||
         (filter.states.size() == 1 && filter.states.front() == ChangeState::kValidating);
}

}  // namespace

absl::StatusOr<Account> Engine::GetProfile(const Call& call) {
  return GetAccount(call, call.account);
}

absl::StatusOr<Page<Service>> Engine::ListServices(const Call& call, const ServiceFilter& filter,
                                                   const PageRequest& request) {
  using Services = Page<Service>;
  const auto read = [&](Session& session) -> absl::StatusOr<Services> {
    Services page;
    std::vector<Service> services = store::ListServices(
        session, call.account, filter.roles, filter.id_prefix, request.after, request.size + 1);
    if (services.empty()) {
      const absl::Status known = Unless(session, call, absl::OkStatus());
      if (!known.ok()) return known;
    }
    std::size_t bytes = 0;
    for (Service& service : services) {
      HideOwner(service, call.account);
      bytes += MaxEncodedSize(service);
      if (static_cast<int64_t>(page.rows.size()) == request.size ||
          (bytes > kMaxPageBytes && !page.rows.empty())) {
        page.next = page.rows.back().id.text();
        break;
      }
      page.rows.push_back(std::move(service));
    }
    return page;
  };
  return database_->Read<Services>(call.limits, read);
}

absl::StatusOr<ServiceView> Engine::GetService(const Call& call, const ServiceId& id) {
  const auto read = [&](Session& session) -> absl::StatusOr<ServiceView> {
    ServiceView view;
    auto loaded = store::LoadServiceAndPending(session, id, call.account, clock_());
    if (!loaded) return Unless(session, call, errors::ServiceNotFoundOrNotHeld(id));
    view.service = std::move(loaded->first);
    // The admin may see every change; for another contact, look at each.
    if (view.service.admin == call.account || loaded->second.empty()) {
      view.pending_change_ids = std::move(loaded->second);
    } else {
      for (const store::ChangeAndAdmins& change : store::LoadChanges(session, loaded->second)) {
        if (Concerns(change.change, change.admins, call.account)) {
          view.pending_change_ids.push_back(change.change.id);
        }
      }
      std::sort(view.pending_change_ids.begin(), view.pending_change_ids.end());
    }
    HideOwner(view.service, call.account);
    return view;
  };
  return database_->Read<ServiceView>(call.limits, read);
}

absl::StatusOr<ContactChange> Engine::GetContactChange(const Call& call, const Uuid& id) {
  absl::StatusOr<ContactChange> change = errors::ContactChangeNotFound(id);
  ReadChanges({{&call, id, [&](absl::StatusOr<ContactChange> got) { change = std::move(got); },
                absl::Now()}});
  return change;
}

void Engine::GetContactChange(const Call& call, const Uuid& id, Got got) {
  change_reads_.Do({&call, id, std::move(got), absl::Now()});
}

void Engine::ReadChanges(std::vector<ChangeRead> reads) {
  std::erase_if(reads, [](const ChangeRead& read) {
    const absl::Status late = errors::IfEnded(read.call->limits);
    if (!late.ok()) read.got(late);
    return !late.ok();
  });
  if (reads.empty()) return;
  // It goes on as long as one of them waits for it.
  CallTimes times;
  CallLimits limits{.deadline = absl::InfinitePast(), .times = &times};
  bool may_be_cancelled = true;
  for (const ChangeRead& read : reads) {
    const CallLimits& own = read.call->limits;
    limits.deadline = std::max(limits.deadline, own.deadline);
    limits.cancelled.insert(limits.cancelled.end(), own.cancelled.begin(), own.cancelled.end());
    may_be_cancelled = may_be_cancelled && !own.cancelled.empty();
  }
  if (!may_be_cancelled) limits.cancelled.clear();
  const absl::Time begin = absl::Now();
  absl::StatusOr<Views> views = Views();
  try {
    views = LoadViews(limits, reads);
  } catch (const std::exception& error) {
    views = absl::InternalError(error.what());
  }
  if (absl::IsInternal(views.status()) && reads.size() > 1) {
    // What is wrong with one of them is not the others' to suffer.
    for (ChangeRead& read : reads) ReadChanges({std::move(read)});
    return;
  }
  for (std::size_t i = 0; i < reads.size(); ++i) {
    if (CallTimes* own = reads[i].call->limits.times) {
      *own += times;
      own->connection_wait += begin - reads[i].since;
    }
    reads[i].got(views.ok() ? std::move((*views)[i]) : views.status());
  }
}

absl::StatusOr<Engine::Views> Engine::LoadViews(const CallLimits& limits,
                                                const std::vector<ChangeRead>& reads) {
  std::vector<Uuid> ids;
  for (const ChangeRead& read : reads) ids.push_back(read.id);
  return database_->Read<Views>(limits, [&](Session& session) {
    Views views;
    const absl::Time now = clock_();
    const std::vector<store::ChangeAndAdmins> loaded = store::LoadChanges(session, ids);
    std::set<AccountId> unsure;  // Who may not see what they asked for, or do not exist.
    for (const ChangeRead& read : reads) {
      const AccountId& account = read.call->account;
      const auto found =
          std::find_if(loaded.begin(), loaded.end(), [&](const store::ChangeAndAdmins& entry) {
            return entry.change.id == read.id && Concerns(entry.change, entry.admins, account);
          });
      if (found != loaded.end()) {
        views.emplace_back(ViewOf(found->change, account, now));
      } else {
        views.emplace_back(errors::ContactChangeNotFound(read.id));
        unsure.insert(account);
      }
    }
    if (unsure.empty()) return views;
    const std::set<AccountId> existing = store::LoadExisting(session, unsure);
    for (std::size_t i = 0; i < reads.size(); ++i) {
      const AccountId& account = reads[i].call->account;
      if (!views[i].ok() && !existing.contains(account)) {
        views[i] = errors::AccountNotFound(account);
      }
    }
    return views;
  });
}

absl::StatusOr<Page<ContactChange>> Engine::ListContactChanges(const Call& call,
                                                               const ChangeFilter& filter,
                                                               const PageRequest& request) {
  using Changes = Page<ContactChange>;
  const auto read = [&](Session& session) -> absl::StatusOr<Changes> {
    Changes page;
    const absl::Time now = clock_();
    const bool filtered = !filter.states.empty() || filter.involvement != Involvement::kAny ||
                          filter.service.has_value();
    Uuid last = Uuid::Parse(request.after).value_or(Uuid());
    bool any_seen = false;
    std::size_t bytes = 0;
    for (int64_t scanned = 0, items = 0; scanned < kMaxScanned;) {
      const int64_t step = filtered ? std::max(kScanStep, request.size + 1) : request.size + 1;
      const std::vector<store::ChangeSummary> summaries =
          filter.service
              ? store::ListServiceChanges(session, call.account, *filter.service, last, step)
              : store::ListAccountChanges(session, call.account, OpenOnly(filter), last, step);
      any_seen = any_seen || !summaries.empty();
      scanned += static_cast<int64_t>(summaries.size());

      // Loads as many as may still fit; what those turn out not to show is made
      // up for by the next step.
      const int64_t wanted = request.size - static_cast<int64_t>(page.rows.size());
      std::vector<Uuid> ids;
      bool full = false;
      for (const store::ChangeSummary& summary : summaries) {
        const bool may_match = MayMatch(summary, filter, call.account, now);
        full = may_match && (static_cast<int64_t>(ids.size()) == wanted ||
                             (items > 0 && items + summary.item_count > kMaxPageItems));
        if (full) break;
        last = summary.id;
        if (!may_match) continue;
        ids.push_back(summary.id);
        items += summary.item_count;
      }
      if (!ids.empty()) {
        for (const store::ChangeAndAdmins& loaded : store::LoadChanges(session, ids)) {
          if (!Matches(loaded, filter, call.account)) continue;
          bytes += MaxEncodedSize(loaded.change);
          if (bytes > kMaxPageBytes && !page.rows.empty()) {
            page.next = page.rows.back().id.text();
            return page;
          }
          page.rows.push_back(ViewOf(loaded.change, call.account, now));
        }
      }
      const bool more = full || static_cast<int64_t>(summaries.size()) == step;
      page.next = more ? last.text() : "";
      if (!more || static_cast<int64_t>(page.rows.size()) == request.size ||
          items >= kMaxPageItems || (full && !page.rows.empty() && items > kMaxPageItems / 2)) {
        break;
      }
    }
    if (!any_seen) {
      const absl::Status known = Unless(session, call, absl::OkStatus());
      if (!known.ok()) return known;
    }
    return page;
  };
  return database_->Read<Changes>(call.limits, read);
}

absl::StatusOr<Page<ChangeEvent>> Engine::ListContactChangeEvents(const Call& call, const Uuid& id,
                                                                  const PageRequest& request) {
  using Events = Page<ChangeEvent>;
  const auto read = [&](Session& session) -> absl::StatusOr<Events> {
    Events page;
    const std::vector<store::ChangeAndAdmins> loaded = store::LoadChanges(session, {id});
    if (loaded.empty() || !Concerns(loaded.front().change, loaded.front().admins, call.account)) {
      return Unless(session, call, errors::ContactChangeNotFound(id));
    }
    int64_t after = 0;
    if (!request.after.empty() && !absl::SimpleAtoi(request.after, &after)) {
      return errors::InvalidField({{"page_token", "want one that this method returned"}});
    }
    page.rows = store::ListEvents(session, id, after, request.size + 1);
    if (static_cast<int64_t>(page.rows.size()) > request.size) {
      page.rows.pop_back();
      page.next = std::to_string(page.rows.back().ordinal);
    }
    return page;
  };
  return database_->Read<Events>(call.limits, read);
}

}  // namespace contacts
