#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/mail/render.h"

namespace contacts {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kRequester[] = "aa123456-ovh";
constexpr char kNewContact[] = "bb234567-ovh";
constexpr char kOldContact[] = "cc345678-ovh";
constexpr char kToken[] = "7H2KQ-0M9XT-4RWVB-E8N3C-ZJ5PD-G";
// 1 June 2026, 14:05 UTC, a Monday.
const absl::Time kNow = absl::FromUnixSeconds(1780322700);

MailRenderer Renderer() {
  return MailRenderer({.from = "contacts@example.net",
                       .from_name = "",
                       .link_url = "https://example.net/{contact_change_id}?t={token}&a={answer}"});
}

ItemOutcome UsualOutcome(MailKind kind) {
  switch (kind) {
    case MailKind::kValidation:
    case MailKind::kReminder: return ItemOutcome::kPending;
    case MailKind::kDone:
    case MailKind::kRolesLost: return ItemOutcome::kApplied;
    case MailKind::kAborted: return ItemOutcome::kSkippedServiceRemoved;
    default: return ItemOutcome::kNotApplied;
  }
}

// The tech role of example.com goes from the old to the new contact.
MailFacts Facts(MailKind kind, const std::string& recipient, const std::string& language = "en") {
  MailFacts facts;
  facts.mail = {.id = *Uuid::Parse("0197c3a0-0000-7000-8000-000000000001"),
                .kind = kind,
                .subject = *Uuid::Parse("0197c3a0-0000-7000-8000-00000000000c"),
                .recipient = AccountId(recipient),
                .address = "old@example.org",
                .generation = 1,
                .create_time = kNow};
  facts.recipient.id = AccountId(recipient);
  facts.recipient.email = "jane@example.org";
  facts.recipient.language = language;
  ContactChange change;
  change.id = facts.mail.subject;
  change.requester = AccountId(kRequester);
  change.new_contact = AccountId(kNewContact);
  change.items = {{.service = ServiceId("example.com"),
                   .role = Role::kTech,
                   .old_contact = AccountId(kOldContact),
                   .outcome = UsualOutcome(kind)}};
  change.validations = {{.account = change.requester}, {.account = change.new_contact}};
  change.expire_time = kNow + absl::Hours(24);
  if (UsualOutcome(kind) != ItemOutcome::kPending) change.close_time = kNow;
  facts.change = change;
  if (UsualOutcome(kind) == ItemOutcome::kPending) facts.token = kToken;
  return facts;
}

MailFacts OverrideFacts(const std::string& recipient, const std::string& language = "en") {
  MailFacts facts = Facts(MailKind::kOverride, recipient, language);
  facts.change.reset();
  facts.override_record = ContactOverride{
      .id = facts.mail.subject,
      .reason = "the former contact has left",
      .create_time = kNow,
      .items = {
          {ServiceId("example.com"), Role::kAdmin, AccountId(kOldContact), AccountId(kNewContact)},
          {ServiceId("unrelated.example"), Role::kAdmin, AccountId("dd4-ovh"),
           AccountId("ee5-ovh")}}};
  return facts;
}

RenderedMail Render(const MailFacts& facts) {
  absl::StatusOr<RenderedMail> mail = Renderer().Render(facts, kNow);
  EXPECT_TRUE(mail.ok()) << mail.status();
  return mail.ok() ? *mail : RenderedMail();
}

// The texts that each kind must contain, in one language.
struct Row {
  const char* name;
  MailKind kind;
  const char* recipient;
  const char* language;
  const char* subject;
  std::vector<std::string> facts;

  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }
};

MailFacts FactsOf(const Row& row) {
  MailFacts facts = row.kind == MailKind::kOverride ? OverrideFacts(row.recipient, row.language)
                                                    : Facts(row.kind, row.recipient, row.language);
  if (row.kind == MailKind::kRefused) {
    facts.change->validations[1].state = ValidationState::kRefused;
    facts.change->validations[1].refuse_reason = "je pars en retraite";
  }
  return facts;
}

// Each message as Python's email package reads it: its charsets, including those of encoded
// words, then subject, sender's name and each part.
std::string ReadByPython(const std::vector<std::string>& messages) {
  std::string command =
      "python3 -c 'import email, email.policy, re, sys\n"
      "for path in sys.argv[1:]:\n"
      "  raw = open(path, \"rb\").read()\n"
      "  words = re.findall(rb\"=[?]([A-Za-z0-9-]+)[?][bqBQ][?]\", raw)\n"
      "  mail = email.message_from_bytes(raw, policy=email.policy.default)\n"
      "  parts = list(mail.iter_parts())\n"
      "  charsets = [p.get_content_charset() for p in parts] + [w.decode() for w in words]\n"
      "  out = [*sorted(set(c.lower() for c in charsets)), mail[\"Subject\"]]\n"
      "  out.append(mail[\"From\"].addresses[0].display_name)\n"
      "  out += [p.get_payload(decode=True).decode(p.get_content_charset()) for p in parts]\n"
      "  sys.stdout.buffer.write(\"|\".join(out).encode())'";
  std::vector<std::string> paths;
  for (const std::string& message : messages) {
    paths.push_back(absl::StrCat(::testing::TempDir(), "mail_render_test_", getpid(), "_",
                                 paths.size(), ".eml"));
    std::ofstream(paths.back()) << message;
    absl::StrAppend(&command, " ", paths.back());
  }
  FILE* const pipe = popen(command.c_str(), "r");
  std::string read;
  for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) read += static_cast<char>(c);
  EXPECT_EQ(pclose(pipe), 0);
  for (const std::string& path : paths) std::remove(path.c_str());
  return read;
}

class EveryKind : public ::testing::TestWithParam<Row> {};

TEST_P(EveryKind, IsUtf8InHeadersAndPartsWhateverPeopleWrote) {
  std::vector<std::string> messages;
  std::string wanted;
  for (const char* words : {"déjà", "c’est fait", "5 €", "naïve 日本"}) {
    MailFacts facts = FactsOf(GetParam());
    if (facts.override_record) facts.override_record->reason = words;
    if (facts.change) facts.change->validations[1].refuse_reason = words;
    RenderedMail mail = Render(facts);
    mail.from_name = words;
    const absl::StatusOr<std::string> bytes = EncodeMime(mail);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    messages.push_back(*bytes);
    absl::StrAppend(&wanted, "utf-8|", mail.subject, "|", words, "|", mail.text, "|", mail.html);
  }
  EXPECT_EQ(ReadByPython(messages), wanted);
}

TEST_P(EveryKind, SaysItsFactsInTextAndHtml) {
  const Row& row = GetParam();
  const RenderedMail mail = Render(FactsOf(row));
  EXPECT_EQ(mail.subject, row.subject);
  for (const std::string& fact : row.facts) {
    EXPECT_THAT(mail.text, HasSubstr(fact));
    EXPECT_THAT(mail.html, HasSubstr(fact));
  }
  EXPECT_EQ(mail.language, std::string(row.language).substr(0, 2));
  EXPECT_THAT(mail.html, HasSubstr(absl::StrCat("<html lang=\"", mail.language, "\">")));
}

INSTANTIATE_TEST_SUITE_P(
    Mail, EveryKind,
    ::testing::Values(
        Row{"ValidationEn",
            MailKind::kValidation,
            kNewContact,
            "en",
            "Contact change for example.com (technical): your answer is needed",
            {kRequester, "the technical contact role", "example.com", kToken, "ccept", "efuse",
             "Tuesday 2 June 2026 at 14:05\u00a0UTC", "ignore this e-mail", "personal"}},
        Row{"ValidationFr",
            MailKind::kValidation,
            kNewContact,
            "fr",
            "Changement de contact pour example.com (technique)\u00a0: votre réponse est attendue",
            {kRequester, "le rôle de contact technique", "example.com", kToken, "ccepte", "efuse",
             "mardi 2 juin 2026 à 14\u00a0h\u00a005\u00a0(UTC)", "ignorez", "personnels"}},
        Row{"ReminderEn",
            MailKind::kReminder,
            kRequester,
            "en",
            "Reminder – contact change for example.com (technical): your answer is needed",
            {"This is a reminder", kNewContact, kToken, "Tuesday 2 June 2026"}},
        Row{"ReminderFr",
            MailKind::kReminder,
            kRequester,
            "fr-BE",
            "Rappel – changement de contact pour example.com (technique)\u00a0: votre réponse est "
            "attendue",
            {"Ceci est un rappel", kNewContact, kToken, "mardi 2 juin 2026"}},
        Row{"DoneEn",
            MailKind::kDone,
            kRequester,
            "en",
            "Contact change for example.com (technical): done",
            {kNewContact, "has taken over", "technical", "example.com", "Monday 1 June 2026"}},
        Row{"DoneFr",
            MailKind::kDone,
            kRequester,
            "fr",
            "Changement de contact pour example.com (technique)\u00a0: c’est fait",
            {kNewContact, "a repris", "technique", "example.com", "lundi 1er juin 2026"}},
        Row{"RolesLostEn",
            MailKind::kRolesLost,
            kOldContact,
            "en",
            "Your contact roles on example.com (technical) have changed",
            {"You no longer hold", "the technical contact role", kNewContact, kRequester}},
        Row{"RolesLostFr",
            MailKind::kRolesLost,
            kOldContact,
            "fr",
            "Vos rôles de contact sur example.com (technique) ont changé",
            {"Vous n’avez plus", "le rôle de contact technique", kNewContact, kRequester}},
        Row{"RefusedEn",
            MailKind::kRefused,
            kRequester,
            "en",
            "Contact change for example.com (technical): refused",
            {kNewContact, "has refused", "je pars en retraite", "Nothing has changed"}},
        Row{"RefusedFr",
            MailKind::kRefused,
            kRequester,
            "fr",
            "Changement de contact pour example.com (technique)\u00a0: refusé",
            {kNewContact, "a refusé", "je pars en retraite", "Rien n’a changé"}},
        Row{"CancelledEn",
            MailKind::kCancelled,
            kNewContact,
            "en",
            "Contact change for example.com (technical): cancelled",
            {kRequester, "has been cancelled", "Nothing has changed"}},
        Row{"CancelledFr",
            MailKind::kCancelled,
            kNewContact,
            "fr",
            "Changement de contact pour example.com (technique)\u00a0: annulé",
            {kRequester, "a été annulée", "Rien n’a changé"}},
        Row{"ExpiredEn",
            MailKind::kExpired,
            kRequester,
            "en",
            "Contact change for example.com (technical): expired",
            {"Tuesday 2 June 2026", "Nothing has changed", "no answer from you",
             "make a new request"}},
        Row{"ExpiredFr",
            MailKind::kExpired,
            kRequester,
            "fr",
            "Changement de contact pour example.com (technique)\u00a0: expiré",
            {"mardi 2 juin 2026", "Rien n’a changé", "pas reçu votre réponse", "nouvelle demande"}},
        Row{"AbortedEn",
            MailKind::kAborted,
            kRequester,
            "en",
            "Contact change for example.com (technical): not carried out",
            {"closed without effect", "the service no longer exists"}},
        Row{"AbortedFr",
            MailKind::kAborted,
            kRequester,
            "fr",
            "Changement de contact pour example.com (technique)\u00a0: sans suite",
            {"close sans effet", "le service n’existe plus"}},
        Row{"ProfileChangedEn",
            MailKind::kProfileChanged,
            kRequester,
            "en",
            "The e-mail address of your account aa123456-ovh was changed",
            {kRequester, "Monday 1 June 2026", "not you"}},
        Row{"ProfileChangedFr",
            MailKind::kProfileChanged,
            kRequester,
            "fr",
            "L’adresse e-mail de votre compte aa123456-ovh a été modifiée",
            {kRequester, "lundi 1er juin 2026", "contactez notre support"}},
        Row{"OverrideEn",
            MailKind::kOverride,
            kOldContact,
            "en",
            "Our team changed contacts on example.com (administrator)",
            {"administrator: bb234567-ovh", "the former contact has left"}},
        Row{"OverrideFr",
            MailKind::kOverride,
            kNewContact,
            "fr",
            "Notre équipe a modifié des contacts sur example.com (administrateur)",
            {"administrateur\u00a0: vous (bb234567-ovh)", "the former contact has left"}}),
    [](const auto& param) { return param.param.name; });

// Subjects of e-mails of this kind about each of these.
TEST(MailRenderer, SubjectsTellServicesAndRolesApart) {
  const std::string longest = std::string(200, 'a') + ".example";
  using Items = std::vector<std::pair<std::string, Role>>;
  const std::vector<Items> about = {{{"a.example", Role::kTech}},
                                    {{"a.example", Role::kBilling}},
                                    {{"b.example", Role::kTech}},
                                    {{"a.example", Role::kTech}, {"a.example", Role::kBilling}},
                                    {{"a.example", Role::kTech}, {"b.example", Role::kTech}},
                                    {{"a.example", Role::kTech}, {"b.example", Role::kBilling}},
                                    {{longest + "-1", Role::kTech}},
                                    {{longest + "-2", Role::kTech}},
                                    {{"x" + longest, Role::kTech}}};
  for (const char* language : {"en", "fr"}) {
    for (const MailKind kind : {MailKind::kValidation, MailKind::kReminder, MailKind::kDone,
                                MailKind::kRolesLost, MailKind::kRefused, MailKind::kCancelled,
                                MailKind::kExpired, MailKind::kAborted, MailKind::kOverride}) {
      std::set<std::string> subjects;
      for (const Items& items : about) {
        MailFacts facts = kind == MailKind::kOverride ? OverrideFacts(kOldContact, language)
                                                      : Facts(kind, kOldContact, language);
        if (facts.change) facts.change->items.clear();
        if (facts.override_record) facts.override_record->items.clear();
        for (const auto& [service, role] : items) {
          if (facts.change) {
            facts.change->items.push_back(
                {ServiceId(service), role, AccountId(kOldContact), UsualOutcome(kind)});
          } else {
            facts.override_record->items.push_back(
                {ServiceId(service), role, AccountId(kOldContact), AccountId(kNewContact)});
          }
        }
        const std::string subject = Render(facts).subject;
        EXPECT_LE(subject.size(), 200U) << subject;
        subjects.insert(subject);
      }
      EXPECT_EQ(subjects.size(), about.size()) << static_cast<int>(kind);
    }
  }
}

TEST(MailRenderer, ListsTwentyOfManyServicesAndTheirCount) {
  for (const auto& [language, more] : {std::pair("en", "and 280 more services (300 in all)"),
                                       std::pair("fr", "et 280 autres services (300 au total)")}) {
    MailFacts facts = Facts(MailKind::kValidation, kNewContact, language);
    facts.change->items.clear();
    for (int i = 0; i < 300; ++i) {
      for (const Role role : {Role::kAdmin, Role::kTech}) {
        facts.change->items.push_back({.service = ServiceId(absl::StrCat("s", 100 + i, ".example")),
                                       .role = role,
                                       .old_contact = AccountId(kOldContact)});
      }
    }
    const RenderedMail mail = Render(facts);
    EXPECT_THAT(mail.subject, AllOf(HasSubstr("s100.example "), HasSubstr("299")));
    for (const std::string& body : {mail.text, mail.html}) {
      EXPECT_THAT(body, AllOf(HasSubstr("s100.example"), HasSubstr("s119.example"),
                              Not(HasSubstr("s120.example")), HasSubstr(more)));
    }
  }
}

TEST(MailRenderer, LinksCarryBothAnswersPercentEncoded) {
  MailFacts facts = Facts(MailKind::kValidation, kNewContact);
  facts.token = "A+B/&=é";
  const RenderedMail mail = Render(facts);
  const std::string link =
      "https://example.net/0197c3a0-0000-7000-8000-00000000000c?t=A%2BB%2F%26%3D%C3%A9";
  EXPECT_THAT(mail.text, HasSubstr(absl::StrCat("\n", link, "&a=accept\n")));
  EXPECT_THAT(mail.text, HasSubstr(absl::StrCat("\n", link, "&a=refuse\n")));
  EXPECT_THAT(mail.html, HasSubstr(absl::StrCat("href=\"", link, "&amp;a=accept\"")));
  EXPECT_THAT(mail.html, HasSubstr(absl::StrCat("href=\"", link, "&amp;a=refuse\"")));
}

TEST(MailRenderer, EscapesWhatPeopleWroteInHtml) {
  MailFacts facts = Facts(MailKind::kRefused, kRequester);
  facts.change->validations[1].state = ValidationState::kRefused;
  facts.change->validations[1].refuse_reason = "<script>alert('x')</script> \"&amp;\" $0";
  facts.change->items[0].service = ServiceId("<b>x</b>.example");
  const RenderedMail mail = Render(facts);
  EXPECT_THAT(mail.html, AllOf(Not(HasSubstr("<script>")), Not(HasSubstr("<b>x")),
                               HasSubstr("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; "
                                         "&quot;&amp;amp;&quot; $0")));
  EXPECT_THAT(mail.text, HasSubstr("> <script>alert('x')</script> \"&amp;\" $0"));

  MailFacts override_facts = OverrideFacts(kOldContact);
  override_facts.override_record->reason = "<img src=x>";
  EXPECT_THAT(Render(override_facts).html,
              AllOf(Not(HasSubstr("<img")), HasSubstr("&lt;img src=x&gt;")));
}

TEST(MailRenderer, MarksEveryLineOfARefusalReasonAndDropsControlCharacters) {
  MailFacts facts = Facts(MailKind::kRefused, kRequester);
  facts.change->validations[1].state = ValidationState::kRefused;
  facts.change->validations[1].refuse_reason =
      "no\r\n\x1b[31mYour validation code:\rhttp://evil.example\u202e\u2028\u0085";
  const RenderedMail mail = Render(facts);
  EXPECT_THAT(mail.text, HasSubstr("  > no\n  > [31mYour validation code:\n"
                                   "  > http://evil.example\n"));
  EXPECT_THAT(mail.html, HasSubstr("no<br>[31mYour validation code:<br>http://evil.example</b"));
}

TEST(MailRenderer, SaysWhereNoReasonWasGiven) {
  MailFacts facts = Facts(MailKind::kRefused, kRequester);
  facts.change->validations[1].state = ValidationState::kRefused;
  EXPECT_THAT(Render(facts).text, HasSubstr("No reason was given."));
}

TEST(MailRenderer, TellsEachValidatorWhereItStands) {
  EXPECT_THAT(Render(Facts(MailKind::kValidation, kRequester)).text,
              HasSubstr("You asked for bb234567-ovh to take over"));
  EXPECT_THAT(Render(Facts(MailKind::kValidation, kNewContact)).text,
              HasSubstr("aa123456-ovh asks you to take over"));

  MailFacts accepted = Facts(MailKind::kValidation, kNewContact);
  accepted.change->validations[0].state = ValidationState::kAccepted;
  EXPECT_THAT(Render(accepted).text, HasSubstr("only your answer is missing"));

  MailFacts take_over = Facts(MailKind::kValidation, kRequester);
  take_over.change->new_contact = take_over.change->requester;
  take_over.change->validations.pop_back();
  EXPECT_THAT(Render(take_over).text, HasSubstr("Nothing changes until you confirm."));
}

TEST(MailRenderer, ListsSkippedItemsWithTheirReasonsApart) {
  MailFacts facts = Facts(MailKind::kDone, kNewContact);
  facts.change->items.push_back({ServiceId("gone.example"), Role::kAdmin, AccountId(kOldContact),
                                 ItemOutcome::kSkippedServiceRemoved});
  facts.change->items.push_back({ServiceId("lost.example"), Role::kAdmin, AccountId(kOldContact),
                                 ItemOutcome::kSkippedAuthorityLost});
  facts.change->items.push_back({ServiceId("moved.example"), Role::kBilling, AccountId(kOldContact),
                                 ItemOutcome::kSkippedContactChanged});
  const RenderedMail mail = Render(facts);
  EXPECT_EQ(mail.subject, "Contact change for example.com (technical): done");
  EXPECT_THAT(
      mail.text,
      AllOf(HasSubstr("gone.example – administrator (the service no longer exists)"),
            HasSubstr("lost.example – administrator (the requester may no longer change it)"),
            HasSubstr("moved.example – billing (the contact has changed in the meantime)")));
}

TEST(MailRenderer, TellsAnOldContactOnlyOfTheRolesItLost) {
  MailFacts facts = Facts(MailKind::kRolesLost, kOldContact);
  facts.change->items.push_back(
      {ServiceId("other.example"), Role::kTech, AccountId("dd4-ovh"), ItemOutcome::kApplied});
  facts.change->items.push_back({ServiceId("skipped.example"), Role::kTech, AccountId(kOldContact),
                                 ItemOutcome::kSkippedAuthorityLost});
  const RenderedMail mail = Render(facts);
  for (const std::string& body : {mail.subject, mail.text, mail.html}) {
    EXPECT_THAT(body, AllOf(HasSubstr("example.com"), Not(HasSubstr("other.example")),
                            Not(HasSubstr("skipped.example"))));
  }
}

TEST(MailRenderer, TellsOfAnOverrideOnlyWhatConcernsTheRecipient) {
  for (const char* recipient : {kOldContact, kNewContact}) {
    EXPECT_THAT(Render(OverrideFacts(recipient)).html,
                AllOf(HasSubstr("example.com"), Not(HasSubstr("unrelated.example"))));
  }
}

TEST(MailRenderer, LeavesItemsAlreadyTakenOutOfAValidation) {
  MailFacts facts = Facts(MailKind::kValidation, kNewContact);
  facts.change->items.push_back({ServiceId("gone.example"), Role::kTech, AccountId(kOldContact),
                                 ItemOutcome::kSkippedServiceRemoved});
  EXPECT_THAT(Render(facts).text, Not(HasSubstr("gone.example")));
}

TEST(MailRenderer, WritesToTheOldAddressWhereTheProfileChanged) {
  EXPECT_EQ(Render(Facts(MailKind::kProfileChanged, kRequester)).to, "old@example.org");
  EXPECT_EQ(Render(Facts(MailKind::kDone, kRequester)).to, "jane@example.org");
}

TEST(MailRenderer, KeepsTheMessageIdOfAnEmailWhenItIsRenderedAgain) {
  const MailFacts facts = Facts(MailKind::kDone, kRequester);
  EXPECT_EQ(Render(facts).message_id, "0197c3a0-0000-7000-8000-000000000001@example.net");
  EXPECT_EQ(Renderer().Render(facts, kNow + absl::Hours(5))->message_id, Render(facts).message_id);
}

TEST(MailRenderer, RefusesAValidationWithoutItsToken) {
  MailFacts facts = Facts(MailKind::kValidation, kNewContact);
  facts.token.clear();
  EXPECT_TRUE(absl::IsFailedPrecondition(Renderer().Render(facts, kNow).status()));
}

TEST(MailRenderer, RefusesARecipientWithoutAddressAndMissingFacts) {
  MailFacts facts = Facts(MailKind::kDone, kRequester);
  facts.recipient.email.clear();
  EXPECT_TRUE(absl::IsFailedPrecondition(Renderer().Render(facts, kNow).status()));
  facts = Facts(MailKind::kDone, kRequester);
  facts.change.reset();
  EXPECT_TRUE(absl::IsFailedPrecondition(Renderer().Render(facts, kNow).status()));
  facts = OverrideFacts(kOldContact);
  facts.override_record.reset();
  EXPECT_TRUE(absl::IsFailedPrecondition(Renderer().Render(facts, kNow).status()));
}

}  // namespace
}  // namespace contacts
