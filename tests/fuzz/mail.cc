// E-mails with any text in them: it becomes no header, no markup and no address.

#include <fuzzer/FuzzedDataProvider.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "core/letter/render.h"
#include "tests/fuzz/check.h"

namespace contacts {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

void CheckHeaders(const std::string& message) {
  static const auto& known = *new std::set<std::string>{"from",
                                                        "to",
                                                        "subject",
                                                        "date",
                                                        "message-id",
                                                        "mime-version",
                                                        "content-type",
                                                        "auto-submitted",
                                                        "reply-to",
                                                        "content-transfer-encoding",
                                                        "content-language",
                                                        "x-auto-response-suppress"};
  const std::size_t end = message.find("\r\n\r\n");
  FUZZ_CHECK(end != std::string::npos);
  std::set<std::string> seen;
  for (absl::string_view line : absl::StrSplit(message.substr(0, end), "\r\n")) {
    if (line.empty() || line.front() == ' ' || line.front() == '\t') continue;
    const std::string name =
        absl::AsciiStrToLower(std::vector<std::string>(absl::StrSplit(line, ':')).front());
    FUZZ_CHECK(known.contains(name));
    FUZZ_CHECK(seen.insert(name).second);
  }
}

// Every tag is one that the template uses.
void CheckMarkup(const std::string& html) {
  static const auto& known = *new std::set<std::string>{
      "!doctype", "html", "head", "meta", "title", "style", "body",       "table", "tr",
      "td",       "p",    "a",    "h1",   "img",   "span",  "blockquote", "br",    "strong"};
  for (std::size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    std::size_t from = at + 1;
    if (from < html.size() && html[from] == '/') ++from;
    std::size_t to = from;
    while (to < html.size() && (absl::ascii_isalnum(html[to]) || html[to] == '!')) ++to;
    FUZZ_CHECK(known.contains(absl::AsciiStrToLower(html.substr(from, to - from))));
  }
  // No text of a caller is inside a tag, as a quote or an attribute. A link leads to one place.
  const std::string href = "href=\"";
  for (std::size_t at = html.find(href); at != std::string::npos; at = html.find(href, at + 1)) {
    FUZZ_CHECK(absl::StartsWith(html.substr(at + href.size(), 30), "https://example.net/"));
  }
}

void Fuzz(const uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  static const MailRenderer renderer(
      {.from = "contacts@example.net",
       .link_url = "https://example.net/{contact_change_id}?t={token}&a={answer}",
       .confirm_url = "https://example.net/confirm?t={token}"},
      *Design::Make({.brand_path = "brand.yaml",
                     .brand = "{name: Brand, support: help@example.net, logo: logo.png}",
                     .logo_path = "logo.png",
                     .logo = "\x89PNG\r\n\x1a\n"}));
  MailFacts facts;
  facts.mail.kind = static_cast<MailKind>(input.ConsumeIntegralInRange(1, 13));
  facts.mail.recipient = AccountId("aa1-ovh");
  facts.mail.generation = 1;
  facts.mail.address = "old@example.org";
  facts.mail.masked_address = input.ConsumeRandomLengthString(40);
  facts.recipient.id = AccountId("aa1-ovh");
  facts.recipient.language =
      input.PickValueInArray({"en", "fr", "de", "es", "it", "nl", "pl", "pt"});
  facts.token = "7H2KQ-0M9XT-4RWVB-E8N3C-ZJ5PD-G";
  const bool own_address = input.ConsumeBool();
  ContactChange change;
  change.requester = AccountId(input.ConsumeBool() ? "aa1-ovh" : "bb2-ovh");
  change.new_contact = AccountId(input.ConsumeRandomLengthString(40));
  change.state = static_cast<ChangeState>(input.ConsumeIntegralInRange(1, 6));
  change.create_time = change.expire_time = kNow;
  for (int i = 0; i < 2; ++i) {
    Validation validation;
    validation.account = i == 0 ? change.requester : change.new_contact;
    validation.state = static_cast<ValidationState>(input.ConsumeIntegralInRange(1, 3));
    validation.refuse_reason = input.ConsumeRandomLengthString(200);
    change.validations.push_back(validation);
  }
  ChangeItem item;
  item.service = ServiceId(input.ConsumeRandomLengthString(60));
  item.old_contact = AccountId("cc3-ovh");
  item.role = static_cast<Role>(input.ConsumeIntegralInRange(1, 3));
  item.outcome = static_cast<ItemOutcome>(input.ConsumeIntegralInRange(1, 6));
  change.items.push_back(item);
  facts.change = change;
  ContactOverride record;
  record.reason = input.ConsumeRandomLengthString(200);
  record.items.push_back({.service = item.service,
                          .role = item.role,
                          .old_contact = AccountId("aa1-ovh"),
                          .new_contact = AccountId("bb2-ovh")});
  facts.override_record = record;
  facts.recipient.email = own_address ? input.ConsumeRemainingBytesAsString() : "jane@example.org";

  const auto rendered = renderer.Render(facts, kNow);
  if (!rendered.ok()) return;
  CheckMarkup(rendered->html);
  const auto message = EncodeMime(*rendered, LineEnd::kCrLf);
  if (message.ok()) CheckHeaders(*message);
}

}  // namespace
}  // namespace contacts

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  contacts::Fuzz(data, size);
  return 0;
}
