#include "core/engine/reading.h"

#include <algorithm>
#include <exception>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "core/domain/errors.h"
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

// Bounds of a page beside its size, so that the cost of a call does not grow with an account's
// history.
constexpr int64_t kMaxPageItems = 10'000;
constexpr int64_t kMaxScanned = 5'000;
constexpr int64_t kScanStep = 500;

// A page of contact changes as it is filled, step by step: each step scans summaries and loads
// the changes that may match.
class ChangePage {
 public:
  // `max_items`: of each change. 0: all.
  ChangePage(const AccountId& account, const ChangeFilter& filter, const PageRequest& request,
             int64_t max_items, const EngineContext& context)
      : account_(account),
        filter_(filter),
        settings_(context.settings),
        max_items_(max_items),
        size_(request.size),
        step_(IsFiltered(filter) ? std::max(kScanStep, request.size + 1) : request.size + 1),
        now_(context.clock()),
        last_(Uuid::Parse(request.after).value_or(Uuid())) {}

  bool wants_more() const { return wants_more_ && scanned_ < kMaxScanned; }
  bool any_scanned() const { return scanned_ > 0; }
  Page<ContactChange> Take() && { return std::move(page_); }

  // Two round trips at most; three with `max_items`.
  void Extend(Session& session) {
    const std::vector<ChangeSummary> summaries = Scan(session);
    scanned_ += static_cast<int64_t>(summaries.size());
    const Choice choice = Choose(summaries);
    if (!Append(session, choice)) return;
    const bool more = choice.full || static_cast<int64_t>(summaries.size()) == step_;
    page_.next = more ? last_.text() : "";
    wants_more_ = more && rows() < size_ && items_ < kMaxPageItems &&
                  !(choice.full && rows() > 0 && items_ > kMaxPageItems / 2);
  }

 private:
  // The changes to load next. A change that then turns out not to match is made up for by the next
  // step.
  struct Choice {
    std::vector<Uuid> whole;
    std::map<Uuid, int64_t> first_items;  // Changes whose first items are enough: all they have.
    bool full = false;                    // Another change may match, and has no room.
    std::size_t size() const { return whole.size() + first_items.size(); }
  };

  static bool IsFiltered(const ChangeFilter& filter) {
    return !filter.states.empty() || filter.involvement != Involvement::kAny ||
           filter.service.has_value();
  }
  int64_t rows() const { return static_cast<int64_t>(page_.rows.size()); }

  std::vector<ChangeSummary> Scan(Session& session) const {
    return filter_.service
               ? store::ListServiceChanges(session, account_, *filter_.service, last_, step_)
               : store::ListAccountChanges(session, account_, KeepsOpenOnly(filter_), last_, step_);
  }

  // Whether only the first items of a change are to be loaded.
  bool TakesFirstItems(const ChangeSummary& summary) const {
    return max_items_ > 0 && summary.item_count > max_items_ &&
           !MatchNeedsItems(summary, filter_, account_);
  }

  Choice Choose(const std::vector<ChangeSummary>& summaries) {
    const int64_t wanted = size_ - rows();
    Choice choice;
    for (const ChangeSummary& summary : summaries) {
      const bool may_match = MayMatch(summary, filter_, account_, now_);
      const bool first_items = TakesFirstItems(summary);
      const int64_t items = first_items ? max_items_ : summary.item_count;
      choice.full =
          may_match && (static_cast<int64_t>(choice.size()) == wanted ||
                        (items_ > 0 && items_ + items > kMaxPageItems) ||
                        (first_items && choice.first_items.size() == store::kMaxFirstItems));
      if (choice.full) break;
      last_ = summary.id;
      if (!may_match) continue;
      if (first_items) {
        choice.first_items.emplace(summary.id, summary.item_count);
      } else {
        choice.whole.push_back(summary.id);
      }
      items_ += items;
    }
    return choice;
  }

  // The chosen changes that match, newest first.
  std::vector<ContactChange> Load(Session& session, const Choice& choice) const {
    std::vector<ContactChange> changes;
    if (!choice.whole.empty()) {
      for (store::ChangeAndAdmins& loaded : store::LoadChanges(session, choice.whole)) {
        if (!Matches(loaded.change, loaded.admins, filter_, account_)) continue;
        changes.push_back(std::move(loaded.change));
      }
    }
    if (!choice.first_items.empty()) {
      std::vector<Uuid> ids;
      for (const auto& [id, count] : choice.first_items) ids.push_back(id);
      for (ContactChange& change : store::LoadFirstItems(session, ids, max_items_)) {
        change.items_left_out =
            choice.first_items.at(change.id) - static_cast<int64_t>(change.items.size());
        changes.push_back(std::move(change));
      }
    }
    std::sort(changes.begin(), changes.end(),
              [](const ContactChange& a, const ContactChange& b) { return b.id < a.id; });
    return changes;
  }

  // Returns false, with the page ended, if a change has too many bytes to be added.
  bool Append(Session& session, const Choice& choice) {
    for (ContactChange& change : Load(session, choice)) {
      const auto count = static_cast<int64_t>(change.items.size());
      if (max_items_ > 0 && count > max_items_) {
        change.items.resize(static_cast<std::size_t>(max_items_));
        change.items_left_out += count - max_items_;
      }
      bytes_ += MaxEncodedSize(change);
      if (bytes_ > kMaxPageBytes && !page_.rows.empty()) {
        page_.next = page_.rows.back().id.text();
        wants_more_ = false;
        return false;
      }
      page_.rows.push_back(ViewOf(change, account_, now_, settings_));
    }
    return true;
  }

  const AccountId& account_;
  const ChangeFilter& filter_;
  const Settings& settings_;
  const int64_t max_items_;
  const int64_t size_;
  const int64_t step_;
  const absl::Time now_;
  Page<ContactChange> page_;
  Uuid last_;  // The last change that was looked at.
  bool wants_more_ = true;
  int64_t scanned_ = 0;
  int64_t items_ = 0;
  std::size_t bytes_ = 0;
};

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
    ChangePage page(call.account, filter, request, max_items, context_);
    while (page.wants_more()) page.Extend(session);
    if (!page.any_scanned()) {
      const absl::Status known = AccountNotFoundOr(session, call, absl::OkStatus());
      if (!known.ok()) return known;
    }
    return std::move(page).Take();
  };
  return context_.database->Read<Changes>(call.limits, read);
}

absl::StatusOr<Page<ChangeEvent>> Reading::ListContactChangeEvents(const Call& call, const Uuid& id,
                                                                   const PageRequest& request) {
  using Events = Page<ChangeEvent>;
  const auto read = [&](Session& session) -> absl::StatusOr<Events> {
    Events page;
    const std::vector<store::ChangeAndAdmins> loaded = store::LoadChanges(session, {id});
    if (loaded.empty() || !Concerns(loaded.front().change, loaded.front().admins, call.account)) {
      return AccountNotFoundOr(session, call, errors::ContactChangeNotFound(id));
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
  return context_.database->Read<Events>(call.limits, read);
}

}  // namespace contacts
