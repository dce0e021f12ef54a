// The facts that each kind of e-mail tells, in two languages.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <set>

#include "absl/strings/str_cat.h"
#include "tests/unit/core/letter/render_facts.h"

namespace contacts {
namespace {

using ::testing::AnyOf;

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
  if (MailFacts facts; facts.mail.kind = row.kind, facts.mail.IsAboutProfile()) {
    return ProfileFacts(row.kind, row.language);
  }
  MailFacts facts = row.kind == MailKind::kOverride ? OverrideFacts(row.recipient, row.language)
                                                    : Facts(row.kind, row.recipient, row.language);
  if (row.kind == MailKind::kRefused) {
    facts.change->validations[1].state = ValidationState::kRefused;
    facts.change->validations[1].refuse_reason = "je pars en retraite";
  }
  if (row.kind == MailKind::kItemsWithdrawn) {
    facts.change->items[0].outcome = ItemOutcome::kWithdrawn;
    facts.change->items[0].withdrawn_by = AccountId("ee567890-ovh");
    facts.change->items.push_back({.service = ServiceId("left.example"), .role = Role::kTech});
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
             "Tuesday, 2 June 2026 at 14:05 UTC", "ignore this e-mail", "personal"}},
        Row{"ValidationFr",
            MailKind::kValidation,
            kNewContact,
            "fr",
            "Changement de contact pour example.com (technique)\u00a0: votre réponse est attendue",
            {kRequester, "le rôle de contact technique", "example.com", kToken, "ccepte", "efuse",
             "mardi 2 juin 2026 à 14:05 UTC", "ignorez", "personnels"}},
        Row{"ReminderEn",
            MailKind::kReminder,
            kRequester,
            "en",
            "Reminder – contact change for example.com (technical): your answer is needed",
            {"This is a reminder", kNewContact, kToken, "Tuesday, 2 June 2026"}},
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
            {kNewContact, "has taken over", "technical", "example.com", "Monday, 1 June 2026"}},
        Row{"DoneFr",
            MailKind::kDone,
            kRequester,
            "fr",
            "Changement de contact pour example.com (technique)\u00a0: c’est fait",
            {kNewContact, "a repris", "technique", "example.com", "lundi 1 juin 2026"}},
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
            {"Tuesday, 2 June 2026", "Nothing has changed", "no answer from you",
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
        Row{"ItemsWithdrawnEn",
            MailKind::kItemsWithdrawn,
            kRequester,
            "en",
            "Contact change for example.com (technical): withdrawn",
            {"withdrawn by ee567890-ovh", "the answers given so far stand", "left.example"}},
        Row{"ItemsWithdrawnFr",
            MailKind::kItemsWithdrawn,
            kNewContact,
            "fr",
            "Changement de contact pour example.com (technique)\u00a0: retiré",
            {"retiré par ee567890-ovh", "restent valables", "left.example"}},
        Row{"ProfileChangedEn",
            MailKind::kProfileChanged,
            kRequester,
            "en",
            "The e-mail address of your account aa123456-ovh was changed",
            {kRequester, "Monday, 1 June 2026", "not you"}},
        Row{"ProfileChangedFr",
            MailKind::kProfileChanged,
            kRequester,
            "fr",
            "L’adresse e-mail de votre compte aa123456-ovh a été modifiée",
            {kRequester, "lundi 1 juin 2026", "contactez notre support"}},
        Row{"ConfirmEmailEn",
            MailKind::kConfirmEmail,
            kRequester,
            "en",
            "Confirm the new e-mail address of your account aa123456-ovh",
            {kRequester, "Monday, 1 June 2026", kToken, "onfirm", "Tuesday, 2 June 2026",
             "personal", "https://example.net/confirm?t=7H2KQ-0M9XT-4RWVB-E8N3C-ZJ5PD-G",
             "not in use yet", "ignore this e-mail"}},
        Row{"ConfirmEmailFr",
            MailKind::kConfirmEmail,
            kRequester,
            "fr",
            "Confirmez la nouvelle adresse e-mail de votre compte aa123456-ovh",
            {kRequester, "lundi 1 juin 2026", kToken, "onfirme", "mardi 2 juin 2026", "personnels",
             "pas encore utilisée"}},
        Row{"EmailAskedEn",
            MailKind::kEmailAsked,
            kRequester,
            "en",
            "A new e-mail address was entered for your account aa123456-ovh",
            {kRequester, "j***@new.example", "Monday, 1 June 2026", "not you"}},
        Row{"EmailAskedFr",
            MailKind::kEmailAsked,
            kRequester,
            "fr",
            "Une nouvelle adresse e-mail a été saisie pour votre compte aa123456-ovh",
            {kRequester, "j***@new.example", "lundi 1 juin 2026", "contactez notre support"}},
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

TEST(NewAdmin, IsToldWhatIsStillPendingAndThatItMayWithdrawIt) {
  for (const char* language : {"en", "fr"}) {
    for (MailFacts facts :
         {Facts(MailKind::kDone, kNewContact, language), OverrideFacts(kNewContact, language)}) {
      EXPECT_THAT(Render(facts).text, Not(HasSubstr("pending.example")));
      facts.pending = {{.role = {ServiceId("pending.example"), Role::kBilling},
                        .requester = AccountId("ff678901-ovh"),
                        .new_contact = AccountId("gg789012-ovh")}};
      const RenderedMail mail = Render(facts);
      for (const char* fact : {"pending.example", "ff678901-ovh", "gg789012-ovh"}) {
        EXPECT_THAT(mail.text, HasSubstr(fact));
        EXPECT_THAT(mail.html, HasSubstr(fact));
      }
      EXPECT_THAT(mail.text,
                  AnyOf(HasSubstr("may withdraw"), HasSubstr("à tout moment les retirer")));
    }
  }
}

TEST(Aborted, ByTheSupportDeskSaysItsReason) {
  for (const char* language : {"en", "fr"}) {
    MailFacts facts = Facts(MailKind::kAborted, kNewContact, language);
    facts.change->abort_reason = "the domain is <disputed>";
    const RenderedMail mail = Render(facts);
    EXPECT_THAT(mail.text, HasSubstr("the domain is <disputed>"));
    EXPECT_THAT(mail.html, HasSubstr("the domain is &lt;disputed&gt;"));
    EXPECT_THAT(mail.text,
                AnyOf(HasSubstr("support team has closed"), HasSubstr("support a clos")));
  }
}

TEST(AbortedMail, SaysThatTheOtherAccountWasClosedIfNoItemHasAReason) {
  for (const auto& [language, closed] :
       {std::pair("en", "has been closed. Nothing"), std::pair("fr", "a été fermé. Rien")}) {
    MailFacts facts = Facts(MailKind::kAborted, kRequester, language);
    facts.change->items[0].outcome = ItemOutcome::kNotApplied;
    EXPECT_THAT(Render(facts).text,
                AllOf(HasSubstr(absl::StrCat(kNewContact, " ", closed)),
                      Not(HasSubstr("given below")), Not(HasSubstr("ci-dessous"))));
  }
}

TEST(MailAboutAProfile, GoesToItsOwnAddressAndTheConfirmationAloneHasALink) {
  EXPECT_EQ(Render(ProfileFacts(MailKind::kConfirmEmail)).to, "old@example.org");
  EXPECT_EQ(Render(ProfileFacts(MailKind::kEmailAsked)).to, "old@example.org");
  EXPECT_THAT(Render(ProfileFacts(MailKind::kEmailAsked)).html,
              Not(HasSubstr("https://example.net")));
  MailFacts without_key = ProfileFacts(MailKind::kConfirmEmail);
  without_key.token.clear();
  EXPECT_FALSE(Renderer().Render(without_key, kNow).ok());
}

}  // namespace
}  // namespace contacts
