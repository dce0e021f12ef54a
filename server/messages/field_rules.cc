#include "server/messages/field_rules.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/domain/email_address.h"
#include "core/domain/ids.h"
#include "core/domain/token.h"

namespace contacts::server {
namespace {

using Rules = std::vector<FieldRule>;

constexpr std::size_t kMaxToken = 512;  // Bytes, including other text that was pasted with it.
constexpr std::size_t kMaxEtag = 64;
constexpr std::size_t kMaxOpaque = 2048;
constexpr std::size_t kMaxName = 200;
constexpr std::size_t kMaxCity = 100;
constexpr std::size_t kMaxPostalCode = 20;
constexpr int64_t kMaxAddressLines = 3;
constexpr int64_t kMaxFilterValues = 16;

TextForm AccountIdText(const AccountIdForm& form) {
  return {[form](absl::string_view text) { return form.Matches(text); },
          absl::StrCat("an account id of the form ", form.pattern(), ", at most ",
                       AccountIdForm::kMaxSize, " characters"),
          Lower};
}

TextForm ServiceIdText() {
  return {IsServiceId,
          "a service id: letters, digits, dots, hyphens and underscores, at most 253 characters",
          Lower};
}

TextForm UuidText() {
  return {[](absl::string_view text) { return Uuid::Parse(std::string(text)).has_value(); },
          "a UUID such as \"01890a5d-ac96-774b-bcce-b302099a8057\"", Lower};
}

// Cleans the token, so that a retry may contain it pasted in another way. Keeps a text that is too
// long.
std::string CleanToken(absl::string_view text) {
  const std::string token = text.size() <= kMaxToken ? TokenCharacters(text) : std::string();
  return token.empty() ? std::string(text) : token;
}

// A request id. The nil UUID is rejected, because a forgotten value is often nil.
TextForm RequestIdText() {
  return {[](absl::string_view text) {
            const auto id = Uuid::Parse(std::string(text));
            return id.has_value() && !id->is_nil();
          },
          "a random UUID, drawn once for this intent and sent again with each retry, such as "
          "\"7b0e3a52-9c41-4d7f-8a1e-2f6d5c0b9e13\"",
          Lower};
}

TextForm TokenText() {
  return {[](absl::string_view text) {
            return text.size() <= kMaxToken && !TokenCharacters(text).empty();
          },
          "the token of the e-mail, at most 512 bytes", CleanToken, true};
}

TextForm AsciiText(std::size_t max, absl::string_view what) {
  return {[max](absl::string_view text) { return IsPrintableAscii(text, max); },
          absl::StrCat(what, ", at most ", max, " printable ASCII characters")};
}

TextForm PlainText(std::size_t max) {
  return {
      [max](absl::string_view text) { return IsPlainText(text, max); },
      absl::StrCat("one line of at most ", max, " characters, no control characters except tabs")};
}

TextForm ReasonText(const Settings& settings) {
  const auto most = static_cast<std::size_t>(settings.max_reason);
  return {[most](absl::string_view text) { return IsPlainText(text, most, true); },
          absl::StrCat("at most ", most,
                       " characters, no control characters except line breaks and tabs"),
          WithLineFeeds};
}

TextForm EmailText() {
  return {IsEmailAddress, "an e-mail address such as \"jane@example.com\", at most 254 characters",
          ToNfc};
}

TextForm LanguageText() {
  return {IsLanguageTag, "a BCP 47 language tag such as \"fr\" or \"en-GB\"", CanonicalLanguage};
}

void AddOwner(Rules& rules, const std::string& owner) {
  const TextForm phone{IsPhoneNumber, "a number in E.164 form, such as \"+33972101007\""};
  const TextForm country{IsCountryCode, "an ISO 3166-1 alpha-2 country code", Upper};
  rules.push_back({owner + ".name", PlainText(kMaxName)});
  rules.push_back({owner + ".organisation", PlainText(kMaxName)});
  rules.push_back({owner + ".email", EmailText()});
  rules.push_back({owner + ".phone", phone});
  rules.push_back(
      {owner + ".address_lines", PlainText(kMaxName), Need::kOptional, kMaxAddressLines});
  rules.push_back({owner + ".city", PlainText(kMaxCity)});
  rules.push_back({owner + ".postal_code", PlainText(kMaxPostalCode)});
  rules.push_back({owner + ".country_code", country});
}

// Fields that only the server sets must be well formed and are otherwise ignored.
void AddOutputFields(Rules& rules, const std::string& resource) {
  rules.push_back({resource + ".etag", AsciiText(kMaxEtag, "an etag")});
  rules.push_back({resource + ".create_time", TimestampForm{}});
  rules.push_back({resource + ".update_time", TimestampForm{}});
}

void AddAccount(Rules& rules, const std::string& account, const AccountIdForm& form, Need id,
                Need values, Need standing) {
  rules.push_back({account + ".id", AccountIdText(form), id});
  rules.push_back({account + ".email", EmailText(), values});
  rules.push_back({account + ".language_code", LanguageText(),
                   values == Need::kRequired ? Need::kOptional : values});
  rules.push_back({account + ".billing_standing", EnumForm{}, standing});
  rules.push_back({account + ".pending_email", EmailText()});
  rules.push_back({account + ".pending_email_expire_time", TimestampForm{}});
  AddOutputFields(rules, account);
}

void AddService(Rules& rules, const std::string& service, const AccountIdForm& form) {
  const TextForm kind{IsServiceKind,
                      "lower-case letters, digits, hyphens and underscores, 1 to 32 characters"};
  rules.push_back({service + ".id", ServiceIdText(), Need::kRequired});
  rules.push_back({service + ".kind", kind, Need::kRequired});
  rules.push_back({service + ".admin", AccountIdText(form), Need::kRequired});
  rules.push_back({service + ".tech", AccountIdText(form), Need::kRequired});
  rules.push_back({service + ".billing", AccountIdText(form), Need::kRequired});
  AddOwner(rules, service + ".owner");
  AddOutputFields(rules, service);
  rules.push_back({service + ".pending_roles", EnumForm{}, Need::kOptional, kMaxFilterValues});
}

void AddAssignments(Rules& rules, const std::string& request, const AccountIdForm& form,
                    int64_t most) {
  const std::string assignments = request + ".assignments";
  rules.push_back({assignments, ListForm{}, Need::kRequired, most});
  rules.push_back({assignments + ".service", ServiceIdText(), Need::kRequired});
  rules.push_back({assignments + ".role", EnumForm{}, Need::kRequired});
  rules.push_back({assignments + ".new_contact", AccountIdText(form), Need::kRequired});
}

void AddPage(Rules& rules, const std::string& request, const Settings& settings) {
  rules.push_back({request + ".page_size", NumberForm{0, settings.max_page_size}});
  rules.push_back({request + ".page_token", AsciiText(kMaxOpaque, "a page token")});
}

void AddMaxItems(Rules& rules, const std::string& request) {
  rules.push_back({request + ".max_items", NumberForm{0, std::numeric_limits<int32_t>::max()}});
}

// Rules of requests that answer or read one contact change.
void AddChangeId(Rules& rules, const std::string& request) {
  rules.push_back({request + ".contact_change_id", UuidText(), Need::kRequired});
}

void AddProfile(Rules& rules, const AccountIdForm& form, const Settings& settings) {
  AddAccount(rules, "UpdateProfileRequest.account", form, Need::kOptional, Need::kRequiredInMask,
             Need::kOptional);
  rules.push_back({"UpdateProfileRequest.update_mask",
                   MaskForm{"account", {"email", "language_code"}}, Need::kRequired});
  rules.push_back({"ConfirmEmailRequest.token", TokenText(), Need::kRequired});
  rules.push_back({"ListServicesRequest.roles", EnumForm{}, Need::kOptional, kMaxFilterValues});
  rules.push_back({"ListServicesRequest.id_prefix",
                   TextForm{IsServiceIdPrefix, "the beginning of a service id", Lower}});
  rules.push_back({"ListServicesRequest.contact", AccountIdText(form)});
  AddPage(rules, "ListServicesRequest", settings);
  rules.push_back({"GetServiceRequest.service", ServiceIdText(), Need::kRequired});
  rules.push_back({"ListContactHistoryRequest.service", ServiceIdText(), Need::kRequired});
  AddPage(rules, "ListContactHistoryRequest", settings);
  rules.push_back({"UpdateServiceOwnerRequest.service", ServiceIdText(), Need::kRequired});
  AddOwner(rules, "UpdateServiceOwnerRequest.owner");
  rules.push_back({"UpdateServiceOwnerRequest.update_mask",
                   MaskForm{"owner",
                            {"name", "organisation", "email", "phone", "address_lines", "city",
                             "postal_code", "country_code"}},
                   Need::kRequired});
  rules.push_back({"UpdateServiceOwnerRequest.etag", AsciiText(kMaxEtag, "an etag")});
}

void AddChanges(Rules& rules, const AccountIdForm& form, const Settings& settings) {
  AddAssignments(rules, "ChangeContactsRequest", form, settings.max_assignments);
  rules.push_back(
      {"ChangeContactsRequest.request_id", RequestIdText(), Need::kRequiredUnlessValidateOnly});
  rules.push_back({"ChangeContactsRequest.validate_only", FlagForm{}});
  AddChangeId(rules, "GetContactChangeRequest");
  rules.push_back(
      {"ListContactChangesRequest.states", EnumForm{}, Need::kOptional, kMaxFilterValues});
  rules.push_back({"ListContactChangesRequest.involvement", EnumForm{}});
  rules.push_back({"ListContactChangesRequest.service", ServiceIdText()});
  AddMaxItems(rules, "ListContactChangesRequest");
  AddPage(rules, "ListContactChangesRequest", settings);
  AddChangeId(rules, "AcceptContactChangeRequest");
  rules.push_back({"AcceptContactChangeRequest.token", TokenText(), Need::kRequired});
  rules.push_back({"AcceptContactChangeRequest.request_id", RequestIdText()});
  AddChangeId(rules, "RefuseContactChangeRequest");
  rules.push_back({"RefuseContactChangeRequest.token", TokenText(), Need::kRequired});
  rules.push_back({"RefuseContactChangeRequest.reason", ReasonText(settings)});
  rules.push_back({"RefuseContactChangeRequest.request_id", RequestIdText()});
  AddChangeId(rules, "ResendValidationRequest");
  rules.push_back({"ResendValidationRequest.account", AccountIdText(form)});
  AddChangeId(rules, "CancelContactChangeRequest");
  rules.push_back({"CancelContactChangeRequest.request_id", RequestIdText()});
  AddChangeId(rules, "ListContactChangeEventsRequest");
  AddPage(rules, "ListContactChangeEventsRequest", settings);
  rules.push_back(
      {"WatchContactChangesRequest.resume_token", AsciiText(kMaxOpaque, "a resume token")});
  rules.push_back({"WatchContactChangesRequest.service", ServiceIdText()});
}

void AddDirectory(Rules& rules, const AccountIdForm& form, const Settings& settings) {
  AddAccount(rules, "CreateAccountRequest.account", form, Need::kRequired, Need::kRequired,
             Need::kOptional);
  rules.push_back({"GetAccountRequest.account", AccountIdText(form), Need::kRequired});
  AddAccount(rules, "UpdateAccountRequest.account", form, Need::kRequired, Need::kRequiredInMask,
             Need::kRequiredInMask);
  rules.push_back({"UpdateAccountRequest.update_mask",
                   MaskForm{"account", {"email", "language_code", "billing_standing"}},
                   Need::kRequired});
  rules.push_back({"DeleteAccountRequest.account", AccountIdText(form), Need::kRequired});
  AddService(rules, "CreateServiceRequest.service", form);
  rules.push_back({"LookupServiceRequest.service", ServiceIdText(), Need::kRequired});
  rules.push_back({"DeleteServiceRequest.service", ServiceIdText(), Need::kRequired});
  AddAssignments(rules, "OverrideContactsRequest", form, settings.max_assignments);
  rules.push_back({"OverrideContactsRequest.request_id", RequestIdText(), Need::kRequired});
  rules.push_back({"OverrideContactsRequest.reason", ReasonText(settings), Need::kRequired});
  AddAccount(rules, "ImportDirectoryRequest.account", form, Need::kRequired, Need::kRequired,
             Need::kOptional);
  AddService(rules, "ImportDirectoryRequest.service", form);
  AddPage(rules, "ExportDirectoryRequest", settings);
}

void AddSupport(Rules& rules, const AccountIdForm& form, const Settings& settings) {
  const std::string search = "SearchContactChangesRequest";
  rules.push_back({search + ".account", AccountIdText(form)});
  rules.push_back({search + ".service", ServiceIdText()});
  rules.push_back({search + ".states", EnumForm{}, Need::kOptional, kMaxFilterValues});
  rules.push_back({search + ".create_time_from", TimestampForm{}});
  rules.push_back({search + ".create_time_before", TimestampForm{}});
  AddMaxItems(rules, search);
  AddPage(rules, search, settings);
  AddChangeId(rules, "LookupContactChangeRequest");
  AddChangeId(rules, "ResendValidationForRequest");
  rules.push_back({"ResendValidationForRequest.account", AccountIdText(form), Need::kRequired});
  AddChangeId(rules, "AbortContactChangeRequest");
  rules.push_back({"AbortContactChangeRequest.reason", ReasonText(settings), Need::kRequired});
  rules.push_back({"AbortContactChangeRequest.request_id", RequestIdText()});
  rules.push_back({"ListServiceContactHistoryRequest.service", ServiceIdText(), Need::kRequired});
  AddPage(rules, "ListServiceContactHistoryRequest", settings);
  rules.push_back({"ListContactOverridesRequest.service", ServiceIdText()});
  rules.push_back({"ListContactOverridesRequest.account", AccountIdText(form)});
  AddPage(rules, "ListContactOverridesRequest", settings);
}

}  // namespace

std::vector<FieldRule> FieldRules(const AccountIdForm& account_id, const Settings& settings) {
  Rules rules;
  AddProfile(rules, account_id, settings);
  AddChanges(rules, account_id, settings);
  AddDirectory(rules, account_id, settings);
  AddSupport(rules, account_id, settings);
  return rules;
}

}  // namespace contacts::server
