#ifndef CONTACTS_CORE_ENGINE_CHANGE_PAGE_H_
#define CONTACTS_CORE_ENGINE_CHANGE_PAGE_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "core/domain/contact_change.h"
#include "core/domain/ids.h"
#include "core/engine/call.h"
#include "core/mysql/session.h"

// Pages of lists of contact changes: those of an account, and searches of the support desk.
namespace contacts {

// The content of a list of changes, newest first.
struct ChangeList {
  // Returns at most `limit` changes older than `before` (nil: the newest).
  std::function<std::vector<ChangeSummary>(Session&, const Uuid& before, int64_t limit)> scan;
  // Whether a change may be in the list. False is certain.
  std::function<bool(const ChangeSummary&)> may_match;
  // Whether `matches` looks at all items of such a change. Otherwise it is in the list.
  std::function<bool(const ChangeSummary&)> needs_items;
  // `admins`: the present admins of the items' services, in the order of the items.
  std::function<bool(const ContactChange&, const std::vector<AccountId>& admins)> matches;
  // The change as the reader sees it.
  std::function<ContactChange(const ContactChange&)> view;
  // Whether may_match leaves changes out, so that many are looked at for a page.
  bool is_filtered = false;
};

struct ChangePage {
  Page<ContactChange> page;
  bool any_scanned = false;
};
// Reads one page, with at most `max_items` items of each change (0: all). A page may be shorter
// than asked, as a bounded number of changes is looked at. For each step over the scan: two round
// trips at most, three with `max_items`.
ChangePage ReadChangePage(Session& session, const ChangeList& list, const PageRequest& request,
                          int64_t max_items);

}  // namespace contacts

#endif  // CONTACTS_CORE_ENGINE_CHANGE_PAGE_H_
