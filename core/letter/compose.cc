#include "core/letter/compose.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/letter/render.h"

namespace contacts {
namespace {

using Items = std::vector<const ChangeItem*>;

template <typename Keep>
Items ItemsOf(const ContactChange& change, const Keep& keep) {
  Items items;
  for (const ChangeItem& item : change.items) {
    if (keep(item)) items.push_back(&item);
  }
  return items;
}

Items AllItems(const ContactChange& change) {
  return ItemsOf(change, [](const ChangeItem&) { return true; });
}
Items ItemsWith(const ContactChange& change, ItemOutcome outcome) {
  return ItemsOf(change, [&](const ChangeItem& item) { return item.outcome == outcome; });
}
Items SkippedItems(const ContactChange& change) {
  return ItemsOf(change, [](const ChangeItem& item) {
    return item.outcome != ItemOutcome::kApplied && item.outcome != ItemOutcome::kPending;
  });
}

std::vector<ServiceId> ServicesOf(const Items& items) {
  std::set<ServiceId> services;
  for (const ChangeItem* item : items) services.insert(item->service);
  return {services.begin(), services.end()};
}

// The roles of `items` if every service has the same ones, else an empty list.
std::vector<Role> CommonRoles(const Items& items) {
  std::map<ServiceId, std::set<Role>> by_service;
  for (const ChangeItem* item : items) by_service[item->service].insert(item->role);
  if (by_service.empty()) return {};
  const std::set<Role>& roles = by_service.begin()->second;
  for (const auto& entry : by_service) {
    if (entry.second != roles) return {};
  }
  return {roles.begin(), roles.end()};
}

// Writes the e-mails about one contact change, or another event, to one recipient.
class Composer {
 public:
  explicit Composer(const MailFacts& facts) : facts_(facts) {
    letter_.language = LanguageOf(facts.recipient.language);
    Say({texts::kGreeting});
  }

  void Validation(const AnswerLinks& links) {
    const ContactChange& change = *facts_.change;
    const Items items = ItemsWith(change, ItemOutcome::kPending);
    const bool reminder = facts_.mail.kind == MailKind::kReminder;
    Head(reminder ? texts::kReminderSubject : texts::kValidationSubject, items,
         IsRequester() ? texts::kConfirmTitle : texts::kAgreeTitle);
    if (reminder) Say({texts::kReminderNote, When(change.expire_time)});
    if (IsTakeOver()) {
      Say({texts::kYouAskToTakeOver, What(items)});
    } else {
      const AccountId& other = OtherParty();
      const contacts::Validation* answer = change.FindValidation(other);
      const bool accepted = answer != nullptr && answer->state == ValidationState::kAccepted;
      Say({IsRequester() ? texts::kYouAskForOther : texts::kOtherAsksYou, What(items)},
          {accepted ? texts::kOnlyYouNeeded : texts::kBothNeeded, {other.text()}});
    }
    // Before the list, which may be long.
    letter_.blocks.push_back(
        TokenBox{.label = In(texts::kCodeLabel),
                 .token = facts_.token,
                 .links = {{links.accept, In(texts::kAccept), In(texts::kAcceptLink)},
                           {links.refuse, In(texts::kRefuse), In(texts::kRefuseLink)}},
                 .until = Made({texts::kAnswerBy, When(change.expire_time)})});
    Say({texts::kUnexpected});
    Say({texts::kCodePersonal});
    List(texts::kServicesAndRoles, items);
    if (!IsRequester()) ExplainRoles(items);
  }

  void Done() {
    const ContactChange& change = *facts_.change;
    const Items applied = ItemsWith(change, ItemOutcome::kApplied);
    const Items skipped = SkippedItems(change);
    Head(texts::kDoneSubject, applied, texts::kDoneTitle);
    Say({IsTakeOver()    ? texts::kYouTookOver
         : IsRequester() ? texts::kOtherTookOver
                         : texts::kYouTookOverFor,
         What(applied)},
        {texts::kInEffectSince, When(change.close_time.value_or(facts_.mail.create_time))});
    if (!skipped.empty()) Say({texts::kSomeSkipped});
    List(texts::kServicesAndRoles, applied);
    if (!skipped.empty()) List(texts::kNotMoved, skipped);
    TellPending();
  }

  void ItemsWithdrawn() {
    const Items withdrawn = ItemsWith(*facts_.change, ItemOutcome::kWithdrawn);
    const Items left = ItemsWith(*facts_.change, ItemOutcome::kPending);
    Head(texts::kWithdrawnSubject, withdrawn, texts::kWithdrawnTitle);
    SayWhatItWas({texts::kSomeWithdrawn});
    List(texts::kWithdrawn, withdrawn);
    if (left.empty()) return;
    Say({texts::kRestGoesOn});
    List(texts::kStillAskedFor, left);
  }

  void RolesLost() {
    const ContactChange& change = *facts_.change;
    const Items lost = ItemsOf(change, [&](const ChangeItem& item) {
      return item.outcome == ItemOutcome::kApplied && item.old_contact == facts_.recipient.id;
    });
    const std::string when =
        DateAndTime(change.close_time.value_or(facts_.mail.create_time), letter_.language);
    Head(texts::kRolesLostSubject, lost, texts::kRolesLostTitle);
    Say({texts::kYouLost, {Roles(lost), Services(lost), change.new_contact.text()}});
    if (IsRequester()) {
      Say({texts::kAskedByYou, {when}});
    } else {
      Say({texts::kAskedBy, {change.requester.text(), when}});
    }
    List(texts::kServicesAndRoles, lost);
    if (!IsRequester()) Say({texts::kLostUnexpectedly, {change.requester.text()}});
  }

  // The reason is for the requester. An account could otherwise ask another one, refuse its own
  // request, and so have words of its own sent in the provider's name.
  void Refused() {
    Head(texts::kRefusedSubject, AllItems(*facts_.change), texts::kRefusedTitle);
    for (const contacts::Validation& answer : facts_.change->validations) {
      if (answer.state != ValidationState::kRefused) continue;
      SayWhatItWas({texts::kRefusedBy, {answer.account.text()}});
      if (!IsRequester()) continue;
      if (Displayable(answer.refuse_reason).empty()) {
        Say({texts::kNoReasonGiven});
      } else {
        Cite(texts::kReasonGiven, answer.refuse_reason);
      }
    }
    EndClosed();
  }

  void Cancelled() {
    Head(texts::kCancelledSubject, AllItems(*facts_.change), texts::kCancelledTitle);
    // The account that cancelled gets no e-mail. So if the requester gets one, an admin withdrew
    // the last item.
    SayWhatItWas({IsRequester() ? texts::kCancelledByAdmin : texts::kCancelled});
    EndClosed();
  }

  void Expired() {
    const ContactChange& change = *facts_.change;
    Head(texts::kExpiredSubject, AllItems(change), texts::kExpiredTitle);
    SayWhatItWas(
        {IsTakeOver() ? texts::kTakeOverExpired : texts::kExpired, When(change.expire_time)});
    Paragraph missing;
    for (const contacts::Validation& answer : change.validations) {
      if (IsTakeOver() || answer.state != ValidationState::kPending) continue;
      missing.sentences.push_back(answer.account == facts_.recipient.id
                                      ? Made({texts::kYourAnswerMissing})
                                      : Made({texts::kAnswerMissing, {answer.account.text()}}));
    }
    if (!missing.sentences.empty()) letter_.blocks.push_back(std::move(missing));
    EndClosed();
  }

  void Aborted() {
    Head(texts::kAbortedSubject, AllItems(*facts_.change), texts::kAbortedTitle);
    // Items have a reason, unless the other account or the support desk ended the change.
    const bool closed = !ItemsWith(*facts_.change, ItemOutcome::kNotApplied).empty();
    if (!Displayable(facts_.change->abort_reason).empty()) {
      SayWhatItWas({texts::kAbortedBySupport});
      Cite(texts::kReasonGiven, facts_.change->abort_reason);
    } else {
      SayWhatItWas(closed ? Words{texts::kAbortedAccountClosed, {OtherParty().text()}}
                          : Words{texts::kAborted});
    }
    EndClosed();
  }

  void ConfirmEmail(const AnswerLinks& links) {
    HeadOfProfile(texts::kConfirmEmailSubject, texts::kConfirmEmailTitle);
    Say({texts::kAddressToConfirm,
         {facts_.recipient.id.text(), DateAndTime(facts_.mail.create_time, letter_.language)}});
    letter_.blocks.push_back(
        TokenBox{.label = In(texts::kConfirmCodeLabel),
                 .token = facts_.token,
                 .links = {{links.confirm, In(texts::kConfirm), In(texts::kConfirmLink)}},
                 .until = Made({texts::kConfirmBy, When(facts_.recipient.pending.expire_time)})});
    Say({texts::kConfirmUnexpected});
    Say({texts::kConfirmPersonal});
  }

  void EmailAsked() {
    HeadOfProfile(texts::kEmailAskedSubject, texts::kEmailAskedTitle);
    Say({texts::kAddressAsked,
         {facts_.recipient.id.text(), DateAndTime(facts_.mail.create_time, letter_.language),
          facts_.mail.masked_address}});
    Say({texts::kAddressAskedByYou});
    Say({texts::kAddressChangedByOther});
  }

  void ProfileChanged() {
    HeadOfProfile(texts::kProfileChangedSubject, texts::kProfileChangedTitle);
    Say({texts::kAddressChanged,
         {facts_.recipient.id.text(), DateAndTime(facts_.mail.create_time, letter_.language)}});
    Say({texts::kAddressChangedByYou});
    Say({texts::kAddressChangedByOther});
  }

  // Lists only roles that the recipient held before or holds now: the rest of the override may be
  // about services that do not concern the recipient.
  void Override() {
    const ContactOverride& record = *facts_.override_record;
    const AccountId& me = facts_.recipient.id;
    std::map<ServiceId, ListRow> rows;
    std::set<Role> roles;
    for (const OverrideItem& item : record.items) {
      if (item.old_contact == item.new_contact) continue;
      if (item.old_contact != me && item.new_contact != me) continue;
      roles.insert(item.role);
      ListRow& row = rows[item.service];
      row.service = item.service.text();
      row.details.push_back(
          FillIn((item.new_contact == me ? texts::kRoleHeldByYou : texts::kRoleHeldBy)
                     .in(letter_.language),
                 {RoleWord(item.role, letter_.language), item.new_contact.text()}));
    }
    std::vector<ServiceId> services;
    services.reserve(rows.size());
    for (const auto& entry : rows) services.push_back(entry.first);
    const std::string in_short = ServicesInShort(services, letter_.language);
    letter_.subject =
        FillIn(texts::kOverrideSubject.in(letter_.language),
               {SubjectMatter(services, {roles.begin(), roles.end()}, letter_.language)});
    letter_.title = texts::kOverrideTitle.in(letter_.language);
    Say({texts::kOverridden, {in_short, DateAndTime(record.create_time, letter_.language)}});
    Cite(texts::kOperatorsReason, record.reason);
    AddList(texts::kHeldByNow, rows);
    TellPending();
    Say({texts::kOverrideQuestions});
  }

  Letter Finish() {
    letter_.footer.push_back(Made({texts::kFooter, {facts_.recipient.id.text()}}));
    if (!facts_.mail.subject.is_nil()) {
      letter_.footer.push_back(Made({texts::kReference, {facts_.mail.subject.text()}}));
    }
    return std::move(letter_);
  }

 private:
  // A text and its values, before the language is chosen.
  struct Words {
    Wording text;
    std::vector<std::string> values = {};
  };

  bool IsRequester() const { return facts_.recipient.id == facts_.change->requester; }
  bool IsTakeOver() const { return facts_.change->requester == facts_.change->new_contact; }
  const AccountId& OtherParty() const {
    return IsRequester() ? facts_.change->new_contact : facts_.change->requester;
  }

  const char* In(const Wording& text) const { return text.in(letter_.language); }

  std::vector<std::string> When(absl::Time time) const {
    return {DateAndTime(time, letter_.language)};
  }
  std::string Roles(const Items& items) const {
    return RolesInShort(CommonRoles(items), letter_.language);
  }
  std::string Services(const Items& items) const {
    return ServicesInShort(ServicesOf(items), letter_.language);
  }
  // $0: roles; $1: services; $2: the other account.
  std::vector<std::string> What(const Items& items) const {
    return {Roles(items), Services(items), OtherParty().text()};
  }

  Phrase Made(const Words& words) const { return {words.text.in(letter_.language), words.values}; }
  void Say(const Words& words) { letter_.blocks.push_back(Paragraph{{Made(words)}}); }
  void Say(const Words& first, const Words& second) {
    letter_.blocks.push_back(Paragraph{{Made(first), Made(second)}});
  }

  void Head(const Wording& subject, const Items& items, const Wording& title) {
    std::set<Role> roles;
    for (const ChangeItem* item : items) roles.insert(item->role);
    letter_.subject =
        FillIn(subject.in(letter_.language),
               {SubjectMatter(ServicesOf(items), {roles.begin(), roles.end()}, letter_.language)});
    letter_.title = title.in(letter_.language);
  }

  void HeadOfProfile(const Wording& subject, const Wording& title) {
    letter_.subject = FillIn(In(subject), {facts_.recipient.id.text()});
    letter_.title = In(title);
  }

  void Cite(const Wording& heading, const std::string& words) {
    letter_.blocks.push_back(Quote{heading.in(letter_.language), words});
  }

  // The changes that are still pending on services of which the recipient is admin now.
  void TellPending() {
    std::map<ServiceId, ListRow> rows;
    for (const PendingItem& item : facts_.pending) {
      ListRow& row = rows[item.role.service];
      row.service = item.role.service.text();
      row.details.push_back(FillIn(texts::kPendingRole.in(letter_.language),
                                   {RoleWord(item.role.role, letter_.language),
                                    item.new_contact.text(), item.requester.text()}));
    }
    if (rows.empty()) return;
    Say({texts::kPendingOnYours});
    AddList(texts::kStillPending, rows);
  }

  // The content of a closed change, and how it ended.
  void SayWhatItWas(const Words& end) {
    const Items items = AllItems(*facts_.change);
    Say({IsTakeOver()    ? texts::kYouHadAskedToTakeOver
         : IsRequester() ? texts::kYouHadAskedForOther
                         : texts::kOtherHadAskedYou,
         What(items)},
        end);
  }

  void EndClosed() {
    List(texts::kServicesAndRoles, AllItems(*facts_.change));
    Say({IsRequester() ? texts::kAskAgain : texts::kNothingToDo});
  }

  void ExplainRoles(const Items& items) {
    std::set<Role> roles;
    for (const ChangeItem* item : items) roles.insert(item->role);
    Paragraph paragraph{.sentences = {}, .aside = true};
    for (const Role role : roles) {
      paragraph.sentences.push_back(Made({role == Role::kAdmin  ? texts::kAdminMeans
                                          : role == Role::kTech ? texts::kTechMeans
                                                                : texts::kBillingMeans}));
    }
    letter_.blocks.push_back(std::move(paragraph));
  }

  void List(const Wording& heading, const Items& items) {
    std::map<ServiceId, ListRow> rows;
    for (const ChangeItem* item : items) {
      ListRow& row = rows[item->service];
      row.service = item->service.text();
      if (row.details.empty()) row.details.emplace_back();
      std::string& roles = row.details.front();
      absl::StrAppend(&roles, roles.empty() ? "" : ", ", RoleWord(item->role, letter_.language));
      const std::string reason =
          item->outcome == ItemOutcome::kWithdrawn
              ? FillIn(texts::kWithdrawnBy.in(letter_.language), {item->withdrawn_by.text()})
              : SkipReason(item->outcome, letter_.language);
      const bool known =
          std::find(row.reasons.begin(), row.reasons.end(), reason) != row.reasons.end();
      if (!reason.empty() && !known) row.reasons.push_back(reason);
    }
    AddList(heading, rows);
  }

  void AddList(const Wording& heading, const std::map<ServiceId, ListRow>& rows) {
    contacts::List list{.heading = heading.in(letter_.language), .rows = {}, .more = ""};
    for (const auto& entry : rows) {
      if (list.rows.size() == kListedServices) break;
      list.rows.push_back(entry.second);
    }
    if (const std::size_t more = rows.size() - list.rows.size(); more > 0) {
      list.more = FillIn((more == 1 ? texts::kAndOneMore : texts::kAndMore).in(letter_.language),
                         {Count(more, letter_.language), Count(rows.size(), letter_.language)});
    }
    letter_.blocks.push_back(std::move(list));
  }

  const MailFacts& facts_;
  Letter letter_;
};

}  // namespace

Letter Compose(const MailFacts& facts, const AnswerLinks& links) {
  Composer composer(facts);
  switch (facts.mail.kind) {
    case MailKind::kValidation:
    case MailKind::kReminder: composer.Validation(links); break;
    case MailKind::kDone: composer.Done(); break;
    case MailKind::kRolesLost: composer.RolesLost(); break;
    case MailKind::kRefused: composer.Refused(); break;
    case MailKind::kCancelled: composer.Cancelled(); break;
    case MailKind::kExpired: composer.Expired(); break;
    case MailKind::kAborted: composer.Aborted(); break;
    case MailKind::kProfileChanged: composer.ProfileChanged(); break;
    case MailKind::kOverride: composer.Override(); break;
    case MailKind::kItemsWithdrawn: composer.ItemsWithdrawn(); break;
    case MailKind::kConfirmEmail: composer.ConfirmEmail(links); break;
    case MailKind::kEmailAsked: composer.EmailAsked(); break;
  }
  return composer.Finish();
}

}  // namespace contacts
