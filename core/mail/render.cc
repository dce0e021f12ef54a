#include "core/mail/render.h"

#include <functional>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/substitute.h"
#include "core/mail/letter.h"
#include "core/mail/texts.h"

namespace contacts {
namespace {

using Kind = Letter::Block::Kind;

std::string PercentEncoded(const std::string& value) {
  std::string out;
  for (char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      absl::StrAppendFormat(&out, "%%%02X", byte);
    }
  }
  return out;
}

std::string DomainOf(const std::string& address) { return address.substr(address.rfind('@') + 1); }

// Writes one e-mail of one language.
class Writer {
 public:
  explicit Writer(const MailFacts& facts) : facts_(facts) {
    letter_.language = LanguageOf(facts.recipient.language);
    letter_.Say(Fill(texts::kGreeting, facts.recipient.id.text()));
  }

  template <typename... Args>
  std::string Fill(const Phrase& phrase, const Args&... args) const {
    return absl::Substitute(phrase.in(letter_.language), args...);
  }

  void Validation(const std::string& accept, const std::string& refuse) {
    const ContactChange& change = *facts_.change;
    const bool reminder = facts_.mail.kind == MailKind::kReminder;
    letter_.subject = Fill(reminder ? texts::kReminderSubject : texts::kValidationSubject,
                           Services(change));
    if (reminder) letter_.Say(Fill(texts::kReminderIntro));
    if (change.requester == change.new_contact) {
      letter_.Say(Fill(texts::kTakeOverIntro));
    } else if (facts_.recipient.id == change.requester) {
      letter_.Say(Fill(texts::kRequesterIntro, change.new_contact.text()));
    } else {
      letter_.Say(Fill(texts::kNewContactIntro, change.requester.text()));
    }
    Items([](const ChangeItem& item) { return item.outcome == ItemOutcome::kPending; });
    letter_.Add(Kind::kCode, Fill(texts::kTokenLabel), facts_.token);
    letter_.Add(Kind::kButton, Fill(texts::kAccept), accept, /*primary=*/true);
    letter_.Add(Kind::kButton, Fill(texts::kRefuse), refuse);
    letter_.Say(Fill(texts::kUntil, WriteTime(change.expire_time, letter_.language)));
    letter_.Add(Kind::kSmallPrint, Fill(texts::kPersonal), "");
  }

  void Done() {
    const ContactChange& change = *facts_.change;
    letter_.subject = Fill(texts::kDoneSubject, Services(change));
    letter_.Say(Fill(texts::kDoneIntro, change.new_contact.text(), change.requester.text()));
    Items([](const ChangeItem& item) { return item.outcome == ItemOutcome::kApplied; });
    std::vector<std::string> skipped;
    for (const ChangeItem& item : change.items) {
      if (item.outcome != ItemOutcome::kApplied) skipped.push_back(SkippedLine(item));
    }
    if (skipped.empty()) return;
    letter_.Say(Fill(texts::kSkippedIntro));
    List(std::move(skipped));
  }

  void RolesLost() {
    const ContactChange& change = *facts_.change;
    const auto lost = [&](const ChangeItem& item) {
      return item.outcome == ItemOutcome::kApplied && item.old_contact == facts_.recipient.id;
    };
    letter_.subject = Fill(texts::kRolesLostSubject, Services(change, lost));
    letter_.Say(
        Fill(texts::kRolesLostIntro, change.new_contact.text(), change.requester.text()));
    Items(lost);
  }

  void Refused() {
    const ContactChange& change = *facts_.change;
    letter_.subject = Fill(texts::kRefusedSubject, Services(change));
    for (const contacts::Validation& validation : change.validations) {
      if (validation.state != ValidationState::kRefused) continue;
      letter_.Say(Fill(texts::kRefusedIntro, validation.account.text()));
      if (!validation.refuse_reason.empty()) {
        letter_.Add(Kind::kQuote, Fill(texts::kReasonLabel), validation.refuse_reason);
      }
    }
    AskedFor();
  }

  void Ended(const Phrase& subject, const Phrase& intro) {
    letter_.subject = Fill(subject, Services(*facts_.change));
    letter_.Say(Fill(intro));
    AskedFor();
  }

  void ProfileChanged() {
    letter_.subject = Fill(texts::kProfileSubject);
    letter_.Say(Fill(texts::kProfileIntro, facts_.recipient.id.text()));
    letter_.Say(Fill(texts::kProfileNotYou));
  }

  // Only what this recipient holds now or held before.
  void Override() {
    const ContactOverride& record = *facts_.override_record;
    std::set<ServiceId> services;
    std::vector<std::string> lines;
    for (const OverrideItem& item : record.items) {
      if (item.old_contact == item.new_contact ||
          (item.old_contact != facts_.recipient.id && item.new_contact != facts_.recipient.id)) {
        continue;
      }
      services.insert(item.service);
      lines.push_back(Fill(texts::kItemNow, item.service.text(),
                           RoleName(item.role, letter_.language), item.new_contact.text(),
                           item.old_contact.text()));
    }
    letter_.subject = Fill(texts::kOverrideSubject, Count(services));
    letter_.Say(Fill(texts::kOverrideIntro));
    List(std::move(lines));
    letter_.Add(Kind::kQuote, Fill(texts::kReasonLabel), record.reason);
  }

  const Letter& letter() const { return letter_; }

 private:
  using Keep = std::function<bool(const ChangeItem&)>;

  // The one service, or how many they are.
  std::string Count(const std::set<ServiceId>& services) const {
    return services.size() == 1 ? services.begin()->text()
                                : Fill(texts::kServices, services.size());
  }
  std::string Services(
      const ContactChange& change, const Keep& keep = [](const ChangeItem&) { return true; }) const {
    std::set<ServiceId> services;
    for (const ChangeItem& item : change.items) {
      if (keep(item)) services.insert(item.service);
    }
    return Count(services);
  }

  std::string SkippedLine(const ChangeItem& item) const {
    const Phrase& why = item.outcome == ItemOutcome::kSkippedServiceRemoved ? texts::kServiceRemoved
                        : item.outcome == ItemOutcome::kSkippedAuthorityLost
                            ? texts::kAuthorityLost
                            : texts::kContactChanged;
    return Fill(texts::kItemSkipped, item.service.text(), RoleName(item.role, letter_.language),
                Fill(why));
  }

  void Items(const Keep& keep) {
    std::vector<std::string> lines;
    for (const ChangeItem& item : facts_.change->items) {
      if (!keep(item)) continue;
      lines.push_back(
          Fill(texts::kItem, item.service.text(), RoleName(item.role, letter_.language)));
    }
    List(std::move(lines));
  }

  void List(std::vector<std::string> lines) {
    const std::size_t count = lines.size();
    if (count == 0) return;
    if (count > kListedItems) {
      lines.resize(kListedItems);
      lines.push_back(Fill(texts::kMore, count - kListedItems, count));
    }
    letter_.List(std::move(lines));
  }

  void AskedFor() {
    letter_.Say(Fill(texts::kAskedBy, facts_.change->requester.text(),
                     facts_.change->new_contact.text()));
    Items([](const ChangeItem&) { return true; });
  }

  const MailFacts& facts_;
  Letter letter_;
};

}  // namespace

std::string MailRenderer::Link(const MailFacts& facts, const char* answer) const {
  return absl::StrReplaceAll(options_.link_url,
                             {{"{contact_change_id}", PercentEncoded(facts.mail.subject.text())},
                              {"{token}", PercentEncoded(facts.token)},
                              {"{answer}", answer}});
}

absl::StatusOr<RenderedMail> MailRenderer::Render(const MailFacts& facts, absl::Time now) const {
  Writer writer(facts);
  const MailKind kind = facts.mail.kind;
  const bool of_change = kind != MailKind::kProfileChanged && kind != MailKind::kOverride;
  if ((of_change && !facts.change) || (kind == MailKind::kOverride && !facts.override_record)) {
    return absl::InternalError("what the e-mail tells of was not found");
  }
  switch (kind) {
    case MailKind::kValidation:
    case MailKind::kReminder:
      if (facts.token.empty()) {
        return absl::FailedPreconditionError("the key that the token is derived from is missing");
      }
      writer.Validation(Link(facts, "accept"), Link(facts, "refuse"));
      break;
    case MailKind::kDone: writer.Done(); break;
    case MailKind::kRolesLost: writer.RolesLost(); break;
    case MailKind::kRefused: writer.Refused(); break;
    case MailKind::kCancelled:
      writer.Ended(texts::kCancelledSubject, texts::kCancelledIntro);
      break;
    case MailKind::kExpired: writer.Ended(texts::kExpiredSubject, texts::kExpiredIntro); break;
    case MailKind::kAborted: writer.Ended(texts::kAbortedSubject, texts::kAbortedIntro); break;
    case MailKind::kProfileChanged: writer.ProfileChanged(); break;
    case MailKind::kOverride: writer.Override(); break;
  }
  RenderedMail mail;
  mail.from = options_.from;
  mail.from_name = options_.from_name;
  mail.to = kind == MailKind::kProfileChanged ? facts.mail.address : facts.recipient.email;
  mail.subject = writer.letter().subject;
  mail.text = WriteText(writer.letter());
  mail.html = WriteHtml(writer.letter());
  mail.message_id = absl::StrCat(facts.mail.id.text(), "@", DomainOf(options_.from));
  mail.date = now;
  return mail;
}

}  // namespace contacts
