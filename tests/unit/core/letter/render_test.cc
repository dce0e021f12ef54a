#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/unit/core/letter/render_facts.h"

namespace contacts {
namespace {

TEST(MailRenderer, LinksMayNameTheRecipientAndTheLanguage) {
  const MailRenderer renderer({.from = "contacts@example.net",
                               .from_name = "Example",
                               .reply_to = "help@example.net",
                               .link_url = "https://example.net/{language}/{account}/"
                                           "{contact_change_id}?t={token}&a={answer}"});
  for (const auto& [language, expected] :
       {std::pair("fr-CA", "fr"), {"de", "de"}, {"sv", "en"}, {"", "en"}, {"frx-FR", "en"}}) {
    const auto mail = renderer.Render(Facts(MailKind::kValidation, kNewContact, language), kNow);
    ASSERT_TRUE(mail.ok()) << mail.status();
    EXPECT_THAT(mail->text, HasSubstr(absl::StrCat("https://example.net/", expected, "/",
                                                   kNewContact, "/0197c3a0-")));
    EXPECT_EQ(mail->from_name, "Example");
    EXPECT_EQ(mail->reply_to, "help@example.net");
  }
}

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
            facts.change->items.push_back({ServiceId(service), role, AccountId(kOldContact),
                                           /*old_contact_gone=*/false, UsualOutcome(kind)});
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

TEST(MailRenderer, RefusalReasonGoesToTheRequesterAlone) {
  for (const int refuser : {0, 1}) {
    for (const char* recipient : {kRequester, kNewContact}) {
      MailFacts facts = Facts(MailKind::kRefused, recipient);
      Validation& answer = facts.change->validations[static_cast<std::size_t>(refuser)];
      answer.state = ValidationState::kRefused;
      answer.refuse_reason = "Confirm your account at https://evil.example";
      const RenderedMail mail = Render(facts);
      const bool told = recipient == std::string(kRequester);
      EXPECT_EQ(absl::StrContains(mail.text, "evil.example"), told) << mail.text;
      EXPECT_EQ(absl::StrContains(mail.html, "evil.example"), told) << mail.html;
      EXPECT_THAT(mail.text, HasSubstr("has refused this request"));
      EXPECT_THAT(mail.text, Not(HasSubstr("No reason was given")));
    }
  }
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
                                 /*old_contact_gone=*/false, ItemOutcome::kSkippedServiceRemoved});
  facts.change->items.push_back({ServiceId("lost.example"), Role::kAdmin, AccountId(kOldContact),
                                 /*old_contact_gone=*/false, ItemOutcome::kSkippedAuthorityLost});
  facts.change->items.push_back({ServiceId("moved.example"), Role::kBilling, AccountId(kOldContact),
                                 /*old_contact_gone=*/false, ItemOutcome::kSkippedContactChanged});
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
  facts.change->items.push_back({ServiceId("other.example"), Role::kTech, AccountId("dd4-ovh"),
                                 false, ItemOutcome::kApplied});
  facts.change->items.push_back({ServiceId("skipped.example"), Role::kTech, AccountId(kOldContact),
                                 /*old_contact_gone=*/false, ItemOutcome::kSkippedAuthorityLost});
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
                                 /*old_contact_gone=*/false, ItemOutcome::kSkippedServiceRemoved});
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
