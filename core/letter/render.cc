#include "core/letter/render.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "core/letter/compose.h"

namespace contacts {
namespace {

std::string PercentEncoded(absl::string_view value) {
  std::string encoded;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", byte);
    }
  }
  return encoded;
}

std::string DomainOf(const std::string& address) { return address.substr(address.rfind('@') + 1); }

// Whether all facts that this kind of e-mail needs are set.
absl::Status CheckFacts(const MailFacts& facts) {
  const bool found = facts.mail.kind == MailKind::kOverride ? facts.override_record.has_value()
                                                            : facts.change.has_value();
  if (!found && !facts.mail.IsAboutProfile()) {
    return absl::FailedPreconditionError("what the e-mail tells of was not found");
  }
  if (facts.mail.HasToken() && facts.token.empty()) {
    return absl::FailedPreconditionError("the key that the token is derived from is missing");
  }
  return absl::OkStatus();
}

std::string Link(const std::string& url, const MailFacts& facts, const std::string& language,
                 const char* answer = "") {
  return absl::StrReplaceAll(url,
                             {{"{contact_change_id}", PercentEncoded(facts.mail.subject.text())},
                              {"{token}", PercentEncoded(facts.token)},
                              {"{answer}", answer},
                              {"{account}", PercentEncoded(facts.recipient.id.text())},
                              {"{language}", language}});
}

}  // namespace

void MailRenderer::Use(std::shared_ptr<const Design> design) {
  const std::lock_guard lock(mutex_);
  design_ = std::move(design);
}

absl::StatusOr<RenderedMail> MailRenderer::Render(const MailFacts& facts, absl::Time now) const {
  if (absl::Status status = CheckFacts(facts); !status.ok()) return status;
  const std::shared_ptr<const Design> design = [&] {
    const std::lock_guard lock(mutex_);
    return design_;
  }();
  RenderedMail mail;
  mail.from = options_.from;
  mail.from_name = options_.from_name.empty() ? design->brand().name : options_.from_name;
  mail.reply_to = options_.reply_to;
  mail.to = facts.mail.IsAboutProfile() ? facts.mail.address : facts.recipient.email;
  if (mail.to.empty()) return absl::FailedPreconditionError("the recipient has no e-mail address");

  const Catalogue& catalogue = design->For(facts.recipient.language);
  mail.language = catalogue.tag();
  AnswerLinks links;
  if (facts.mail.IsValidation()) {
    links.accept = Link(options_.link_url, facts, mail.language, "accept");
    links.refuse = Link(options_.link_url, facts, mail.language, "refuse");
  } else if (facts.mail.HasToken()) {
    links.confirm = Link(options_.confirm_url, facts, mail.language);
  }
  Letter letter = Compose(facts, links, catalogue, design->brand());
  mail.subject = std::move(letter.subject);
  mail.text = design->Text(*letter.content);
  mail.html = design->Html(*letter.content);
  mail.logo = design->brand().logo;
  mail.message_id = absl::StrCat(facts.mail.id.text(), "@", DomainOf(options_.from));
  mail.date = now;
  return mail;
}

}  // namespace contacts
