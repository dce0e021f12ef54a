#include "core/letter/compose.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "core/base/utf8.h"

namespace contacts {
namespace {

// The number of services that an e-mail lists. Further ones are only counted.
constexpr std::size_t kListedServices = 20;
constexpr std::size_t kLongestSubjectName = 60;

using Items = std::vector<const ChangeItem*>;
using Dictionary = ctemplate::TemplateDictionary;
using Values = Message::Values;

// The names that templates use. ctemplate computes the hash of such a one once.
using Name = ctemplate::StaticTemplateString;
const Name kPart = STS_INIT(kPart, "part");
const Name kText = STS_INIT(kText, "text");
const Name kValue = STS_INIT(kValue, "value");
const Name kBold = STS_INIT(kBold, "bold");
const Name kBlock = STS_INIT(kBlock, "block");
const Name kParagraph = STS_INIT(kParagraph, "paragraph");
const Name kAside = STS_INIT(kAside, "aside");
const Name kFooterLine = STS_INIT(kFooterLine, "footer_line");
const Name kCode = STS_INIT(kCode, "code");
const Name kQuote = STS_INIT(kQuote, "quote");
const Name kList = STS_INIT(kList, "list");
const Name kRow = STS_INIT(kRow, "row");
const Name kDetail = STS_INIT(kDetail, "detail");
const Name kHeld = STS_INIT(kHeld, "held");
const Name kService = STS_INIT(kService, "service");
const Name kHeading = STS_INIT(kHeading, "heading");
const Name kHeadingColon = STS_INIT(kHeadingColon, "heading_colon");
const Name kTitle = STS_INIT(kTitle, "title");
const Name kUnderline = STS_INIT(kUnderline, "underline");
const Name kLanguage = STS_INIT(kLanguage, "language");
const Name kToken = STS_INIT(kToken, "token");
const Name kUrl = STS_INIT(kUrl, "url");
const Name kButton = STS_INIT(kButton, "button");
const Name kSentence = STS_INIT(kSentence, "sentence");
const Name kPrimary = STS_INIT(kPrimary, "primary");
const Name kSecondary = STS_INIT(kSecondary, "secondary");
const Name kLine = STS_INIT(kLine, "line");
const Name kWords = STS_INIT(kWords, "words");
const Name kReasons = STS_INIT(kReasons, "reasons");
const Name kReason = STS_INIT(kReason, "reason");
const Name kWhy = STS_INIT(kWhy, "why");
const Name kMore = STS_INIT(kMore, "more");
const Name kOthers = STS_INIT(kOthers, "others");
const Name kLogo = STS_INIT(kLogo, "logo");
const Name kLogoWidth = STS_INIT(kLogoWidth, "logo_width");
const Name kName = STS_INIT(kName, "name");
const Name kBrand = STS_INIT(kBrand, "brand");

// One service in a list.
struct ListRow {
  std::vector<std::string> details;  // Its roles in one text, or the holder of each role.
  std::vector<std::string> reasons;  // Why items were skipped.
};
using ListRows = std::map<ServiceId, ListRow>;

Message RoleWord(Role role) {
  switch (role) {
    // Translators: a kind of contact, as in "example.com (administrator, technical)" and in "the
    // administrator and technical contact roles".
    case Role::kAdmin: return T("administrator");
    case Role::kTech: return T("technical");
    case Role::kBilling: return T("billing");
  }
  return {.id = ""};
}

// Why an item was skipped. Empty if it was not.
Message SkipReason(ItemOutcome outcome) {
  switch (outcome) {
    case ItemOutcome::kSkippedContactChanged: return T("the contact has changed in the meantime");
    case ItemOutcome::kSkippedAuthorityLost: return T("the requester may no longer change it");
    case ItemOutcome::kSkippedServiceRemoved: return T("the service no longer exists");
    default: return {.id = ""};
  }
}

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

// The items of each service. Items are ordered by service.
std::vector<absl::Span<const ChangeItem* const>> ByService(const Items& items) {
  std::vector<absl::Span<const ChangeItem* const>> services;
  for (auto begin = items.begin(); begin != items.end();) {
    const auto end = std::find_if(begin, items.end(), [&](const ChangeItem* item) {
      return item->service != (*begin)->service;
    });
    services.emplace_back(&*begin, static_cast<std::size_t>(end - begin));
    begin = end;
  }
  return services;
}

template <typename SomeItems>
std::set<Role> RolesOf(const SomeItems& items) {
  std::set<Role> roles;
  for (const ChangeItem* item : items) roles.insert(item->role);
  return roles;
}

// The roles of `items` if every service has the same ones, else none.
std::set<Role> CommonRoles(const Items& items) {
  std::set<Role> roles = RolesOf(items);
  for (const auto& service : ByService(items)) {
    // A service has a role once.
    if (service.size() != roles.size()) return {};
  }
  return roles;
}

// The services of an e-mail, in short.
struct Services {
  explicit Services(const Items& items)
      : count(static_cast<int64_t>(ByService(items).size())),
        first(items.empty() ? "" : items.front()->service.text()) {}
  explicit Services(const ListRows& rows)
      : count(static_cast<int64_t>(rows.size())),
        first(rows.empty() ? "" : rows.begin()->first.text()) {}

  int64_t count;
  std::string first;
};

// Writes the e-mails about one contact change, or another event, to one recipient.
class Composer {
 public:
  Composer(const MailFacts& facts, const AnswerLinks& links, const Catalogue& say,
           const Brand& brand)
      : facts_(facts),
        links_(links),
        say_(say),
        brand_(brand),
        letter_{.subject = "", .content = std::make_unique<Dictionary>("letter")} {
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
    Title(IsRequester() ? T("Please confirm your request") : T("Your agreement is needed"));
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
    Dictionary& code = Code(T("Your validation code"),
                            T("You can answer until {time}.", When(change.expire_time)));
    Link(code, kPrimary, links_.accept, T("Accept"), T("To accept, open this link:"));
    Link(code, kSecondary, links_.refuse, T("Refuse"), T("To refuse, open this link:"));
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
    Title(T("The change has been made"));
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
    Title(T("Part of the request was withdrawn"));
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
    Title(T("Your contact roles have changed"));
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
    Title(T("The request was refused"));
    for (const contacts::Validation& answer : facts_.change->validations) {
      if (answer.state != ValidationState::kRefused) continue;
      SayWhatItWas(
          T("{account} has refused this request. Nothing has changed.", Of(answer.account)));
      if (!IsRequester()) continue;
      if (Displayable(answer.refuse_reason).empty()) {
        Say({T("No reason was given.")});
      } else {
        Cite(T("Reason given"), answer.refuse_reason);
      }
    }
    EndClosed();
  }

  void Cancelled() {
    Subject(T("Contact change for {matter}: cancelled"), AllItems(*facts_.change));
    Title(T("The request was cancelled"));
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
    Title(T("The request has expired"));
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
    Title(T("The request could not be carried out"));
    // Items have a reason, unless the other account or the support desk ended the change.
    const bool closed = !ItemsWith(*facts_.change, ItemOutcome::kNotApplied).empty();
    if (!Displayable(facts_.change->abort_reason).empty()) {
      SayWhatItWas(T("Our support team has closed this request. Nothing has changed."));
      Cite(T("Reason given"), facts_.change->abort_reason);
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
    letter_.subject =
        say_.Text(T("Confirm the new e-mail address of your account {account}", Me()));
    Title(T("Confirm your new e-mail address"));
    Say(
        {T("This e-mail address was entered for account {account} on {time}. It is not in use yet: "
           "until it is confirmed, our e-mails about this account go to the present address.",
           MeAndWhen())});
    Dictionary& code =
        Code(T("Your confirmation code"),
             T("You can confirm until {time}.", When(facts_.recipient.pending.expire_time)));
    Link(code, kPrimary, links_.confirm, T("Confirm"), T("To confirm, open this link:"));
    Say(
        {T("Were you not expecting this? Simply ignore this e-mail: nothing is sent to this "
           "address unless it is confirmed.")});
    Say(
        {T("The code and the link are personal and work only once. Please do not pass them on: our "
           "team will never ask you for them.")});
  }

  void EmailAsked() {
    letter_.subject =
        say_.Text(T("A new e-mail address was entered for your account {account}", Me()));
    Title(T("A new e-mail address was entered"));
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
    letter_.subject =
        say_.Text(T("The e-mail address of your account {account} was changed", Me()));
    Title(T("Your e-mail address was changed"));
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
    const Services services(rows);
    letter_.subject = say_.Text(
        T("Our team changed contacts on {matter}", {{"matter", Matter(services, roles)}}));
    Title(T("Our team changed some contacts"));
    Values values = When(record.create_time);
    values.emplace_back("services", InShort(services));
    Say(
        {T("On {time}, our team changed contacts on {services}. The change is already in effect "
           "and needs no answer from you.",
           values)});
    Cite(T("Reason given by our team"), record.reason);
    AddList(T("Who holds what now"), rows, rows.size());
    TellPending();
    Say({T("If you have any questions, please contact our support team.")});
  }

  Letter Finish() {
    Footer(T("This e-mail was sent automatically to account {account}. Replies to it are not read.",
             Me()));
    if (!brand_.support.empty()) {
      Footer(T("You reach our support team at {address}.", {{"address", brand_.support}}));
    }
    if (!facts_.mail.subject.is_nil()) {
      Footer(T("Reference: {id}", {{"id", facts_.mail.subject.text()}}));
    }
    for (const std::string& line : brand_.footer) {
      Child(Child(Content(), kFooterLine), kPart).SetValue(kText, line);
    }
    Content().SetValue(kLanguage, say_.tag());
    if (brand_.logo != nullptr) {
      Child(Content(), kLogo).SetIntValue(kLogoWidth, brand_.logo_width);
    } else if (!brand_.name.empty()) {
      Content().ShowSection(kName);
    }
    if (!brand_.name.empty()) Content().SetValue(kBrand, brand_.name);
    return std::move(letter_);
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
    return {{"roles", InShort(CommonRoles(items))},
            {"services", InShort(Services(items))},
            {"account", OtherParty().text()}};
  }

  std::string InShort(const std::set<Role>& roles) const {
    if (roles.empty()) return say_.Text(T("the contact roles listed below"));
    std::vector<std::string> words;
    words.reserve(roles.size());
    for (const Role role : roles) words.push_back(say_.Text(RoleWord(role)));
    // Translators: a direct object. {roles} is a list such as "administrator and billing".
    return say_.Text(N("the {roles} contact role", "the {roles} contact roles",
                       static_cast<int64_t>(roles.size()), {{"roles", say_.List(words)}}));
  }
  std::string InShort(const Services& services) const {
    if (services.count == 1) return services.first;
    return say_.Text(N("{count} service", "{count} services", services.count,
                       {{"count", say_.Number(services.count)}}));
  }

  // Services and roles for a subject line: "example.com (technical)", "a.example and 299 more
  // (administrator, billing)". Long names are cut in the middle, to 60 characters. Empty without
  // services.
  std::string Matter(const Services& services, const std::set<Role>& roles) const {
    if (services.count == 0) return "";
    std::string matter = services.first;
    if (matter.size() > kLongestSubjectName) {
      const std::size_t half = (kLongestSubjectName - 1) / 2;
      matter = absl::StrCat(matter.substr(0, half), "…", matter.substr(matter.size() - half));
    }
    if (const int64_t others = services.count - 1; others > 0) {
      // Translators: for subjects. {count} further services.
      matter = say_.Text(N("{service} and {count} more", "{service} and {count} more", others,
                           {{"service", matter}, {"count", say_.Number(others)}}));
    }
    std::string words;
    for (const Role role : roles) {
      absl::StrAppend(&words, words.empty() ? "" : ", ", say_.Text(RoleWord(role)));
    }
    return absl::StrCat(matter, " (", words, ")");
  }

  Dictionary& Content() { return *letter_.content; }
  static Dictionary& Child(Dictionary& parent, const Name& section) {
    return *parent.AddSectionDictionary(section);
  }
  Dictionary& Block(const Name& kind) {
    Dictionary& block = Child(Content(), kBlock);
    block.ShowSection(kind);
    return block;
  }

  // Each part is text and the value behind it.
  void AddParts(Dictionary& to, const std::vector<Message>& sentences) {
    std::string text;
    for (const Message& sentence : sentences) {
      if (!text.empty()) text += ' ';
      for (const Part& part : say_.Parts(sentence)) {
        if (!part.is_value) {
          text += part.text;
          continue;
        }
        Dictionary& added = Child(to, kPart);
        added.SetValue(kText, std::exchange(text, ""));
        added.SetValue(kValue, part.text);
        added.ShowSection(kBold);
      }
    }
    if (!text.empty()) Child(to, kPart).SetValue(kText, text);
  }
  void Say(const std::vector<Message>& sentences) { AddParts(Block(kParagraph), sentences); }
  void Footer(const Message& line) { AddParts(Child(Content(), kFooterLine), {line}); }
  void SetHeading(Dictionary& block, const Message& heading) {
    const std::string text = say_.Text(heading);
    block.SetValue(kHeading, text);
    // Translators: a heading in an e-mail of plain text.
    block.SetValue(kHeadingColon, say_.Text(T("{heading}:", {{"heading", text}})));
  }

  void Subject(Message subject, const Items& items) {
    subject.values.emplace_back("matter", Matter(Services(items), RolesOf(items)));
    letter_.subject = say_.Text(subject);
  }
  void Title(const Message& title) {
    const std::string text = say_.Text(title);
    Content().SetValue(kTitle, text);
    const auto characters = std::count_if(text.begin(), text.end(),
                                          [](char byte) { return !IsContinuationByte(byte); });
    Content().SetValue(kUnderline, std::string(static_cast<std::size_t>(characters), '-'));
  }

  Dictionary& Code(const Message& label, const Message& until) {
    Dictionary& code = Block(kCode);
    SetHeading(code, label);
    code.SetValue(kToken, facts_.token);
    AddParts(code, {until});
    return code;
  }
  void Link(Dictionary& code, const Name& kind, const std::string& url, const Message& button,
            const Message& sentence) {
    Dictionary& link = Child(code, kind);
    link.SetValue(kUrl, url);
    link.SetValue(kButton, say_.Text(button));
    link.SetValue(kSentence, say_.Text(sentence));
  }

  // Each line is one of its own, so that user text cannot look like the service's own text.
  void Cite(const Message& heading, const std::string& words) {
    Dictionary& quote = Block(kQuote);
    SetHeading(quote, heading);
    for (const absl::string_view line : absl::StrSplit(Displayable(words), '\n')) {
      Child(quote, kLine).SetValue(kWords, ctemplate::TemplateString(line.data(), line.size()));
    }
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
    AddList(T("Still pending"), rows, rows.size());
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
    AddParts(Block(kAside), sentences);
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
        const std::string reason = ReasonOf(*item);
        const bool known =
            std::find(row.reasons.begin(), row.reasons.end(), reason) != row.reasons.end();
        if (!reason.empty() && !known) row.reasons.push_back(reason);
      }
    }
    AddList(heading, rows, services.size());
  }
  std::string ReasonOf(const ChangeItem& item) const {
    if (item.outcome == ItemOutcome::kWithdrawn) {
      return say_.Text(T("withdrawn by {account}", Of(item.withdrawn_by)));
    }
    const Message reason = SkipReason(item.outcome);
    return *reason.id == '\0' ? "" : say_.Text(reason);
  }

  // `total`: of the services that it is about.
  void AddList(const Message& heading, const ListRows& rows, std::size_t total) {
    Dictionary& list = Block(kList);
    SetHeading(list, heading);
    std::size_t listed = 0;
    for (const auto& [service, row] : rows) {
      if (listed == kListedServices) break;
      ++listed;
      Dictionary& added = Child(list, kRow);
      added.SetValue(kService, service.text());
      for (const std::string& detail : row.details) {
        Child(added, kDetail).SetValue(kHeld, detail);
      }
      if (row.reasons.empty()) continue;
      Dictionary& reasons = Child(added, kReasons);
      for (const std::string& reason : row.reasons) {
        Child(reasons, kReason).SetValue(kWhy, reason);
      }
    }
    if (const auto more = static_cast<int64_t>(total - listed); more > 0) {
      // Translators: below a list of 20 services.
      Child(list, kMore)
          .SetValue(kOthers, say_.Text(N("and {count} more service ({total} in all)",
                                         "and {count} more services ({total} in all)", more,
                                         {{"count", say_.Number(more)},
                                          {"total", say_.Number(static_cast<int64_t>(total))}})));
    }
  }

  const MailFacts& facts_;
  const AnswerLinks& links_;
  const Catalogue& say_;
  const Brand& brand_;
  Letter letter_;
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

std::string Displayable(absl::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::optional<CodePoint> next = DecodeCodePoint(text);
    const absl::string_view bytes = text.substr(0, next ? next->size : 1);
    text.remove_prefix(bytes.size());
    if (!next) continue;
    const auto c = static_cast<UChar32>(next->value);
    const int8_t type = u_charType(c);
    if (c == '\n' || (c == '\r' && !absl::StartsWith(text, "\n"))) {
      shown += '\n';
    } else if (c == '\t') {
      shown += ' ';
    } else if (type != U_CONTROL_CHAR && type != U_LINE_SEPARATOR &&
               type != U_PARAGRAPH_SEPARATOR && u_hasBinaryProperty(c, UCHAR_BIDI_CONTROL) == 0) {
      absl::StrAppend(&shown, bytes);
    }
  }
  return std::string(absl::StripAsciiWhitespace(shown));
}

}  // namespace contacts
