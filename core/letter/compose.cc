#include "core/letter/compose.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/letter/wording.h"

namespace contacts {
namespace {

using Values = Message::Values;

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

// Writes the e-mails about one contact change, or another event, to one recipient.
class Composer {
 public:
  Composer(const MailFacts& facts, const AnswerLinks& links, const Catalogue& say,
           const Brand& brand)
      : facts_(facts), links_(links), say_(say), brand_(brand), letter_(say) {
    Say({T("Hello,")});
  }

  void Validation() {
    const ContactChange& change = *facts_.change;
    const Items items = ItemsWith(change, ItemOutcome::kPending);
    const bool reminder = facts_.mail.kind == MailKind::kReminder;
    // Translators: {matter} is services and roles: "example.com (technical)". Subject of an e-mail.
    Subject(reminder ? T("Reminder – contact change for {matter}: your answer is needed")
                     : T("Contact change for {matter}: your answer is needed"),
            items);
    letter_.Title(IsRequester() ? T("Please confirm your request") : T("Your agreement is needed"));
    if (reminder) {
      Say(
          {T("This is a reminder: we have not had your answer yet, and the request expires on "
             "{time}.",
             When(change.expire_time))});
    }
    if (IsTakeOver()) {
      // Translators: {roles} is always the direct object of its sentence: "the technical contact
      // role", "the administrator and billing contact roles". {services} is "example.com" or "300
      // services".
      Say({T("You asked to take over {roles} on {services}. Nothing changes until you confirm.",
             What(items))});
    } else {
      const AccountId& other = OtherParty();
      const contacts::Validation* answer = change.FindValidation(other);
      const bool accepted = answer != nullptr && answer->state == ValidationState::kAccepted;
      Say({IsRequester()
               ? T("You asked for {account} to take over {roles} on {services}.", What(items))
               : T("{account} asks you to take over {roles} on {services}.", What(items)),
           accepted ? T("{account} has already accepted: only your answer is missing.", Of(other))
                    : T("The change takes effect as soon as you and {account} have both accepted "
                        "it.",
                        Of(other))});
    }
    // Before the list, which may be long.
    letter_.Code(T("Your validation code"), facts_.token,
                 {{links_.accept, T("Accept"), T("To accept, open this link:")},
                  {links_.refuse, T("Refuse"), T("To refuse, open this link:")}},
                 T("You can answer until {time}.", When(change.expire_time)));
    Say(
        {T("Were you not expecting this? Refuse the request, or simply ignore this e-mail: nothing "
           "changes without your agreement.")});
    Say(
        {T("The code and the links are personal and work only once. Please do not pass them on: "
           "our team will never ask you for them.")});
    List(T("Services and roles"), items);
    if (!IsRequester()) ExplainRoles(items);
  }

  void Done() {
    const ContactChange& change = *facts_.change;
    const Items applied = ItemsWith(change, ItemOutcome::kApplied);
    const Items skipped = SkippedItems(change);
    Subject(T("Contact change for {matter}: done"), applied);
    letter_.Title(T("The change has been made"));
    Say({IsTakeOver() ? T("You have taken over {roles} on {services}, as you asked.", What(applied))
         : IsRequester()
             ? T("{account} has taken over {roles} on {services}, as you asked.", What(applied))
             : T("You have taken over {roles} on {services}, as {account} asked.", What(applied)),
         T("The change took effect on {time}.",
           When(change.close_time.value_or(facts_.mail.create_time)))});
    if (!skipped.empty()) {
      Say({T("Part of the request could no longer be carried out; the reasons are given below.")});
    }
    List(T("Services and roles"), applied);
    if (!skipped.empty()) List(T("Not changed"), skipped);
    TellPending();
  }

  void ItemsWithdrawn() {
    const Items withdrawn = ItemsWith(*facts_.change, ItemOutcome::kWithdrawn);
    const Items left = ItemsWith(*facts_.change, ItemOutcome::kPending);
    Subject(T("Contact change for {matter}: withdrawn"), withdrawn);
    letter_.Title(T("Part of the request was withdrawn"));
    SayWhatItWas(
        T("The administrator contact of the services below has withdrawn them from this request. "
          "Nothing changes on them."));
    // Translators: heading of a list of services.
    List(T("Withdrawn"), withdrawn);
    if (left.empty()) return;
    Say({T("The rest of the request goes on, and the answers given so far stand.")});
    // Translators: heading of a list of services.
    List(T("Still asked for"), left);
  }

  void RolesLost() {
    const ContactChange& change = *facts_.change;
    const Items lost = ItemsOf(change, [&](const ChangeItem& item) {
      return item.outcome == ItemOutcome::kApplied && item.old_contact == facts_.recipient.id;
    });
    const Values requester = Of(change.requester);
    Values asked = When(change.close_time.value_or(facts_.mail.create_time));
    asked.insert(asked.end(), requester.begin(), requester.end());
    Subject(T("Your contact roles on {matter} have changed"), lost);
    letter_.Title(T("Your contact roles have changed"));
    Values what = What(lost);
    what.back().second = change.new_contact.text();
    Say({T("You no longer hold {roles} on {services}: {account} has taken over.", what)});
    Say({IsRequester()
             ? T("You had asked for this change, which took effect on {time}.", asked)
             : T("{account} asked for this change, which took effect on {time}.", asked)});
    List(T("Services and roles"), lost);
    if (!IsRequester()) {
      Say(
          {T("If this comes as a surprise, please get in touch with {account} or with our support "
             "team.",
             requester)});
    }
  }

  // The reason is for the requester. An account could otherwise ask another one, refuse its own
  // request, and so have words of its own sent in the provider's name.
  void Refused() {
    Subject(T("Contact change for {matter}: refused"), AllItems(*facts_.change));
    letter_.Title(T("The request was refused"));
    for (const contacts::Validation& answer : facts_.change->validations) {
      if (answer.state != ValidationState::kRefused) continue;
      SayWhatItWas(
          T("{account} has refused this request. Nothing has changed.", Of(answer.account)));
      if (!IsRequester()) continue;
      if (Displayable(answer.refuse_reason).empty()) {
        Say({T("No reason was given.")});
      } else {
        letter_.Quote(T("Reason given"), answer.refuse_reason);
      }
    }
    EndClosed();
  }

  void Cancelled() {
    Subject(T("Contact change for {matter}: cancelled"), AllItems(*facts_.change));
    letter_.Title(T("The request was cancelled"));
    // The account that cancelled gets no e-mail. So if the requester gets one, an admin withdrew
    // the last item.
    SayWhatItWas(IsRequester() ? T("This request has been cancelled by an administrator contact. "
                                   "Nothing has changed.")
                               : T("This request has been cancelled. Nothing has changed."));
    EndClosed();
  }

  void Expired() {
    const ContactChange& change = *facts_.change;
    Subject(T("Contact change for {matter}: expired"), AllItems(change));
    letter_.Title(T("The request has expired"));
    SayWhatItWas(
        IsTakeOver()
            ? T("The request expired on {time}, before you had confirmed it. Nothing has changed.",
                When(change.expire_time))
            : T("The request expired on {time}, before everyone had answered. Nothing has changed.",
                When(change.expire_time)));
    std::vector<Message> missing;
    for (const contacts::Validation& answer : change.validations) {
      if (IsTakeOver() || answer.state != ValidationState::kPending) continue;
      missing.push_back(answer.account == facts_.recipient.id
                            ? T("We had no answer from you.")
                            : T("We had no answer from {account}.", Of(answer.account)));
    }
    if (!missing.empty()) Say(missing);
    EndClosed();
  }

  void Aborted() {
    Subject(T("Contact change for {matter}: not carried out"), AllItems(*facts_.change));
    letter_.Title(T("The request could not be carried out"));
    // Items have a reason, unless the other account or the support desk ended the change.
    const bool closed = !ItemsWith(*facts_.change, ItemOutcome::kNotApplied).empty();
    if (!Displayable(facts_.change->abort_reason).empty()) {
      SayWhatItWas(T("Our support team has closed this request. Nothing has changed."));
      letter_.Quote(T("Reason given"), facts_.change->abort_reason);
    } else {
      SayWhatItWas(closed ? T("This request has been closed without effect, as the account "
                              "{account} has been closed. Nothing has changed.",
                              Of(OtherParty()))
                          : T("This request has been closed without effect: nothing of it could be "
                              "carried out any more. The reasons are given below."));
    }
    EndClosed();
  }

  void ConfirmEmail() {
    letter_.Subject(say_.Text(T("Confirm the new e-mail address of your account {account}", Me())));
    letter_.Title(T("Confirm your new e-mail address"));
    Say(
        {T("This e-mail address was entered for account {account} on {time}. It is not in use yet: "
           "until it is confirmed, our e-mails about this account go to the present address.",
           MeAndWhen())});
    letter_.Code(T("Your confirmation code"), facts_.token,
                 {{links_.confirm, T("Confirm"), T("To confirm, open this link:")}},
                 T("You can confirm until {time}.", When(facts_.recipient.pending.expire_time)));
    Say(
        {T("Were you not expecting this? Simply ignore this e-mail: nothing is sent to this "
           "address unless it is confirmed.")});
    Say(
        {T("The code and the link are personal and work only once. Please do not pass them on: our "
           "team will never ask you for them.")});
  }

  void EmailAsked() {
    letter_.Subject(
        say_.Text(T("A new e-mail address was entered for your account {account}", Me())));
    letter_.Title(T("A new e-mail address was entered"));
    Values values = MeAndWhen();
    values.emplace_back("address", facts_.mail.masked_address);
    Say(
        {T("On {time}, the e-mail address {address} was entered for your account {account}. It "
           "comes into use once it is confirmed with the code that we sent to it. Until then, our "
           "e-mails go to the present address.",
           values)});
    Say({T("If you entered it, you will find the code in the mailbox of the new address.")});
    SayIfByOther();
  }

  void ProfileChanged() {
    letter_.Subject(say_.Text(T("The e-mail address of your account {account} was changed", Me())));
    letter_.Title(T("Your e-mail address was changed"));
    Say(
        {T("The e-mail address of your account {account} was changed on {time}. From now on, our "
           "e-mails about this account go to the new address.",
           MeAndWhen())});
    Say({T("If you made this change, there is nothing for you to do.")});
    SayIfByOther();
  }

  // Lists only roles that the recipient held before or holds now: the rest of the override may be
  // about services that do not concern the recipient.
  void Override() {
    const ContactOverride& record = *facts_.override_record;
    const AccountId& me = facts_.recipient.id;
    ListRows rows;
    std::set<Role> roles;
    for (const OverrideItem& item : record.items) {
      if (item.old_contact == item.new_contact) continue;
      if (item.old_contact != me && item.new_contact != me) continue;
      roles.insert(item.role);
      const Values held = {{"role", say_.Text(RoleWord(item.role))},
                           {"account", item.new_contact.text()}};
      rows[item.service].details.push_back(say_.Text(item.new_contact == me
                                                         ? T("{role}: you ({account})", held)
                                                         : T("{role}: {account}", held)));
    }
    const Services services = {.count = static_cast<int64_t>(rows.size()),
                               .first = rows.empty() ? "" : rows.begin()->first.text()};
    letter_.Subject(say_.Text(
        T("Our team changed contacts on {matter}", {{"matter", Matter(services, roles, say_)}})));
    letter_.Title(T("Our team changed some contacts"));
    Values values = When(record.create_time);
    values.emplace_back("services", InShort(services, say_));
    Say(
        {T("On {time}, our team changed contacts on {services}. The change is already in effect "
           "and needs no answer from you.",
           values)});
    letter_.Quote(T("Reason given by our team"), record.reason);
    letter_.List(T("Who holds what now"), rows, rows.size());
    TellPending();
    Say({T("If you have any questions, please contact our support team.")});
  }

  Letter Finish() {
    letter_.Footer(
        T("This e-mail was sent automatically to account {account}. Replies to it are not read.",
          Me()));
    if (!brand_.support.empty()) {
      letter_.Footer(T("You reach our support team at {address}.", {{"address", brand_.support}}));
    }
    if (!facts_.mail.subject.is_nil()) {
      letter_.Footer(T("Reference: {id}", {{"id", facts_.mail.subject.text()}}));
    }
    return letter_.Finish(brand_);
  }

 private:
  bool IsRequester() const { return facts_.recipient.id == facts_.change->requester; }
  bool IsTakeOver() const { return facts_.change->requester == facts_.change->new_contact; }
  const AccountId& OtherParty() const {
    return IsRequester() ? facts_.change->new_contact : facts_.change->requester;
  }

  static Values Of(const AccountId& account) { return {{"account", account.text()}}; }
  Values Me() const { return Of(facts_.recipient.id); }
  Values When(absl::Time time) const { return {{"time", say_.Date(time)}}; }
  Values MeAndWhen() const {
    return {{"account", facts_.recipient.id.text()}, {"time", say_.Date(facts_.mail.create_time)}};
  }
  Values What(const Items& items) const {
    return {{"roles", InShort(CommonRoles(items), say_)},
            {"services", InShort(ServicesOf(items), say_)},
            {"account", OtherParty().text()}};
  }

  void Say(const std::vector<Message>& sentences) { letter_.Paragraph(sentences); }
  void Subject(Message subject, const Items& items) {
    subject.values.emplace_back("matter", Matter(ServicesOf(items), RolesOf(items), say_));
    letter_.Subject(say_.Text(subject));
  }
  void SayIfByOther() {
    Say(
        {T("If it was not you, please contact our support team without delay: someone else may "
           "have access to your account.")});
  }

  // The changes that are still pending on services of which the recipient is admin now.
  void TellPending() {
    ListRows rows;
    for (const PendingItem& item : facts_.pending) {
      rows[item.role.service].details.push_back(
          say_.Text(T("{role}: to {new_contact}, asked for by {requester}",
                      {{"role", say_.Text(RoleWord(item.role.role))},
                       {"new_contact", item.new_contact.text()},
                       {"requester", item.requester.text()}})));
    }
    if (rows.empty()) return;
    Say(
        {T("You are now the administrator contact of services on which other requests are still "
           "waiting for answers. You may withdraw these from your services at any time.")});
    letter_.List(T("Still pending"), rows, rows.size());
  }

  // The content of a closed change, and how it ended.
  void SayWhatItWas(const Message& end) {
    const Values what = What(AllItems(*facts_.change));
    Say({IsTakeOver() ? T("You had asked to take over {roles} on {services}.", what)
         : IsRequester()
             ? T("You had asked for {account} to take over {roles} on {services}.", what)
             : T("{account} had asked you to take over {roles} on {services}.", what),
         end});
  }

  void EndClosed() {
    List(T("Services and roles"), AllItems(*facts_.change));
    Say({IsRequester() ? T("You can make a new request at any time.")
                       : T("There is nothing for you to do.")});
  }

  void ExplainRoles(const Items& items) {
    std::vector<Message> sentences;
    for (const Role role : RolesOf(items)) {
      sentences.push_back(
          role == Role::kAdmin
              ? T("The administrator contact manages the service, can change all of its contacts "
                  "and sees its owner’s details.")
          : role == Role::kTech
              ? T("The technical contact looks after the technical side of the service.")
              : T("The billing contact looks after payments and receives renewal notices; your own "
                  "payments must be up to date for you to take this role over."));
    }
    letter_.Aside(sentences);
  }

  void List(const Message& heading, const Items& items) {
    const auto services = ByService(items);
    ListRows rows;
    for (const auto& service : services) {
      if (rows.size() == kListedServices) break;
      ListRow& row = rows[service.front()->service];
      std::string& roles = row.details.emplace_back();
      for (const ChangeItem* item : service) {
        absl::StrAppend(&roles, roles.empty() ? "" : ", ", say_.Text(RoleWord(item->role)));
        const std::string reason = SkipReason(*item, say_);
        const bool known =
            std::find(row.reasons.begin(), row.reasons.end(), reason) != row.reasons.end();
        if (!reason.empty() && !known) row.reasons.push_back(reason);
      }
    }
    letter_.List(heading, rows, services.size());
  }

  const MailFacts& facts_;
  const AnswerLinks& links_;
  const Catalogue& say_;
  const Brand& brand_;
  LetterWriter letter_;
};

}  // namespace

Letter Compose(const MailFacts& facts, const AnswerLinks& links, const Catalogue& say,
               const Brand& brand) {
  Composer composer(facts, links, say, brand);
  switch (facts.mail.kind) {
    case MailKind::kValidation:
    case MailKind::kReminder: composer.Validation(); break;
    case MailKind::kDone: composer.Done(); break;
    case MailKind::kRolesLost: composer.RolesLost(); break;
    case MailKind::kRefused: composer.Refused(); break;
    case MailKind::kCancelled: composer.Cancelled(); break;
    case MailKind::kExpired: composer.Expired(); break;
    case MailKind::kAborted: composer.Aborted(); break;
    case MailKind::kProfileChanged: composer.ProfileChanged(); break;
    case MailKind::kOverride: composer.Override(); break;
    case MailKind::kItemsWithdrawn: composer.ItemsWithdrawn(); break;
    case MailKind::kConfirmEmail: composer.ConfirmEmail(); break;
    case MailKind::kEmailAsked: composer.EmailAsked(); break;
  }
  return composer.Finish();
}

}  // namespace contacts
