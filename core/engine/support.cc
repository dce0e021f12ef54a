#include "core/engine/support.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "core/domain/errors.h"
#include "core/engine/change_page.h"
#include "core/engine/contact_history.h"
#include "core/engine/mutation.h"
#include "core/engine/save.h"
#include "core/mysql/store/change.h"
#include "core/mysql/store/change_search.h"
#include "core/mysql/store/contact_override.h"
#include "core/mysql/store/event.h"
#include "core/mysql/store/service.h"
#include "core/workflow/change.h"

namespace contacts {
namespace {

constexpr int64_t kMaxEvents = 1000;
// Overrides, and items of them, that are loaded at once.
constexpr std::size_t kOverridesAtOnce = 64;
constexpr int64_t kOverrideItemsAtOnce = 2000;

// The ids that a search may find: [from, before).
struct IdRange {
  Uuid from;
  Uuid before;
};
IdRange IdsOf(const ChangeSearch& search) {
  // An id has the milliseconds of its time. MayMatch is exact.
  return {search.from ? Uuid::Floor(*search.from) : Uuid(),
          search.before ? Uuid::Floor(*search.before + absl::Milliseconds(1)) : Uuid::Max()};
}

ChangeList ListOf(const ChangeSearch& search, absl::Time now, const Settings& settings) {
  ChangeList list;
  list.scan = [&search, range = IdsOf(search)](Session& session, const Uuid& last, int64_t limit) {
    const Uuid before = last.is_nil() ? range.before : last;
    if (search.service) {
      return store::SearchByService(session, *search.service, range.from, before, limit);
    }
    if (!search.account.empty()) {
      return store::SearchByAccount(session, search.account, range.from, before, limit);
    }
    return store::SearchByTime(session, range.from, before, limit);
  };
  list.may_match = [&search, now](const ChangeSummary& summary) {
    return MayMatch(summary, search, now);
  };
  // A walk by account finds no others.
  const bool by_both = search.service.has_value() && !search.account.empty();
  list.needs_items = [&search, by_both](const ChangeSummary& summary) {
    return by_both && summary.requester != search.account && summary.new_contact != search.account;
  };
  list.matches = [&search](const ContactChange& change, const std::vector<AccountId>&) {
    return Matches(change, search);
  };
  list.view = [now, &settings](const ContactChange& change) {
    return StaffViewOf(change, now, settings);
  };
  list.is_filtered = !search.states.empty() || by_both;
  return list;
}

// Locks a change, decides, saves the effects and encodes the change for the support desk. Returns
// CONTACT_CHANGE_NOT_FOUND, or the error of the decision.
absl::StatusOr<std::string> Mutate(
    const EngineContext& context, const Call& call, const Uuid& id,
    const std::function<Transition(ContactChange& change, absl::Time now)>& decide,
    const Encode<ContactChange>& encode) {
  return MutateOnce(context, call, [&](Session& session) -> absl::StatusOr<std::string> {
    std::optional<ContactChange> change = store::LockChange(session, id);
    if (!change) return errors::ContactChangeNotFound(id);
    store::LoadItems(session, *change);
    const absl::Time now = context.clock();
    Transition transition = decide(*change, now);
    if (!transition.status.ok()) return transition.status;
    SaveChangeAndItems(session, *change, transition);
    SaveEffects(session, transition, now, context.settings);
    return encode(StaffViewOf(*change, now, context.settings));
  });
}

// Leaves out the masked addresses of all accounts but `except`: a kept reply may outlive an
// account.
Encode<ContactChange> WithoutHints(const Encode<ContactChange>& encode, const AccountId& except) {
  return [&encode, except](ContactChange change) {
    for (Validation& validation : change.validations) {
      if (validation.account != except) validation.email_hint.clear();
    }
    return encode(change);
  };
}

std::size_t MaxEncodedSize(const ContactOverride& record) {
  // Ids, names and times, of the record and of each move.
  return 200 + record.reason.size() + 500 * record.items.size();
}

// Loads some overrides from `ids[begin]` on, in the order of the ids: at least one, however many
// items it has.
std::vector<ContactOverride> LoadSomeOverrides(Session& session, const std::vector<Uuid>& ids,
                                               std::size_t begin) {
  const std::size_t end = std::min(ids.size(), begin + kOverridesAtOnce);
  const std::set<Uuid> some(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                            ids.begin() + static_cast<std::ptrdiff_t>(end));
  std::vector<ContactOverride> records = store::LoadOverrides(session, some, kOverrideItemsAtOnce);
  if (records.empty()) records = store::LoadOverrides(session, {ids[begin]});
  return records;
}

}  // namespace

absl::StatusOr<Page<ContactChange>> Support::SearchContactChanges(const Call& call,
                                                                  const ChangeSearch& search,
                                                                  const PageRequest& request,
                                                                  int64_t max_items) {
  using Changes = Page<ContactChange>;
  return context_.database->Read<Changes>(call.limits, [&](Session& session) {
    const ChangeList list = ListOf(search, context_.clock(), context_.settings);
    return ReadChangePage(session, list, request, max_items).page;
  });
}

absl::StatusOr<ChangeAndHistory> Support::LookupContactChange(const Call& call, const Uuid& id) {
  return context_.database->Read<ChangeAndHistory>(
      call.limits, [&](Session& session) -> absl::StatusOr<ChangeAndHistory> {
        const std::vector<store::ChangeAndAdmins> loaded = store::LoadChanges(session, {id});
        if (loaded.empty()) return errors::ContactChangeNotFound(id);
        const ContactChange& change = loaded.front().change;
        const int64_t before = std::max<int64_t>(change.event_count - kMaxEvents, 0);
        return ChangeAndHistory{StaffViewOf(change, context_.clock(), context_.settings),
                                store::ListEvents(session, id, before, kMaxEvents)};
      });
}

absl::StatusOr<std::string> Support::ResendValidationFor(const Call& call, const Uuid& id,
                                                         const AccountId& validator,
                                                         const Encode<ContactChange>& encode) {
  const auto resend = [&](ContactChange& change, absl::Time now) {
    return ResendFor(change, validator, call.staff, context_.keys.active(), now, context_.settings);
  };
  Call kept = call;
  kept.about = validator;
  return Mutate(context_, kept, id, resend, WithoutHints(encode, validator));
}

absl::StatusOr<std::string> Support::AbortContactChange(const Call& call, const Uuid& id,
                                                        const std::string& reason,
                                                        const Encode<ContactChange>& encode) {
  const auto abort = [&](ContactChange& change, absl::Time now) {
    return Abort(change, call.staff, reason, now);
  };
  return Mutate(context_, call, id, abort, WithoutHints(encode, AccountId()));
}

absl::StatusOr<Page<ContactMove>> Support::ListServiceContactHistory(const Call& call,
                                                                     const ServiceId& id,
                                                                     const PageRequest& request) {
  using Moves = Page<ContactMove>;
  return context_.database->Read<Moves>(
      call.limits, [&](Session& session) -> absl::StatusOr<Moves> {
        absl::StatusOr<Moves> page = ReadContactHistory(session, id, std::nullopt, request);
        const bool empty = page.ok() && page->rows.empty() && request.after.empty();
        if (empty && !store::LoadService(session, id, store::Lock::kNone)) {
          return errors::ServiceNotFound(id);
        }
        return page;
      });
}

absl::StatusOr<Page<ContactOverride>> Support::ListContactOverrides(const Call& call,
                                                                    const OverrideFilter& filter,
                                                                    const PageRequest& request) {
  using Overrides = Page<ContactOverride>;
  return context_.database->Read<Overrides>(call.limits, [&](Session& session) {
    Overrides page;
    const Uuid before = Uuid::Parse(request.after).value_or(Uuid::Max());
    const std::vector<Uuid> ids =
        store::ListOverrides(session, filter.service, filter.account, before, request.size + 1);
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < ids.size();) {
      const std::vector<ContactOverride> some = LoadSomeOverrides(session, ids, i);
      do {
        ++i;
      } while (i < ids.size() && !some.empty() && !(ids[i] < some.back().id));
      for (const ContactOverride& record : some) {
        bytes += MaxEncodedSize(record);
        if (static_cast<int64_t>(page.rows.size()) == request.size ||
            (bytes > kMaxPageBytes && !page.rows.empty())) {
          page.next = page.rows.back().id.text();
          return page;
        }
        page.rows.push_back(record);
      }
    }
    return page;
  });
}

}  // namespace contacts
