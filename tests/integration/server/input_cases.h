#ifndef CONTACTS_TESTS_INTEGRATION_SERVER_INPUT_CASES_H_
#define CONTACTS_TESTS_INTEGRATION_SERVER_INPUT_CASES_H_

#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

// The input of input_test: the bad values of each field and a good request of each method.
namespace contacts::server {

inline constexpr char kUuid[] = "01890a5d-ac96-774b-bcce-b302099a8057";

inline std::string Repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

inline const std::string kNul("a\0b", 3);

// Bad in any text: not UTF-8, control characters, header injection.
inline const std::vector<std::string> kBadText = {
    "\xff\xfe", "caf\xc3",  "\xed\xa0\x80",   kNul, "a\r\nBcc: eve@example.com", "\x1b[2J",
    "\x7f",     "\xc2\x85", Repeat("x", 5000)};

inline std::vector<std::string> Also(std::vector<std::string> values) {
  values.insert(values.end(), kBadText.begin(), kBadText.end());
  return values;
}

inline const std::vector<std::string> kBadIds =
    Also({"nope", "aa1", "aa1-ovh' OR '1'='1", "aa1-ovh\"; --", " aa1-ovh", "aa1-ovh\n", "aa-ovh",
          "\xc3\xa9\xc3\xa9-ovh", "aa" + Repeat("1", 30) + "-ovh"});
inline const std::vector<std::string> kBadServices =
    Also({"a b", "a..b", ".a", "a.", "a'; DROP TABLE service; --", "a/b", "caf\xc3\xa9.fr",
          Repeat("a", 254)});
inline const std::vector<std::string> kBadUuids =
    Also({"1", "01890a5dac96774bbcceb302099a8057", std::string(kUuid) + "0", "' OR ''='",
          "01890a5d-ac96-774b-bcce-b302099a805g"});
inline const std::vector<std::string> kBadRequestIds = [] {
  std::vector<std::string> values = kBadUuids;
  values.emplace_back("00000000-0000-0000-0000-000000000000");
  return values;
}();
// A line break is text there.
inline const std::vector<std::string> kBadReasons = {
    "\xff\xfe", "caf\xc3", kNul, "\x1b[2J", "\x7f", "\xc2\x85", Repeat("\xc3\xa9", 501)};
// Characters that cannot be part of a token are ignored, so only a text without any other
// character is invalid.
inline const std::vector<std::string> kBadTokens = {"\xff\xfe", "caf\xc3", " ",
                                                    "\xc3\xa9", "<...>",   Repeat("A", 513)};
inline const std::vector<std::string> kBadEmails =
    Also({"jane", "jane@", "@example.com", "jane@localhost", "jane@@example.com", "a b@example.com",
          "<jane@example.com>", "jane@example.com,eve@example.com", "\"jane@example.com",
          "jane@example.com\r\nRCPT TO:<eve@example.com>", "jane@-example.com", "jane@[127.0.0.1]",
          "jane@127.0.0.1", "jane@ex_ample.com", "j\xe2\x80\xae@example.com",
          Repeat("j", 65) + "@example.com", "jane@" + Repeat("a.", 125) + "com"});
inline const std::vector<std::string> kBadEtags = Also({"\xc3\xa9", Repeat("e", 65)});
inline const std::vector<std::string> kBadPageTokens =
    Also({"AAAA", "not base64", "' OR ''='", Repeat("QUFB", 20)});

// The bad values of each text field, by the message that declares it.
inline const std::map<std::string, std::vector<std::string>> kBadTexts = {
    {"Account.id", kBadIds},
    {"Account.email", kBadEmails},
    {"Account.language_code", Also({"f", "fr_FR", "fr--FR", "fr-", "français", "' --",
                                    "en-" + Repeat("abcdefgh-", 4) + "a"})},
    {"Account.etag", kBadEtags},
    {"Account.pending_email", kBadEmails},
    {"Owner.name", Also({Repeat("n", 201), "a\nb"})},
    {"Owner.organisation", Also({Repeat("\xc3\xa9", 201), "a\nb"})},
    {"Owner.email", kBadEmails},
    {"Owner.phone", Also({"0972101007", "+0", "+33 9 72", "+1234567890123456", "' --"})},
    {"Owner.address_lines", Also({Repeat("l", 201), "a\nb"})},
    {"Owner.city", Also({Repeat("c", 101), "a\nb"})},
    {"Owner.postal_code", Also({Repeat("1", 21), "a\nb"})},
    {"Owner.country_code", Also({"F", "FRA", "F1", "'-"})},
    {"Service.id", kBadServices},
    {"Service.kind", Also({"Domain", "-a", "a b", "' --", Repeat("k", 33)})},
    {"Service.admin", kBadIds},
    {"Service.tech", kBadIds},
    {"Service.billing", kBadIds},
    {"Service.etag", kBadEtags},
    {"ContactAssignment.service", kBadServices},
    {"ContactAssignment.new_contact", kBadIds},
    {"OverrideAssignment.service", kBadServices},
    {"OverrideAssignment.new_contact", kBadIds},
    {"ConfirmEmailRequest.token", kBadTokens},
    {"ListServicesRequest.id_prefix", Also({"a b", "%", "a'--", Repeat("a", 254)})},
    {"ListServicesRequest.contact", kBadIds},
    {"ListServicesRequest.page_token", kBadPageTokens},
    {"GetServiceRequest.service", kBadServices},
    {"ListContactHistoryRequest.service", kBadServices},
    {"ListContactHistoryRequest.page_token", kBadPageTokens},
    {"UpdateServiceOwnerRequest.service", kBadServices},
    {"UpdateServiceOwnerRequest.etag", kBadEtags},
    {"ChangeContactsRequest.request_id", kBadRequestIds},
    {"GetContactChangeRequest.contact_change_id", kBadUuids},
    {"ListContactChangesRequest.service", kBadServices},
    {"ListContactChangesRequest.page_token", kBadPageTokens},
    {"AcceptContactChangeRequest.contact_change_id", kBadUuids},
    {"AcceptContactChangeRequest.token", kBadTokens},
    {"AcceptContactChangeRequest.request_id", kBadRequestIds},
    {"RefuseContactChangeRequest.contact_change_id", kBadUuids},
    {"RefuseContactChangeRequest.token", kBadTokens},
    {"RefuseContactChangeRequest.reason", kBadReasons},
    {"RefuseContactChangeRequest.request_id", kBadRequestIds},
    {"ResendValidationRequest.contact_change_id", kBadUuids},
    {"ResendValidationRequest.account", kBadIds},
    {"CancelContactChangeRequest.contact_change_id", kBadUuids},
    {"CancelContactChangeRequest.request_id", kBadRequestIds},
    {"ListContactChangeEventsRequest.contact_change_id", kBadUuids},
    {"ListContactChangeEventsRequest.page_token", kBadPageTokens},
    {"GetAccountRequest.account", kBadIds},
    {"DeleteAccountRequest.account", kBadIds},
    {"LookupServiceRequest.service", kBadServices},
    {"ExportDirectoryRequest.page_token", kBadPageTokens},
    {"DeleteServiceRequest.service", kBadServices},
    {"OverrideContactsRequest.request_id", kBadRequestIds},
    {"OverrideContactsRequest.reason", kBadReasons},
    {"SearchContactChangesRequest.account", kBadIds},
    {"SearchContactChangesRequest.service", kBadServices},
    {"SearchContactChangesRequest.page_token", kBadPageTokens},
    {"LookupContactChangeRequest.contact_change_id", kBadUuids},
    {"ResendValidationForRequest.contact_change_id", kBadUuids},
    {"ResendValidationForRequest.account", kBadIds},
    {"AbortContactChangeRequest.contact_change_id", kBadUuids},
    {"AbortContactChangeRequest.reason", kBadReasons},
    {"AbortContactChangeRequest.request_id", kBadRequestIds},
    {"ListServiceContactHistoryRequest.service", kBadServices},
    {"ListServiceContactHistoryRequest.page_token", kBadPageTokens},
    {"ListContactOverridesRequest.service", kBadServices},
    {"ListContactOverridesRequest.account", kBadIds},
    {"ListContactOverridesRequest.page_token", kBadPageTokens},
};

inline const std::map<std::string, std::vector<int32_t>> kBadNumbers = {
    {"page_size",
     {-1, 1001, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()}},
    {"max_items", {-1, std::numeric_limits<int32_t>::min()}}};

// How many values of each repeated field are too many.
inline const std::map<std::string, int> kTooMany = {{"address_lines", 4},
                                                    {"assignments", 1001},
                                                    {"roles", 1000},
                                                    {"states", 1000},
                                                    {"pending_roles", 1000}};

// Both values of a flag are good.
inline const std::set<std::string> kAlwaysGood = {"ChangeContactsRequest.validate_only"};

// A well-formed request of each method and the paths that may not be empty in it.
struct MethodCase {
  const char* request;
  const char* valid;
  std::set<std::string> required;
};

inline const MethodCase kMethods[] = {
    {"GetProfile", "", {}},
    {"UpdateProfile",
     "account { id: 'aa1-ovh' email: 'a@example.com' language_code: 'fr' }"
     "update_mask { paths: 'email' paths: 'language_code' }",
     {"account.email", "account.language_code", "update_mask"}},
    {"ListServices", "roles: CONTACT_ROLE_ADMIN id_prefix: 'a' contact: 'bb2-ovh'", {}},
    {"ConfirmEmail", "token: 'ABCDE'", {"token"}},
    {"GetService", "service: 'example.com'", {"service"}},
    {"ListContactHistory", "service: 'example.com'", {"service"}},
    {"UpdateServiceOwner",
     "service: 'example.com' owner { name: 'Jane' address_lines: '1, High Street' }"
     "update_mask { paths: 'name' }",
     {"service", "update_mask"}},
    {"ChangeContacts",
     "request_id: '01890a5d-ac96-774b-bcce-b302099a8057'"
     "assignments { service: 'a.example' role: CONTACT_ROLE_TECH new_contact: 'bb2-ovh' }"
     "assignments { service: 'b.example' role: CONTACT_ROLE_TECH new_contact: 'bb2-ovh' }",
     {"request_id", "assignments", "assignments[1].service", "assignments[1].role",
      "assignments[1].new_contact"}},
    {"GetContactChange",
     "contact_change_id: '01890a5d-ac96-774b-bcce-b302099a8057'",
     {"contact_change_id"}},
    {"ListContactChanges", "states: CONTACT_CHANGE_STATE_DONE service: 'a.example'", {}},
    {"AcceptContactChange",
     "contact_change_id: '01890a5d-ac96-774b-bcce-b302099a8057' token: 'ABCDE'",
     {"contact_change_id", "token"}},
    {"RefuseContactChange",
     "contact_change_id: '01890a5d-ac96-774b-bcce-b302099a8057' token: 'ABCDE'",
     {"contact_change_id", "token"}},
    {"ResendValidation",
     "contact_change_id: '01890a5d-ac96-774b-bcce-b302099a8057'",
     {"contact_change_id"}},
    {"CancelContactChange",
     "contact_change_id: '01890a5d-ac96-774b-bcce-b302099a8057'",
     {"contact_change_id"}},
    {"ListContactChangeEvents",
     "contact_change_id: '01890a5d-ac96-774b-bcce-b302099a8057'",
     {"contact_change_id"}},
    {"CreateAccount",
     "account { id: 'zz9-ovh' email: 'z@example.com' }",
     {"account.id", "account.email"}},
    {"GetAccount", "account: 'aa1-ovh'", {"account"}},
    {"UpdateAccount",
     "account { id: 'zz9-ovh' email: 'z@example.com' language_code: 'en'"
     "          billing_standing: BILLING_STANDING_OVERDUE }"
     "update_mask { paths: 'email' paths: 'language_code' paths: 'billing_standing' }",
     {"account.id", "account.email", "account.language_code", "account.billing_standing",
      "update_mask"}},
    {"DeleteAccount", "account: 'zz9-ovh'", {"account"}},
    {"CreateService",
     "service { id: 'z.example' kind: 'domain' admin: 'aa1-ovh' tech: 'aa1-ovh'"
     "          billing: 'aa1-ovh' owner { address_lines: '1, High Street' }"
     "          pending_roles: CONTACT_ROLE_TECH }",
     {"service.id", "service.kind", "service.admin", "service.tech", "service.billing"}},
    {"LookupService", "service: 'example.com'", {"service"}},
    {"DeleteService", "service: 'example.com'", {"service"}},
    {"OverrideContacts",
     "request_id: '01890a5d-ac96-774b-bcce-b302099a8057' reason: 'nobody reads it'"
     "assignments { service: 'a.example' role: CONTACT_ROLE_TECH new_contact: 'bb2-ovh' }"
     "assignments { service: 'b.example' role: CONTACT_ROLE_TECH new_contact: 'bb2-ovh' }",
     {"request_id", "reason", "assignments", "assignments[1].service", "assignments[1].role",
      "assignments[1].new_contact"}},
    {"ExportDirectory", "page_size: 1", {}},
    {"SearchContactChanges",
     "account: 'aa1-ovh' states: CONTACT_CHANGE_STATE_DONE create_time_from { seconds: 1 }",
     {}},
    {"LookupContactChange",
     "contact_change_id: '01890a5d-ac96-774b-bcce-b302099a8057'",
     {"contact_change_id"}},
    {"ResendValidationFor",
     "contact_change_id: '01890a5d-ac96-774b-bcce-b302099a8057' account: 'aa1-ovh'",
     {"contact_change_id", "account"}},
    {"AbortContactChange",
     "contact_change_id: '01890a5d-ac96-774b-bcce-b302099a8057' reason: 'disputed'",
     {"contact_change_id", "reason"}},
    {"ListServiceContactHistory", "service: 'example.com'", {"service"}},
    {"ListContactOverrides", "service: 'example.com' account: 'aa1-ovh'", {}},
};

// A well-formed record of each kind that ImportDirectory takes.
inline const MethodCase kImportRecords[] = {
    {"ImportDirectory",
     "account { id: 'yy9-ovh' email: 'y@example.com' language_code: 'en'"
     "          billing_standing: BILLING_STANDING_OVERDUE }",
     {"account.id", "account.email"}},
    {"ImportDirectory",
     "service { id: 'y.example' kind: 'domain' admin: 'yy9-ovh' tech: 'yy9-ovh'"
     "          billing: 'yy9-ovh' owner { address_lines: '1, High Street' }"
     "          pending_roles: CONTACT_ROLE_TECH }",
     {"service.id", "service.kind", "service.admin", "service.tech", "service.billing"}},
};

}  // namespace contacts::server

#endif  // CONTACTS_TESTS_INTEGRATION_SERVER_INPUT_CASES_H_
