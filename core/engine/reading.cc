#include "core/engine/reading.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "core/domain/errors.h"
#include "core/engine/change_page.h"
#include "core/engine/contact_history.h"
#include "core/engine/mutation.h"
#include "core/engine/save.h"
#include "core/mysql/store/account.h"
#include "core/mysql/store/change.h"
#include "core/mysql/store/event.h"
#include "core/mysql/store/involvement.h"
#include "core/mysql/store/pending_role.h"
#include "core/mysql/store/service.h"

namespace contacts {
namespace {

ChangeList ListOf(const AccountId& account, const ChangeFilter& filter, absl::Time now,
                  const Settings& settings) {
  ChangeList list;
  list.scan = [&](Session& session, const Uuid& before, int64_t limit) {
    return filter.service
               ? store::ListServiceChanges(session, account, *filter.service, before, limit)
               : store::ListAccountChanges(session, account, KeepsOpenOnly(filter), before, limit);
  };
  list.may_match = [&account, &filter, now](const ChangeSummary& summary) {
    return MayMatch(summary, filter, account, now);
  };
  list.needs_items = [&](const ChangeSummary& summary) {
    return MatchNeedsItems(summary, filter, account);
  };
  list.matches = [&](const ContactChange& change, const std::vector<AccountId>& admins) {
    return Matches(change, admins, filter, account);
  };
  list.view = [&account, now, &settings](const ContactChange& change) {
    return ViewOf(change, account, now, settings);
  };
  list.is_filtered = !filter.states.empty() || filter.involvement != Involvement::kAny ||
                     filter.service.has_value();
  return list;
}

}  // namespace

Reading::Reading(const EngineContext* context)
    : context_(*context),
      change_reads_({}, [this](std::vector<ChangeRead> reads) { ReadChanges(std::move(reads)); }) {}

absl::StatusOr<Page<Service>> Reading::ListServices(const Call& call, const ServiceFilter& filter,
                                                    const PageRequest& request) {
  using Services = Page<Service>;
  const auto read = [&](Session& session) -> absl::StatusOr<Services> {
    Services page;
    std::vector<Service> services =
        store::ListServices(session, call.account, filter.roles, filter.id_prefix, filter.contact,
                            request.after, request.size + 1, context_.clock());
    if (services.empty()) {
      const absl::Status known = AccountNotFoundOr(session, call, absl::OkStatus());
      if (!known.ok()) return known;
    }
    std::size_t bytes = 0;
    for (Service& service : services) {
      service = ViewOf(std::move(service), call.account);
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
  return context_.database->Read<Services>(call.limits, read);
}

absl::StatusOr<ServiceView> Reading::GetService(const Call& call, const ServiceId& id) {
  const auto read = [&](Session& session) -> absl::StatusOr<ServiceView> {
    ServiceView view;
    auto loaded = store::LoadServiceAndPending(session, id, call.account, context_.clock());
    if (!loaded) return AccountNotFoundOr(session, call, errors::ServiceNotFoundOrNotHeld(id));
    view.service = std::move(loaded->service);
    std::set<Uuid> ids;
    for (const store::PendingRole& role : loaded->pending) ids.insert(role.change_id);
    if (!ids.empty() && !SeesAllChangesOn(view.service, call.account)) {
      const auto changes = store::LoadChanges(session, {ids.begin(), ids.end()});
      for (const store::ChangeAndAdmins& change : changes) {
        if (!Concerns(change.change, change.admins, call.account)) ids.erase(change.change.id);
      }
    }
    view.pending_change_ids.assign(ids.begin(), ids.end());
    for (const store::PendingRole& role : loaded->pending) {
      if (ids.contains(role.change_id)) view.service.pending_roles.push_back(role.role.role);
    }
    view.service = ViewOf(std::move(view.service), call.account);
    return view;
  };
  return context_.database->Read<ServiceView>(call.limits, read);
}

absl::StatusOr<ContactChange> Reading::GetContactChange(const Call& call, const Uuid& id) {
  absl::StatusOr<ContactChange> change = errors::ContactChangeNotFound(id);
  ReadChanges({{&call, id, [&](absl::StatusOr<ContactChange> got) { change = std::move(got); },
                absl::Now()}});
  return change;
}

void Reading::GetContactChange(const Call& call, const Uuid& id, Got got) {
  change_reads_.Do({&call, id, std::move(got), absl::Now()});
}

void Reading::ReadChanges(std::vector<ChangeRead> reads) {
  std::erase_if(reads, [](const ChangeRead& read) {
    const absl::Status late = errors::IfEnded(read.call->limits);
    if (!late.ok()) read.got(late);
    return !late.ok();
  });
  if (reads.empty()) return;
  // The read goes on as long as one of the callers waits for it.
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
    // A failure of one read must not fail the others.
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

absl::StatusOr<Reading::Views> Reading::LoadViews(const CallLimits& limits,
                                                  const std::vector<ChangeRead>& reads) {
  std::vector<Uuid> ids;
  for (const ChangeRead& read : reads) ids.push_back(read.id);
  return context_.database->Read<Views>(limits, [&](Session& session) {
    Views views;
    const absl::Time now = context_.clock();
    const std::vector<store::ChangeAndAdmins> loaded = store::LoadChanges(session, ids);
    std::set<AccountId> unsure;  // Accounts that do not exist, or may not see the change.
    for (const ChangeRead& read : reads) {
      const AccountId& account = read.call->account;
      const auto found =
          std::find_if(loaded.begin(), loaded.end(), [&](const store::ChangeAndAdmins& entry) {
            return entry.change.id == read.id && Concerns(entry.change, entry.admins, account);
          });
      if (found != loaded.end()) {
        views.emplace_back(ViewOf(found->change, account, now, context_.settings));
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

absl::StatusOr<Page<ContactChange>> Reading::ListContactChanges(const Call& call,
                                                                const ChangeFilter& filter,
                                                                const PageRequest& request,
                                                                int64_t max_items) {
  using Changes = Page<ContactChange>;
  const auto read = [&](Session& session) -> absl::StatusOr<Changes> {
    const ChangeList list = ListOf(call.account, filter, context_.clock(), context_.settings);
    ChangePage found = ReadChangePage(session, list, request, max_items);
    if (!found.any_scanned) {
      const absl::Status known = AccountNotFoundOr(session, call, absl::OkStatus());
      if (!known.ok()) return known;
    }
    return std::move(found.page);
  };
  return context_.database->Read<Changes>(call.limits, read);
}

absl::StatusOr<Page<ContactMove>> Reading::ListContactHistory(const Call& call, const ServiceId& id,
                                                              const PageRequest& request) {
  using Moves = Page<ContactMove>;
  return context_.database->Read<Moves>(
      call.limits, [&](Session& session) -> absl::StatusOr<Moves> {
        const std::optional<Service> service = store::LoadService(session, id, store::Lock::kNone);
        if (!service || !service->HasContact(call.account)) {
          return AccountNotFoundOr(session, call, errors::ServiceNotFoundOrNotHeld(id));
        }
        if (!SeesContactHistory(*service, call.account)) {
          return errors::RoleNotAllowed("only the admin sees the history of a service's contacts");
        }
        absl::StatusOr<Moves> page = ReadContactHistory(session, id, service->create_time, request);
        if (!page.ok()) return page;
        for (ContactMove& move : page->rows) move = ViewOf(std::move(move));
        return page;
      });
}

absl::StatusOr<EventPage> Reading::ListContactChangeEvents(const Call& call, const Uuid& id,
                                                           const PageRequest& request) {
  const auto read = [&](Session& session) -> absl::StatusOr<EventPage> {
    EventPage page;
    const std::vector<store::ChangeAndAdmins> loaded = store::LoadChanges(session, {id});
    if (loaded.empty() || !Concerns(loaded.front().change, loaded.front().admins, call.account)) {
      return AccountNotFoundOr(session, call, errors::ContactChangeNotFound(id));
    }
    int64_t after = 0;
    if (!request.after.empty() && !absl::SimpleAtoi(request.after, &after)) {
      return errors::InvalidField({{"page_token", "want one that this method returned"}});
    }
    if (request.after.empty()) {
      page.change =
          ViewOf(loaded.front().change, call.account, context_.clock(), context_.settings);
    }
    page.rows = store::ListEvents(session, id, after, request.size + 1);
    for (ChangeEvent& event : page.rows) event = ViewOf(std::move(event));
    if (static_cast<int64_t>(page.rows.size()) > request.size) {
      page.rows.pop_back();
      page.next = std::to_string(page.rows.back().ordinal);
    }
    return page;
  };
  return context_.database->Read<EventPage>(call.limits, read);
}

}  // namespace contacts
