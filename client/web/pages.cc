#include <re2/re2.h>

#include <algorithm>
#include <iterator>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/lib/errors.h"
#include "client/lib/time_text.h"
#include "client/lib/uuid.h"
#include "client/web/site.h"

namespace contacts::web {
namespace {

using ctemplate::TemplateDictionary;

constexpr int kServicesPerPage = 50;
constexpr int kChangesPerPage = 20;
constexpr int kItemsInLists = 3;

// A role, by the names that forms have for it.
struct Role {
  v1::ContactRole value;
  const char* key;  // The value of a tick box has its first letter.
  const char* label;
  const std::string& (v1::Service::*holder)() const;
};
constexpr Role kRoles[] = {
    {v1::CONTACT_ROLE_ADMIN, "admin", Text("Administrative contact"), &v1::Service::admin},
    {v1::CONTACT_ROLE_TECH, "tech", Text("Technical contact"), &v1::Service::tech},
    {v1::CONTACT_ROLE_BILLING, "billing", Text("Billing contact"), &v1::Service::billing}};

struct Tab {
  v1::Involvement value;
  const char* key;
  const char* label;
};
constexpr Tab kTabs[] = {
    {v1::INVOLVEMENT_AWAITING_MY_VALIDATION, "awaiting", Text("Awaiting my answer")},
    {v1::INVOLVEMENT_REQUESTER, "mine", Text("Asked by me")},
    {v1::INVOLVEMENT_UNSPECIFIED, "all", Text("All")}};

// The choice with this key; `otherwise` if there is none.
template <typename Choice, std::size_t kCount>
const Choice* Find(const Choice (&choices)[kCount], absl::string_view key,
                   const Choice* otherwise = nullptr) {
  const auto* found = absl::c_find_if(choices, [&](const auto& each) { return key == each.key; });
  return found == std::end(choices) ? otherwise : found;
}

// Letters of the roles that an account may move: all for the administrator, else its own.
std::string MayMove(const v1::Service& service, const std::string& account) {
  std::string letters;
  for (const Role& role : kRoles) {
    const bool may = service.admin() == account || (service.*role.holder)() == account;
    if (may) letters += role.key[0];
  }
  return letters;
}

std::string Trimmed(const std::string& text) {
  return std::string(absl::StripAsciiWhitespace(text));
}

// One row of a request for changes.
struct Row {
  std::string service;
  const Role* role;
  std::string new_contact;
};

// The rows that the ticked boxes of the check have, or those of the form for new contacts.
std::vector<Row> RowsOf(const Parameters& form) {
  std::vector<Row> rows;
  for (const auto& [name, value] : form) {
    const std::vector<std::string> parts = absl::StrSplit(value, ':');
    for (const Role& role : kRoles) {
      if (name == "row" && parts.size() == 3 && parts[1] == role.key) {
        rows.push_back({parts[0], &role, parts[2]});
      }
      const std::string contact = absl::AsciiStrToLower(Trimmed(Get(form, role.key)));
      if (name == "service" && parts.size() == 2 && !contact.empty() &&
          absl::StrContains(parts[1], role.key[0])) {
        rows.push_back({parts[0], &role, contact});
      }
    }
  }
  return rows;
}

// The wrong rows of a request.
struct WrongRows {
  std::map<std::size_t, std::string> why;  // By place.
  std::size_t count = 0;
  bool all_known = true;  // Whether rows without an entry in `why` are in order.
};

WrongRows WrongRowsOf(const grpc::Status& status, const std::vector<Row>& rows, const Words& say) {
  WrongRows wrong;
  if (status.ok()) return wrong;
  const client::Failure failure = client::ExplainFailure(status, {});
  for (const client::Violation& violation : failure.fields) {
    std::size_t place = 0;
    if (RE2::PartialMatch(violation.where, R"(^assignments\[(\d+)\])", &place) &&
        place < rows.size()) {
      wrong.why[place] = RowSentence(violation.what, rows[place].new_contact, say);
    }
  }
  // The server lists as many as there is room for, and says how many there are.
  const auto all = failure.metadata.find("violations");
  std::size_t count = 0;
  const bool cut = all != failure.metadata.end() && absl::SimpleAtoi(all->second, &count) &&
                   count > failure.fields.size();
  wrong.count = cut ? count : wrong.why.size();
  wrong.all_known = !wrong.why.empty() && !cut;
  return wrong;
}

// The accounts whose answers are awaited.
std::vector<std::string> Awaited(const v1::ContactChange& change) {
  std::vector<std::string> names;
  for (const v1::Validation& validation : change.validations()) {
    const bool awaited = change.state() == v1::CONTACT_CHANGE_STATE_VALIDATING &&
                         validation.state() == v1::VALIDATION_STATE_PENDING;
    if (awaited) names.push_back(validation.account());
  }
  return names;
}

// The id that the form brought, so that a second click does nothing more. Once its call failed
// (`failed`) a new one, unless it may have been done nevertheless: the next try is the same
// request.
std::string RequestId(const Request& request, const grpc::Status& failed = grpc::Status::OK) {
  const std::string id = Get(request.form, "request_id");
  const bool unsure = failed.error_code() == grpc::StatusCode::UNAVAILABLE ||
                      failed.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
  return client::IsUuid(id) && (failed.ok() || unsure) ? id : client::NewUuid();
}

// Adds one choice of a list.
template <typename... Values>
void AddChoice(TemplateDictionary& body, const char* section, bool chosen,
               const Values&... values) {
  TemplateDictionary& choice = Add(body, section, values...);
  if (chosen) choice.ShowSection("CHOSEN");
}

// Adds what lists and the page of one request tell of it.
void FillChange(const Visit& visit, const v1::ContactChange& change,
                TemplateDictionary& dictionary) {
  const Words& say = visit.say;
  Fill(dictionary, change, say);
  dictionary.SetValue("MATTER", Matter(change, say));
  TemplateDictionary& actions = Include(dictionary, "ACTIONS", "actions", say);
  const std::vector<std::string> awaited = Awaited(change);
  if (awaited.empty()) return;
  Add(dictionary, "OPEN", "NAMES", absl::StrJoin(awaited, ", "));
  TemplateDictionary& any = Add(actions, "ANY", "ID", change.id());
  if (absl::c_linear_search(awaited, visit.account) && visit.id.empty()) any.ShowSection("ANSWER");
  const bool requester = change.requester() == visit.account;
  for (const v1::Validation& validation : change.validations()) {
    const std::string& account = validation.account();
    const bool told = requester || account == visit.account;
    if (!told || !absl::c_linear_search(awaited, account)) continue;
    const absl::Duration wait = client::ToTime(validation.resend_time()) - absl::Now();
    Add(any, wait > absl::ZeroDuration() ? "WAIT" : "RESEND", "VALIDATOR", account, "WHEN",
        say("in $wait", {{"$wait", Wait(wait, say)}}));
  }
  // An open change is seen by its requester, its new contact, and administrators of its services,
  // who may withdraw it too.
  if (requester || change.new_contact() != visit.account) {
    Add(any, "WITHDRAW", "REQUEST_ID", client::NewUuid());
  }
}

Response Contacts(Visit& visit) {
  const Parameters& query = visit.request.query;
  v1::ListServicesRequest request;
  const Role* only = Find(kRoles, absl::AsciiStrToLower(Get(query, "role")));
  if (only != nullptr) request.add_roles(only->value);
  request.set_id_prefix(absl::AsciiStrToLower(Trimmed(Get(query, "prefix"))));
  request.set_page_size(kServicesPerPage);
  request.set_page_token(Get(query, "page"));
  const auto reply = visit.Read(&Stub::ListServices, request);

  const Words& say = visit.say;
  Page page(visit, "contacts", say("My contacts"));
  page.body.SetValue("PREFIX", request.id_prefix());
  TemplateDictionary& table = Add(page.body, reply.services().empty() ? "EMPTY" : "TABLE");
  for (const Role& role : kRoles) {
    AddChoice(page.body, "ROLE_CHOICE", only == &role, "KEY", role.key, "NAME", say(role.label));
    Add(table, "HEAD", "NAME", say(role.label));
  }
  for (const v1::Service& service : reply.services()) {
    TemplateDictionary& row = Add(table, "SERVICE", "MAY_MOVE", MayMove(service, visit.account));
    Fill(row, service, say);
    for (const Role& role : kRoles) {
      const std::string& holder = (service.*role.holder)();
      TemplateDictionary& cell = Add(row, "ROLE", "NAME", say(role.label), "HOLDER", holder);
      if (holder == visit.account) cell.ShowSection("MINE");
      if (absl::c_linear_search(service.pending_roles(), role.value)) cell.ShowSection("PENDING");
    }
  }
  if (!request.page_token().empty()) Add(table, "FIRST", "URL", visit.With("page", ""));
  if (!reply.next_page_token().empty()) {
    Add(table, "NEXT", "URL", visit.With("page", reply.next_page_token()));
  }
  return visit.Show(page);
}

Response ChangeForm(Visit& visit) {
  const Words& say = visit.say;
  std::vector<std::pair<std::string, std::string>> services;  // And the letters of the roles.
  for (const auto& [name, value] : visit.request.query) {
    if (name == "service") services.push_back(absl::StrSplit(value, absl::MaxSplits(':', 1)));
  }
  if (services.empty()) return visit.Failed(400, say("Select at least one service."));
  const bool one = services.size() == 1;
  v1::Service service;
  if (one) {
    v1::GetServiceRequest request;
    request.set_service(services[0].first);
    service = visit.Read(&Stub::GetService, request).service();
    services[0].second = MayMove(service, visit.account);
  }
  Page page(visit, "change",
            say(one ? Text("Change the contacts of $service")
                    : Text("Change the contacts of $count services"),
                {{"$service", services[0].first}, {"$count", absl::StrCat(services.size())}}));
  TemplateDictionary& named = Add(page.body, one ? "ONE" : "MANY");
  if (one) Fill(named, service, say);
  std::string letters;
  for (const auto& [id, may_move] : services) {
    Add(page.body, "SERVICE", "ID", id, "MAY_MOVE", may_move);
    Add(named, "NAMED", "ID", id);
    letters += may_move;
  }
  for (const Role& role : kRoles) {
    TemplateDictionary& field = Add(page.body, "ROLE", "KEY", role.key, "LABEL", say(role.label),
                                    "HOLDER", (service.*role.holder)());
    const bool free = absl::StrContains(letters, role.key[0]);
    field.ShowSection(free ? "FREE" : "FIXED");
    if (one && free) field.ShowSection("NOW");
    if (absl::c_linear_search(service.pending_roles(), role.value)) field.ShowSection("BUSY");
  }
  return visit.Show(page);
}

Response Change(Visit& visit) {
  const Words& say = visit.say;
  const Parameters& form = visit.request.form;
  const std::vector<Row> rows = RowsOf(form);
  if (rows.empty()) {
    return visit.Failed(400,
                        say("Nothing to ask for: write at least one new contact, or tick a row."));
  }
  const bool ask = Get(form, "step") == "ask";
  v1::ChangeContactsRequest request;
  request.set_validate_only(!ask);
  if (ask) request.set_request_id(RequestId(visit.request));
  for (const Row& row : rows) {
    v1::ContactAssignment& assignment = *request.add_assignments();
    assignment.set_service(row.service);
    assignment.set_role(row.role->value);
    assignment.set_new_contact(row.new_contact);
  }
  v1::ChangeContactsResponse reply;
  const grpc::Status status = visit.Call(&Stub::ChangeContacts, request, reply);
  if (status.ok() && ask) return visit.Redirect("/requests?tab=mine", "asked");

  const WrongRows wrong = WrongRowsOf(status, rows, say);
  Page page(visit, "check", say("Check your request"), status);
  if (!wrong.why.empty()) page.error.clear();  // Rows tell for themselves.
  Set(page.body, "REQUEST_ID", RequestId(visit.request, status), "WRONG_COUNT",
      absl::StrCat(wrong.count), "COUNT", absl::StrCat(rows.size()));
  page.body.ShowSection(!wrong.why.empty() ? "SOME_WRONG" : status.ok() ? "ALL_FINE" : "NONE");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& [service, role, new_contact] = rows[i];
    TemplateDictionary& row =
        Add(page.body, "ROW", "SERVICE", service, "KEY", role->key, "ROLE",
            say(v1::ContactRole_Name(role->value)), "NEW_CONTACT", new_contact);
    const auto found = wrong.why.find(i);
    if (found != wrong.why.end()) {
      Add(row, "WRONG", "WHY", found->second);
      continue;
    }
    row.ShowSection("TICKED");
    Add(row, wrong.all_known ? "FINE" : "UNKNOWN", "VALIDATORS",
        new_contact == visit.account ? visit.account
                                     : absl::StrCat(visit.account, ", ", new_contact));
  }
  if (wrong.why.size() < rows.size()) page.body.ShowSection("MAY_ASK");
  return visit.Show(page);
}

Response Requests(Visit& visit) {
  const Parameters& query = visit.request.query;
  const Tab* tab = Find(kTabs, Get(query, "tab"), kTabs);
  v1::ListContactChangesRequest request;
  request.set_involvement(tab->value);
  request.set_service(Get(query, "service"));
  request.set_page_size(kChangesPerPage);
  request.set_page_token(Get(query, "page"));
  request.set_max_items(kItemsInLists);
  const auto reply = visit.Read(&Stub::ListContactChanges, request);

  const Words& say = visit.say;
  Page page(visit, "requests", say("My requests"));
  for (const Tab& each : kTabs) {
    AddChoice(page.body, "TAB", tab == &each, "URL", absl::StrCat("/requests?tab=", each.key),
              "NAME", say(each.label));
  }
  if (!request.service().empty()) Add(page.body, "ONE_SERVICE", "SERVICE", request.service());
  if (reply.contact_changes().empty()) page.body.ShowSection("EMPTY");
  for (const v1::ContactChange& change : reply.contact_changes()) {
    FillChange(visit, change, Add(page.body, "CHANGE"));
  }
  if (!reply.next_page_token().empty()) {
    Add(page.body, "NEXT", "URL", visit.With("page", reply.next_page_token()));
  }
  return visit.Show(page);
}

// The page of one request, also after a form of it that failed.
Response ShowRequest(Visit& visit, const grpc::Status& failed) {
  v1::ListContactChangeEventsRequest request;
  request.set_contact_change_id(visit.id);
  request.set_page_token(Get(visit.request.query, "page"));
  auto reply = visit.Read(&Stub::ListContactChangeEvents, request);

  const Words& say = visit.say;
  // Later pages have the rest of the history alone.
  const bool first = reply.has_contact_change();
  const v1::ContactChange change = reply.contact_change();
  reply.clear_contact_change();
  Page page(visit, "request", first ? Matter(change, say) : say("History"), failed);
  TemplateDictionary& body = page.body;
  body.SetValue("ID", visit.id);
  Fill(body, reply, say);
  if (!reply.next_page_token().empty()) {
    Add(body, "NEXT", "URL",
        absl::StrCat("/contact-changes/", visit.id, "?",
                     Encoded({{"page", reply.next_page_token()}})));
  }
  TemplateDictionary& shown = Add(body, first ? "CHANGE" : "REST");
  if (first) FillChange(visit, change, shown);
  const std::vector<std::string> awaited = Awaited(change);
  const Parameters& sent = visit.request.sent();
  const std::string token = Get(sent, "token");
  if (absl::c_linear_search(awaited, visit.account)) {
    const bool answered = !Get(visit.request.form, "answer").empty();
    TemplateDictionary& answer =
        Add(body, "ANSWER", "TOKEN", token, "REASON", Get(sent, "reason"), "REQUEST_ID",
            answered ? RequestId(visit.request, failed) : client::NewUuid(), "REQUESTER",
            change.requester(), "NEW_CONTACT", change.new_contact());
    answer.ShowSection(change.requester() == change.new_contact() ? "TAKES_OVER"
                       : change.requester() == visit.account      ? "HANDS_OVER"
                                                                  : "IS_ASKED");
    if (Get(sent, "answer") == "refuse") answer.ShowSection("REFUSING");
  } else if (first && !token.empty() && failed.ok()) {
    page.done = "done before";
  } else if (change.state() == v1::CONTACT_CHANGE_STATE_DONE && visit.Done() == "done accepted") {
    page.done = "done effective";
  }
  return visit.Show(page);
}

// Makes a call that changes the request of this page, and shows it: `done` says what was done.
template <typename Request, typename Reply>
Response Act(Visit& visit, Visit::Method<Request, Reply> method, Request request,
             const char* done) {
  request.set_contact_change_id(visit.id);
  client::Retry retry = client::Retry::kNever;
  if constexpr (requires { request.set_request_id(""); }) {
    request.set_request_id(RequestId(visit.request));
    retry = client::Retry::kWhileUnavailable;
  }
  Reply reply;
  const grpc::Status status = visit.Call(method, request, reply, retry);
  if (!status.ok()) return ShowRequest(visit, status);
  return visit.Redirect(absl::StrCat("/contact-changes/", visit.id), done);
}

Response AnswerRequest(Visit& visit) {
  const Parameters& form = visit.request.form;
  if (Get(form, "answer") == "accept") {
    v1::AcceptContactChangeRequest request;
    request.set_token(Trimmed(Get(form, "token")));
    return Act(visit, &Stub::AcceptContactChange, request, "accepted");
  }
  v1::RefuseContactChangeRequest request;
  request.set_token(Trimmed(Get(form, "token")));
  request.set_reason(Get(form, "reason"));
  return Act(visit, &Stub::RefuseContactChange, request, "refused");
}

Response Resend(Visit& visit) {
  v1::ResendValidationRequest request;
  request.set_account(Get(visit.request.form, "account"));
  return Act(visit, &Stub::ResendValidation, request, "resent");
}

Response Withdraw(Visit& visit) {
  return Act(visit, &Stub::CancelContactChange, v1::CancelContactChangeRequest(), "withdrawn");
}

// The profile, also after a form of it that failed.
Response ShowProfile(Visit& visit, const grpc::Status& failed) {
  const auto reply = visit.Read(&Stub::GetProfile, {});
  const Words& say = visit.say;
  const v1::Account& account = reply.account();
  Page page(visit, "profile", say("Profile"), failed);
  Fill(page.body, account, say);
  const std::string typed = Get(visit.request.form, "email");
  const Words* present = LanguageOf(account.language_code());
  Set(page.body, "TYPED_EMAIL", typed.empty() ? account.email() : typed, "TOKEN",
      Get(visit.request.sent(), "token"), "PRESENT_LANGUAGE",
      present == nullptr ? "" : present->tag());
  // A link that was used, or is too old.
  if (visit.request.path == "/confirm-email" && account.pending_email().empty() && failed.ok()) {
    page.error = say("ERROR_REASON_NO_PENDING_EMAIL");
  }
  for (const Words& language : Languages()) {
    AddChoice(page.body, "CHOICE", &language == present, "TAG", language.tag(), "NAME",
              language.name());
  }
  return visit.Show(page);
}

Response SaveProfile(Visit& visit) {
  const Parameters& form = visit.request.form;
  v1::UpdateProfileRequest request;
  request.mutable_account()->set_etag(Get(form, "etag"));
  request.mutable_account()->set_email(Trimmed(Get(form, "email")));
  request.mutable_account()->set_language_code(Get(form, "language"));
  if (request.account().email() != Get(form, "present_email")) {
    request.mutable_update_mask()->add_paths("email");
  }
  if (Get(form, "language") != Get(form, "present_language")) {
    request.mutable_update_mask()->add_paths("language_code");
  }
  v1::UpdateProfileResponse reply;
  const grpc::Status status =
      request.update_mask().paths().empty()
          ? grpc::Status::OK
          : visit.Call(&Stub::UpdateProfile, request, reply, client::Retry::kNever);
  return status.ok() ? visit.Redirect("/profile", "saved") : ShowProfile(visit, status);
}

Response ConfirmEmail(Visit& visit) {
  v1::ConfirmEmailRequest request;
  request.set_token(Trimmed(Get(visit.request.form, "token")));
  v1::ConfirmEmailResponse reply;
  const grpc::Status status =
      visit.Call(&Stub::ConfirmEmail, request, reply, client::Retry::kNever);
  return status.ok() ? visit.Redirect("/profile", "confirmed") : ShowProfile(visit, status);
}

}  // namespace

std::vector<Route> ContactPages() {
  const auto show_request = [](Visit& visit) { return ShowRequest(visit, grpc::Status::OK); };
  const auto show_profile = [](Visit& visit) { return ShowProfile(visit, grpc::Status::OK); };
  return {{"GET", "/contacts", Contacts},
          {"GET", "/change", ChangeForm},
          {"POST", "/change", Change},
          {"GET", "/requests", Requests},
          {"GET", "/contact-changes/{id}", show_request},
          {"POST", "/contact-changes/{id}/answer", AnswerRequest},
          {"POST", "/contact-changes/{id}/resend", Resend},
          {"POST", "/contact-changes/{id}/withdraw", Withdraw},
          {"GET", "/profile", show_profile},
          {"POST", "/profile", SaveProfile},
          {"GET", "/confirm-email", show_profile},
          {"POST", "/confirm-email", ConfirmEmail}};
}

}  // namespace contacts::web
