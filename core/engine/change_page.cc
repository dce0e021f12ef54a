#include "core/engine/change_page.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <utility>

#include "core/engine/save.h"
#include "core/mysql/store/change.h"

namespace contacts {
namespace {

// Bounds of a page beside its size, so that the cost of a call does not grow with an account's
// history.
constexpr int64_t kMaxPageItems = 10'000;
constexpr int64_t kMaxScanned = 5'000;
constexpr int64_t kScanStep = 500;

// A page as it is filled, step by step: each step scans summaries and loads the changes that may
// match.
class Filling {
 public:
  Filling(const ChangeList& list, const PageRequest& request, int64_t max_items)
      : list_(list),
        max_items_(max_items),
        size_(request.size),
        step_(list.is_filtered ? std::max(kScanStep, request.size + 1) : request.size + 1),
        last_(Uuid::Parse(request.after).value_or(Uuid())) {}

  bool wants_more() const { return wants_more_ && scanned_ < kMaxScanned; }
  bool any_scanned() const { return scanned_ > 0; }
  Page<ContactChange> Take() && { return std::move(page_); }

  // Two round trips at most; three with `max_items`. One less if summaries are left.
  void Extend(Session& session) {
    if (left_.empty()) {
      const std::vector<ChangeSummary> summaries = list_.scan(session, last_, step_);
      scanned_ += static_cast<int64_t>(summaries.size());
      scan_ended_ = static_cast<int64_t>(summaries.size()) < step_;
      left_.assign(summaries.begin(), summaries.end());
    }
    const Choice choice = Choose();
    if (!Append(session, choice)) return;
    const bool more = choice.full || !scan_ended_;
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

  int64_t rows() const { return static_cast<int64_t>(page_.rows.size()); }

  // Whether only the first items of a change are to be loaded.
  bool TakesFirstItems(const ChangeSummary& summary) const {
    return max_items_ > 0 && summary.item_count > max_items_ && !list_.needs_items(summary);
  }

  // Takes summaries from the front until there is no room. The others are for the next step.
  Choice Choose() {
    const int64_t wanted = size_ - rows();
    Choice choice;
    for (; !left_.empty(); left_.pop_front()) {
      const ChangeSummary& summary = left_.front();
      const bool may_match = list_.may_match(summary);
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
        if (!list_.matches(loaded.change, loaded.admins)) continue;
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
      page_.rows.push_back(list_.view(change));
    }
    return true;
  }

  const ChangeList& list_;
  const int64_t max_items_;
  const int64_t size_;
  const int64_t step_;
  Page<ContactChange> page_;
  Uuid last_;                       // The last change that was looked at.
  std::deque<ChangeSummary> left_;  // Scanned, and not looked at yet.
  bool scan_ended_ = false;         // Whether no change is left to be scanned.
  bool wants_more_ = true;
  int64_t scanned_ = 0;
  int64_t items_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace

ChangePage ReadChangePage(Session& session, const ChangeList& list, const PageRequest& request,
                          int64_t max_items) {
  Filling filling(list, request, max_items);
  while (filling.wants_more()) filling.Extend(session);
  const bool any_scanned = filling.any_scanned();
  return {std::move(filling).Take(), any_scanned};
}

}  // namespace contacts
