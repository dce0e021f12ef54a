#include "core/workflow/import.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "core/domain/email_address.h"
#include "core/domain/errors.h"
#include "core/workflow/move.h"
#include "core/workflow/profile.h"

namespace contacts {
namespace {

// A row with the values to write.
template <typename Row>
struct Draft {
  Row row;
  bool exists = false;  // Whether it is in the database already.
  bool changed = false;
};

class Planner {
 public:
  Planner(ImportFacts facts, const std::string& staff, absl::Time now)
      : facts_(std::move(facts)),
        origin_{.cause = MoveCause::kImport, .cause_id = {}, .staff = staff, .time = now},
        now_(now) {}

  absl::Status Take(const AccountRecord& record) {
    Draft<Account>& draft = Find(record.id, facts_.accounts, accounts_);
    Account next = draft.row;
    next.language = record.language.value_or(next.language);
    next.standing = record.standing.value_or(next.standing);
    const Account& last = draft.row;
    const bool known = last.version > 0;
    const bool same_email = known && SameEmailAddress(record.email, last.email);
    if (same_email && next.language == last.language && next.standing == last.standing) {
      return absl::OkStatus();
    }
    if (!known) {
      next.email = record.email;
    } else if (!same_email) {
      ProfileEffects effects = UseAddress(next, record.email, "import", now_);
      std::move(effects.earlier.begin(), effects.earlier.end(),
                std::back_inserter(plan_.earlier_addresses));
      std::move(effects.mails.begin(), effects.mails.end(), std::back_inserter(plan_.mails));
    }
    Write(std::move(next), draft);
    return absl::OkStatus();
  }

  absl::Status Take(const Service& record) {
    for (Role role : kRoles) {
      if (!Exists(record.holder(role))) return errors::AccountNotFound(record.holder(role));
    }
    Draft<Service>& draft = Find(record.id, facts_.services, services_);
    Service next = draft.row;
    bool same = next.version > 0 && next.kind == record.kind;
    for (Role role : kRoles) {
      if (next.version > 0 && next.holder(role) != record.holder(role)) {
        if (facts_.pending.contains({record.id, role})) {
          return errors::ChangeAlreadyPending({record.id, role});
        }
        same = false;
      }
      next.holder(role) = record.holder(role);
    }
    next.kind = record.kind;
    if (record.owner) {
      next.owner = record.owner;
      std::erase(next.owner->address_lines, "");  // The database stores no empty lines.
    } else if (!next.owner) {
      next.owner.emplace();
    }
    if (same && next.owner == draft.row.owner) return absl::OkStatus();
    if (draft.exists && next.admin != draft.row.admin) moved_admins_.insert(record.id);
    const Service before = draft.row;
    Write(std::move(next), draft);
    const std::vector<ContactMove> moves =
        MovesBetween(before.version == 0 ? nullptr : &before, draft.row, origin_);
    plan_.moves.insert(plan_.moves.end(), moves.begin(), moves.end());
    return absl::OkStatus();
  }

  void Reject(std::size_t position, absl::Status why) {
    plan_.rejections.push_back({position, std::move(why)});
  }

  ImportPlan Finish() {
    Sort(accounts_, plan_.new_accounts, plan_.changed_accounts);
    Sort(services_, plan_.new_services, plan_.changed_services);
    plan_.moved_admins.assign(moved_admins_.begin(), moved_admins_.end());
    return std::move(plan_);
  }

 private:
  template <typename Id, typename Row>
  using Drafts = std::map<Id, Draft<Row>>;

  // A row that has not been written has version 0.
  template <typename Id, typename Row, typename Known>
  Draft<Row>& Find(const Id& id, Known& known, Drafts<Id, Row>& drafts) {
    const auto [found, is_new] = drafts.try_emplace(id);
    Draft<Row>& draft = found->second;
    if (!is_new) return draft;
    if (const auto stands = known.find(id); stands != known.end()) {
      draft = {std::move(stands->second), true, false};
    } else {
      draft.row.id = id;
      draft.row.version = 0;
    }
    return draft;
  }

  bool Exists(const AccountId& id) const {
    return facts_.contacts.contains(id) || accounts_.contains(id) || facts_.accounts.contains(id);
  }

  template <typename Row>
  void Write(Row next, Draft<Row>& draft) {
    if (++next.version == 1) next.create_time = now_;
    next.update_time = now_;
    draft.row = std::move(next);
    draft.changed = true;
  }

  template <typename Id, typename Row>
  static void Sort(Drafts<Id, Row>& drafts, std::vector<Row>& added, std::vector<Row>& changed) {
    for (auto& [id, draft] : drafts) {
      if (draft.changed) (draft.exists ? changed : added).push_back(std::move(draft.row));
    }
  }

  ImportFacts facts_;
  const MoveOrigin origin_;
  const absl::Time now_;
  Drafts<AccountId, Account> accounts_;
  Drafts<ServiceId, Service> services_;
  std::set<ServiceId> moved_admins_;
  ImportPlan plan_;
};

}  // namespace

ImportPlan PlanImport(const std::vector<ImportRecord>& records, ImportFacts facts,
                      const std::string& staff, absl::Time now) {
  Planner planner(std::move(facts), staff, now);
  for (std::size_t i = 0; i < records.size(); ++i) {
    absl::Status taken =
        std::visit([&](const auto& record) { return planner.Take(record); }, records[i]);
    if (!taken.ok()) planner.Reject(i, std::move(taken));
  }
  return planner.Finish();
}

}  // namespace contacts
